package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// lostAndMadeAnew is a world whose server was put back to a backup of before the library: Usher has made it again since, as
// another. newer puts the server to a backup of the time in between, when ann and bob saw the library; nothing gives bob
// access any more.
func lostAndMadeAnew(t *testing.T) (w *world, former media.Library, newer func()) {
	t.Helper()
	w = newWorld(t, memory.Options{Traits: quick, Created: time.Now})
	w.create(w.user("ann"), w.user("bob"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	older := w.store.Backup()
	w.create(w.library("movies"), w.grant("g-ann", "movies", "ann"), w.grant("g-bob", "movies", "bob"))
	id := w.libraryID("movies")
	w.seesExactly("ann", "movies")
	w.seesExactly("bob", "movies")
	w.ready(&v1alpha1.User{}, "ann", "bob")
	former, _ = w.store.Library("Movies")
	newer = w.store.Backup()
	older()
	w.madeAnew(id)
	w.delete(w.grant("g-bob", "", ""))
	w.seesExactly("ann", "movies")
	w.seesExactly("bob")
	return w, former, newer
}

// madeAnew waits until the Library has another library than one that is gone from the server.
func (w *world) madeAnew(than media.LibraryID) {
	w.t.Helper()
	w.eventually("the library is made anew", func() bool {
		w.look() // one that is missing from one list is not gone
		id := ownedID(get(w, w.library("movies"), "movies"))
		return id != "" && id != string(than)
	})
	w.ready(&v1alpha1.Library{}, "movies")
}

// TestAFormerLibraryComesBack with the newer backup, in place of the one that was made since: it is this one again, and who
// has lost it meanwhile does not see it.
func TestAFormerLibraryComesBack(t *testing.T) {
	t.Parallel()
	w, former, newer := lostAndMadeAnew(t)
	newer()
	w.eventually("the former library is this one again", func() bool {
		w.look()
		return ownedID(get(w, w.library("movies"), "movies")) == string(former.ID)
	})
	library := &v1alpha1.Library{}
	w.ready(library, "movies")
	w.seesExactly("bob")
	w.seesExactly("ann", "movies")
	if writes := w.store.Writes(memory.UpdateLibrary, memory.DeleteLibrary); len(writes) > 0 || library.Status.Origin != v1alpha1.OriginCreated {
		t.Errorf("written to libraries: %v; origin %s", writes, library.Status.Origin)
	}
	if n := len(w.store.Libraries()); n != 1 {
		t.Errorf("the server has %d libraries", n)
	}
}

// TestAccessToAFormerLibraryIsWithdrawn where the one that was made since is there, too. One that is only like it is left as
// it is, with who sees it.
func TestAccessToAFormerLibraryIsWithdrawn(t *testing.T) {
	t.Parallel()
	w, former, _ := lostAndMadeAnew(t)
	like := former
	like.ID, like.Created = "", former.Created.Add(time.Hour)
	like.ID = w.store.AddLibrary(like)
	w.store.AddLibrary(former)
	for _, name := range []string{"ann", "bob"} {
		w.store.EditAccount(name, func(a *media.Account) {
			a.Access.Libraries[former.ID], a.Access.Libraries[like.ID] = media.LibraryViewer, media.LibraryViewer
		})
	}
	w.store.ResetCalls()
	w.sync()
	now := ownedID(get(w, w.library("movies"), "movies"))
	w.hasExactly("bob", like.ID)
	w.hasExactly("ann", like.ID, media.LibraryID(now))
	w.ready(&v1alpha1.Library{}, "movies")
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.eventually("the status names both", func() bool {
		undeclared := get(w, &v1alpha1.MediaServer{}, serverName).Status.Undeclared
		return undeclared != nil && undeclared.Libraries.Total == 2 && slices.Equal(undeclared.Libraries.Names, []string{"Movies", "Movies"})
	})
	if c := w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionReady, "True", ""); !strings.Contains(c.Message, string(former.ID)) || strings.Contains(c.Message, string(like.ID)) {
		t.Errorf("the status does not name the former library alone: %s", c.Message)
	}
	if writes := w.store.Writes(memory.CreateLibrary, memory.UpdateLibrary, memory.DeleteLibrary); len(writes) > 0 {
		t.Errorf("written to libraries: %v", writes)
	}
}

// TestADeletedLibraryWaitsForItsFormerAccess: what it was before is nobody's afterwards.
func TestADeletedLibraryWaitsForItsFormerAccess(t *testing.T) {
	t.Parallel()
	w, former, _ := lostAndMadeAnew(t)
	w.stop()
	w.store.AddLibrary(former)
	w.store.EditAccount("bob", func(a *media.Account) { a.Access.Libraries[former.ID] = media.LibraryViewer })
	w.delete(w.library("movies"))
	w.start()
	w.gone(w.library("movies"))
	if account, _ := w.store.Account("bob"); len(account.Access.Libraries) > 0 {
		t.Errorf("bob still has %v", account.Access.Libraries)
	}
	if n := len(w.store.Libraries()); n != 2 {
		t.Errorf("the server has %d libraries", n)
	}
}

// TestAReusedFormerIDIsAStrangers: an id alone proves nothing where ids are given out again.
func TestAReusedFormerIDIsAStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: func(traits *media.Traits) { counted(traits); quick(traits) }})
	w.create(w.library("movies"), w.user("ann"))
	id := w.libraryID("movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.store.RemoveLibrary(id)
	w.madeAnew(id)
	now := media.LibraryID(ownedID(get(w, w.library("movies"), "movies")))
	w.store.AddLibrary(media.Library{ID: id, Name: "Movies", MediaType: "Movies", Paths: []string{"/elsewhere"}})
	w.store.EditAccount("ann", func(a *media.Account) {
		a.Access.Libraries[id], a.Access.Libraries[now] = media.LibraryViewer, media.LibraryViewer
	})
	w.sync()
	w.hasExactly("ann", id)
	w.store.RemoveLibrary(now)
	w.eventually("the Library says what it found", func() bool {
		w.look()
		stalled := get(w, w.library("movies"), "movies").Status.Conditions
		return strings.Contains(fmt.Sprint(stalled), `adoptionPolicy: IfUnique`)
	})
	w.hasExactly("ann", id)
	if l, _ := w.store.Library("Movies"); l.ID != id || !slices.Equal(l.Paths, []string{"/elsewhere"}) {
		t.Errorf("a stranger's library is %v", l)
	}
}

// hasExactly waits until an account's list holds exactly these libraries.
func (w *world) hasExactly(username string, ids ...media.LibraryID) {
	w.t.Helper()
	slices.Sort(ids)
	w.eventually(fmt.Sprintf("%s has exactly %v", username, ids), func() bool {
		account, _ := w.store.Account(username)
		var has []media.LibraryID
		for id := range account.Access.Libraries {
			has = append(has, id)
		}
		slices.Sort(has)
		return slices.Equal(has, ids)
	})
}
