package objects

import (
	"slices"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

// Effective computes what a User is to see at a moment.
func (o Objects) Effective(user *v1alpha1.User, at time.Time) access.Effective {
	active, _ := access.ActiveGrants(o.Grants, access.NewGrant, at)
	return access.EffectiveAccess(o.Subject(user), o.Libraries, active)
}

// Subject is a User as far as access is concerned. What its server can do is taken from the statuses, since only the operator asks
// the server.
func (o Objects) Subject(user *v1alpha1.User) access.Subject {
	return access.Subject{
		User: user, SeesAll: o.seesAll(user),
		Knows:    func(role v1alpha1.LibraryRole) bool { return o.Knows(user.Spec.ServerRef.Name, role) },
		Redeemed: access.RedeemedEdges(user, user.Status.ExternalID, o.Redemptions),
	}
}

// Knows says whether a server knows a library role. Of one that was never reached, it is assumed.
func (o Objects) Knows(server string, role v1alpha1.LibraryRole) bool {
	found := o.Server(server)
	return role == v1alpha1.LibraryRoleViewer || found == nil || len(found.Status.Capabilities) == 0 || slices.Contains(found.Status.Capabilities, "LibraryRoles")
}

// seesAll says whether a role sees every library of its server: a status of somebody with that role says so.
func (o Objects) seesAll(user *v1alpha1.User) bool {
	for i := range o.Users {
		other := &o.Users[i]
		if other.Spec.ServerRef != user.Spec.ServerRef || other.Spec.Role != user.Spec.Role || other.Status.Access == nil {
			continue
		}
		for _, entry := range other.Status.Access.Items {
			if slices.Contains(entry.Through, access.ThroughRole) {
				return true
			}
		}
	}
	return false
}

// State is what a User's state is to be at a moment. At the present one, what the status says of the server counts as well.
func (o Objects) State(user *v1alpha1.User, at time.Time, present bool) v1alpha1.UserState {
	isOut := user.Status.State == v1alpha1.UserExpired || user.Status.State == v1alpha1.UserDisabled
	state, disabled, _ := access.WantDisabled(user, isOut, at)
	if present && !disabled && user.Status.State != "" && !isOut {
		return user.Status.State
	}
	return state
}

// Has is what the operator last saw a User's account have of the declared libraries. complete is false where the status holds a
// part of it, or nothing.
func Has(user *v1alpha1.User) (has map[string]v1alpha1.LibraryRole, complete bool) {
	has = map[string]v1alpha1.LibraryRole{}
	if user.Status.Access == nil {
		return has, false
	}
	for _, entry := range user.Status.Access.Items {
		has[entry.Library] = entry.Role
	}
	return has, int(user.Status.Access.Total) == len(user.Status.Access.Items)
}
