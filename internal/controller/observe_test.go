package controller_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

// observing is a world whose MediaServer is in mode Observe, with the objects.
func observing(t *testing.T, fill func(*memory.Store), objects func(*world) []client.Object) *world {
	t.Helper()
	w := newIdleWorld(t, memory.Options{})
	fill(w.store)
	w.start()
	server := w.mediaServer()
	server.Spec.Mode = v1alpha1.ModeObserve
	w.create(append(objects(w), server)...)
	w.ready(&v1alpha1.MediaServer{}, serverName)
	return w
}

// TestObservePlansAccessToWhatIsToBeMade: an account's plan names each library that it is to see, also those that are not
// there yet; but none that nobody would make or take over.
func TestObservePlansAccessToWhatIsToBeMade(t *testing.T) {
	t.Parallel()
	w := observing(t, func(s *memory.Store) {
		s.AddAccount(media.Account{Username: "ann", Role: media.RoleMember, Disabled: true}, "ann's own password")
		s.AddLibrary(media.Library{Name: "Taken", MediaType: "Movies", Paths: []string{"/taken"}})
	}, func(w *world) []client.Object {
		return []client.Object{w.library("tv"), w.library("taken"), w.user("ann"), w.user("bob"), w.grant("g", "*", "*")}
	})
	w.condition(&v1alpha1.Library{}, "taken", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	for _, name := range []string{"ann", "bob"} {
		w.eventually("the plan of "+name+" names the library that is to be made, and that one alone", func() bool {
			plan := strings.Join(get(w, &v1alpha1.User{}, name).Status.Plan, "; ")
			return strings.Contains(plan, "access to tv given") && !strings.Contains(plan, "access to taken")
		})
	}
}

// TestAGrantInModeObserve is not waited for: nothing is written there.
func TestAGrantInModeObserve(t *testing.T) {
	t.Parallel()
	w := observing(t, func(s *memory.Store) {}, func(w *world) []client.Object {
		return []client.Object{w.library("movies"), w.user("ann"), w.grant("g", "*", "*")}
	})
	applied := w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionFalse, v1alpha1.ReasonObserving)
	if !strings.Contains(applied.Message, "0 of 1") || !strings.Contains(applied.Message, "Observe") {
		t.Errorf("the message is %s", applied.Message)
	}
}

// TestAGrantThatIsThereInModeObserve: what the account that would be taken over sees already has reached the server.
func TestAGrantThatIsThereInModeObserve(t *testing.T) {
	t.Parallel()
	w := observing(t, func(s *memory.Store) {
		movies := s.AddLibrary(media.Library{Name: "Movies", MediaType: "Movies", Paths: []string{"/other"}})
		s.AddAccount(media.Account{Username: "ann", Role: media.RoleMember, Disabled: true, Access: media.Access{
			Libraries: map[media.LibraryID]media.LibraryRole{movies: media.LibraryViewer},
		}}, "ann's own password")
	}, func(w *world) []client.Object {
		movies := w.library("movies")
		movies.Spec.AdoptionPolicy = v1alpha1.LibraryAdoptionIfUnique
		return []client.Object{movies, w.user("ann"), w.grant("g", "*", "*")}
	})
	w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionTrue, v1alpha1.ReasonApplied)
}

// TestAGrantOfAnAccountInUseInModeObserve: the MediaServer's Always would take it over, since that was accepted.
func TestAGrantOfAnAccountInUseInModeObserve(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	movies := w.store.AddLibrary(media.Library{Name: "Movies", MediaType: "Movies", Paths: []string{"/other"}})
	w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember, Access: media.Access{
		Libraries: map[media.LibraryID]media.LibraryRole{movies: media.LibraryViewer},
	}}, "ann's own password")
	w.start()
	server := w.mediaServer()
	server.Spec.Mode, server.Spec.AdoptionPolicy = v1alpha1.ModeObserve, v1alpha1.AccountAdoptionAlways
	w.create(server, w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.accept()
	w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionTrue, v1alpha1.ReasonApplied)
}

// TestConflictsAreNoPlan: the MediaServer counts them apart, since nothing would be done about them.
func TestConflictsAreNoPlan(t *testing.T) {
	t.Parallel()
	w := observing(t, func(s *memory.Store) {
		s.AddAccount(media.Account{Username: "ann", Role: media.RoleMember}, "ann's own password")
	}, func(w *world) []client.Object { return []client.Object{w.user("ann"), w.user("bob")} })
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.eventually("they are told apart", func() bool {
		ready := meta.FindStatusCondition(get(w, &v1alpha1.MediaServer{}, serverName).Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && strings.Contains(ready.Message, "would change: 1 User;") && strings.Contains(ready.Message, "in conflict: 1 User")
	})
}

// TestAnObserverSharesNothing: only two that write can undo each other.
func TestAnObserverSharesNothing(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	abroad := testenv.Get(t).Namespace(t)
	w.alsoWatched = []string{abroad}
	w.start()
	there, secret := w.twin(), w.secret("home-admin", map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword})
	there.Namespace, secret.Namespace, there.Spec.Mode = abroad, abroad, v1alpha1.ModeObserve
	w.create(secret, there)
	conditions := func(namespace, name string) []metav1.Condition {
		server := &v1alpha1.MediaServer{}
		if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, server); err != nil {
			t.Fatal(err)
		}
		return server.Status.Conditions
	}
	w.eventually("the observer is connected", func() bool { return meta.IsStatusConditionTrue(conditions(abroad, "twin"), v1alpha1.ConditionReady) })
	w.create(w.mediaServer(), w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	w.sync()
	w.ready(&v1alpha1.MediaServer{}, serverName)
	for name, namespace := range map[string]string{serverName: w.namespace, "twin": abroad} {
		if c := meta.FindStatusCondition(conditions(namespace, name), v1alpha1.ConditionIdentityShared); c != nil {
			t.Errorf("%s: %v", name, c)
		}
	}
	if n := w.metric("usher_media_server_identity_shared"); n != 0 {
		t.Errorf("the metric tells of %v pairs", n)
	}
	there.Spec.Mode = v1alpha1.ModeEnforce
	if err := w.client.Patch(t.Context(), there, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"mode":"Enforce"}}`))); err != nil {
		t.Fatal(err)
	}
	w.eventually("both say so once both write", func() bool {
		return meta.IsStatusConditionTrue(conditions(w.namespace, serverName), v1alpha1.ConditionIdentityShared) &&
			meta.IsStatusConditionTrue(conditions(abroad, "twin"), v1alpha1.ConditionIdentityShared)
	})
}

// TestObservingSaysWhatStays of what is deleted in mode Observe, and does not wait for a server to which it writes nothing.
func TestObservingSaysWhatStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeObserve })
	w.ready(&v1alpha1.MediaServer{}, serverName)
	up := w.store.Down()
	defer up()
	w.store.ResetCalls()
	w.look()
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
	w.delete(w.user("ann"), w.library("movies"))
	w.gone(w.user("ann"))
	w.gone(w.library("movies"))
	for name, words := range map[string][]string{
		"ann":    {`account "ann"`, "Active", "1 declared library", "mode Observe", "deletionPolicy Disable"},
		"movies": {`library "Movies"`, "who sees it", "mode Observe"},
	} {
		w.eventually("an event about "+name+" says what stays, and why", func() bool {
			return slices.ContainsFunc(w.eventsOf(name), func(note string) bool {
				return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(note, word) })
			})
		})
	}
	if writes := w.store.WriteCount(); writes > 0 {
		t.Errorf("mode Observe wrote to the server: %v", w.store.Counts())
	}
}
