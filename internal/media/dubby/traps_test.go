package dubby_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/dubby"
	"github.com/usher-media/usher/internal/media/dubby/dubbytest"
)

func open(t *testing.T, config media.Config) *dubby.Driver {
	t.Helper()
	driver, err := dubby.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = driver.Close() })
	return driver.(*dubby.Driver)
}

func started(t *testing.T, options dubbytest.Options) (*dubbytest.Server, *dubby.Driver) {
	t.Helper()
	server := dubbytest.Start(t, options)
	return server, open(t, config(server.URL))
}

func wantCode(t *testing.T, err error, code media.Code) {
	t.Helper()
	if failed := new(media.Error); err != nil && !errors.As(err, &failed) {
		t.Errorf("an error without a class: %v", err)
	}
	if media.CodeOf(err) != code {
		t.Errorf("got %q (%v), want %q", media.CodeOf(err), err, code)
	}
}

func newAccount(email string, libraries ...string) media.NewAccount {
	access := media.Access{}.Clone()
	for _, id := range libraries {
		access.Libraries[media.LibraryID(id)] = media.LibraryViewer
	}
	return media.NewAccount{Username: email, Email: email, Role: media.RoleMember, Access: access, Password: "A first password 1"}
}

// wantNoWrite fails if anything but a sign-in was written.
func wantNoWrite(t *testing.T, server *dubbytest.Server) {
	t.Helper()
	for _, route := range []string{
		"POST /v1/invites", "POST /v1/auth/register", "POST /api/auth/sign-up/email", "PATCH /v1/users/{}", "PATCH /v1/users/{}/role",
		"DELETE /v1/users/{}", "POST /v1/libraries", "PATCH /v1/libraries/{}", "POST /v1/libraries/{}/permissions",
	} {
		if n := server.Count(route); n > 0 {
			t.Errorf("%d of %s", n, route)
		}
	}
}

type object = map[string]any

// at returns a part of a document.
func at(document object, path ...string) object {
	for _, step := range path {
		document = document[step].(object)
	}
	return document
}

// TestOperationsMissingFromOpenAPI: without an operation, what needs it is Unsupported and nothing is written.
func TestOperationsMissingFromOpenAPI(t *testing.T) {
	for name, edit := range map[string]func(object){
		"no invites":        func(d object) { delete(at(d, "paths"), "/v1/invites") },
		"no way to discard": func(d object) { delete(at(d, "paths"), "/v1/invites/{id}") },
		"no registration":   func(d object) { delete(at(d, "paths"), "/v1/auth/register") },
		"no code in the answer": func(d object) {
			at(d, "paths", "/v1/invites", "post")["responses"] = object{"201": object{"description": "Made"}}
		},
		"no expiry": func(d object) {
			delete(at(d, "paths", "/v1/invites", "post", "requestBody", "content", "application/json", "schema", "properties"), "expiresAt")
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, driver := started(t, dubbytest.Options{Document: func(d object) object { edit(d); return d }})
			if _, err := driver.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err := driver.CreateAccount(t.Context(), newAccount("mia@example.org"))
			wantCode(t, err, media.Unsupported)
			wantNoWrite(t, server)
			t.Log(err)
			if _, err := driver.List(t.Context()); err != nil {
				t.Errorf("what is documented does not work: %v", err)
			}
		})
	}
}

// TestNoDocument: without the document, nothing is known of users, and the server is refused in plain words.
func TestNoDocument(t *testing.T) {
	server, driver := started(t, dubbytest.Options{Document: func(object) object { return nil }})
	_, err := driver.Probe(t.Context())
	wantCode(t, err, media.Unsupported)
	if err == nil || !strings.Contains(err.Error(), "/v1/openapi.json") {
		t.Errorf("the error does not say what is missing: %v", err)
	}
	wantNoWrite(t, server)
}

// TestFieldDiffers: an operation whose fields are others than expected is not used.
func TestFieldDiffers(t *testing.T) {
	userSchema := func(d object) object { return at(d, "components", "schemas", "User", "properties") }
	for name, c := range map[string]struct {
		edit func(object)
		able func(media.Capabilities) bool
	}{
		"isActive is a text": {
			func(d object) {
				at(d, "paths", "/v1/users/{id}", "patch", "requestBody", "content", "application/json", "schema", "properties")["isActive"] = object{"type": "string"}
			},
			func(c media.Capabilities) bool { return c.Disable },
		},
		"isActive is not listed": {func(d object) { delete(userSchema(d), "isActive") }, func(c media.Capabilities) bool { return c.Disable }},
		"guest is no role": {
			func(d object) {
				at(d, "paths", "/v1/invites", "post", "requestBody", "content", "application/json", "schema", "properties")["role"] = object{"enum": []any{"member"}}
			},
			func(c media.Capabilities) bool { return c.Roles[media.RoleGuest].Assignable },
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, driver := started(t, dubbytest.Options{Document: func(d object) object { c.edit(d); return d }})
			probe, err := driver.Probe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.able(probe.Capabilities) {
				t.Errorf("claimed: %+v", probe.Capabilities)
			}
		})
	}
	t.Run("users have no email", func(t *testing.T) {
		_, driver := started(t, dubbytest.Options{Document: func(d object) object { delete(userSchema(d), "email"); return d }})
		_, err := driver.Probe(t.Context())
		wantCode(t, err, media.Unsupported)
	})
}

// TestAmbiguousOperations: of two ways that fit, none is used.
func TestAmbiguousOperations(t *testing.T) {
	server, driver := started(t, dubbytest.Options{Document: func(d object) object {
		paths := at(d, "paths")
		paths["/v1/invitations"], paths["/v1/users/{userId}/role"] = paths["/v1/invites"], object{"put": object{
			"requestBody": object{"content": object{"application/json": object{"schema": object{"properties": object{"role": object{"type": "string"}}}}}},
			"responses":   object{"200": object{}},
		}}
		return d
	}})
	probe, err := driver.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if probe.Capabilities.Roles[media.RoleAdmin].Assignable {
		t.Error("a role can be given in two ways, and one was chosen")
	}
	_, err = driver.CreateAccount(t.Context(), newAccount("mia@example.org"))
	wantCode(t, err, media.Unsupported)
	role := media.RoleAdmin
	mia := server.Add("member", "ben@example.org", "Ben's password 1")
	_, err = driver.UpdateAccount(t.Context(), media.AccountID(mia.ID), media.AccountChange{Role: &role})
	wantCode(t, err, media.Unsupported)
	wantNoWrite(t, server)
}

// TestOwnerOnlyPromotionsRefused: an admin's token makes no admins, says so, and makes no half of one.
func TestOwnerOnlyPromotionsRefused(t *testing.T) {
	server := dubbytest.Start(t, dubbytest.Options{})
	server.Add("admin", "usher@example.org", "Usher's password 1")
	mia := server.Add("member", "mia@example.org", "Mia's password 1")
	c := config(server.URL)
	c.Credentials = media.Credentials{Email: "usher@example.org", Password: "Usher's password 1"}
	driver := open(t, c)
	probe, err := driver.Probe(t.Context())
	if err != nil || probe.Capabilities.Roles[media.RoleAdmin].Assignable || !probe.Capabilities.Roles[media.RoleGuest].Assignable {
		t.Errorf("%+v %v", probe.Capabilities.Roles, err)
	}
	admin := media.RoleAdmin
	_, err = driver.UpdateAccount(t.Context(), media.AccountID(mia.ID), media.AccountChange{Role: &admin})
	wantCode(t, err, media.PermissionDenied)
	want := newAccount("ben@example.org")
	want.Role = admin
	_, err = driver.CreateAccount(t.Context(), want)
	wantCode(t, err, media.PermissionDenied)
	if server.User("ben@example.org") != nil || server.Count("POST /v1/invites") > 0 {
		t.Error("a half of an admin was made")
	}
}

// TestStrangerRegisteredFirst: somebody takes the address between the look and the registration.
func TestStrangerRegisteredFirst(t *testing.T) {
	for name, options := range map[string]dubbytest.Options{"v1": {}, "better-auth": {BetterAuth: true}} {
		t.Run(name, func(t *testing.T) {
			server, driver := started(t, options)
			library := server.AddLibrary("Movies")
			server.SetFault(func(_ int, r *http.Request) dubbytest.Spoil {
				if !strings.HasSuffix(r.URL.Path, "/register") && !strings.HasSuffix(r.URL.Path, "/sign-up/email") {
					return dubbytest.Spoil{}
				}
				return dubbytest.Spoil{Before: func() { server.Add("member", "Mia@Example.org", "A stranger's password 1") }}
			})
			_, err := driver.CreateAccount(t.Context(), newAccount("mia@example.org", library.ID))
			wantCode(t, err, media.AlreadyExists)
			server.SetFault(nil)
			listing, err := driver.List(t.Context())
			if err != nil || len(listing.Accounts) != 2 {
				t.Fatalf("%v %v", listing.Accounts, err)
			}
			for _, account := range listing.Accounts {
				if len(account.Access.Libraries) > 0 {
					t.Errorf("the stranger was given %v", account.Access)
				}
			}
			if open := server.OpenInvites(); len(open) > 0 {
				t.Errorf("invites are left behind: %d", len(open))
			}
		})
	}
}
