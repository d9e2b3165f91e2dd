package controller_test

import (
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/embedded"
	"github.com/usher-media/usher/internal/media/memory"
)

// spoilt are the ways in which a Secret comes not to hold what it should, beside that it cannot be made again.
var spoilt = map[string]func(w *world, secret *corev1.Secret){
	"deleted": func(*world, *corev1.Secret) {},
	"somebody's": func(w *world, secret *corev1.Secret) {
		w.create(&corev1.Secret{ObjectMeta: w.meta(secret.Name), Data: map[string][]byte{"password": []byte("of somebody"), "code": []byte("of somebody")}})
	},
	"another object's": func(w *world, secret *corev1.Secret) {
		other := &corev1.Secret{ObjectMeta: w.meta(secret.Name), Data: secret.Data}
		other.OwnerReferences = secret.OwnerReferences
		other.OwnerReferences[0].Name, other.Data["code"] = "another", []byte("of another")
		w.create(other)
	},
	"changed": func(w *world, secret *corev1.Secret) {
		changed := &corev1.Secret{ObjectMeta: w.meta(secret.Name), Data: secret.Data}
		changed.OwnerReferences = secret.OwnerReferences
		changed.Data["password"], changed.Data["code"] = []byte("changed by hand"), []byte("changed")
		w.create(changed)
	},
}

// TestNoUserIsReadyWithoutItsPassword, where the key that made it is lost. What holds the password is Ready, and is not tried again.
func TestNoUserIsReadyWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for how, spoil := range spoilt {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{})
			w.create(w.user("ann"), w.user("bob"), w.user("cleo"))
			w.ready(&v1alpha1.User{}, "ann", "bob", "cleo")
			kept := get(w, &corev1.Secret{}, "ann-credentials")
			first := string(kept.Data["password"])
			key := w.loseKey()
			w.delete(&corev1.Secret{ObjectMeta: w.meta(kept.Name)})
			spoil(w, kept.DeepCopy())
			edit(w, &corev1.Secret{ObjectMeta: w.meta("cleo-credentials")}, func(s *corev1.Secret) { s.OwnerReferences = nil })
			w.store.ResetCalls()
			w.start()
			said := w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonKeyChanged)
			if !strings.Contains(said.Message, kept.Name) || !strings.Contains(said.Message, v1alpha1.AnnotationRotatePassword) {
				t.Errorf("the message does not name the Secret and the way out: %s", said.Message)
			}
			for _, name := range []string{"bob", "cleo"} { // as it was, and with who owns it lost by a restore
				w.eventually(name+" is told to have its Secret", func() bool {
					user := get(w, &v1alpha1.User{}, name)
					return strings.Contains(readyMessage(user), "another key") && user.Status.CredentialsSecret == name+"-credentials"
				})
				w.ready(&v1alpha1.User{}, name)
			}
			w.sync()
			w.sync()
			if tries := w.store.Count(memory.Authenticate); tries > 2 {
				t.Errorf("passwords were tried %d times, want once each Secret that was changed", tries)
			}
			if w.store.Count(memory.SetPassword) > 0 || !w.store.CheckPassword("ann", first) {
				t.Error("a password was set")
			}
			w.bringBack(key)
			w.delete(client.Object(&corev1.Secret{ObjectMeta: w.meta("bob-credentials")}))
			w.start()
			w.eventually("with the key, the Secret is made again", func() bool { return w.store.CheckPassword("bob", w.passwordOrNone("bob-credentials")) })
		})
	}
}

// TestAPersonsSecretIsMissedUnderAnotherKey: that of spec.password.secretRef, though nothing is set.
func TestAPersonsSecretIsMissedUnderAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.secret("dora-first", map[string]string{"password": "first password of dora"}))
	dora := w.user("dora")
	dora.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "dora-first"}}
	w.create(dora)
	w.ready(&v1alpha1.User{}, "dora")
	w.loseKey()
	w.delete(&corev1.Secret{ObjectMeta: w.meta("dora-first")})
	w.start()
	w.condition(&v1alpha1.User{}, "dora", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
}

// TestNoInviteIsReadyWithoutItsLink, where the key that made it is lost: it works for who has it.
func TestNoInviteIsReadyWithoutItsLink(t *testing.T) {
	t.Parallel()
	for how, spoil := range spoilt {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newInviteWorld(t)
			w.invite("guests", nil)
			code := w.code("guests")
			kept := get(w.world, &corev1.Secret{}, "guests-invite")
			w.loseKey()
			w.delete(&corev1.Secret{ObjectMeta: w.meta(kept.Name)})
			spoil(w.world, kept.DeepCopy())
			w.openAs(embedded.Open)
			said := w.condition(&v1alpha1.Invite{}, "guests", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonKeyChanged)
			if !strings.Contains(said.Message, kept.Name) || !strings.Contains(said.Message, v1alpha1.AnnotationAcceptedKey) {
				t.Errorf("the message does not name the Secret and the way out: %s", said.Message)
			}
			if status, _ := w.register("joe", code); status != http.StatusCreated {
				t.Errorf("the link answers %d", status)
			}
		})
	}
}

// TestNothingIsReadyWhoseSecretANamespaceTakesAlong: it cannot be made again there, however long the namespace stays.
func TestNothingIsReadyWhoseSecretANamespaceTakesAlong(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", nil)
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	w.delete(w.prunes()["namespace"]...)
	w.delete(&corev1.Secret{ObjectMeta: w.meta("ann-credentials")}, &corev1.Secret{ObjectMeta: w.meta("guests-invite")})
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeleting)
	w.condition(&v1alpha1.Invite{}, "guests", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeleting)
}

// TestModeObserveShowsThatASecretIsMissing: it makes none.
func TestModeObserveShowsThatASecretIsMissing(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", nil)
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	edit(w.world, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeObserve })
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	for name, object := range map[string]withStatus{"ann": &v1alpha1.User{}, "guests": &v1alpha1.Invite{}} {
		secret := map[string]string{"ann": "ann-credentials", "guests": "guests-invite"}[name]
		w.eventually(name+" shows that its Secret is missing", func() bool {
			// A reconcile from before the edit makes it again.
			_ = w.client.Delete(t.Context(), &corev1.Secret{ObjectMeta: w.meta(secret)})
			if w.client.Get(t.Context(), w.key(name), object) != nil {
				return false
			}
			said := meta.FindStatusCondition(*object.StatusConditions(), v1alpha1.ConditionInSync)
			return said.Status == metav1.ConditionFalse && said.Reason == v1alpha1.ReasonObserving && strings.Contains(said.Message, secret)
		})
	}
}
