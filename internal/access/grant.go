package access

import (
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
)

// Grant is a LibraryGrant made ready for matching.
type Grant struct {
	Name      string
	Role      v1alpha1.LibraryRole
	Libraries Matcher
	Users     UserMatcher
}

// Compile makes a LibraryGrant ready for matching: NewGrant, or GrantCache.Compile.
type Compile func(*v1alpha1.LibraryGrant) (Grant, error)

// NewGrant compiles a LibraryGrant. An error says which selector is no selector. Where many are compiled over and over, see
// GrantCache.
func NewGrant(grant *v1alpha1.LibraryGrant) (Grant, error) {
	libraries, err := NewMatcher(grant.Spec.Libraries)
	if err != nil {
		return Grant{}, err
	}
	users, err := NewUserMatcher(grant.Spec.Users, grant.Spec.IncludeInvited)
	if err != nil {
		return Grant{}, err
	}
	role := grant.Spec.Role
	if role == "" {
		role = v1alpha1.LibraryRoleViewer
	}
	return Grant{Name: grant.Name, Role: role, Libraries: libraries, Users: users}, nil
}

// GrantState is a LibraryGrant's state at a moment, and when it changes next by itself (the zero time: never).
// Disabled comes before Ended before Scheduled before Active. A grant that is being deleted counts as disabled.
// The window is half open: it holds from notBefore on, and no more at notAfter. A grant with a date that cannot be read
// gives nothing (fail closed), and counts as disabled.
func GrantState(grant *v1alpha1.LibraryGrant, now time.Time) (v1alpha1.LibraryGrantState, time.Time) {
	spec := grant.Spec
	begin, begins, _ := moment(spec.NotBefore)
	end, ends, _ := moment(spec.NotAfter)
	switch {
	case spec.Disabled || !grant.DeletionTimestamp.IsZero():
		return v1alpha1.GrantDisabled, time.Time{}
	case ends && !now.Before(end):
		return v1alpha1.GrantEnded, time.Time{}
	case Unreadable(grant) != nil:
		return v1alpha1.GrantDisabled, time.Time{}
	case begins && now.Before(begin):
		return v1alpha1.GrantScheduled, begin
	case ends:
		return v1alpha1.GrantActive, end
	}
	return v1alpha1.GrantActive, time.Time{}
}

// ActiveGrants compiles the grants that give access at a moment, and says when the set changes next by itself.
// A grant that does not compile gives nothing (fail closed); its own controller reports it.
func ActiveGrants(grants []v1alpha1.LibraryGrant, compile Compile, now time.Time) (active []Grant, next time.Time) {
	for i := range grants {
		state, change := GrantState(&grants[i], now)
		next = Earlier(next, change)
		if state != v1alpha1.GrantActive {
			continue
		}
		if grant, err := compile(&grants[i]); err == nil {
			active = append(active, grant)
		}
	}
	return active, next
}

// GivenUntilNow compiles the grants that give access at a moment or did until their time was over: what they no longer
// give ended as their manifests said it would.
func GivenUntilNow(grants []v1alpha1.LibraryGrant, compile Compile, now time.Time) (given []Grant) {
	for i := range grants {
		state, _ := GrantState(&grants[i], now)
		if state != v1alpha1.GrantActive && state != v1alpha1.GrantEnded {
			continue
		}
		if grant, err := compile(&grants[i]); err == nil {
			given = append(given, grant)
		}
	}
	return given
}

// Earlier returns the earlier of two moments; the zero time means never.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
