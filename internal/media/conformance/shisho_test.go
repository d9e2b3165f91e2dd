package conformance

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
)

// startUsedShisho starts a fake that has a person and a library.
func startUsedShisho(t *testing.T) (Settings, media.Driver) {
	t.Helper()
	must := func(err error) {
		if t.Helper(); err != nil {
			t.Fatal(err)
		}
	}
	settings := Settings{Driver: "shisho", MediaRoot: t.TempDir(), Config: media.Config{Allowed: media.Loopback(),
		URL:         shishotest.Start(t, shishotest.Options{}).URL,
		Credentials: media.Credentials{Username: "keeper", Password: ownerPassword},
	}}
	driver, err := drivers["shisho"].Open(settings.Config)
	must(err)
	t.Cleanup(func() { _ = driver.Close() })
	must(driver.(media.Bootstrapper).Bootstrap(t.Context()))
	books, err := driver.CreateLibrary(t.Context(), media.NewLibrary{Name: "Books", MediaType: "Books", Paths: []string{t.TempDir()}})
	must(err)
	_, err = driver.CreateAccount(t.Context(), media.NewAccount{
		Username: "mia", Role: media.RoleMember, Password: "a password of mia's",
		Access: media.Access{Libraries: map[media.LibraryID]media.LibraryRole{books.ID: media.LibraryViewer}},
	})
	must(err)
	return settings, driver
}

// The suite on a server that cannot delete accounts: what was there stays as it was, libraries that the suite made are
// gone, and its accounts are switched off and told of.
func TestAUsedServerThatKeepsAccounts(t *testing.T) {
	settings, driver := startUsedShisho(t)
	before, err := driver.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	settings.Only = []string{"R5", "R6", "R7", "accounts", "libraries"}
	results := run(t, settings)
	after, err := driver.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	after.Accounts = slices.DeleteFunc(after.Accounts, func(a media.Account) bool {
		made := strings.HasPrefix(a.Username, "us")
		if made {
			if left++; !a.Disabled {
				t.Errorf("%s is left behind usable", a.Username)
			}
		}
		return made
	})
	if !slices.EqualFunc(after.Accounts, before.Accounts, sameAccount) || len(after.Libraries) != 1 || after.Libraries[0].Name != "Books" {
		t.Errorf("the suite changed what was there:\n%+v\n%+v", before, after)
	}
	for _, r := range results.results {
		if r.Outcome == drivertest.LeftBehind {
			left--
		}
		if r.Outcome == drivertest.Failed || r.Outcome == drivertest.LeftBehind && !strings.HasPrefix(r.Why, "account us") {
			t.Errorf("%+v", r)
		}
	}
	if left != 0 {
		t.Errorf("%d accounts were left behind and not told of", left)
	}
}

func sameAccount(a, b media.Account) bool {
	return a.ID == b.ID && a.Username == b.Username && a.Role == b.Role && a.Disabled == b.Disabled &&
		a.Access.All == b.Access.All && maps.Equal(a.Access.Libraries, b.Access.Libraries)
}
