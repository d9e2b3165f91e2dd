package controller_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func TestAmbiguousLibraryName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	var second media.LibraryID
	for range 2 {
		second = w.store.AddLibrary(media.Library{Name: "Movies", MediaType: "Movies", Paths: []string{"/media/movies"}})
	}
	w.sync()
	w.create(w.library("movies"))
	w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAmbiguousName)
	edit(w, w.library("movies"), func(l *v1alpha1.Library) { l.Spec.ExternalID = string(second) })
	library := &v1alpha1.Library{}
	w.ready(library, "movies")
	if library.Status.ExternalID != string(second) {
		t.Errorf("took over %s, want %s", library.Status.ExternalID, second)
	}
	if w.store.Count(memory.CreateLibrary) > 0 {
		t.Error("made a library although two of that name existed")
	}
}

// A library that exists is taken over only where a manifest says so that needed permission: the Library's, or the
// MediaServer's for all.
func TestLibraryAdoption(t *testing.T) {
	t.Parallel()
	const byID = "by its id"
	for _, try := range []struct {
		policy v1alpha1.LibraryAdoptionPolicy
		server v1alpha1.AccountAdoptionPolicy
		adopts bool
	}{
		{"", v1alpha1.AccountAdoptionIfDisabled, false},
		{"", v1alpha1.AccountAdoptionNever, false},
		{"", v1alpha1.AccountAdoptionAlways, true},
		{v1alpha1.LibraryAdoptionNever, v1alpha1.AccountAdoptionAlways, false},
		{v1alpha1.LibraryAdoptionIfUnique, v1alpha1.AccountAdoptionNever, true},
		{byID, v1alpha1.AccountAdoptionNever, true},
	} {
		t.Run(string(try.policy)+"/"+string(try.server), func(t *testing.T) {
			w := newIdleWorld(t, memory.Options{})
			id := w.store.AddLibrary(media.Library{Name: "Movies", MediaType: "Movies", Paths: []string{"/media/movies"}})
			server, library := w.mediaServer(), w.library("movies")
			server.Spec.AdoptionPolicy, library.Spec.AdoptionPolicy = try.server, try.policy
			if try.policy == byID {
				library.Spec.AdoptionPolicy, library.Spec.ExternalID = "", string(id)
			}
			w.start()
			w.create(server, library)
			w.accept()
			if try.adopts {
				w.ready(&v1alpha1.Library{}, "movies")
			} else {
				stalled := w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
				if !strings.Contains(stalled.Message, `add the line "adoptionPolicy: IfUnique" to spec`) {
					t.Errorf("the message does not give the line to add: %s", stalled.Message)
				}
			}
			if n := len(w.store.Libraries()); n != 1 {
				t.Errorf("the server has %d libraries", n)
			}
		})
	}
}

func TestTwoLibrariesClaimOneName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"))
	w.ready(&v1alpha1.Library{}, "movies")
	twin := w.library("twin")
	twin.Spec.DisplayName, twin.Spec.AdoptionPolicy = "Movies", v1alpha1.LibraryAdoptionIfUnique
	w.create(twin)
	w.condition(&v1alpha1.Library{}, "twin", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonDuplicateClaim)
	w.delete(w.library("movies"))
	w.gone(w.library("movies"))
	w.ready(&v1alpha1.Library{}, "twin")
	if n := len(w.store.Libraries()); n != 1 {
		t.Errorf("the server has %d libraries, want the retained one taken over", n)
	}
}

func TestADeletedLibraryLosesItsEdgesFirst(t *testing.T) {
	t.Parallel()
	for _, policy := range []v1alpha1.LibraryDeletionPolicy{v1alpha1.LibraryDeletionRetain, v1alpha1.LibraryDeletionDelete} {
		t.Run(string(policy), func(t *testing.T) {
			w := newWorld(t, memory.Options{})
			library := w.library("movies")
			library.Spec.DeletionPolicy = policy
			w.create(library, w.user("ann"), w.grant("g", "*", "*"))
			w.seesExactly("ann", "movies")
			w.ready(&v1alpha1.User{}, "ann")
			w.delete(library)
			w.gone(library)
			w.seesExactly("ann")
			_, there := w.store.Library("Movies")
			if there != (policy == v1alpha1.LibraryDeletionRetain) {
				t.Errorf("with %s, the library is there: %t", policy, there)
			}
		})
	}
}

func TestALibraryThatIsNotEmptyIsNotDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	library := w.library("movies")
	library.Spec.DeletionPolicy = v1alpha1.LibraryDeletionDelete
	w.create(library)
	w.ready(&v1alpha1.Library{}, "movies")
	id := media.LibraryID(ownedID(get(w, library, "movies")))
	w.store.EditLibrary(id, func(l *media.Library) { l.Items = 3 })
	w.sync()
	w.delete(library)
	w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonLibraryNotEmpty)
	edit(w, library, func(l *v1alpha1.Library) { l.Spec.DeletionPolicy = v1alpha1.LibraryDeletionRetain })
	w.gone(library)
	if _, there := w.store.Library("Movies"); !there {
		t.Error("the library was deleted")
	}
}

func TestARefusedCreationIsSaidAndNotAskedAtEveryLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	refuse := w.store.Fail(memory.CreateLibrary, 100, media.Errorf(media.Invalid, "/etc is below none of the server's folders"))
	library := w.library("movies")
	w.create(library)
	condition := w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRefused)
	if !strings.Contains(condition.Message, "/etc is below none") {
		t.Errorf("the message does not say why: %s", condition.Message)
	}
	tries := w.store.Count(memory.CreateLibrary)
	w.counting.take()
	w.sync()
	w.sync()
	if again := w.store.Count(memory.CreateLibrary) - tries; again > 0 || len(w.counting.take()) > 0 {
		t.Errorf("asked %d times again, or wrote to Kubernetes", again)
	}
	refuse()
	edit(w, library, func(l *v1alpha1.Library) { l.Spec.Paths = []v1alpha1.LibraryPath{"/media/better"} })
	w.ready(&v1alpha1.Library{}, "movies")
	if n := len(w.store.Libraries()); n != 1 {
		t.Errorf("the server has %d libraries", n)
	}
}

func TestAWrongTypedBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	library := w.library("movies")
	library.Spec.Shisho = &v1alpha1.ShishoLibrary{OrganizeFiles: new(true)}
	w.create(library)
	w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec)
}

// A Library that was there before its MediaServer was compared with no mediaRoots when it was written. So Usher compares it
// before it makes it, and before it gives it a folder more.
func TestPathsThatNobodyWasAskedFor(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.start()
	inside, outside, allowed, private := w.library("movies"), w.library("etc"), w.library("allowed"), w.library("private")
	outside.Spec.Paths = []v1alpha1.LibraryPath{"/media/etc", "/etc", "/media-private"}
	allowed.Spec.Paths = []v1alpha1.LibraryPath{"/srv/allowed"}
	allowed.Annotations = map[string]string{v1alpha1.AnnotationAllowPaths: `["/srv/allowed"]`}
	// One that is taken over with the folder that it has already: nothing is opened by that.
	w.store.AddLibrary(media.Library{Name: "Private", MediaType: "Movies", Paths: []string{"/private"}})
	private.Spec.Paths, private.Spec.AdoptionPolicy = []v1alpha1.LibraryPath{"/private"}, v1alpha1.LibraryAdoptionIfUnique
	server := w.mediaServer()
	server.Spec.MediaRoots = []v1alpha1.LibraryPath{"/media/"}
	w.create(inside, outside, allowed, private, server)
	w.ready(&v1alpha1.Library{}, "movies", "allowed", "private")
	stalled := w.condition(&v1alpha1.Library{}, "etc", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec)
	if !strings.Contains(stalled.Message, "the paths [/etc /media-private] lie outside of the mediaRoots of MediaServer home") || !strings.Contains(stalled.Message, "kubectl annotate library etc -n "+w.namespace+` --overwrite usher.media/allow-paths='["/etc","/media-private"]'`) {
		t.Errorf("the message is %s", stalled.Message)
	}
	if _, made := w.store.Library("Etc"); made {
		t.Error("a library was made outside of the mediaRoots")
	}
	edit(w, inside, func(l *v1alpha1.Library) { l.Spec.Paths = append(l.Spec.Paths, "/root") })
	w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec)
	if movies, _ := w.store.Library("Movies"); len(movies.Paths) != 1 {
		t.Errorf("the library was given %v", movies.Paths)
	}
	edit(w, inside, func(l *v1alpha1.Library) {
		l.Annotations = map[string]string{v1alpha1.AnnotationAllowPaths: `["/root"]`, v1alpha1.AnnotationOwned: l.Annotations[v1alpha1.AnnotationOwned]}
	})
	w.ready(&v1alpha1.Library{}, "movies")
	edit(w, server, func(s *v1alpha1.MediaServer) { s.Spec.MediaRoots = append(s.Spec.MediaRoots, "/etc", "/media-private") })
	w.ready(&v1alpha1.Library{}, "etc")
}
