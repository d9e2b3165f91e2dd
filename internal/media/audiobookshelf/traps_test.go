package audiobookshelf_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/audiobookshelf"
	"github.com/usher-media/usher/internal/media/audiobookshelf/audiobookshelftest"
)

// TestAnEmptyListShowsEveryLibrary: an account without libraries is granted one that nobody has, and one with an empty list,
// which is shown the names of all, counts as exposed until it is closed.
func TestAnEmptyListShowsEveryLibrary(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	account := w.person("mia")
	w.wantSees("mia")
	w.server.Hand.SetAccess("mia", access())
	if seen := w.sees("mia"); len(seen) != 2 || !strings.HasPrefix(string(seen[0]), "listed only") {
		t.Fatalf("the fake lists %q to an empty list", seen)
	}
	read, err := w.driver.Account(w.ctx(), account.ID)
	w.must(err)
	if !read.Exposed || !read.Access.Equal(access()) {
		t.Errorf("an account that is listed everything: %+v", read)
	}
	after, err := w.driver.SetAccess(w.ctx(), read, access())
	w.must(err)
	if after.Exposed {
		t.Error("the account is exposed still")
	}
	w.wantSees("mia")
}

// TestAListBesideAllHidesLibraries: with the flag and a list, only the list is shown. It equals no access that is wanted.
func TestAListBesideAllHidesLibraries(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	account := w.person("mia", w.ids[0])
	stored := w.fake.Permissions("mia")
	stored["accessAllLibraries"] = true
	w.fake.SetPermissions("mia", stored)
	read, err := w.driver.Account(w.ctx(), account.ID)
	w.must(err)
	for _, want := range []media.Access{{All: true}, access(), access(w.ids[0]), access(w.ids...)} {
		if read.Access.Equal(want) {
			t.Errorf("%v counts as %v", read.Access, want)
		}
	}
	_, err = w.driver.SetAccess(w.ctx(), read, media.Access{All: true})
	w.must(err)
	w.wantSees("mia", w.ids...)
	if list := w.fake.Permissions("mia")["librariesAccessible"]; len(list.([]any)) != 0 {
		t.Errorf("all libraries, and the list %v", list)
	}
}

// TestTheListIsSentInOnePlace: beside the permissions it would count instead, or not at all.
func TestTheListIsSentInOnePlace(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	account := w.person("mia", w.ids[1], w.ids[0])
	_, err := w.driver.SetAccess(w.ctx(), account, access(w.ids[1]))
	w.must(err)
	_, err = w.driver.SetAccess(w.ctx(), account, access(w.ids...))
	w.must(err)
	for _, b := range w.fake.Bodies() {
		if strings.Contains(b.Call, "/api/users") && strings.Count(string(b.JSON), "librariesAccessible") != 1 {
			t.Errorf("%s carries %s", b.Call, b.JSON)
		}
	}
	list := w.fake.Permissions("mia")["librariesAccessible"].([]any)
	if want := slices.Sorted(slices.Values(w.ids)); len(list) != 2 || list[0] != string(want[0]) || list[1] != string(want[1]) {
		t.Errorf("stored %v, which is not in order", list)
	}
}

// TestNewAccountsCanSignIn: without isActive, the server makes them disabled.
func TestNewAccountsCanSignIn(t *testing.T) {
	w := newWorld(t, "Alpha")
	w.must(w.keeper.Do(w.ctx(), http.MethodPost, "/api/users", map[string]any{"username": "ben", "password": password}, nil))
	if account, _ := w.listed(w.driver, "ben"); !account.Disabled {
		t.Fatal("the fake makes accounts active by itself")
	}
	if w.person("mia", w.ids[0]).Disabled {
		t.Error("the driver makes accounts disabled")
	}
	w.wantSees("mia", w.ids[0])
}

// TestARoleTakesItsRightsAlong: the server leaves them when the type changes.
func TestARoleTakesItsRightsAlong(t *testing.T) {
	w := newWorld(t, "Alpha")
	account := w.person("mia", w.ids[0])
	for _, c := range []struct {
		role media.Role
		has  bool
	}{{media.RoleAdmin, true}, {media.RoleMember, false}, {media.RoleGuest, false}, {media.RoleAdmin, true}, {media.RoleGuest, false}} {
		_, err := w.driver.UpdateAccount(w.ctx(), account.ID, media.AccountChange{Role: &c.role})
		w.must(err)
		for _, right := range []string{"update", "upload", "createEreader", "accessExplicitContent"} {
			if has := w.fake.Permissions("mia")[right]; has != c.has {
				t.Errorf("as %s, %s is %v", c.role, right, has)
			}
		}
		if download := w.fake.Permissions("mia")["download"]; download != true {
			t.Errorf("as %s, download is %v", c.role, download)
		}
	}
}

// TestRootIsProtected: by an administrator who is not root, and by root itself, which nobody could enable again.
func TestRootIsProtected(t *testing.T) {
	w := newWorld(t, "Alpha")
	admin := newAccount("admin")
	admin.Role, admin.Access = media.RoleAdmin, media.Access{All: true}
	_, err := w.driver.CreateAccount(w.ctx(), admin)
	w.must(err)
	config := w.server.Config
	config.Credentials = media.Credentials{Username: "admin", Password: password}
	root, _ := w.listed(w.driver, audiobookshelftest.Owner)
	if root.Role != media.RoleOwner {
		t.Errorf("root has the role %s", root.Role)
	}
	before := w.fake.Permissions(audiobookshelftest.Owner)
	for _, d := range []*audiobookshelf.Driver{w.driver, w.openWith(config)} {
		member := media.RoleMember
		_, err := d.UpdateAccount(w.ctx(), root.ID, media.AccountChange{Role: &member})
		w.want(err, media.Conflict)
		_, err = d.SetAccess(w.ctx(), root, access(w.ids[0]))
		w.want(err, media.Conflict)
		_, err = d.SetDisabled(w.ctx(), root.ID, true)
		w.want(err, media.Conflict)
		w.want(d.SetPassword(w.ctx(), root.ID, media.NewPassword{Password: "another password"}), media.Conflict)
		w.want(d.DeleteAccount(w.ctx(), root.ID), media.Conflict)
	}
	after, _ := w.listed(w.driver, audiobookshelftest.Owner)
	if after.Disabled || !after.Access.All || len(before) != len(w.fake.Permissions(audiobookshelftest.Owner)) {
		t.Errorf("root is now %+v", after)
	}
}

// TestDisablingEndsEveryToken: the access token, the one that never ends, and an API key; a new password ends none of them,
// which is why LockOut is not claimed.
func TestDisablingEndsEveryToken(t *testing.T) {
	w := newWorld(t, "Alpha")
	account := w.person("mia", w.ids[0])
	visitor, err := audiobookshelftest.Enter(w.ctx(), w.fake.URL, "mia", password)
	w.must(err)
	var made struct {
		Key struct {
			Secret string `json:"apiKey"`
		} `json:"apiKey"`
	}
	w.must(w.keeper.Do(w.ctx(), http.MethodPost, "/api/api-keys", map[string]any{"name": "app", "userId": account.ID, "isActive": true}, &made))
	tokens := []string{visitor.Token, w.fake.LegacyToken("mia"), made.Key.Secret}
	open := func() (n int) {
		for _, token := range tokens {
			if _, err := (&audiobookshelftest.Visitor{URL: w.fake.URL, Token: token}).Shown(w.ctx()); err == nil {
				n++
			}
		}
		return n
	}
	w.must(w.driver.SetPassword(w.ctx(), account.ID, media.NewPassword{Password: "another password"}))
	if open() != 3 {
		t.Errorf("after a new password, %d of 3 tokens are good: is LockOut true by now?", open())
	}
	probe, err := w.driver.Probe(w.ctx())
	w.must(err)
	if probe.Capabilities.LockOut {
		t.Error("LockOut is claimed")
	}
	_, err = w.driver.SetDisabled(w.ctx(), account.ID, true)
	w.must(err)
	if open() != 0 {
		t.Errorf("after disabling, %d tokens are good", open())
	}
}

// TestTwinsByOpenID: two accounts of one name are listed as two, named in a warning, and never taken for one another.
func TestTwinsByOpenID(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	account := w.person("mia", w.ids[0])
	twin := media.AccountID(w.fake.RegisterByOpenID("Mia"))
	probe, err := w.driver.Probe(w.ctx())
	w.must(err)
	words := strings.Join(probe.Warnings, "\n")
	for _, part := range []string{"share a name", string(account.ID), string(twin), "by OpenID Connect"} {
		if !strings.Contains(words, part) {
			t.Errorf("the warnings do not name %s: %s", part, words)
		}
	}
	listing, err := w.driver.List(w.ctx())
	w.must(err)
	if len(listing.Accounts) != 3 {
		t.Errorf("listed %v", listing.Accounts)
	}
	id, err := w.driver.Authenticate(w.ctx(), "MIA", password)
	if w.must(err); id != account.ID {
		t.Errorf("signed in as %s, want %s", id, account.ID)
	}
	w.fake.Calls()
	_, err = w.driver.CreateAccount(w.ctx(), newAccount("MIA"))
	w.want(err, media.AlreadyExists)
	if slices.Contains(w.fake.Calls(), "POST /api/users") {
		t.Error("a third account of the name was made")
	}
	_, err = w.driver.SetAccess(w.ctx(), account, access(w.ids[1]))
	w.must(err)
	if other, err := w.driver.Account(w.ctx(), twin); err != nil || !other.Access.All {
		t.Errorf("the twin was changed: %v, %v", other, err)
	}
}

// TestOpenIDIsWarnedOf where it makes accounts by itself.
func TestOpenIDIsWarnedOf(t *testing.T) {
	for _, registers := range []bool{true, false} {
		w := newWorld(t)
		w.fake.UseOpenID(registers)
		probe, err := w.driver.Probe(w.ctx())
		w.must(err)
		if warned := strings.Contains(strings.Join(probe.Warnings, " "), "auto registration"); warned != registers {
			t.Errorf("auto registration %t: %q", registers, probe.Warnings)
		}
	}
}

// TestCreationsAtTheSameMoment all succeed on the server: the first stays, each other is deleted by who made it.
func TestCreationsAtTheSameMoment(t *testing.T) {
	w := newWorld(t, "Alpha")
	const makers = 5
	drivers := make([]*audiobookshelf.Driver, makers)
	for i := range drivers {
		drivers[i] = w.open(nil)
		_, err := drivers[i].Probe(w.ctx())
		w.must(err)
	}
	w.fake.HoldCreations(makers)
	codes := make([]media.Code, makers)
	var all sync.WaitGroup
	for i, d := range drivers {
		name := []string{"mia", "Mia"}[i%2]
		all.Go(func() {
			_, err := d.CreateAccount(w.ctx(), newAccount(name, w.ids[0]))
			codes[i] = media.CodeOf(err)
		})
	}
	all.Wait()
	if slices.Sort(codes); codes[0] != "" || codes[1] != media.AlreadyExists || codes[makers-1] != media.AlreadyExists {
		t.Errorf("five creations of one name: %q", codes)
	}
	listing, err := w.driver.List(w.ctx())
	w.must(err)
	if len(listing.Accounts) != 2 {
		t.Errorf("left are %v", listing.Accounts)
	}
}

// TestSetUpsAtTheSameMoment make two roots, which nobody can delete: that is said.
func TestSetUpsAtTheSameMoment(t *testing.T) {
	w := &world{TB: t, fake: audiobookshelftest.Start(t, audiobookshelftest.Options{})}
	w.server = audiobookshelftest.Running(t, &audiobookshelftest.Visitor{URL: w.fake.URL}, nil)
	w.server.Config.Credentials = media.Credentials{Username: "one", Password: password}
	first := w.open(nil)
	w.server.Config.Credentials.Username = "two"
	second := w.open(nil)
	w.fake.HoldCreations(2)
	errs := make([]error, 2)
	var both sync.WaitGroup
	both.Go(func() { errs[0] = first.Bootstrap(w.ctx()) })
	both.Go(func() { errs[1] = second.Bootstrap(w.ctx()) })
	both.Wait()
	if media.CodeOf(errs[0]) != media.Conflict && media.CodeOf(errs[1]) != media.Conflict {
		t.Errorf("two set-ups at the same moment: %v", errs)
	}
	one, err := first.Identity(w.ctx())
	w.must(err)
	if other, err := second.Identity(w.ctx()); err != nil || one != other {
		t.Errorf("one server has the identities %s and %s (%v)", one, other, err)
	}
}

// TestMissingDirectoriesAreNotMade: the server would make them, and look healthy.
func TestMissingDirectoriesAreNotMade(t *testing.T) {
	w := newWorld(t, "Alpha")
	missing, file, empty := filepath.Join(w.root, "books"), filepath.Join(w.root, "file"), filepath.Join(w.root, "empty")
	w.must(os.WriteFile(file, nil, 0o600))
	w.must(os.Mkdir(empty, 0o755))
	for _, path := range []string{missing, file, "books", "/proc/x/y", "/proc/sys", "/dev/shm", w.root + "/", w.root + "/../x"} {
		_, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: "Books", MediaType: "Audiobooks", Paths: []string{path}})
		w.want(err, media.Invalid)
		_, err = w.driver.UpdateLibrary(w.ctx(), w.ids[0], media.LibraryChange{Paths: []string{path}})
		w.want(err, media.Invalid)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a missing directory was made")
	}
	_, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: "Books", MediaType: "Audiobooks", Paths: []string{empty}})
	w.must(err)
	if w.alive(); w.fake.Stuck() > 0 {
		t.Error("the server will never answer")
	}
}

// TestFoldersKeepTheirIDs: given without, a folder would come back without anybody's progress; and none is taken from a
// library that holds something.
func TestFoldersKeepTheirIDs(t *testing.T) {
	w := newWorld(t, "Alpha")
	w.fake.AddItem(string(w.ids[0]), false)
	library, err := w.driver.Library(w.ctx(), w.ids[0])
	w.must(err)
	more := w.TempDir()
	_, err = w.driver.UpdateLibrary(w.ctx(), w.ids[0], media.LibraryChange{Paths: append(library.Paths, more)})
	w.must(err)
	if n := w.fake.Items(string(w.ids[0])); n != 1 {
		t.Errorf("%d items are left", n)
	}
	_, err = w.driver.UpdateLibrary(w.ctx(), w.ids[0], media.LibraryChange{Paths: []string{more}})
	w.want(err, media.Conflict)
	if n := w.fake.Items(string(w.ids[0])); n != 1 {
		t.Errorf("%d items are left", n)
	}
}
