package v1alpha1

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// StatusConditions returns the conditions, to be changed in place.
func (s *MediaServer) StatusConditions() *[]metav1.Condition {
	return s.Status.Conditions.Meta()
}

// SetObservedGeneration says which generation the status speaks of.
func (s *MediaServer) SetObservedGeneration(generation int64) {
	s.Status.ObservedGeneration = generation
}

// StatusConditions returns the conditions, to be changed in place.
func (l *Library) StatusConditions() *[]metav1.Condition {
	return l.Status.Conditions.Meta()
}

// SetObservedGeneration says which generation the status speaks of.
func (l *Library) SetObservedGeneration(generation int64) { l.Status.ObservedGeneration = generation }

// StatusConditions returns the conditions, to be changed in place.
func (u *User) StatusConditions() *[]metav1.Condition {
	return u.Status.Conditions.Meta()
}

// SetObservedGeneration says which generation the status speaks of.
func (u *User) SetObservedGeneration(generation int64) { u.Status.ObservedGeneration = generation }

// StatusConditions returns the conditions, to be changed in place.
func (g *LibraryGrant) StatusConditions() *[]metav1.Condition {
	return g.Status.Conditions.Meta()
}

// StatusConditions returns the conditions, to be changed in place.
func (i *Invite) StatusConditions() *[]metav1.Condition {
	return i.Status.Conditions.Meta()
}

// SetObservedGeneration says which generation the status speaks of.
func (i *Invite) SetObservedGeneration(generation int64) { i.Status.ObservedGeneration = generation }

// SetObservedGeneration says which generation the status speaks of.
func (g *LibraryGrant) SetObservedGeneration(generation int64) {
	g.Status.ObservedGeneration = generation
}

// On returns what an Invite offers on a server; nil for nothing.
func (i *Invite) On(server string) *InviteOffer {
	for at := range i.Spec.Offers {
		if i.Spec.Offers[at].ServerRef.Name == server {
			return &i.Spec.Offers[at]
		}
	}
	return nil
}

// Roles returns the role of the accounts that an offer makes, and the one within its libraries, also where it names none.
func (o *InviteOffer) Roles() (AccountRole, LibraryRole) {
	return cmp.Or(o.Role, AccountRoleMember), cmp.Or(o.LibraryRole, LibraryRoleViewer)
}

// Account returns the account that a use has on a server; nil where it has none.
func (r *Redemption) Account(server string) *RedeemedAccount {
	for at := range r.Spec.Accounts {
		if r.Spec.Accounts[at].Server == server {
			return &r.Spec.Accounts[at]
		}
	}
	return nil
}

// AccountOf returns the account of a use for which a User stands; nil where it has none.
func (r *Redemption) AccountOf(user string) *RedeemedAccount {
	for at := range r.Spec.Accounts {
		if r.Spec.Accounts[at].UserRef.Name == user {
			return &r.Spec.Accounts[at]
		}
	}
	return nil
}

// AccountID returns the id of the account that a use has on a server; empty while it is not known.
func (r *Redemption) AccountID(server string) string {
	for _, known := range r.Status.Accounts {
		if known.Server == server {
			return known.ID
		}
	}
	return ""
}
