package access_test

import (
	"testing"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

func TestRung(t *testing.T) {
	for name, c := range map[string]struct {
		can  access.Abilities
		want v1alpha1.DisableMethod
	}{
		"the switch comes first":                       {access.Abilities{Switch: true, LockOut: true, ZeroAccess: true}, v1alpha1.DisableSwitch},
		"also for who sees everything":                 {access.Abilities{Switch: true, SeesAll: true}, v1alpha1.DisableSwitch},
		"then the password":                            {access.Abilities{LockOut: true, ZeroAccess: true}, v1alpha1.DisableLockOut},
		"also for who sees everything by a role":       {access.Abilities{LockOut: true, SeesAll: true}, v1alpha1.DisableLockOut},
		"then every library":                           {access.Abilities{ZeroAccess: true}, v1alpha1.DisableNoAccess},
		"which shuts nobody out who sees all by role":  {access.Abilities{ZeroAccess: true, SeesAll: true}, ""},
		"a server that can do nothing of it has none":  {access.Abilities{}, ""},
		"and none is made up for who sees all by role": {access.Abilities{SeesAll: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := access.Rung(c.can); got != c.want {
				t.Errorf("%+v: %q, want %q", c.can, got, c.want)
			}
		})
	}
}
