package controller_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// unseen waits until every kind says that nobody knows whether the server agrees, and why.
func (w *world) unseen(reason string) {
	w.t.Helper()
	for name, object := range map[string]withStatus{"ann": &v1alpha1.User{}, "movies": &v1alpha1.Library{}} {
		w.condition(object, name, v1alpha1.ConditionInSync, metav1.ConditionUnknown, reason)
		w.condition(object, name, v1alpha1.ConditionReady, metav1.ConditionFalse, reason)
	}
	w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionUnknown, reason)
	w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}

// seen waits until every kind says that the server agrees.
func (w *world) seen() {
	w.t.Helper()
	for name, object := range map[string]withStatus{"ann": &v1alpha1.User{}, "movies": &v1alpha1.Library{}} {
		w.condition(object, name, v1alpha1.ConditionInSync, metav1.ConditionTrue, v1alpha1.ReasonSynced)
		w.condition(object, name, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSynced)
	}
	w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionTrue, v1alpha1.ReasonApplied)
}

// TestNobodyKnowsWhatAServerThatIsNotSeenHas: whatever keeps Usher from looking at it, and though nothing is to be written.
func TestNobodyKnowsWhatAServerThatIsNotSeenHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seen()
	up := w.store.Down()
	w.look()
	w.unseen(v1alpha1.ReasonServerUnavailable)
	up()
	w.look()
	w.seen()

	patience := w.store.Hook(func(_ context.Context, moment memory.Moment, _ memory.Call) error {
		if moment == memory.Before {
			return &media.Error{Code: media.RateLimited, Message: "ask later"}
		}
		return nil
	})
	w.look()
	w.unseen(v1alpha1.ReasonRateLimited)
	patience()
	w.look()
	w.seen()

	edit(w, &corev1.Secret{ObjectMeta: w.meta("home-admin")}, func(s *corev1.Secret) { s.Data["password"] = []byte("another one") })
	w.unseen(v1alpha1.ReasonServerNotReady)
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonCredentialsRefused)
	edit(w, &corev1.Secret{ObjectMeta: w.meta("home-admin")}, func(s *corev1.Secret) { s.Data["password"] = []byte(memory.DefaultPassword) })
	w.seen()
}

// TestAnObserverDoesNotKnowEither: what mode Observe would change was true of the server that was seen.
func TestAnObserverDoesNotKnowEither(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeObserve })
	w.create(w.user("ann"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionInSync, metav1.ConditionFalse, v1alpha1.ReasonObserving)
	up := w.store.Down()
	w.look()
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionInSync, metav1.ConditionUnknown, v1alpha1.ReasonServerUnavailable)
	up()
	w.look()
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionInSync, metav1.ConditionFalse, v1alpha1.ReasonObserving)
}

// TestAnOutageCostsOneStatusAnObject, and one when it is over: one look that fails costs none. What is stalled stays so, without
// another event.
func TestAnOutageCostsOneStatusAnObject(t *testing.T) {
	t.Parallel()
	const users = 40
	w := newWorld(t, memory.Options{})
	w.store.AddAccount(media.Account{Username: "stranger", Role: media.RoleMember}, "a stranger's own")
	w.sync()
	w.create(w.library("movies"), w.user("stranger"))
	w.condition(&v1alpha1.User{}, "stranger", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	for i := range users {
		w.create(w.user(fmt.Sprintf("u%03d", i)))
	}
	w.allReady(users)
	w.ready(&v1alpha1.Library{}, "movies")
	w.sync()
	w.sync()
	w.counting.take()
	const patches = "patch status *v1alpha1.User"

	w.store.Fail(memory.Probe, 1, media.Errorf(media.Unavailable, "the server cannot be reached"))
	w.sync()
	w.eventually("a Warning says that one look failed", func() bool { return w.warnings(serverName, v1alpha1.ReasonServerUnavailable) == 1 })
	w.ready(&v1alpha1.MediaServer{}, serverName)
	if written := w.counting.take(); written[patches] > 0 {
		t.Errorf("one look that failed wrote %v", written)
	}

	up := w.store.Down()
	w.look()
	w.eventually("nobody is known to be as it should", func() bool { return w.countReady() == 0 })
	w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
	w.look()
	w.look()
	if written := w.counting.take(); written[patches] != users {
		t.Errorf("%d status writes for %d Users of a server that is down: %v", written[patches], users, written)
	}
	stranger := get(w, &v1alpha1.User{}, "stranger").Status.Conditions
	if !meta.IsStatusConditionTrue(stranger, v1alpha1.ConditionStalled) {
		t.Errorf("an outage hides what a person must do: %+v", stranger)
	}
	up()
	w.look()
	w.allReady(users)
	w.ready(&v1alpha1.Library{}, "movies")
	w.sync()
	if written := w.counting.take(); written[patches] != users {
		t.Errorf("%d status writes for %d Users of a server that is back: %v", written[patches], users, written)
	}
	if n := w.warnings("stranger", v1alpha1.ReasonConflict); n != 1 {
		t.Errorf("%d Warnings of one conflict", n)
	}
}

// TestDriftOfAnOutageIsDrift: what somebody changed while the server was not seen, as by a restore.
func TestDriftOfAnOutageIsDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seen()
	up := w.store.Down()
	w.look()
	w.unseen(v1alpha1.ReasonServerUnavailable)
	w.store.EditAccount("ann", func(a *media.Account) { a.Access = media.Access{} })
	up()
	w.look()
	w.seesExactly("ann", "movies")
	w.eventually("the drift is told", func() bool { return get(w, &v1alpha1.User{}, "ann").Status.Drift != nil })
}
