package access

import (
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
)

// WantDisabled says whether a User's manifest shuts the account out at a moment, in which state that is, and when
// that changes next by itself (the zero time: never). Disabled comes before Expired; at expiresAt it is expired.
// An expiresAt that cannot be read changes nothing: an account that Usher has shut out (isOut) stays so, and no other is.
func WantDisabled(user *v1alpha1.User, isOut bool, now time.Time) (state v1alpha1.UserState, disabled bool, next time.Time) {
	expires, set, err := moment(user.Spec.ExpiresAt)
	switch {
	case user.Spec.Disabled:
		return v1alpha1.UserDisabled, true, time.Time{}
	case err != nil && isOut, set && !now.Before(expires):
		return v1alpha1.UserExpired, true, time.Time{}
	case set:
		return v1alpha1.UserActive, false, expires
	}
	return v1alpha1.UserActive, false, time.Time{}
}

// Abilities are what a server can do to shut an account out.
type Abilities struct {
	// Switch: the server's own. LockOut: a new password ends every session and device key. ZeroAccess: an account can
	// see no library at all.
	Switch, LockOut, ZeroAccess bool
	// SeesAll: the account's role sees every library, whatever its access list holds.
	SeesAll bool
}

// Rung is the highest rung of the ladder of disabling that holds for an account; empty when none does.
func Rung(can Abilities) v1alpha1.DisableMethod {
	switch {
	case can.Switch:
		return v1alpha1.DisableSwitch
	case can.LockOut:
		return v1alpha1.DisableLockOut
	case can.ZeroAccess && !can.SeesAll:
		return v1alpha1.DisableNoAccess
	}
	return ""
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

// Switch decides about an account's switch (design D3): Usher enables only what it disabled itself, and what it has
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
