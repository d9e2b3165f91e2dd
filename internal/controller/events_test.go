package controller_test

import (
	"slices"
	"testing"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// warnings counts the Warning events about an object with a reason.
func (w *world) warnings(name, reason string) (n int) {
	var list eventsv1.EventList
	_ = w.client.List(w.t.Context(), &list, client.InNamespace(w.namespace))
	for i := range list.Items {
		if e := &list.Items[i]; e.Type == "Warning" && e.Regarding.Name == name && e.Reason == reason {
			n += 1 + seriesCount(e)
		}
	}
	return n
}

func seriesCount(e *eventsv1.Event) int {
	if e.Series == nil {
		return 0
	}
	return int(e.Series.Count)
}

// An object that begins to fail says so once, by an event as well as by its status.
func TestFailuresAreEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember}, "ann's own password")
	w.look()
	w.create(w.user("ann"), w.user("bob"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.ready(&v1alpha1.User{}, "bob")
	w.eventually("a Warning says that ann stalls", func() bool { return w.warnings("ann", v1alpha1.ReasonConflict) == 1 })
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.DisplayName = "Ann" })
	w.eventually("the edit is seen", func() bool {
		return get(w, &v1alpha1.User{}, "ann").Status.ObservedGeneration == get(w, &v1alpha1.User{}, "ann").Generation
	})

	up := w.store.Down()
	w.look()
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
	w.eventually("a Warning says that the server is down", func() bool {
		return w.warnings(serverName, v1alpha1.ReasonServerUnavailable) == 1
	})
	up()
	w.look()
	w.ready(&v1alpha1.MediaServer{}, serverName)
	if n := w.warnings("ann", v1alpha1.ReasonConflict); n != 1 {
		t.Errorf("%d Warnings of one failure", n)
	}
	if n := w.warnings("bob", v1alpha1.ReasonServerUnavailable); n != 0 {
		t.Errorf("an outage of the server warned of %d failures of a User", n)
	}
}

// TestATakeoverIsNoDrift: nobody changed by hand what is found then, also where the status says, of another server, that all agrees.
func TestATakeoverIsNoDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	user, library := w.user("ann"), w.library("movies")
	user.Spec.AdoptionPolicy, user.Spec.DisplayName = v1alpha1.AccountAdoptionAlways, "Ann"
	library.Spec.AdoptionPolicy = v1alpha1.LibraryAdoptionIfUnique
	w.create(user, library)
	w.ready(user, "ann")
	w.ready(library, "movies")
	w.stop()
	w.store.SetIdentity("another")
	w.store.EditAccount("ann", func(a *media.Account) { a.DisplayName = "somebody" })
	w.store.EditLibrary(media.LibraryID(ownedID(library)), func(l *media.Library) { l.Paths = []string{"/media/other"} })
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationAcceptServerIdentity, "another")
	})
	w.start()
	w.eventually("both are taken over, and as their manifests say", func() bool {
		get(w, user, "ann")
		get(w, library, "movies")
		account, _ := w.store.Account("ann")
		movies, _ := w.store.Library("Movies")
		adopted := user.Status.Origin == v1alpha1.OriginAdopted && library.Status.Origin == v1alpha1.OriginAdopted
		return adopted && account.DisplayName == "Ann" && slices.Equal(movies.Paths, []string{"/media/movies"})
	})
	if user.Status.Drift != nil || library.Status.Drift != nil || w.metric("usher_drift_found_total") != 0 {
		t.Errorf("a takeover counts as drift: %+v, %+v", user.Status.Drift, library.Status.Drift)
	}
}
