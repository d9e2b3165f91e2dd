package jellyfin_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/jellyfin"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// Section 5: a write replaces the whole policy. Whatever a person has in it stays as it is, also what this driver does not know.
func TestPoliciesKeepWhatIsNotUshers(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		w := newWorld(t, jellyfintest.Options{Version: version, NewerFields: map[string]any{"EnableHolograms": true, "HologramLimit": ""}}, "Alpha", "Beta")
		id := w.person("mia", "Alpha").ID
		set := map[string]any{
			"MaxActiveSessions": int64(3), "RemoteClientBitrateLimit": int64(8_000_000), "EnableContentDownloading": false,
			"EnableLiveTvManagement": false, "IsHidden": false, "BlockedTags": []any{"horror", "a<b"}, "EnableHolograms": false,
			"HologramLimit": "9007199254740993", "MaxParentalRating": int64(13), "SyncPlayAccess": "None",
		}
		for field, value := range set {
			w.fake.SetPolicy("mia", field, value)
		}
		want := map[string]any{}
		for field := range set {
			want[field] = w.fake.Policy("mia", field)
		}
		admin, member := media.RoleAdmin, media.RoleMember
		for name, call := range map[string]func() error{
			"access": func() error {
				_, err := w.driver.SetAccess(w.ctx(), media.Account{ID: id}, w.access("Beta"))
				return err
			},
			"disable": func() error { _, err := w.driver.SetDisabled(w.ctx(), id, true); return err },
			"enable":  func() error { _, err := w.driver.SetDisabled(w.ctx(), id, false); return err },
			"promote": func() error {
				_, err := w.driver.UpdateAccount(w.ctx(), id, media.AccountChange{Role: &admin})
				return err
			},
			"demote": func() error {
				_, err := w.driver.UpdateAccount(w.ctx(), id, media.AccountChange{Role: &member})
				return err
			},
		} {
			if err := call(); err != nil && name != "promote" {
				t.Errorf("%s: %s: %v", version, name, err)
			}
			for field, value := range want {
				if got := w.fake.Policy("mia", field); !reflect.DeepEqual(got, value) {
					t.Errorf("%s: after %s, %s is %v, and was %v", version, name, field, got, value)
				}
			}
		}
		if notes := w.fake.Notes(); len(notes) > 0 {
			t.Errorf("%s: %q", version, notes)
		}
	}
}

// B.1: the person's own request may write the old policy back. What was given is then said not to be kept; before something is
// taken, the person is signed out, so that no request can.
func TestStaleWriteBack(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	account := w.person("mia", "Alpha")
	w.signIn("mia")
	w.fake.UndoNext("mia", jellyfintest.AtOnce)
	_, err := w.driver.SetAccess(w.ctx(), account, w.access("Alpha", "Beta"))
	w.wantCode(err, media.Ambiguous)
	w.wantSees("mia", "Alpha")
	for _, when := range []jellyfintest.Moment{jellyfintest.AtOnce, jellyfintest.AtNextRequest} {
		_, err = w.driver.SetAccess(w.ctx(), account, w.access("Alpha", "Beta"))
		w.must(err)
		mia := w.signIn("mia")
		w.fake.UndoNext("mia", when)
		_, err = w.driver.SetAccess(w.ctx(), account, w.access("Beta"))
		w.must(err)
		if _, err := mia.Libraries(w.ctx()); err == nil {
			t.Error("who lost a library is signed in still")
		}
		w.wantSees("mia", "Beta")
	}
}

// Section 5: blocked folders of an older version override all, and no call changes them.
func TestBlockedFoldersAreNamed(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	account := w.person("mia", "Alpha")
	w.fake.BlockFolders("mia", w.ids["Alpha"])
	w.wantSees("mia", "Beta")
	listed := w.look()["mia"]
	if !listed.Exposed || !listed.Access.Equal(w.access("Beta")) {
		t.Errorf("listed as %+v", listed)
	}
	posts := w.posts(func() {
		_, err := w.driver.SetAccess(w.ctx(), account, w.access("Alpha"))
		if w.wantCode(err, media.Conflict); err == nil || !strings.Contains(err.Error(), `"Alpha"`) || !strings.Contains(err.Error(), "mia") {
			t.Errorf("%v", err)
		}
	})
	if probe, err := w.driver.Probe(w.ctx()); err != nil || posts > 0 || len(probe.Warnings) != 1 || !strings.Contains(probe.Warnings[0], "mia") {
		t.Errorf("%d writes, %v, warnings %q", posts, err, probe.Warnings)
	}
}

// B.2: a deletion that the server refuses has destroyed already. So it is not tried.
func TestDeletionIsRefusedBeforeItIsTried(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha")
	w.person("mia", "Alpha")
	keeper := w.enterKeeper()
	w.fake.AddPlaylist(jellyfintest.Owner, "Favourites")
	id := media.AccountID(w.fake.Person(jellyfintest.Owner).ID)
	w.wantCode(w.driver.DeleteAccount(w.ctx(), id), media.Conflict)
	if p := w.fake.Person(jellyfintest.Owner); len(p.Playlists) != 1 || p.Tokens == 0 {
		t.Errorf("something was destroyed: %+v", p)
	}
	if _, err := keeper.Libraries(w.ctx()); err != nil {
		t.Errorf("the last administrator was signed out: %v", err)
	}
	_, err := w.driver.SetDisabled(w.ctx(), id, true)
	w.wantCode(err, media.Conflict)
	member := media.RoleMember
	_, err = w.driver.UpdateAccount(w.ctx(), id, media.AccountChange{Role: &member})
	w.wantCode(err, media.Conflict)
	// With another one there, it is an account like any other.
	want := w.wanted("ann", "Alpha")
	want.Role = media.RoleAdmin
	_, err = w.driver.CreateAccount(w.ctx(), want)
	w.must(err)
	w.must(w.driver.DeleteAccount(w.ctx(), id))
}

// Section 6 and A.2: the server disables an account itself after wrong passwords. That is told, and no other call enables it.
func TestLockedOutIsNotDisabled(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{Version: jellyfintest.Release1010}, "Alpha", "Beta")
	account := w.person("mia", "Alpha")
	w.fake.SetPolicy("mia", "LoginAttemptsBeforeLockout", int64(3))
	for range 3 {
		if w.signedInWith("mia", "a guess") {
			t.Fatal("a guess is right")
		}
	}
	if a := w.look()["mia"]; !a.Disabled || !a.LockedOut {
		t.Fatalf("listed as %+v", a)
	}
	a, err := w.driver.SetAccess(w.ctx(), account, w.access("Beta"))
	if w.must(err); !a.Disabled || !a.LockedOut {
		t.Errorf("a change of access unlocked the account: %+v", a)
	}
	a, err = w.driver.SetDisabled(w.ctx(), account.ID, false)
	if w.must(err); a.Disabled || a.LockedOut || w.fake.Person("mia").InvalidLoginAttempts != 0 {
		t.Errorf("after enabling: %+v, %d wrong passwords", a, w.fake.Person("mia").InvalidLoginAttempts)
	}
	w.wantSees("mia", "Beta")
	a, err = w.driver.SetDisabled(w.ctx(), account.ID, true)
	if w.must(err); a.LockedOut {
		t.Error("what Usher disabled is taken for locked out")
	}
}

func (w *world) signedInWith(username, secret string) bool {
	_, err := jellyfintest.EnterOn(w.ctx(), w.fake.URL, "guessing", username, secret)
	return err == nil
}

// Each try of a password counts for the lock. Where the next wrong one would lock the account, none is made.
func TestTryingAPasswordLocksNobodyOut(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{Version: jellyfintest.Release1010}, "Alpha")
	w.person("mia", "Alpha")
	w.fake.SetPolicy("mia", "LoginAttemptsBeforeLockout", int64(3))
	for range 5 {
		if _, err := w.driver.Authenticate(w.ctx(), "mia", "a guess"); err == nil {
			t.Error("a guess is right")
		}
	}
	_, err := w.driver.Authenticate(w.ctx(), "mia", password)
	w.wantCode(err, media.PermissionDenied)
	if p := w.fake.Person("mia"); p.Disabled || p.InvalidLoginAttempts != 2 || p.Tokens != 0 {
		t.Errorf("%+v", p)
	}
	w.wantSees("mia", "Alpha")
}

// Section 5: the server disables no administrator. B.3: a token of before a disabling is good again afterwards, unless it is ended.
func TestDisablingAnAdministrator(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		w := newWorld(t, jellyfintest.Options{Version: version}, "Alpha")
		want := w.wanted("ann", "Alpha")
		want.Role = media.RoleAdmin
		account, err := w.driver.CreateAccount(w.ctx(), want)
		w.must(err)
		ann := w.signIn("ann")
		after, err := w.driver.SetDisabled(w.ctx(), account.ID, true)
		if w.must(err); !after.Disabled || after.Role != media.RoleMember {
			t.Errorf("%s: %+v", version, after)
		}
		admin := media.RoleAdmin
		_, err = w.driver.UpdateAccount(w.ctx(), account.ID, media.AccountChange{Role: &admin})
		w.wantCode(err, media.Conflict)
		_, err = w.driver.SetDisabled(w.ctx(), account.ID, false)
		w.must(err)
		if _, err := ann.Libraries(w.ctx()); err == nil {
			t.Errorf("%s: a token of before is good again", version)
		}
		after, err = w.driver.UpdateAccount(w.ctx(), account.ID, media.AccountChange{Role: &admin})
		if w.must(err); after.Role != media.RoleAdmin {
			t.Errorf("%s: %+v", version, after)
		}
	}
}

// B.17: a plug-in that writes libraries at each sign-in is repaired a few times, and then told of. It ends in no war: only what is
// too much is taken.
func TestAPluginThatWritesLibraries(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta", "Gamma")
	account := w.person("mia", "Alpha")
	_, err := w.driver.SetAccess(w.ctx(), account, w.access("Alpha", "Beta"))
	w.must(err)
	w.fake.SignsInBySSO("mia", "SSO-Auth", w.ids["Gamma"])
	posts, conflicts := 0, 0
	for range 10 {
		w.signIn("mia")
		jellyfin.Later(w.driver, time.Minute)
		posts += w.posts(func() { _, err = w.driver.SetAccess(w.ctx(), account, w.access("Alpha", "Beta")) })
		if media.CodeOf(err) == media.Conflict {
			if conflicts++; !strings.Contains(err.Error(), "SSO-Auth") {
				t.Errorf("%v", err)
			}
			continue
		}
		w.must(err)
	}
	if conflicts != 8 || posts != 10 || len(w.fake.Person("mia").Shown) != 0 {
		t.Errorf("%d conflicts, %d writes, and the person sees %q", conflicts, posts, w.fake.Person("mia").Shown)
	}
	jellyfin.Later(w.driver, 7*time.Hour)
	_, err = w.driver.SetAccess(w.ctx(), account, w.access("Alpha", "Beta"))
	w.must(err)
}

// What somebody does by hand, however often, is repaired.
func TestHandsAreNoPlugin(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	account := w.person("mia", "Alpha")
	_, err := w.driver.SetAccess(w.ctx(), account, w.access("Alpha"))
	w.must(err)
	for range 6 {
		w.fake.SetPolicy("mia", "EnableAllFolders", true)
		_, err = w.driver.SetAccess(w.ctx(), account, w.access("Alpha"))
		w.must(err)
	}
	w.wantSees("mia", "Alpha")
}

// A server that answers that nobody is there, as one does that has lost its database, is not believed.
func TestAnEmptyListIsNotBelieved(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha")
	w.fake.ShowNoUsers(true)
	_, err := w.driver.List(w.ctx())
	w.wantCode(err, media.Unavailable)
}

// A look is a list of accounts, one of libraries, and a fixed few; the grants of an account are one write, however many.
func TestRequestsOfALook(t *testing.T) {
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("Library %02d", i))
	}
	w := newWorld(t, jellyfintest.Options{}, names...)
	for i := range 500 {
		w.fake.AddAccount(fmt.Sprintf("person%03d", i), "x")
	}
	before := w.fake.Counts()
	if accounts := w.look(); len(accounts) != 502 {
		t.Fatalf("%d accounts", len(accounts))
	}
	requests := map[string]int{}
	for route, n := range w.fake.Counts() {
		if n -= before[route]; n > 0 {
			requests[route] = n
		}
	}
	want := map[string]int{"GET /System/Info/Public": 1, "GET /Auth/Keys": 1, "GET /Users": 1, "GET /Library/VirtualFolders": 1}
	if !reflect.DeepEqual(requests, want) {
		t.Errorf("a look costs %v", requests)
	}
	account := w.person("mia", names[0])
	if posts := w.posts(func() {
		_, err := w.driver.SetAccess(w.ctx(), account, w.access(names[:11]...))
		w.must(err)
	}); posts != 1 {
		t.Errorf("ten grants at once cost %d writes of the policy", posts)
	}
	if posts := w.posts(func() {
		_, err := w.driver.SetAccess(w.ctx(), account, w.access(names[5:7]...))
		w.must(err)
	}); posts != 1 {
		t.Errorf("a revocation costs %d writes of the policy", posts)
	}
}

// What a creation leaves behind that was cut short is in no list, and deleted once nobody can be making it any more.
func TestLeftBehindAccounts(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha")
	process := &dying{at: 4, after: true} // the account was made, and the next request is its policy
	_, err := w.open(process.wrap).CreateAccount(w.ctx(), w.wanted("mia", "Alpha"))
	w.wantCode(err, media.Ambiguous)
	names := func() (all []string) {
		for _, p := range w.fake.People() {
			all = append(all, p.Username)
		}
		return all
	}
	if left := names(); len(left) != 2 || !strings.HasPrefix(left[1], "usher-new-") {
		t.Fatalf("the accounts are %q", left)
	}
	w.fake.AddAccount("usher-new-years-eve", "x")
	if listed := w.look(); len(listed) != 3 || len(w.driver.Amiss()) > 0 {
		t.Errorf("listed %v, amiss %q", listed, w.driver.Amiss())
	}
	w.must(w.driver.Mend(w.ctx()))
	if len(names()) != 3 {
		t.Error("an account that another process may be making was deleted")
	}
	jellyfin.Later(w.driver, jellyfin.LeftAfter)
	if w.look(); len(w.driver.Amiss()) != 1 {
		t.Errorf("amiss %q", w.driver.Amiss())
	}
	w.must(w.driver.Mend(w.ctx()))
	if left := names(); !slices.Equal(left, []string{jellyfintest.Owner, "usher-new-years-eve"}) {
		t.Errorf("the accounts are %q", left)
	}
}
