package controller_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// TestALibraryMeantForAnotherIsNotTaken: renamed by hand to the name of another Library, it is nobody else's.
func TestALibraryMeantForAnotherIsNotTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: counted})
	w.create(w.library("movies"))
	id := w.libraryID("movies")
	edit(w, w.library("movies"), func(l *v1alpha1.Library) {
		metav1.SetMetaDataAnnotation(&l.ObjectMeta, v1alpha1.AnnotationPaused, "true")
	})
	w.store.EditLibrary(id, func(l *media.Library) { l.Name = "Films" })
	w.sync()
	films := w.library("films")
	films.Spec.AdoptionPolicy = v1alpha1.LibraryAdoptionIfUnique
	w.create(films)
	w.condition(&v1alpha1.Library{}, "films", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonDuplicateClaim)
	if n := len(w.store.Libraries()); n != 1 {
		t.Errorf("the server has %d libraries", n)
	}
}

// TestALibraryWhoseRecordIsLost: the status remembers it, and is believed where the library is what the manifest says.
func TestALibraryWhoseRecordIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: counted})
	for _, name := range []string{"movies", "tv"} {
		library := w.library(name)
		library.Spec.AdoptionPolicy = v1alpha1.LibraryAdoptionNever
		w.create(library)
	}
	w.create(w.user("ann"), w.grant("g", "*", "*"))
	movies, tv := w.libraryID("movies"), w.libraryID("tv")
	w.seesExactly("ann", "movies", "tv")
	w.stop()
	w.becomes(tv, "Secret", "/media/secret", time.Time{})
	for _, name := range []string{"movies", "tv"} {
		edit(w, w.library(name), func(l *v1alpha1.Library) { delete(l.Annotations, v1alpha1.AnnotationOwned) })
	}
	before, _ := w.store.Library("Secret")
	w.start()
	w.eventually("the record is there again", func() bool { return ownedID(get(w, w.library("movies"), "movies")) == string(movies) })
	if library := get(w, w.library("movies"), "movies"); library.Status.Origin != v1alpha1.OriginCreated {
		t.Errorf("its origin is %s", library.Status.Origin)
	}
	w.eventually("tv is made anew", func() bool {
		id := ownedID(get(w, w.library("tv"), "tv"))
		return id != "" && id != string(tv)
	})
	w.ready(&v1alpha1.Library{}, "movies", "tv")
	if after, _ := w.store.Library("Secret"); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("a stranger's library was changed: %v, was %v", after, before)
	}
}
