package access

import (
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
)

// WantDisabled says whether a User's manifest shuts the account out at a moment, in which state that is, and when
// that changes next by itself (the zero time: never). Disabled comes before Expired; at expiresAt it is expired.
func WantDisabled(user *v1alpha1.User, now time.Time) (state v1alpha1.UserState, disabled bool, next time.Time) {
	expires := user.Spec.ExpiresAt
	switch {
	case user.Spec.Disabled:
		return v1alpha1.UserDisabled, true, time.Time{}
	case expires != nil && !now.Before(expires.Time):
		return v1alpha1.UserExpired, true, time.Time{}
	case expires != nil:
		return v1alpha1.UserActive, false, expires.Time
	}
	return v1alpha1.UserActive, false, time.Time{}
}

// Switching is what to do with an account's switch.
type Switching string

// What to do with an account's switch.
const (
	// SwitchNothing: it is as it should be, or not Usher's to touch.
	SwitchNothing Switching = ""
	// SwitchDisable: disable it.
	SwitchDisable Switching = "Disable"
	// SwitchEnable: enable it again.
	SwitchEnable Switching = "Enable"
)

// Switch decides about an account's switch (DESIGN D3): Usher enables only what it disabled itself, and what it has
// just taken over; an account that somebody else disabled stays so and the state says it.
func Switch(wanted v1alpha1.UserState, wantDisabled, isDisabled, byUsher bool) (Switching, v1alpha1.UserState) {
	switch {
	case wantDisabled && isDisabled:
		return SwitchNothing, wanted
	case wantDisabled:
		return SwitchDisable, wanted
	case isDisabled && byUsher:
		return SwitchEnable, v1alpha1.UserActive
	case isDisabled:
		return SwitchNothing, v1alpha1.UserDisabledOnServer
	}
	return SwitchNothing, v1alpha1.UserActive
}
