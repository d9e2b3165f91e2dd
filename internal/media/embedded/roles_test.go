package embedded_test

import (
	"context"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

// A role of the server's own is a role like any other, by the name that the server has for it.
func TestRolesOfTheServersOwn(t *testing.T) {
	r := start(t)
	h := hand{r, r.register()}
	pair := func(resource, operation string) object { return object{"resource": resource, "operation": operation} }
	h.do("POST", "/v1/roles", object{"name": "Librarian", "permissions": []any{
		pair("libraries", "read"), pair("books", "read"), pair("books", "write"),
	}})
	h.do("POST", "/v1/roles", object{"name": "Doorkeeper", "permissions": []any{pair("users", "read"), pair("users", "write")}})
	h.do("POST", "/v1/roles", object{"name": "Janitor", "permissions": []any{pair("config", "read"), pair("config", "write")}})
	ctx := context.Background()
	driver := open(t, r.config())
	probe, err := driver.Probe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := map[media.Role]media.RoleInfo{"Librarian": {Assignable: true, NotByInvite: true}, "Doorkeeper": {Assignable: true, Administers: true, NotByInvite: true}, "Janitor": {Assignable: true, Administers: true, NotByInvite: true}}
	for role, info := range want {
		if got := probe.Capabilities.Roles[role]; got != info {
			t.Errorf("%s: %+v, want %+v", role, got, info)
		}
	}
	mia, err := driver.CreateAccount(ctx, media.NewAccount{Username: "mia", Role: "Librarian", Password: "mia's password"})
	if err != nil || mia.Role != "Librarian" {
		t.Fatalf("%+v, %v", mia, err)
	}
	member := media.RoleMember
	for _, role := range []media.Role{"Doorkeeper", member, "Librarian"} {
		if got, err := driver.UpdateAccount(ctx, mia.ID, media.AccountChange{Role: &role}); err != nil || got.Role != role {
			t.Errorf("%s: %+v, %v", role, got, err)
		}
	}
	listing, err := driver.List(ctx)
	if err != nil || len(listing.Accounts) != 2 {
		t.Fatalf("%+v, %v", listing, err)
	}
	for _, library := range listing.Libraries {
		if !library.Personal {
			t.Errorf("listed %+v", library)
		}
	}
	for _, role := range []media.Role{"librarian", "Emperor"} {
		_, err := driver.UpdateAccount(ctx, mia.ID, media.AccountChange{Role: &role})
		wantCode(t, err, media.Unsupported)
	}
}
