package drivertest

import (
	"maps"
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// unchanged returns what fails unless the server is then as it is now.
func (f *fixture) unchanged() (check func()) {
	f.Helper()
	accounts, libraries := f.listing()
	return func() {
		f.Helper()
		accountsNow, librariesNow := f.listing()
		if !maps.EqualFunc(accounts, accountsNow, sameAccount) || !maps.EqualFunc(libraries, librariesNow, sameLibrary) {
			f.Errorf("something changed:\nbefore %v %v\nafter  %v %v", accounts, libraries, accountsNow, librariesNow)
		}
	}
}

func sameAccount(a, b media.Account) bool {
	same := a.Access.Equal(b.Access)
	a.Access, b.Access = media.Access{}, media.Access{}
	return same && a.ID == b.ID && a.Username == b.Username && a.Email == b.Email && a.DisplayName == b.DisplayName &&
		a.Role == b.Role && a.Disabled == b.Disabled && a.MustChangePassword == b.MustChangePassword
}

// sameLibrary takes paths for a set: some servers return them in an order of their own.
func sameLibrary(a, b media.Library) bool {
	samePaths := slices.Equal(slices.Sorted(slices.Values(a.Paths)), slices.Sorted(slices.Values(b.Paths)))
	return a.ID == b.ID && a.Name == b.Name && a.MediaType == b.MediaType && samePaths &&
		a.Personal == b.Personal && maps.Equal(a.Settings, b.Settings)
}
