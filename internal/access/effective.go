package access

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/usher-media/usher/api/v1alpha1"
)

// What an edge comes from when it does not come from a LibraryGrant.
const (
	ThroughRole = "role"
	ThroughAll  = "All"
)

// Edge is one library that a user is to see.
type Edge struct {
	Role v1alpha1.LibraryRole
	// Through lists what it comes from, in order.
	Through []string
}

// Effective is a user's effective access: all edges, merged, by name of the Library.
type Effective map[string]Edge

// Subject is a user as far as access is concerned.
type Subject struct {
	User *v1alpha1.User
	// SeesAll: the role sees every library on this server.
	SeesAll bool
	// Knows says whether the server knows a library role. An edge with one that it does not know is blocked,
	// never rounded up or down (design D2).
	Knows func(v1alpha1.LibraryRole) bool
	// Redeemed are the edges that Redemptions give, by name of the Library.
	Redeemed map[string]Edge
}

// EffectiveAccess merges all that a user's access comes from; the highest role wins (design section 1).
// Libraries are those of the user's own server; one that is being deleted gives nothing. A user that is being
// deleted has no access.
func EffectiveAccess(subject Subject, libraries []v1alpha1.Library, grants []Grant) Effective {
	effective := Effective{}
	user := subject.User
	if !user.DeletionTimestamp.IsZero() {
		return effective
	}
	selecting := grantsFor(subject, grants)
	for i := range libraries {
		library := &libraries[i]
		if !library.DeletionTimestamp.IsZero() || library.Spec.ServerRef != user.Spec.ServerRef {
			continue
		}
		var edge Edge
		for _, grant := range selecting {
			if grant.Libraries.Matches(library) {
				edge.add(grant.Role, grant.through)
			}
		}
		if redeemed, came := subject.Redeemed[library.Name]; came && subject.Knows(redeemed.Role) {
			edge.add(redeemed.Role, redeemed.Through...)
		}
		if user.Spec.Access == v1alpha1.UserAccessAll {
			edge.add(v1alpha1.LibraryRoleViewer, ThroughAll)
		}
		if subject.SeesAll {
			edge.add(v1alpha1.LibraryRoleViewer, ThroughRole)
		}
		if edge.Role != "" {
			effective[library.Name] = edge
		}
	}
	return effective
}

// taking is a grant that takes a user, and how status.access names it.
type taking struct {
	Grant
	through string
}

// Withdrawn says whether the access to a Library is taken back: it is being deleted, and its own reconciler has found that
// nothing stands in the way. Until then, who sees it goes on seeing it.
func Withdrawn(library *v1alpha1.Library) bool {
	ready := meta.FindStatusCondition(library.Status.Conditions, v1alpha1.ConditionReady)
	return !library.DeletionTimestamp.IsZero() && ready != nil && ready.Reason == v1alpha1.ReasonAccessStillHeld
}

func grantsFor(subject Subject, grants []Grant) []taking {
	var selecting []taking
	for _, grant := range grants {
		if subject.Knows(grant.Role) && grant.Users.Matches(subject.User) {
			selecting = append(selecting, taking{grant, grant.Name + grant.Users.by(subject.User)})
		}
	}
	slices.SortFunc(selecting, func(a, b taking) int { return strings.Compare(a.Name, b.Name) })
	return selecting
}

func (e *Edge) add(role v1alpha1.LibraryRole, through ...string) {
	e.Role = HighestRole(e.Role, role)
	e.Through = append(e.Through, through...)
	slices.Sort(e.Through) // whatever order they come in, the same comes out
}

// HighestRole returns the higher of two library roles; the empty role is the lowest.
func HighestRole(a, b v1alpha1.LibraryRole) v1alpha1.LibraryRole {
	if a == v1alpha1.LibraryRoleAdmin || b == "" {
		return a
	}
	return b
}
