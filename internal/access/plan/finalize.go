package plan

import (
	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// Finalize plans what a User's deletion does to its account, or that of its MediaServer with policy Cascade. The account is on
// the server, beyond doubt. refused: the server does not delete it, as it turned out.
func Finalize(s Snapshot, refused bool) Plan {
	s = s.given()
	p := Plan{Of: s, Target: s.Account.Access}
	switch policy := s.User.Spec.DeletionPolicy; {
	case policy == v1alpha1.UserDeletionRetain:
		return p
	case s.Renamed():
		return withdraw(s)
	case s.Protected != "":
		p.Problem = problem(v1alpha1.ReasonProtected, "account %q is left on the server as it is: %s", s.User.Spec.Username, s.Protected)
		return p
	case policy == v1alpha1.UserDeletionDelete && s.Server.Can.DeleteAccount && !refused:
		p.Steps, p.Target = []Step{{Action: Delete, Reason: []string{"delete the account" + leaving(policy)}}}, media.Access{}
		return p
	}
	p.retire()
	return p
}

// retire disables the account for good, as far as the server can, and takes back what Usher granted.
func (p *Plan) retire() {
	s := p.Of
	keep := s.WithoutDeclared
	method := s.Method()
	if method == v1alpha1.DisableNoAccess {
		keep = exactly(media.Access{})
	}
	why := leaving(s.User.Spec.DeletionPolicy)
	if method != "" {
		step := Step{Action: Disable, Method: method, Reason: []string{"disable the account" + why}}
		if method == v1alpha1.DisableNoAccess {
			step.Access = keep
		}
		p.Steps = append(p.Steps, step)
	}
	if s.Server.Can.ZeroAccess && method != v1alpha1.DisableNoAccess {
		p.Target = keep(s.Account)
		p.Steps = append(p.Steps, Step{Action: SetAccess, Access: keep, Reason: append([]string{"take back what Usher gave" + why}, s.AccessReasons(s.Account.Access, p.Target)...)})
	}
	if method == v1alpha1.DisableNoAccess {
		p.Target = media.Access{}
	}
}

func leaving(policy v1alpha1.UserDeletionPolicy) string {
	return ": the User, or its MediaServer, is being deleted (deletionPolicy " + string(policy) + ")"
}
