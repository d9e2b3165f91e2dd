package jellyfin_test

import (
	"maps"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// rename renames a library as somebody does at the server's own pages.
func (w *world) rename(from, to, refresh string) {
	w.Helper()
	w.byHand("POST", "/Library/VirtualFolders/Name?"+url.Values{"name": {from}, "newName": {to}, "refreshLibrary": {refresh}}.Encode(), nil)
}

func (w *world) removeByHand(name string) {
	w.Helper()
	w.byHand("DELETE", "/Library/VirtualFolders?"+url.Values{"name": {name}, "refreshLibrary": {"true"}}.Encode(), nil)
}

// Section 7: a library that is renamed drops out of everybody's list. It is known again by its folders, also by another process that was
// told what was recorded, and put back into the lists of all who had it.
func TestRenamedByHand(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
		id := w.ids["Alpha"]
		w.person("mia", "Alpha")
		w.person("ben", "Beta")
		w.rename("Alpha", "Omega", "true")
		w.wantSees("mia")
		if restarted {
			guards := w.driver.Guards()
			w.driver = w.open(nil)
			w.driver.KnowGuards(guards)
		}
		accounts := w.look()
		if w.ids["Omega"] != id || len(accounts["mia"].Access.Libraries) != 0 || !accounts["mia"].Exposed {
			t.Errorf("restarted %t: the library is %s, and was %s; listed %+v", restarted, w.ids["Omega"], id, accounts["mia"])
		}
		if amiss := w.driver.Amiss(); len(amiss) != 1 || !strings.Contains(amiss[0], `"Omega"`) {
			t.Errorf("amiss %q", amiss)
		}
		w.must(w.driver.Mend(w.ctx()))
		if a := w.look()["mia"]; a.Exposed || !a.Access.Equal(w.access("Omega")) || len(w.driver.Amiss()) > 0 {
			t.Errorf("after it was mended: %+v, amiss %q", a, w.driver.Amiss())
		}
		w.wantSees("mia", "Omega")
		w.wantSees("ben", "Beta")
		// Its first name makes its first id: it is the same library still.
		name := "Alpha"
		library, err := w.driver.UpdateLibrary(w.ctx(), id, media.LibraryChange{Name: &name})
		if w.must(err); library.ID != id {
			t.Errorf("renamed back, it is %s, and was %s", library.ID, id)
		}
		w.wantSees("mia", "Alpha")
	}
}

// A library that takes over the name, and so the server's id, of one that was renamed has another id here.
func TestANewLibraryOfAFormerName(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	id, name := w.ids["Alpha"], "Omega"
	w.person("mia", "Alpha")
	_, err := w.driver.UpdateLibrary(w.ctx(), id, media.LibraryChange{Name: &name})
	w.must(err)
	made, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: "Alpha", MediaType: "Movies", Paths: []string{"/media/new"}})
	w.must(err)
	w.look()
	if made.ID == id || w.ids["Omega"] != id || w.ids["Alpha"] != made.ID {
		t.Errorf("made %s, beside %v", made.ID, w.ids)
	}
	w.wantSees("mia", "Omega")
	again := w.open(nil)
	again.KnowGuards(w.driver.Guards())
	libraries, err := again.Libraries(w.ctx())
	w.must(err)
	for _, l := range libraries {
		if l.ID != w.ids[l.Name] {
			t.Errorf("another process knows %s as %s, not %s", l.Name, l.ID, w.ids[l.Name])
		}
	}
}

// Somebody renames a library and makes another of its name, with other folders, between two looks: the id is the other's, and the
// library is the one with the folders.
func TestReplacedByHand(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	id := w.ids["Alpha"]
	w.rename("Alpha", "Omega", "true")
	w.fake.AddLibrary("Alpha", "movies", "/media/secret")
	w.look()
	if w.ids["Omega"] != id || w.ids["Alpha"] == id {
		t.Errorf("the library is %s, the new one %s, and it was %s", w.ids["Omega"], w.ids["Alpha"], id)
	}
}

// Other folders under the same name and id are the same library's.
func TestOtherFolders(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	id := w.ids["Alpha"]
	library, err := w.driver.UpdateLibrary(w.ctx(), id, media.LibraryChange{Paths: []string{"/media/elsewhere"}})
	if w.must(err); library.ID != id {
		t.Errorf("the library is %s, and was %s", library.ID, id)
	}
}

// A library that is gone stays in lists: it shows as a hole, which a write of the same access closes.
func TestRemovedByHand(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	account := w.person("mia", "Alpha", "Beta")
	w.removeByHand("Alpha")
	a := w.look()["mia"]
	if !a.Exposed || !a.Access.Equal(w.access("Beta")) || len(w.driver.Amiss()) > 0 {
		t.Errorf("listed as %+v, amiss %q", a, w.driver.Amiss())
	}
	a, err := w.driver.SetAccess(w.ctx(), account, w.access("Beta"))
	if w.must(err); a.Exposed {
		t.Error("the hole is open still")
	}
	w.fake.AddLibrary("Alpha", "movies", "/media/secret")
	w.wantSees("mia", "Beta")
}

// B.9: a library without an id is on its way. Nothing is listed until it has one.
func TestWithoutAnID(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	account := w.person("mia", "Alpha", "Beta")
	w.rename("Alpha", "Omega", "false")
	_, err := w.driver.List(w.ctx())
	if w.wantCode(err, media.Unavailable); err == nil || !strings.Contains(err.Error(), `"Omega"`) || media.ConcernsConnection(err) {
		t.Errorf("%v", err)
	}
	posts := w.posts(func() { _, err = w.driver.SetAccess(w.ctx(), account, w.access("Beta")) })
	if w.wantCode(err, media.Unavailable); posts > 0 {
		t.Error("something was written meanwhile")
	}
	w.fake.Scan()
	w.look()
	if w.ids["Omega"] != w.ids["Alpha"] {
		t.Errorf("the library was not known again: %v", w.ids)
	}
}

// Section 7: a name that is taken is not refused by the server, which makes "Name2".
func TestNoSecondLibraryOfAName(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha")
	for _, name := range []string{"Alpha", "alpha"} {
		_, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: name, MediaType: "Movies", Paths: []string{"/media/x"}})
		w.wantCode(err, media.AlreadyExists)
	}
	for _, name := range []string{"a/b", `a\b`, "a?", " a", "a ", "a.", ""} {
		_, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: name, MediaType: "Movies", Paths: []string{"/media/x"}})
		w.wantCode(err, media.Invalid)
	}
	if names := w.fake.LibraryNames(); len(names) != 1 {
		t.Errorf("the libraries are %q", names)
	}
}

// Where no library is left of those that were known, the server may have lost sight of them: nothing is taken from anybody.
func TestAllLibrariesGone(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	w.person("mia", "Alpha")
	w.removeByHand("Alpha")
	w.removeByHand("Beta")
	_, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: "Gamma", MediaType: "Movies", Paths: []string{"/media/x"}})
	w.must(err)
	if granted := w.fake.Person("mia").Granted; len(granted) != 1 {
		t.Errorf("the list of mia's was emptied: %q", granted)
	}
}

// A full library is never deleted; who counts must see everything.
func TestOnlyEmptyLibrariesAreDeleted(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	w.fake.AddItem("Alpha", jellyfintest.Item{Name: "A film", Rating: "R"})
	keeper := w.openAs(media.Credentials{Username: jellyfintest.Owner, Password: jellyfintest.OwnerPassword}, nil)
	_, err := keeper.List(w.ctx())
	w.must(err)
	for _, field := range []string{"EnableAllFolders", "MaxParentalRating"} {
		before := w.fake.Policy(jellyfintest.Owner, field)
		if w.fake.SetPolicy(jellyfintest.Owner, field, map[string]any{"EnableAllFolders": false, "MaxParentalRating": int64(1)}[field]); before == nil {
			before = int64(0)
		}
		for _, name := range []string{"Alpha", "Beta"} {
			w.wantCode(keeper.DeleteLibrary(w.ctx(), w.ids[name]), media.Conflict)
		}
		if field == "EnableAllFolders" {
			w.fake.SetPolicy(jellyfintest.Owner, field, before)
		}
	}
	w.wantCode(w.driver.DeleteLibrary(w.ctx(), w.ids["Alpha"]), media.Conflict)
	w.must(w.driver.DeleteLibrary(w.ctx(), w.ids["Beta"]))
}

// Section 7: where the server's data lies elsewhere after a migration, every library has another id at once, and nobody a library. They
// are known again, and everybody gets back what they had.
func TestDataMoved(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta", "Gamma")
	ids := maps.Clone(w.ids)
	w.person("mia", "Alpha", "Gamma")
	w.person("ben", "Beta")
	w.fake.MoveData("/config")
	w.look()
	if !maps.Equal(w.ids, ids) || len(w.driver.Amiss()) != 3 {
		t.Errorf("the libraries are %v, and were %v; amiss %q", w.ids, ids, w.driver.Amiss())
	}
	w.must(w.driver.Mend(w.ctx()))
	w.wantSees("mia", "Alpha", "Gamma")
	w.wantSees("ben", "Beta")
	if overlaps := w.fake.Overlaps(); overlaps != 0 {
		t.Errorf("%d changes of libraries overlapped", overlaps)
	}
}
