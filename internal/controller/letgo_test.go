package controller_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
)

// orphaned is a world with one User whose MediaServer cannot be reached any more: its Secret is gone, and the operator
// that remembered the credentials as well.
func orphaned(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.stop()
	w.delete(&corev1.Secret{ObjectMeta: w.meta("home-admin")})
	return w
}

func TestNothingWaitsForeverForAServerThatIsGone(t *testing.T) {
	t.Parallel()
	w := orphaned(t)
	w.releaseAfter = 4 * time.Second
	w.delete(w.user("ann"))
	deleted := time.Now()
	// The grace begins when somebody waits: the operator was away when the User was deleted.
	restarted := deleted.Add(5 * time.Second)
	w.eventually("the operator has been away for longer than the grace", func() bool { return time.Now().After(restarted) })
	w.start()
	w.eventually("the User says that it waits, and for how long", func() bool {
		user := &v1alpha1.User{}
		if w.client.Get(t.Context(), w.key("ann"), user) != nil {
			t.Fatal("let go at once, without waiting")
		}
		ready := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && strings.Contains(ready.Message, "let go in ")
	})
	w.gone(w.user("ann"))
	w.eventually("an event says what stays behind", func() bool {
		return strings.Contains(strings.Join(w.eventsOf("ann"), "\n"), "stays on the server as it is")
	})
	if account, there := w.store.Account("ann"); !there || account.Disabled || len(account.Access.Libraries) != 1 {
		t.Errorf("the account was changed: %+v", account)
	}
	if !strings.Contains(w.logged.text(), "let go of an object whose MediaServer is gone") {
		t.Error("the log says nothing, and in a namespace that is being deleted there are no events")
	}
}

func TestObservingLetsGoWithoutAWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeObserve })
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	w.store.ResetCalls()
	w.delete(w.user("ann"), w.library("movies"))
	w.gone(w.user("ann"))
	w.gone(w.library("movies"))
	if writes := w.store.WriteCount(); writes > 0 {
		t.Errorf("mode Observe wrote to the server: %v", w.store.Counts())
	}
	w.seesExactly("ann", "movies")
}

// TestAReleaseThatFailsIsTriedAgain: what is wrong then is not that the Secret is gone, too.
func TestAReleaseThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.counting.refusing(func(object client.Object) error {
		if _, is := object.(*v1alpha1.MediaServer); is {
			return errors.New("the API server is out of order")
		}
		return nil
	})
	w.delete(&corev1.Secret{ObjectMeta: w.meta("home-admin")}, w.mediaServer())
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRetrying)
	w.counting.refusing(nil)
	w.gone(w.mediaServer())
}
