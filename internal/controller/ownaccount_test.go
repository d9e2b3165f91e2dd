package controller_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func withPasswordOf(user *v1alpha1.User, secret string) *v1alpha1.User {
	user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: secret}}
	return user
}

// TestAnOwnAccountWhosePasswordWasLostOnTheWay stays ours: the answer to SetPassword is lost and the Secret goes away.
func TestAnOwnAccountWhosePasswordWasLostOnTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	secret := w.secret("ann-password", map[string]string{"password": "ann's own password"})
	w.store.Hook(func(_ context.Context, moment memory.Moment, call memory.Call) error {
		if call.Op != memory.SetPassword || moment != memory.After || w.store.Count(memory.SetPassword) > 1 {
			return nil
		}
		_ = w.client.Delete(context.Background(), secret.DeepCopy())
		return media.Errorf(media.Ambiguous, "the answer was lost")
	})
	w.create(secret.DeepCopy(), w.library("movies"), w.grant("g", "movies", "ann"))
	w.ready(&v1alpha1.Library{}, "movies")
	w.create(withPasswordOf(w.user("ann"), "ann-password"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	w.sync()
	w.sync()
	w.delete(w.grant("g", "", ""))
	w.seesExactly("ann")
	w.create(w.secret("ann-password", map[string]string{"password": "ann's next password"}))
	w.ready(&v1alpha1.User{}, "ann")
	if !w.store.CheckPassword("ann", "ann's next password") {
		t.Error("the password of the Secret does not work")
	}
}

// TestNothingIsHeldAgainstAnAccountThatCannotBeTried: the operator died after it had set the password of the Secret, which
// is away when it is back.
func TestNothingIsHeldAgainstAnAccountThatCannotBeTried(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{Traits: quick, Identity: "the-server"})
	announced, _ := json.Marshal(map[string]any{"server": "the-server", "intent": map[string]any{"at": time.Now().Add(-time.Hour)}})
	user := withPasswordOf(w.user("ann"), "ann-password")
	user.Annotations = map[string]string{v1alpha1.AnnotationOwned: string(announced)}
	user.Finalizers = []string{v1alpha1.Finalizer}
	w.store.AddAccount(media.Account{Username: "ann"}, "ann's own password")
	w.create(w.library("movies"), w.grant("g", "movies", "ann"), user, w.mediaServer())
	w.start()
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	w.sync()
	w.sync()
	if n := w.store.Count(memory.Authenticate); n != 1 {
		t.Errorf("the account was tried %d times with the one password that is known, want once", n)
	}
	// Another password than the account has says nothing for good.
	w.create(w.secret("ann-password", map[string]string{"password": "not ann's password"}))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	edit(w, &corev1.Secret{ObjectMeta: w.meta("ann-password")}, func(s *corev1.Secret) { s.Data["password"] = []byte("ann's own password") })
	w.ready(user, "ann")
	w.seesExactly("ann", "movies")
	if user.Status.Origin != v1alpha1.OriginCreated {
		t.Errorf("origin %s", user.Status.Origin)
	}
}

// TestADeletionDoesNotWaitForEverForAProof: the Secret with the password is gone for good.
func TestADeletionDoesNotWaitForEverForAProof(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{Traits: quick, Identity: "the-server"})
	w.releaseAfter = 2 * time.Second
	announced, _ := json.Marshal(map[string]any{"server": "the-server", "intent": map[string]any{"at": time.Now().Add(-time.Hour)}})
	user := withPasswordOf(w.user("ann"), "ann-password")
	user.Annotations = map[string]string{v1alpha1.AnnotationOwned: string(announced)}
	user.Finalizers = []string{v1alpha1.Finalizer}
	w.store.AddAccount(media.Account{Username: "ann"}, "ann's own password")
	w.create(user, w.mediaServer())
	w.start()
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	w.delete(user)
	w.gone(user)
	w.eventually("an event says what is left behind", func() bool { return w.warnings("ann", "Retained") > 0 })
}
