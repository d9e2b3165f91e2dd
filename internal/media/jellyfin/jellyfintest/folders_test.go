package jellyfintest_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// library makes a library by the API.
func (w *world) library(name string) media.LibraryID {
	w.Helper()
	body := document{"LibraryOptions": document{"PathInfos": []document{{"Path": "/media/" + name}}}}
	w.want(http.StatusNoContent, w.key, http.MethodPost, query(folders, "name", name, "collectionType", "movies", "refreshLibrary", "true"), body)
	return media.LibraryID(w.entries()[name].ItemID)
}

// Trap: duplicate library → "Name2" (section 7).
func TestDuplicateLibrary(t *testing.T) {
	each(t, func(w *world) {
		first := w.library("Movies")
		second := query(folders, "name", "Movies", "collectionType", "movies", "paths", "/media/a,/media/b", "refreshLibrary", "true")
		w.want(http.StatusNoContent, w.key, http.MethodPost, second, nil)
		w.want(http.StatusNoContent, w.key, http.MethodPost, second, nil)
		entries := w.entries()
		if len(entries) != 3 || entries["Movies"].ItemID != string(first) || entries["Movies2"].ItemID == "" || entries["Movies3"].ItemID == "" {
			w.Errorf("there are %v", entries)
		}
		if got := entries["Movies2"].Locations; !slices.Equal(got, []string{"/media/a", "/media/b"}) {
			w.Errorf("the paths are %q", got)
		}
	})
}

// A path that the server does not see and a kind that it does not know are refused, and make nothing; characters that a
// file may not have are replaced; names are checked in 12.0 (section 7).
func TestLibraryNamesAndPaths(t *testing.T) {
	each(t, func(w *world) {
		w.want(http.StatusBadRequest, w.key, http.MethodPost, query(folders, "name", "Movies", "paths", "/nowhere"), nil)
		w.want(http.StatusBadRequest, w.key, http.MethodPost, query(folders, "name", "Movies", "collectionType", "films"), nil)
		w.want(http.StatusBadRequest, w.key, http.MethodPost, query(folders, "name", "Movies"), document{"LibraryOptions": document{"PathInfos": []any{"/media/a"}}})
		w.want(http.StatusBadRequest, w.key, http.MethodPost, query(folders, "name", " "), nil)
		if entries := w.entries(); len(entries) > 0 {
			w.Errorf("there are %v", entries)
		}
		edges := map[bool]int{true: http.StatusBadRequest, false: http.StatusNoContent}[w.version == jellyfintest.Release12]
		w.want(edges, w.key, http.MethodPost, query(folders, "name", " Edge"), nil)
		w.want(http.StatusNoContent, w.key, http.MethodPost, query(folders, "name", "Films: old/new"), nil)
		if entries := w.entries(); entries["Films  old new"].Name == "" {
			w.Errorf("there are %v", entries)
		}
	})
}

// Trap: rename changes id (section 7).
func TestRenameChangesTheID(t *testing.T) {
	each(t, func(w *world) {
		id := w.library("Movies")
		w.AddItem("Movies", jellyfintest.Item{Name: "A Film"})
		w.person("mia", id)
		mia := w.enter("mia")
		w.finds(mia, "A Film")
		w.library("Shows")
		rename := func(name, newName string) int {
			return w.by(w.key, http.MethodPost, query(folders+"/Name", "name", name, "newName", newName, "refreshLibrary", "true"), nil)
		}
		if got := [3]int{rename("movies", "Films"), rename("Movies", "Shows"), rename("Movies", "Films")}; got != [3]int{404, 409, 204} {
			w.Errorf("renaming answers %v", got)
		}
		renamed := media.LibraryID(w.entries()["Films"].ItemID)
		if renamed == "" || renamed == id {
			w.Errorf("the id is %q, and was %q", renamed, id)
		}
		w.sees(mia)
		w.change(w.Person("mia").ID, document{"EnabledFolders": []media.LibraryID{renamed}})
		w.finds(mia, "A Film")
	})
}

// Trap: VirtualFolders without ItemId after rename (additions B.9).
func TestEntriesWithoutItemID(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{SlowReads: 2})
	id := w.library("Movies")
	w.person("mia", id)
	mia := w.enter("mia")
	w.want(http.StatusNoContent, w.key, http.MethodPost, query(folders+"/Name", "name", "Movies", "newName", "Films"), nil)
	for range 5 {
		if e := w.entries()["Films"]; e.Name == "" || e.ItemID != "" {
			t.Errorf("before a scan: %v", e)
		}
	}
	w.sees(mia, "Movies")
	w.Scan()
	if e := w.entries()["Films"]; e.ItemID == "" || e.ItemID == string(id) {
		t.Errorf("after a scan: %v", e)
	}
	w.sees(mia)
	w.want(http.StatusNoContent, w.key, http.MethodPost, query(folders+"/Name", "name", "Films", "newName", "Movies", "refreshLibrary", "true"), nil)
	var there []bool
	for range 3 {
		there = append(there, w.entries()["Movies"].ItemID == string(id))
	}
	if !slices.Equal(there, []bool{false, false, true}) {
		t.Errorf("the id comes back in the background: %v", there)
	}
	w.want(http.StatusNoContent, w.key, http.MethodPost, query(folders, "name", "New"), nil)
	if e := w.entries()["New"]; e.Name == "" || e.ItemID != "" {
		t.Errorf("made without a refresh: %v", e)
	}
}

// Trap: re-create restores id. Old grants count again (section 7).
func TestRecreatingRestoresTheID(t *testing.T) {
	each(t, func(w *world) {
		id := w.library("Movies")
		w.person("mia", id)
		mia := w.enter("mia")
		w.want(http.StatusNotFound, w.key, http.MethodDelete, query(folders, "name", "movies"), nil)
		w.want(http.StatusNoContent, w.key, http.MethodDelete, query(folders, "name", "Movies", "refreshLibrary", "true"), nil)
		w.sees(mia)
		if granted := w.Person("mia").Granted; !slices.Equal(granted, []string{string(id)}) {
			w.Errorf("granted is %q", granted)
		}
		if again := w.library("Movies"); again != id {
			w.Errorf("the id is %s, and was %s", again, id)
		}
		w.sees(mia, "Movies")
	})
}

// What is deleted without a refresh lingers, for those who had it (additions B.10).
func TestDeletedLibrariesLinger(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	id := w.library("Movies")
	w.person("mia", id)
	mia := w.enter("mia")
	w.want(http.StatusNoContent, w.key, http.MethodDelete, query(folders, "name", "Movies"), nil)
	if entries := w.entries(); len(entries) > 0 {
		t.Errorf("listed are %v", entries)
	}
	w.sees(mia, "Movies")
	w.want(http.StatusNoContent, w.key, http.MethodPost, "/Library/Refresh", nil)
	w.sees(mia)
}

// The same name has the same id on every server (section 7); with FoldItemIDs in every letter case.
func TestIDsComeFromNames(t *testing.T) {
	exact, folding := newWorld(t, jellyfintest.Options{}), newWorld(t, jellyfintest.Options{FoldItemIDs: true})
	small, large := exact.library("movies"), exact.library("Movies")
	if other := folding.library("movies"); other != small || small == large || folding.library("Movies") != other {
		t.Errorf("the ids are %s and %s, and %s where case is folded", small, large, other)
	}
}

// Data that moves changes the ids of all libraries (section 7).
func TestMovedDataChangesIDs(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	id := w.library("Movies")
	w.person("mia", id)
	w.MoveData("elsewhere")
	if moved := w.entries()["Movies"].ItemID; moved == "" || moved == string(id) {
		t.Errorf("the id is %q, and was %q", moved, id)
	}
	w.sees(w.enter("mia"))
}

// Paths are added and removed by calls of their own. Options are replaced whole; since 10.11 they link paths, and they
// never unlink any (section 7).
func TestPathsAndOptions(t *testing.T) {
	each(t, func(w *world) {
		id := w.library("Movies")
		locations := func(want ...string) {
			w.Helper()
			if got := w.entries()["Movies"].Locations; !slices.Equal(got, want) {
				w.Errorf("the paths are %q, want %q", got, want)
			}
		}
		w.want(http.StatusNoContent, w.key, http.MethodPost, folders+"/Paths", document{"Name": "Movies", "PathInfo": document{"Path": "/media/more"}})
		locations("/media/Movies", "/media/more")
		w.want(http.StatusNotFound, w.key, http.MethodPost, folders+"/Paths", document{"Name": "movies", "Path": "/media/more"})
		w.want(http.StatusNoContent, w.key, http.MethodDelete, query(folders+"/Paths", "name", "Movies", "path", "/media/more"), nil)
		locations("/media/Movies")
		w.want(http.StatusNoContent, w.key, http.MethodPost, folders+"/Paths/Update", document{"Name": "Movies", "PathInfo": document{"Path": "/media/Movies"}})
		options := document{"EnableRealtimeMonitor": false, "PathInfos": []document{{"Path": "/media/new"}}}
		w.want(http.StatusNoContent, w.key, http.MethodPost, folders+"/LibraryOptions", document{"Id": id, "LibraryOptions": options})
		if w.version == jellyfintest.Release1010 {
			locations("/media/Movies")
		} else {
			locations("/media/Movies", "/media/new")
		}
		w.want(http.StatusNoContent, w.key, http.MethodPost, folders+"/LibraryOptions", document{"Id": id, "LibraryOptions": document{}})
		if got := w.entries()["Movies"].LibraryOptions; got["EnableRealtimeMonitor"] != true || len(got["PathInfos"].([]any)) != 0 {
			w.Errorf("what was left out became %v", got)
		}
		w.want(http.StatusNotFound, w.key, http.MethodPost, folders+"/LibraryOptions", document{"Id": "00000000000000000000000000000001", "LibraryOptions": options})
	})
}

// MediaFolders shows the same ids, and folders of the server's own (section 7).
func TestMediaFolders(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	id := w.library("Movies")
	items := get[struct{ Items []struct{ ID, Name string } }](w, "/Library/MediaFolders").Items
	if len(items) != 2 || items[0].ID != string(id) {
		t.Errorf("listed are %v", items)
	}
}

// Changes of libraries that overlap are counted: the server wants one at a time (section 7).
func TestOverlappingChangesAreCounted(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	w.library("Movies")
	if got := w.Overlaps(); got != 0 {
		t.Errorf("%d overlap", got)
	}
	within := false
	w.OnStep(jellyfintest.MonitorStopped, func(string) bool {
		if !within {
			within = true
			w.library("Shows")
		}
		return true
	})
	w.library("Music")
	if got := w.Overlaps(); got != 1 {
		t.Errorf("%d overlap, want 1", got)
	}
}
