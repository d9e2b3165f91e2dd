package audiobookshelf_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/audiobookshelf/audiobookshelftest"
)

// TestRowsThatAreNotWhole: at a change of such an account the server would end. It is told as an access that nothing equals,
// named in a warning, and its access is never written.
func TestRowsThatAreNotWhole(t *testing.T) {
	w := newWorld(t, "Alpha")
	account := w.person("mia", w.ids[0])
	whole := w.fake.Permissions("mia")
	for _, row := range []map[string]any{nil, {}, {"download": true}, {"accessAllLibraries": true}, {"accessAllLibraries": "yes", "accessAllTags": true}} {
		w.fake.SetPermissions("mia", row)
		read, err := w.driver.Account(w.ctx(), account.ID)
		w.must(err)
		if read.Access.Equal(access()) || read.Access.Equal(media.Access{All: true}) {
			t.Errorf("%v counts as %v", row, read.Access)
		}
		for _, want := range []media.Access{access(), access(w.ids[0]), {All: true}} {
			_, err = w.driver.SetAccess(w.ctx(), read, want)
			w.want(err, media.Conflict)
		}
		probe, err := w.driver.Probe(w.ctx())
		w.must(err)
		if !strings.Contains(strings.Join(probe.Warnings, " "), `"mia"`) {
			t.Errorf("%v is not named: %q", row, probe.Warnings)
		}
		// What needs no list is done all the same: disabling, above all.
		for _, disabled := range []bool{true, false} {
			_, err = w.driver.SetDisabled(w.ctx(), account.ID, disabled)
			w.must(err)
		}
		w.alive()
	}
	w.fake.SetPermissions("mia", whole)
	_, err := w.driver.SetAccess(w.ctx(), account, access())
	w.must(err)
}

// TestARowWhoseListIsHidden: the server tells a list that the row lacks as an empty one, and ends when it compares with it.
// It is let end twice, and never again for that account, until the row is another. Another account is not concerned.
func TestARowWhoseListIsHidden(t *testing.T) {
	w := newWorld(t, "Alpha")
	account, other := w.person("mia", w.ids[0]), w.person("ben", w.ids[0])
	for _, poison := range []any{nil, false} {
		row := maps.Clone(w.fake.Permissions("ben"))
		if row["librariesAccessible"] = poison; poison == nil {
			delete(row, "librariesAccessible")
		}
		w.fake.SetPermissions("mia", row)
		ended := 0
		for range 5 {
			_, err := w.driver.SetAccess(w.ctx(), account, access(w.ids[0]))
			switch {
			case w.fake.Dead() != "":
				w.want(err, media.Ambiguous)
				ended++
				w.must(w.fake.Restart())
			default:
				w.want(err, media.Conflict)
			}
		}
		if ended != 2 {
			t.Errorf("the server ended %d times", ended)
		}
		_, err := w.driver.SetAccess(w.ctx(), other, access())
		w.must(err)
		w.fake.SetPermissions("mia", maps.Clone(w.fake.Permissions("ben")))
		_, err = w.driver.SetAccess(w.ctx(), account, access(w.ids[0]))
		w.must(err)
	}
}

// TestNoChangeStoresFalseForAList: the server takes a list that is false for a flag, and ends at the next change.
func TestNoChangeStoresFalseForAList(t *testing.T) {
	w := newWorld(t, "Alpha")
	account := w.person("mia", w.ids[0])
	w.must(w.keeper.Do(w.ctx(), http.MethodPatch, "/api/users/"+string(account.ID),
		map[string]any{"permissions": map[string]any{"librariesAccessible": false}}, nil))
	if stored := w.fake.Permissions("mia")["librariesAccessible"]; stored != false {
		t.Fatalf("the fake stores %v", stored)
	}
	ben := w.person("ben", w.ids[0])
	for _, want := range []media.Access{access(), {All: true}, access(w.ids[0])} {
		_, err := w.driver.SetAccess(w.ctx(), ben, want)
		w.must(err)
		if _, isList := w.fake.Permissions("ben")["librariesAccessible"].([]any); !isList {
			t.Errorf("%v stores %v", want, w.fake.Permissions("ben")["librariesAccessible"])
		}
	}
}

// TestALimitedOwnAccount is shown a part of the libraries as if it were all: nothing is listed and nothing made then.
func TestALimitedOwnAccount(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	admin := newAccount("admin")
	admin.Role, admin.Access = media.RoleAdmin, media.Access{All: true}
	_, err := w.driver.CreateAccount(w.ctx(), admin)
	w.must(err)
	config := w.server.Config
	config.Credentials = media.Credentials{Username: "admin", Password: password}
	d := w.openWith(config)
	_, err = d.Probe(w.ctx())
	w.must(err)
	w.server.Hand.SetAccess("admin", access(w.ids[0]))
	_, err = d.Probe(w.ctx())
	w.want(err, media.PermissionDenied)
	_, err = d.List(w.ctx())
	w.want(err, media.PermissionDenied)
	_, err = d.Libraries(w.ctx())
	w.want(err, media.PermissionDenied)
	before := len(w.libraries())
	_, err = d.CreateLibrary(w.ctx(), media.NewLibrary{Name: "New", MediaType: "Audiobooks", Paths: []string{w.TempDir()}})
	w.want(err, media.PermissionDenied)
	_, err = d.CreateAccount(w.ctx(), newAccount("mia", w.ids[1]))
	w.want(err, media.PermissionDenied)
	if len(w.libraries()) != before {
		t.Error("a library was made that its maker is not shown")
	}
}

func (w *world) libraries() []string {
	w.Helper()
	shown, err := w.keeper.Shown(w.ctx())
	w.must(err)
	return shown
}

// TestWhoIsNotShownAllItemsDeletesNoLibrary: the count of the items would leave the explicit ones out.
func TestWhoIsNotShownAllItemsDeletesNoLibrary(t *testing.T) {
	w := newWorld(t, "Alpha")
	admin := newAccount("admin")
	admin.Role, admin.Access = media.RoleAdmin, media.Access{All: true}
	_, err := w.driver.CreateAccount(w.ctx(), admin)
	w.must(err)
	row := w.fake.Permissions("admin")
	row["accessExplicitContent"] = false
	w.fake.SetPermissions("admin", row)
	w.fake.AddItem(string(w.ids[0]), true)
	config := w.server.Config
	config.Credentials = media.Credentials{Username: "admin", Password: password}
	d := w.openWith(config)
	probe, err := d.Probe(w.ctx())
	w.must(err)
	if probe.Capabilities.DeleteLibrary {
		t.Error("DeleteLibrary is claimed")
	}
	w.want(d.DeleteLibrary(w.ctx(), w.ids[0]), media.Unsupported)
	w.want(w.driver.DeleteLibrary(w.ctx(), w.ids[0]), media.Conflict)
	if len(w.libraries()) != 1 {
		t.Error("the library is gone")
	}
}

// TestIDsOfDeletedLibraries stay in the lists of the server. They are no access, and the next change takes them out.
func TestIDsOfDeletedLibraries(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	account := w.person("mia", w.ids...)
	w.must(w.keeper.Do(w.ctx(), http.MethodDelete, "/api/libraries/"+string(w.ids[0]), nil, nil))
	for _, d := range []media.Driver{w.driver, w.open(nil)} {
		listed, _ := w.listed(d, "mia")
		read, err := d.Account(w.ctx(), account.ID)
		w.must(err)
		if !listed.Access.Equal(access(w.ids[1])) || !read.Access.Equal(access(w.ids[1])) {
			t.Errorf("listed %v, read %v", listed.Access, read.Access)
		}
	}
	_, err := w.driver.SetAccess(w.ctx(), account, access(w.ids[1]))
	w.must(err)
	if list := w.fake.Permissions("mia")["librariesAccessible"].([]any); len(list) != 1 {
		t.Errorf("stored %v", list)
	}
}

// TestAnAPIKey is all that is needed, also with signing in by password switched off; with a password, that is said.
func TestAnAPIKey(t *testing.T) {
	w := newWorld(t, "Alpha")
	var made struct {
		Key struct {
			Secret string `json:"apiKey"`
		} `json:"apiKey"`
	}
	root, _ := w.listed(w.driver, audiobookshelftest.Owner)
	w.must(w.keeper.Do(w.ctx(), http.MethodPost, "/api/api-keys", map[string]any{"name": "usher", "userId": root.ID, "isActive": true}, &made))
	w.fake.SwitchLocalOff()
	config := w.server.Config
	config.Credentials = media.Credentials{Token: made.Key.Secret}
	d := w.openWith(config)
	probe, err := d.Probe(w.ctx())
	w.must(err)
	if probe.Self != root.ID || probe.Capabilities.Authenticate {
		t.Errorf("probed %+v", probe)
	}
	if _, err = d.List(w.ctx()); err != nil {
		t.Error(err)
	}
	_, err = w.driver.Probe(w.ctx())
	w.want(err, media.PermissionDenied)
	if err == nil || !strings.Contains(err.Error(), "API key") {
		t.Errorf("%v does not say what to do", err)
	}
}

// TestTheSessionIsRenewed by the refresh token, and by the password once that is refused too.
func TestTheSessionIsRenewed(t *testing.T) {
	w := newWorld(t, "Alpha")
	_, err := w.driver.Probe(w.ctx())
	w.must(err)
	count := func(call string) int {
		w.Helper()
		_, err := w.driver.List(w.ctx())
		w.must(err)
		return len(slices.DeleteFunc(w.fake.Calls(), func(made string) bool { return made != call }))
	}
	w.fake.Calls()
	w.fake.EndAccessTokens()
	if n := count("POST /auth/refresh"); n != 1 {
		t.Errorf("%d renewals after an hour", n)
	}
	w.must(w.keeperSetsOwnPassword(audiobookshelftest.OwnerPassword))
	w.fake.EndAccessTokens()
	w.fake.Calls()
	if n := count("POST /login"); n != 1 {
		t.Errorf("%d sign-ins after the refresh tokens ended", n)
	}
}

// keeperSetsOwnPassword ends every refresh token of root.
func (w *world) keeperSetsOwnPassword(password string) error {
	var err error
	w.keeper, err = audiobookshelftest.Enter(w.ctx(), w.fake.URL, audiobookshelftest.Owner, audiobookshelftest.OwnerPassword)
	w.must(err)
	root, _ := w.listed(w.driver, audiobookshelftest.Owner)
	return w.keeper.Do(w.ctx(), http.MethodPatch, "/api/users/"+string(root.ID), map[string]any{"password": password}, nil)
}

// TestTheLimitOfSignIns is told with the time to wait.
func TestTheLimitOfSignIns(t *testing.T) {
	fake := audiobookshelftest.Start(t, audiobookshelftest.Options{Limit: 2})
	w := &world{TB: t, fake: fake, keeper: audiobookshelftest.SetUp(t, fake.URL)}
	w.server = audiobookshelftest.Running(t, w.keeper, nil)
	w.server.Config.Credentials = media.Credentials{Username: audiobookshelftest.Owner, Password: audiobookshelftest.OwnerPassword}
	w.driver = w.open(nil)
	_, err := w.driver.Probe(w.ctx())
	w.must(err)
	_, err = w.driver.Authenticate(w.ctx(), audiobookshelftest.Owner, password)
	w.want(err, media.RateLimited)
	if after := media.RetryAfter(err).Seconds(); after != 599 {
		t.Errorf("asked to wait %v s", after)
	}
}

// TestAnOldServer has neither access tokens nor API keys.
func TestAnOldServer(t *testing.T) {
	for version, current := range map[string]bool{"2.25.1": false, "2.26.0": true, "1.7.2": false, "3.0.0": true, "edge": true} {
		fake := audiobookshelftest.Start(t, audiobookshelftest.Options{Version: version})
		w := &world{TB: t, fake: fake, keeper: audiobookshelftest.SetUp(t, fake.URL)}
		w.server = audiobookshelftest.Running(t, w.keeper, nil)
		w.server.Config.Credentials = media.Credentials{Username: audiobookshelftest.Owner, Password: audiobookshelftest.OwnerPassword}
		probe, err := w.open(nil).Probe(w.ctx())
		if current != (err == nil) || current && probe.Version != version {
			t.Errorf("%s: %v, %v", version, probe.Version, err)
		}
	}
}

func device(name string, people ...string) map[string]any {
	list := []any{}
	for _, one := range people {
		list = append(list, one)
	}
	return map[string]any{"name": name, "email": name + "@example.org", "availabilityOption": "specificUsers", "users": list, "made": "by somebody"}
}

// TestDevicesFollowTheAccount: an account that is deleted leaves the lists of e-reader devices, and no device is left to all
// administrators by that.
func TestDevicesFollowTheAccount(t *testing.T) {
	w := newWorld(t)
	mia, ben := w.person("mia"), w.person("ben")
	w.fake.SetDevices(device("both", string(mia.ID), string(ben.ID)), device("hers", string(mia.ID)), device("his", string(ben.ID)))
	w.must(w.driver.DeleteAccount(w.ctx(), mia.ID))
	devices := w.fake.Devices()
	if len(devices) != 3 {
		t.Fatalf("left are %v", devices)
	}
	for i, want := range [][]any{{string(ben.ID)}, {"00000000-0000-0000-0000-000000000000"}, {string(ben.ID)}} {
		people, _ := devices[i]["users"].([]any)
		if !slices.Equal(people, want) || devices[i]["availabilityOption"] != "specificUsers" || devices[i]["made"] != "by somebody" {
			t.Errorf("%v, want the people %v", devices[i], want)
		}
	}
}

// TestAResyncIsTwoLists, however many people and libraries there are.
func TestAResyncIsTwoLists(t *testing.T) {
	names := make([]string, 20)
	for i := range names {
		names[i] = "Library " + string(rune('A'+i))
	}
	w := newWorld(t, names...)
	for i := range 200 {
		w.must(w.keeper.Do(w.ctx(), http.MethodPost, "/api/users", map[string]any{
			"username": "person" + string(rune('a'+i%26)) + string(rune('a'+i/26)), "password": password, "isActive": true,
			"permissions": map[string]any{"accessAllLibraries": false, "librariesAccessible": []media.LibraryID{w.ids[i%20]}},
		}, nil))
	}
	_, err := w.driver.Probe(w.ctx())
	w.must(err)
	w.fake.Calls()
	listing, err := w.driver.List(w.ctx())
	w.must(err)
	if calls := w.fake.Calls(); !slices.Equal(calls, []string{"GET /api/libraries", "GET /api/users"}) {
		t.Errorf("a listing is %q", calls)
	}
	if len(listing.Accounts) != 201 || len(listing.Libraries) != 20 {
		t.Errorf("listed %d accounts and %d libraries", len(listing.Accounts), len(listing.Libraries))
	}
}

// TestTheAnswerIsCompared: the server says success also when it has ignored everything.
func TestTheAnswerIsCompared(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	account := w.person("mia", w.ids[0])
	deaf := w.open(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			if request.Method == http.MethodPatch {
				_ = request.Body.Close()
				request = request.Clone(request.Context())
				request.Body, request.ContentLength = io.NopCloser(strings.NewReader("{}")), 2
			}
			return next.RoundTrip(request)
		})
	})
	_, err := deaf.SetAccess(w.ctx(), account, access(w.ids[1]))
	w.want(err, media.Ambiguous)
	_, err = deaf.SetAccess(w.ctx(), account, media.Access{All: true})
	w.want(err, media.Ambiguous)
	_, err = deaf.SetDisabled(w.ctx(), account.ID, true)
	w.want(err, media.Ambiguous)
	role, email, name := media.RoleAdmin, "mia@example.org", "Books"
	_, err = deaf.UpdateAccount(w.ctx(), account.ID, media.AccountChange{Role: &role})
	w.want(err, media.Ambiguous)
	_, err = deaf.UpdateAccount(w.ctx(), account.ID, media.AccountChange{Email: &email})
	w.want(err, media.Ambiguous)
	_, err = deaf.UpdateLibrary(w.ctx(), w.ids[0], media.LibraryChange{Name: &name})
	w.want(err, media.Ambiguous)
}

// TestLongPasswords: what comes after 72 bytes does not count, so that a longer one is never set, and never tried.
func TestLongPasswords(t *testing.T) {
	w := newWorld(t)
	account, long := w.person("mia"), strings.Repeat("p", 73)
	w.want(w.driver.SetPassword(w.ctx(), account.ID, media.NewPassword{Password: long}), media.Invalid)
	w.must(w.driver.SetPassword(w.ctx(), account.ID, media.NewPassword{Password: long[:72]}))
	if _, err := audiobookshelftest.Enter(w.ctx(), w.fake.URL, "mia", long[:72]+"other"); err != nil {
		t.Error("the fake compares more than 72 bytes")
	}
	_, err := w.driver.Authenticate(w.ctx(), "mia", long)
	w.want(err, media.Unauthenticated)
}
