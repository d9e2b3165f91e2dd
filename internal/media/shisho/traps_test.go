package shisho_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/shisho"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
)

// TestWrongBasePath: the official image answers a page with status 200 outside /api, the bare server 404 inside.
func TestWrongBasePath(t *testing.T) {
	image, bare := shishotest.Start(t, shishotest.Options{BasePath: "/api"}), shishotest.Start(t, shishotest.Options{})
	for url, right := range map[string]bool{
		image.URL: true, image.URL + "/": true, strings.TrimSuffix(image.URL, "/api"): false, bare.URL: true, bare.URL + "/api": false,
	} {
		driver, err := shisho.Open(media.Config{Allowed: media.Loopback(), URL: url, Credentials: media.Credentials{Username: "somebody", Password: "a password 1"}})
		if err != nil {
			t.Fatal(err)
		}
		probe, err := driver.Probe(t.Context())
		_ = driver.Close()
		switch {
		case right && (err != nil || !probe.SetupRequired):
			t.Errorf("%s: %v, %v", url, probe, err)
		case !right && (media.CodeOf(err) != media.Unavailable || !strings.Contains(err.Error(), "/api")):
			t.Errorf("%s: %v does not say that the url is wrong", url, err)
		}
	}
}

// TestSessionIsRenewed: a session ends at a fixed time, and a 401 causes one sign-in.
func TestSessionIsRenewed(t *testing.T) {
	w := newWorld(t)
	before := w.fake.Count("POST /auth/login")
	w.pass(31 * 24 * time.Hour)
	for range 3 {
		_, err := w.driver.List(w.ctx())
		w.must(err)
	}
	if logins := w.fake.Count("POST /auth/login") - before; logins != 1 {
		t.Errorf("%d sign-ins", logins)
	}
}

// TestRightsOfTheOwnAccount: what is missing is named, and nothing is listed without all of it.
func TestRightsOfTheOwnAccount(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	pairs := func(permissions ...string) []map[string]string {
		var pairs []map[string]string
		for _, permission := range permissions {
			resource, operation, _ := strings.Cut(permission, ":")
			pairs = append(pairs, map[string]string{"resource": resource, "operation": operation})
		}
		return pairs
	}
	few := w.byHand("/roles", map[string]any{"name": "few", "permissions": pairs("users:read", "libraries:read")})
	enough := w.byHand("/roles", map[string]any{"name": "enough", "permissions": pairs("users:read", "users:write", "libraries:read", "libraries:write")})
	for name, c := range map[string]struct {
		role   media.LibraryID
		all    bool
		force  bool
		lacks  string
		denied bool
	}{
		"enough": {role: enough, all: true},
		"few":    {role: few, all: true, denied: true, lacks: "users:write, libraries:write"},
		"part":   {role: enough, denied: true, lacks: "access to all libraries"},
		"forced": {role: enough, all: true, force: true, denied: true, lacks: "another password"},
	} {
		w.byHand("/users", map[string]any{
			"username": name, "password": password, "role_id": number(t, string(c.role)), "all_library_access": c.all,
			"library_ids": []int{1}, "require_password_reset": c.force,
		})
		driver, err := shisho.Open(media.Config{Allowed: media.Loopback(), URL: w.fake.URL, Credentials: media.Credentials{Username: name, Password: password}})
		w.must(err)
		probe, err := driver.Probe(w.ctx())
		_, failed := driver.List(w.ctx())
		_ = driver.Close()
		if c.denied {
			w.wantCode(err, media.PermissionDenied)
			w.wantCode(failed, media.PermissionDenied)
			if err == nil || !strings.Contains(err.Error(), c.lacks) {
				t.Errorf("%s: %v does not name %q", name, err, c.lacks)
			}
			continue
		}
		w.must(err)
		w.must(failed)
		if probe.Capabilities.DeleteLibrary {
			t.Error("whoever cannot count books cannot know that a library is empty")
		}
	}
}

// TestOwnAccountIsProtected: the server would let it demote, deactivate and shut out itself.
func TestOwnAccountIsProtected(t *testing.T) {
	w := newWorld(t, "Alpha")
	self, role := media.AccountID("1"), media.RoleMember
	before, err := w.driver.Account(w.ctx(), self)
	w.must(err)
	_, err = w.driver.SetDisabled(w.ctx(), self, true)
	w.wantCode(err, media.Conflict)
	_, err = w.driver.UpdateAccount(w.ctx(), self, media.AccountChange{Role: &role})
	w.wantCode(err, media.Conflict)
	_, err = w.driver.SetAccess(w.ctx(), before, access())
	w.wantCode(err, media.Conflict)
	w.wantCode(w.driver.SetPassword(w.ctx(), self, media.NewPassword{Password: "another password 2"}), media.Conflict)
	after, err := w.driver.Account(w.ctx(), self)
	w.must(err)
	if after.Role != before.Role || after.Disabled || !after.Access.All {
		t.Errorf("the own account changed: %v", after)
	}
}

// TestSetupRace: setups at the same moment all succeed, so the list of accounts is looked at.
func TestSetupRace(t *testing.T) {
	w := emptyWorld(t)
	driver := w.open(func(next http.RoundTripper) http.RoundTripper {
		return tripper(func(request *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(request)
			if err == nil && request.URL.Path == "/auth/setup" {
				stranger, _ := shishotest.Enter(w.ctx(), w.fake.URL, shishotest.Owner, shishotest.OwnerPassword)
				w.keeper = stranger
				w.byHand("/users", map[string]any{"username": "stranger", "password": password, "role_id": 1, "all_library_access": true})
			}
			return response, err
		})
	})
	w.wantCode(driver.Bootstrap(w.ctx()), media.Conflict)
	w.wantCode(driver.Bootstrap(w.ctx()), media.AlreadyExists)
}

type tripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f tripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// TestFilesStay: a library moves files only where its setting asks for it, from its first scan on.
func TestFilesStay(t *testing.T) {
	w := newWorld(t)
	for _, organize := range []string{"", "false", "true"} {
		path := w.shelf("A")
		settings := map[string]string{}
		if organize != "" {
			settings["organizeFiles"] = organize
		}
		_, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: "Shelf " + organize, MediaType: "Books", Paths: []string{path}, Settings: settings})
		w.must(err)
		w.must(w.fake.Scan())
		if moves := len(w.fake.Moves()); (moves > 0) != (organize == "true") {
			t.Errorf("organizeFiles %q: %d files were moved", organize, moves)
		}
	}
}

// TestPaths: a path that the server does not see as a directory would fail its scans; a set of paths has no order.
func TestPaths(t *testing.T) {
	w := newWorld(t)
	a, b := w.TempDir(), w.TempDir()
	file := a + "/a file"
	w.must(os.WriteFile(file, nil, 0o600))
	for _, path := range []string{a + "/missing", file} {
		_, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: "Shelf", MediaType: "Books", Paths: []string{b, path}})
		w.wantCode(err, media.Invalid)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not name the path", err)
		}
	}
	made, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: "Shelf", MediaType: "Books", Paths: []string{b, a, b}})
	w.must(err)
	_, err = w.driver.UpdateLibrary(w.ctx(), made.ID, media.LibraryChange{Paths: []string{a, b}})
	w.must(err)
	_, err = w.driver.UpdateLibrary(w.ctx(), made.ID, media.LibraryChange{Paths: []string{b, a, a}})
	w.must(err)
	if writes := w.fake.Count("POST /libraries/{id}"); writes != 0 {
		t.Errorf("%d writes of the same paths", writes)
	}
}

// TestRoleNames: custom roles go by their own names, and none is mistaken for one of Usher's.
func TestRoleNames(t *testing.T) {
	w := newWorld(t, "Alpha")
	for _, name := range []string{"Librarian", "guest", "Owner", "member"} {
		w.byHand("/roles", map[string]any{"name": name})
	}
	w.byHand("/roles", map[string]any{"name": "boss", "permissions": []map[string]string{{"resource": "users", "operation": "write"}}})
	w.byHand("/roles", map[string]any{"name": "janitor", "permissions": []map[string]string{{"resource": "config", "operation": "write"}}})
	probe, err := w.driver.Probe(w.ctx())
	w.must(err)
	for role, want := range map[media.Role]media.RoleInfo{
		media.RoleAdmin: {Administers: true, Assignable: true}, media.RoleEditor: {Assignable: true},
		media.RoleMember: {Assignable: true}, media.RoleGuest: {Assignable: true}, "Librarian": {Assignable: true},
		"boss": {Administers: true, Assignable: true}, "janitor": {Administers: true, Assignable: true}, media.RoleOwner: {},
	} {
		if got := probe.Capabilities.Roles[role]; got != want {
			t.Errorf("%s: %v, want %v", role, got, want)
		}
	}
	for i, role := range []media.Role{"Librarian", media.RoleGuest, "custom role Owner", "viewer", "librarian"} {
		want := newAccount("person"+string(rune('a'+i)), w.ids[0])
		want.Role = role
		made, err := w.driver.CreateAccount(w.ctx(), want)
		if i < 2 {
			w.must(err)
			if made.Role != role {
				t.Errorf("made %s, want %s", made.Role, role)
			}
			continue
		}
		w.wantCode(err, media.Unsupported)
	}
	w.byHand("/users", map[string]any{"username": "crowned", "password": password, "role_id": 6, "library_ids": []int{1}})
	if account, _ := w.listed(w.driver, "crowned"); account.Role != "custom role Owner" {
		t.Errorf("an account with a custom role named Owner has the role %s", account.Role)
	}
}

// TestIdentity: nothing that people change changes it.
func TestIdentity(t *testing.T) {
	w := newWorld(t, "Alpha")
	before, err := w.driver.Probe(w.ctx())
	w.must(err)
	w.byHand("/roles/1", map[string]any{"permissions": []map[string]string{
		{"resource": "users", "operation": "read"}, {"resource": "users", "operation": "write"},
		{"resource": "libraries", "operation": "read"}, {"resource": "libraries", "operation": "write"},
	}})
	w.byHand("/users/1", map[string]any{"username": "renamed"})
	w.byHand("/libraries/1", map[string]any{"name": "renamed"})
	after, err := w.driver.Probe(w.ctx())
	w.must(err)
	if after.Identity != before.Identity {
		t.Errorf("the identity was %s and is %s", before.Identity, after.Identity)
	}
}

// TestNotFoundIsConfirmed: the server says "not found" of any failure to read an account.
func TestNotFoundIsConfirmed(t *testing.T) {
	w := newWorld(t, "Alpha")
	account := w.person("mia", w.ids[0])
	driver := w.open(func(next http.RoundTripper) http.RoundTripper {
		return tripper(func(request *http.Request) (*http.Response, error) {
			if request.URL.Path == "/users/"+string(account.ID) {
				request = request.Clone(request.Context())
				request.URL.Path = "/users/999"
			}
			return next.RoundTrip(request)
		})
	})
	_, err := driver.Account(w.ctx(), account.ID)
	w.wantCode(err, media.Unavailable)
	_, err = driver.Account(w.ctx(), "998")
	w.wantCode(err, media.NotFound)
}

// TestTombstones: a deactivated account keeps its name and address.
func TestTombstones(t *testing.T) {
	w := newWorld(t, "Alpha")
	w.byHand("/users", map[string]any{"username": "Mia", "email": "mia@example.org", "password": password, "role_id": 2, "library_ids": []int{1}})
	w.byHand("/users/2", map[string]any{"is_active": false})
	_, err := w.driver.CreateAccount(w.ctx(), newAccount("mIA", w.ids[0]))
	w.wantCode(err, media.AlreadyExists)
	same := newAccount("ben", w.ids[0])
	same.Email = "MIA@example.org"
	_, err = w.driver.CreateAccount(w.ctx(), same)
	w.wantCode(err, media.AlreadyExists)
	if account, _ := w.listed(w.driver, "Mia"); !account.Disabled || !slices.Equal(account.Access.IDs(), w.ids) {
		t.Errorf("the deactivated account: %v", account)
	}
}
