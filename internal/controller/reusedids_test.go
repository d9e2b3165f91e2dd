package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// counted is a server that gives ids out again, as one does whose ids are counted.
func counted(traits *media.Traits) { traits.LibraryIDsNeverReused = false }

// libraryID is the recorded id of a Library that is Ready.
func (w *world) libraryID(name string) media.LibraryID {
	w.t.Helper()
	library := &v1alpha1.Library{}
	w.ready(library, name)
	return media.LibraryID(ownedID(library))
}

// inDoubt waits until a Library is in doubt, and returns the message.
func (w *world) inDoubt(name string) string {
	w.t.Helper()
	return w.condition(&v1alpha1.Library{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt).Message
}

func (w *world) answer(library, annotation string, id media.LibraryID) {
	w.t.Helper()
	edit(w, w.library(library), func(l *v1alpha1.Library) { metav1.SetMetaDataAnnotation(&l.ObjectMeta, annotation, string(id)) })
}

// becomes makes the library of an id another one: a stranger's, made by hand under an id that was given out again.
func (w *world) becomes(id media.LibraryID, name string, path string, made time.Time) {
	w.store.EditLibrary(id, func(l *media.Library) { l.Name, l.Paths, l.Created = name, []string{path}, made })
}

func TestALibraryUnderAReusedIDIsAStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: counted})
	w.create(w.library("movies"), w.library("tv"), w.user("ann"), w.user("bob"), w.grant("g", "*", "ann"))
	id := w.libraryID("movies")
	w.seesExactly("ann", "movies", "tv")
	w.ready(&v1alpha1.User{}, "ann")
	w.becomes(id, "Secret", "/media/secret", time.Now().Add(time.Hour))
	w.store.EditAccount("bob", func(a *media.Account) { a.Access.Libraries[id] = media.LibraryViewer }) // its owner gave it to bob
	before, _ := w.store.Library("Secret")
	w.sync()
	message := w.inDoubt("movies")
	for _, word := range []string{`"Movies"`, `"Secret"`, "/media/movies", "/media/secret", "usher.media/confirm-id=" + string(id), "usher.media/forget-id=" + string(id)} {
		if !strings.Contains(message, word) {
			t.Errorf("the message does not name %s: %s", word, message)
		}
	}
	w.seesExactly("ann", "tv") // Usher gave it when it was another
	w.create(w.grant("more", "movies", "*"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.sync()
	w.seesExactly("ann", "tv")
	w.seesExactly("bob", "secret") // that was not Usher's
	if after, _ := w.store.Library("Secret"); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("a stranger's library was changed: %v, was %v", after, before)
	}
	w.condition(&v1alpha1.LibraryGrant{}, "more", v1alpha1.ConditionApplied, metav1.ConditionFalse, "")

	w.answer("movies", v1alpha1.AnnotationForgetID, id)
	w.ready(&v1alpha1.Library{}, "movies")
	w.seesExactly("ann", "movies", "tv")
	w.seesExactly("bob", "movies", "secret")
	if again := w.libraryID("movies"); again == id {
		t.Error("the forgotten id is recorded again")
	}
	if after, _ := w.store.Library("Secret"); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("a stranger's library was changed: %v, was %v", after, before)
	}
}

func TestALibraryInDoubtThatIsTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: counted})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	id := w.libraryID("movies")
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.answer("movies", v1alpha1.AnnotationConfirmID, id) // given before it is asked for, it answers nothing
	w.ready(&v1alpha1.Library{}, "movies")
	w.becomes(id, "Films", "/media/films", time.Time{})
	w.sync()
	w.inDoubt("movies")
	w.seesExactly("ann")
	edit(w, w.library("movies"), func(l *v1alpha1.Library) { delete(l.Annotations, v1alpha1.AnnotationConfirmID) })
	w.sync()
	w.inDoubt("movies")
	w.answer("movies", v1alpha1.AnnotationConfirmID, "another")
	w.sync()
	w.inDoubt("movies")
	w.answer("movies", v1alpha1.AnnotationConfirmID, id)
	w.ready(&v1alpha1.Library{}, "movies")
	w.seesExactly("ann", "movies") // its name is repaired
	if l, _ := w.store.Library("Movies"); l.ID != id || !slices.Equal(l.Paths, []string{"/media/movies"}) {
		t.Errorf("the confirmed library is %v", l)
	}
	w.becomes(id, "Secret", "/media/secret", time.Time{})
	w.sync()
	w.inDoubt("movies") // an old answer is none
	w.seesExactly("ann")
	w.becomes(id, "Movies", "/media/movies", time.Time{})
	w.sync()
	w.ready(&v1alpha1.Library{}, "movies") // a doubt that is over ends by itself
	w.seesExactly("ann", "movies")
}

func TestDriftByHandIsRepairedWhereOneMoreWitnessAgrees(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: counted})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	id := w.libraryID("movies")
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	for _, change := range []func(*media.Library){
		func(l *media.Library) { l.Name = "Films" },
		func(l *media.Library) { l.Paths = []string{"/media/secret"} },
		func(l *media.Library) { l.Paths = append(l.Paths, "/media/secret") },
	} {
		w.store.ResetCalls()
		w.store.EditLibrary(id, change)
		w.sync()
		w.eventually("it is repaired", func() bool {
			l, found := w.store.Library("Movies")
			return found && l.ID == id && slices.Equal(l.Paths, []string{"/media/movies"})
		})
		w.ready(&v1alpha1.Library{}, "movies")
		w.ready(&v1alpha1.User{}, "ann")
		if n := len(w.store.Writes(memory.SetAccess)); n > 0 {
			t.Errorf("access was written %d times for a library that is the same", n)
		}
	}
	// Who is to see it for the first time sees it once it is repaired.
	w.store.EditLibrary(id, func(l *media.Library) { l.Name = "Films" })
	w.create(w.user("bob"))
	w.sync()
	w.seesExactly("bob", "movies")
}

func TestAChangeOfTheManifestIsNoDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: func(traits *media.Traits) { counted(traits); quick(traits) }})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	id := w.libraryID("movies")
	w.seesExactly("ann", "movies")
	w.store.Lose(memory.UpdateLibrary, 1)
	edit(w, w.library("movies"), func(l *v1alpha1.Library) {
		l.Spec.DisplayName, l.Spec.Paths = "Films", []v1alpha1.LibraryPath{"/media/films"}
	})
	w.ready(&v1alpha1.Library{}, "movies")
	w.seesExactly("ann", "films")
	if again := w.libraryID("movies"); again != id {
		t.Errorf("another library, %s, was made for %s", again, id)
	}
	// What it was before is no witness any more.
	w.becomes(id, "Movies", "/media/movies", time.Time{})
	w.sync()
	w.inDoubt("movies")
}

func TestSeveralLibrariesThatChangeAtOnceAreARestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: func(traits *media.Traits) { counted(traits); quick(traits) }})
	w.create(w.library("movies"), w.library("tv"), w.library("kids"), w.library("music"), w.user("ann"), w.grant("g", "*", "*"))
	movies, tv, kids := w.libraryID("movies"), w.libraryID("tv"), w.libraryID("kids")
	w.seesExactly("ann", "kids", "movies", "music", "tv")
	w.ready(&v1alpha1.User{}, "ann")
	w.store.EditLibrary(movies, func(l *media.Library) { l.Name = "Films" })
	w.store.EditLibrary(tv, func(l *media.Library) { l.Name = "Series" })
	w.store.RemoveLibrary(kids)
	w.store.ResetCalls()
	w.sync()
	w.inDoubt("movies")
	w.inDoubt("tv")
	if message := w.inDoubt("kids"); !strings.Contains(message, "usher.media/forget-id="+string(kids)) || strings.Contains(message, "confirm-id") {
		t.Errorf("a library that is gone: %s", message)
	}
	w.seesExactly("ann", "music")
	w.ready(&v1alpha1.Library{}, "music")
	if writes := w.store.Writes(memory.CreateLibrary, memory.UpdateLibrary, memory.DeleteLibrary); len(writes) > 0 {
		t.Errorf("libraries in doubt were written to: %v", writes)
	}
	// What was found together stays in doubt when the others are decided on.
	w.answer("movies", v1alpha1.AnnotationConfirmID, movies)
	w.answer("kids", v1alpha1.AnnotationForgetID, kids)
	w.ready(&v1alpha1.Library{}, "movies", "kids")
	w.seesExactly("ann", "kids", "movies", "music")
	w.sync()
	w.inDoubt("tv")
	w.answer("tv", v1alpha1.AnnotationConfirmID, tv)
	w.seesExactly("ann", "kids", "movies", "music", "tv")
}

// TestAnIDThatTwoLibrariesRecorded: an older database came back, and the id of one is the other's by now.
func TestAnIDThatTwoLibrariesRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: func(traits *media.Traits) { counted(traits); quick(traits) }})
	w.create(w.library("four"), w.library("five"), w.user("ann"), w.user("bob"), w.grant("g4", "four", "ann"), w.grant("g5", "five", "bob"))
	four, five := w.libraryID("four"), w.libraryID("five")
	w.seesExactly("ann", "four")
	w.seesExactly("bob", "five")
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.stop()
	w.store.RemoveLibrary(four)
	w.store.EditLibrary(five, func(l *media.Library) { l.ID = four })
	for _, name := range []string{"ann", "bob"} {
		w.store.EditAccount(name, func(a *media.Account) {
			a.Access.Libraries = map[media.LibraryID]media.LibraryRole{four: media.LibraryViewer}
		})
	}
	record := get(w, w.library("five"), "five").Annotations[v1alpha1.AnnotationOwned]
	edit(w, w.library("five"), func(l *v1alpha1.Library) {
		l.Annotations[v1alpha1.AnnotationOwned] = strings.Replace(record, `"id":"`+string(five)+`"`, `"id":"`+string(four)+`"`, 1)
	})
	w.start()
	if message := w.inDoubt("four"); !strings.Contains(message, "Library five") || strings.Contains(message, "confirm-id") {
		t.Errorf("the message does not say whose the id is: %s", message)
	}
	w.seesExactly("ann")
	w.seesExactly("bob", "five")
	w.ready(&v1alpha1.Library{}, "five")
	w.answer("four", v1alpha1.AnnotationForgetID, four)
	w.ready(&v1alpha1.Library{}, "four")
	w.seesExactly("ann", "four")
	w.seesExactly("bob", "five")
}

func TestALibraryInDoubtCanBeDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: counted})
	library := w.library("movies")
	library.Spec.DeletionPolicy = v1alpha1.LibraryDeletionDelete
	w.create(library, w.user("ann"), w.user("bob"), w.grant("g", "*", "ann"))
	id := w.libraryID("movies")
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.becomes(id, "Secret", "/media/secret", time.Time{})
	w.store.EditAccount("bob", func(a *media.Account) { a.Access.Libraries[id] = media.LibraryViewer })
	w.delete(library)
	w.sync()
	w.gone(library)
	w.seesExactly("ann")
	w.seesExactly("bob", "secret") // a reader of the other library is not waited for
	if _, there := w.store.Library("Secret"); !there {
		t.Error("a stranger's library was deleted")
	}
}

// TestTheLibraryIsReadBeforeItIsWrittenTo: what the last look said may be over.
func TestTheLibraryIsReadBeforeItIsWrittenTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: counted})
	w.create(w.library("movies"))
	id := w.libraryID("movies")
	w.becomes(id, "Secret", "/media/secret", time.Time{})
	before, _ := w.store.Library("Secret")
	edit(w, w.library("movies"), func(l *v1alpha1.Library) { l.Spec.DisplayName = "Films" })
	w.inDoubt("movies")
	if after, _ := w.store.Library("Secret"); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("a stranger's library was changed: %v, was %v", after, before)
	}
}
