package plan

import (
	"fmt"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// Obtains says whether the first step makes an account the User's. What follows is planned anew with what was read back.
func (p Plan) Obtains() bool { return p.Has(Create) || p.Has(Adopt) || p.Has(Recover) }

// create makes an account with its final access. Where only a password can disable it, that comes next.
func create(s Snapshot) Plan {
	s.Account = media.Account{}
	p := Plan{Of: s.given()}
	if s.Blocked {
		return p
	}
	spec := s.User.Spec
	role := media.Role(spec.Role)
	switch {
	case !s.Server.Can.Roles[role].Assignable:
		p.Problem = notAssignable(s, role)
		return p
	case s.AccountGone:
		p.Problem = problem(v1alpha1.ReasonAccountGone, "account %q is gone from the server, and only its holder knew the password, so that none is made again: delete this User (the person can come by an Invite again), or set spec.password.secretRef in place of chosenByHolder to have an account made with that password", spec.Username)
		return p
	}
	s = p.Of
	made := media.Account{
		Username: spec.Username, Email: spec.Email, DisplayName: spec.DisplayName, Role: role, Access: s.Desired(),
		Disabled: s.WantDisabled && s.Method() == v1alpha1.DisableSwitch,
	}
	reasons := append([]string{"create the account " + spec.Username}, s.AccessReasons(media.Access{}, made.Access)...)
	p.Steps = []Step{{Action: Create, Access: exactly(made.Access), Method: s.disableMethod(), Reason: reasons}}
	return p.then(made, Record{Origin: v1alpha1.OriginCreated, Disabled: s.disableMethod() != "", Method: s.disableMethod()})
}

// recover gives an account of Usher's own announced creation what it lacks.
func recoverCreated(s Snapshot) Plan {
	p := Plan{Of: s.given()}
	if s.Blocked {
		return p
	}
	s = p.Of
	made := s.Account
	made.Access, made.Disabled = s.Desired(), s.Account.Disabled || (s.WantDisabled && s.Method() == v1alpha1.DisableSwitch)
	p.Steps = []Step{{Action: Recover, Access: exactly(made.Access), Method: s.disableMethod(), Reason: []string{"finish the account " + quoted(made.Username) + ", whose creation broke off"}}}
	return p.then(made, Record{Origin: v1alpha1.OriginCreated, Disabled: made.Disabled || s.disableMethod() != "", Method: s.disableMethod()})
}

// adopt records an existing account. One that nobody can use then follows the manifest, its password too.
func adopt(s Snapshot) Plan {
	p := Plan{Of: s, Target: s.Account.Access}
	if s.Blocked {
		return p
	}
	if p.Problem = s.CheckRole(); p.Problem != nil {
		return p
	}
	p.Steps = []Step{{Action: Adopt, Method: s.FoundDisabled, Reason: []string{"take over the account " + quoted(s.Account.Username)}}}
	record := Record{Origin: v1alpha1.OriginAdopted}
	if s.FoundDisabled != "" {
		record.Disabled, record.Method, record.Locked, record.OwesPassword = true, s.FoundDisabled, s.FoundDisabled == v1alpha1.DisableLockOut, true
	}
	return p.then(s.Account, record)
}

// then adds what is done to the account once it is the User's.
func (p Plan) then(account media.Account, record Record) Plan {
	s := p.Of.With(account, record)
	s.Ownership = access.ActionManage
	rest := sync(s)
	p.Steps, p.Target, p.Problem = append(p.Steps, rest.Steps...), rest.Target, rest.Problem
	return p
}

// disableMethod is how an account is disabled that is to be; empty for one that is not.
func (s Snapshot) disableMethod() v1alpha1.DisableMethod {
	if !s.WantDisabled {
		return ""
	}
	return s.Method()
}

func exactly(want media.Access) func(media.Account) media.Access {
	return func(media.Account) media.Access { return want }
}

func notAssignable(s Snapshot, role media.Role) *Problem {
	return problem(v1alpha1.ReasonUnsupported, "Usher's account %q may not give the role %s on this server: use the owner's account in the MediaServer's Secret", s.Server.SelfName, role)
}

func quoted(text string) string { return fmt.Sprintf("%q", media.Truncate(text, 128)) }
