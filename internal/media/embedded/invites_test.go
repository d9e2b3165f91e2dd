package embedded_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// inviteCode is the code of the tests' invites; no error may hold it.
const inviteCode = "canary-code-0123456789_ABCDEF"

// inviting is a running server whose invites the driver holds, with a library.
type inviting struct {
	*running
	driver  media.Driver
	library media.LibraryID
}

func (i inviting) invites() media.Inviter { return i.driver.(media.Inviter) }

func startInviting(t *testing.T) inviting {
	t.Helper()
	r := start(t)
	r.register()
	i := inviting{running: r, driver: open(t, r.config())}
	library, err := i.driver.CreateLibrary(t.Context(), media.NewLibrary{Name: "Films", MediaType: "Mixed", Paths: []string{r.path("films")}})
	wantCode(t, err, "")
	i.library = library.ID
	return i
}

// full are settings that name everything.
func (i inviting) full() media.InviteSettings {
	return media.InviteSettings{
		Role: media.RoleGuest, Libraries: map[media.LibraryID]media.LibraryRole{i.library: media.LibraryViewer}, MaxUses: 3,
		ExpiresAt: time.Date(2099, 6, 1, 12, 0, 0, 0, time.UTC), Email: "Mia@example.org", Inviter: "Alice", Welcome: "# Hi\n\n\t*you*\n",
	}
}

// create makes an invite of inviteCode.
func (i inviting) create(settings media.InviteSettings) media.Invite {
	i.t.Helper()
	made, err := i.invites().CreateInvite(context.Background(), media.NewInvite{Code: inviteCode, Reference: "usher/media/cousins", Settings: settings})
	if err != nil {
		i.t.Fatal(err)
	}
	return made
}

// listed returns the only invite.
func (i inviting) listed() media.Invite {
	i.t.Helper()
	list, err := i.invites().ListInvites(context.Background())
	if err != nil || len(list) != 1 {
		i.t.Fatalf("%+v, %v", list, err)
	}
	return list[0]
}

// come registers somebody by the link, as people do.
func (i inviting) come(username, email string) {
	i.t.Helper()
	status, err := i.call(context.Background(), "", "POST", "/v1/auth/register",
		object{"username": username, "password": "a password", "email": email, "displayName": strings.ToUpper(username), "inviteCode": inviteCode}, nil)
	if err != nil || status != http.StatusCreated {
		i.t.Fatalf("%s: %d %v", username, status, err)
	}
}

func wantInvite(t *testing.T, got media.Invite, settings media.InviteSettings) {
	t.Helper()
	if sum := sha256.Sum256([]byte(inviteCode)); got.CodeHash != hex.EncodeToString(sum[:]) || got.Reference != "usher/media/cousins" || got.ID == "" {
		t.Errorf("got %+v", got)
	}
	if !got.Settings.Equal(settings) {
		t.Errorf("got %+v, want %+v", got.Settings, settings)
	}
}

func TestInviteReadsBack(t *testing.T) {
	i := startInviting(t)
	if list, err := i.invites().ListInvites(t.Context()); err != nil || list == nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	made := i.create(i.full())
	wantInvite(t, made, i.full())
	if got := i.listed(); !reflect.DeepEqual(got, made) {
		t.Errorf("got %+v, want %+v", got, made)
	}
	// The link is where the driver says, and works.
	status, err := i.call(t.Context(), "", "GET", i.invites().InvitePath(inviteCode), nil, nil)
	if wantCode(t, err, ""); status != http.StatusOK {
		t.Errorf("the page answers %d", status)
	}
}

// The probe counts the links that admit, so that nobody lists them where there is none; an invite says when it was changed, and a
// use is no change.
func TestTheServerTellsOfOpenLinksAndOfChanges(t *testing.T) {
	i := startInviting(t)
	open := func(want int) {
		t.Helper()
		if probe, err := i.driver.Probe(t.Context()); err != nil || probe.OpenLinks == nil || *probe.OpenLinks != want {
			t.Errorf("it tells of %v open links, want %d: %v", probe.OpenLinks, want, err)
		}
	}
	open(0)
	made := i.create(i.full())
	open(1)
	i.come("mia", "mia@example.org")
	if got := i.listed(); made.Changed.IsZero() || !got.Changed.Equal(made.Changed) || got.Uses != 1 {
		t.Errorf("a use is a change: %+v, was %+v", got, made)
	}
	for _, shut := range []func(*media.InviteSettings){func(s *media.InviteSettings) { s.Held = true }, func(s *media.InviteSettings) { s.Revoked = true }} {
		before, settings := i.listed(), i.full()
		shut(&settings)
		set, err := i.invites().SetInvite(t.Context(), made.ID, settings)
		if wantCode(t, err, ""); !set.Changed.After(before.Changed) || !i.listed().Changed.Equal(set.Changed) {
			t.Errorf("changed %s, was %s", set.Changed, before.Changed)
		}
		open(0)
	}
	bare, err := i.invites().CreateInvite(t.Context(), media.NewInvite{Code: "made-by-hand-0123456789-abcdef", Settings: media.InviteSettings{Role: media.RoleMember, Inviter: "Alice"}})
	if wantCode(t, err, ""); bare.Reference != "" {
		t.Errorf("%+v", bare)
	}
	open(0) // it is nobody's who keeps invites elsewhere
}

// What is not said any more is not there any more; uses stay counted.
func TestSetInviteReplacesEverything(t *testing.T) {
	i := startInviting(t)
	made := i.create(i.full())
	i.come("mia", "mia@example.org")
	for _, settings := range []media.InviteSettings{
		{Role: media.RoleMember, Inviter: "Bob"}, {Role: media.RoleEditor, Inviter: "Bob", Revoked: true},
		{Role: media.RoleMember, Inviter: "Bob", MaxUses: 1}, i.full(),
	} {
		set, err := i.invites().SetInvite(t.Context(), made.ID, settings)
		wantCode(t, err, "")
		wantInvite(t, set, settings)
		if got := i.listed(); !reflect.DeepEqual(got, set) || got.ID != made.ID || got.Uses != 1 {
			t.Errorf("got %+v, want %+v", got, set)
		}
	}
}

func TestInviteUsesAreOldestFirst(t *testing.T) {
	i := startInviting(t)
	made := i.create(media.InviteSettings{Role: media.RoleMember, Inviter: "Alice"})
	before := time.Now().Truncate(time.Microsecond)
	i.come("zoe", "")
	i.come("adam", "adam@example.org")
	uses, err := i.invites().InviteUses(t.Context(), made.ID)
	if wantCode(t, err, ""); len(uses) != 2 || i.listed().Uses != 2 || i.listed().LastUsedBy != uses[1].Account {
		t.Fatalf("%+v", uses)
	}
	listing, err := i.driver.List(t.Context())
	wantCode(t, err, "")
	for n, want := range []media.InviteUse{{Username: "zoe", DisplayName: "ZOE"}, {Username: "adam", DisplayName: "ADAM", Email: "adam@example.org"}} {
		account := listing.Accounts[n+1] // after the owner
		want.Account, want.At, want.Registered = account.ID, uses[n].At, true
		want.Told, want.Role, want.Libraries = true, media.RoleMember, map[media.LibraryID]media.LibraryRole{}
		if !reflect.DeepEqual(uses[n], want) || account.Username != want.Username || uses[n].At.Before(before) {
			t.Errorf("got %+v, want %+v", uses[n], want)
		}
	}
	_, err = i.invites().InviteUses(t.Context(), "unknown")
	wantCode(t, err, media.NotFound)
}

func TestDeletingAnInviteTwice(t *testing.T) {
	i := startInviting(t)
	made := i.create(i.full())
	wantCode(t, i.invites().DeleteInvite(t.Context(), made.ID), "")
	wantCode(t, i.invites().DeleteInvite(t.Context(), made.ID), media.NotFound)
	wantCode(t, media.NewServer(i.driver, time.Now, nil).DeleteInvite(t.Context(), made.ID), "")
	_, err := i.invites().SetInvite(t.Context(), made.ID, i.full())
	wantCode(t, err, media.NotFound)
	i.create(i.full()) // the code is free again
}

// Errors have their class, name the field, and hold neither the code nor anything else that was sent.
func TestInviteErrors(t *testing.T) {
	i := startInviting(t)
	made := i.create(i.full())
	long := i.full()
	long.Welcome = strings.Repeat("canary-welcome", 300)
	admin := media.InviteSettings{Role: media.RoleAdmin, Inviter: "Alice"}
	gone := media.InviteSettings{Role: media.RoleGuest, Inviter: "Alice", Libraries: map[media.LibraryID]media.LibraryRole{"gone": media.LibraryViewer}}
	for name, c := range map[string]struct {
		code     string
		settings media.InviteSettings
		class    media.Code
		says     string
	}{
		"the code again": {inviteCode, i.full(), media.AlreadyExists, ""}, "a bad code": {inviteCode + "!", i.full(), media.Invalid, ""},
		"a long welcome":  {inviteCode + "2", long, media.Invalid, "the server refuses the field welcome: expected length <= 4096"},
		"an admin":        {inviteCode + "2", admin, media.Invalid, "the server refuses the field role"},
		"a library":       {inviteCode + "2", gone, media.Invalid, "the server refuses the field libraries"},
		"an unknown role": {inviteCode + "2", media.InviteSettings{Role: "Emperor"}, media.Unsupported, ""},
	} {
		_, err := i.invites().CreateInvite(t.Context(), media.NewInvite{Code: c.code, Settings: c.settings})
		wantCode(t, err, c.class)
		if err == nil || !strings.HasSuffix(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		wantNoCanary(t, err)
	}
	if got := i.listed(); !reflect.DeepEqual(got, made) {
		t.Errorf("got %+v, want %+v", got, made)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err := i.invites().CreateInvite(stopped, media.NewInvite{Code: inviteCode, Settings: i.full()})
	if err == nil {
		t.Error("a call that never was succeeds")
	}
	wantNoCanary(t, err)
}

func wantNoCanary(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("tells too much: %v", err)
		}
	}
}

// An invite whose account was replaced is said to be another's; written by the new account it is ours, with the code that people
// have, and lives on when the old account goes.
func TestInvitesAreTakenOverFromAFormerAccount(t *testing.T) {
	i := startInviting(t)
	want := i.full()
	want.Email = ""
	made := i.create(want)
	next, err := i.driver.CreateAccount(t.Context(), media.NewAccount{Username: "usher-2", Password: "another long password", Role: media.RoleAdmin})
	wantCode(t, err, "")
	config := i.config()
	config.Credentials = media.Credentials{Username: next.Username, Password: "another long password"}
	old := i.driver
	i.driver = open(t, config)
	if got := i.listed(); !got.Settings.Foreign || got.Settings.Equal(want) {
		t.Errorf("an invite of another account: %+v", got)
	}
	_, err = i.invites().SetInvite(t.Context(), made.ID, want)
	wantCode(t, err, "")
	if got := i.listed(); !got.Settings.Equal(want) || got.CodeHash != made.CodeHash {
		t.Errorf("taken over: %+v, want %+v", got, want)
	}
	i.driver = old
	if got := i.listed(); !got.Settings.Foreign {
		t.Errorf("for the old account: %+v", got)
	}
}
