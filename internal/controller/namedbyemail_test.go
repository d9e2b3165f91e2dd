package controller_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func passwordsFixed(c *media.Capabilities) { c.PasswordsFixed = true }

// Where a password can be given only when an account is made, the one of the Secret is given then; a later change is
// refused, visibly.
func TestPasswordsFixed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: passwordsFixed})
	user := w.user("ann")
	user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
	w.create(w.secret("ann-password", map[string]string{"password": "correct horse"}), user, w.user("ben"))
	w.ready(&v1alpha1.User{}, "ann", "ben")
	if !w.store.CheckPassword("ann", "correct horse") || !w.store.CheckPassword("ben", w.password("ben-credentials")) {
		t.Error("the passwords do not work")
	}
	edit(w, &corev1.Secret{ObjectMeta: w.meta("ann-password")}, func(s *corev1.Secret) { s.Data["password"] = []byte("battery staple") })
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	if !w.store.CheckPassword("ann", "correct horse") {
		t.Error("the password changed")
	}
}

// A creation whose answer was lost, while the Secret changed: with the new password, nothing tells whose account that is.
// It is neither taken nor tried, the status says what to do, and with the former password back it is known again.
func TestPasswordsFixedChangedWhileAnAccountWasMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick, Capabilities: passwordsFixed})
	set := func(password string) {
		edit(w, &corev1.Secret{ObjectMeta: w.meta("ann-password")}, func(s *corev1.Secret) { s.Data["password"] = []byte(password) })
	}
	remove := w.store.Hook(func(_ context.Context, moment memory.Moment, call memory.Call) error {
		if call.Op != memory.CreateAccount || moment != memory.After {
			return nil
		}
		set("battery staple")
		return media.Errorf(media.Ambiguous, "no answer")
	})
	user := w.user("ann")
	user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
	w.create(w.secret("ann-password", map[string]string{"password": "correct horse"}), user, w.library("movies"), w.grant("g", "*", "*"))
	condition := w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	remove()
	if !strings.Contains(condition.Message, "Restore the old password") {
		t.Errorf("the message does not say what to do: %s", condition.Message)
	}
	if tried := w.store.Count(memory.Authenticate); tried != 0 || !w.store.CheckPassword("ann", "correct horse") {
		t.Errorf("the account was tried with a password %d times, or its password changed", tried)
	}
	set("correct horse")
	w.ready(user, "ann")
	if created := w.store.Count(memory.CreateAccount); created != 1 || user.Status.Origin != v1alpha1.OriginCreated {
		t.Errorf("%d creations, origin %s", created, user.Status.Origin)
	}
}

// A person's own choice of a password comes after the account, which such a server does not allow.
func TestInvitePagesNeedPasswords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: func(c *media.Capabilities) { c.PasswordsFixed, c.Invites = true, false }})
	libraries := targets("movies")
	w.create(w.library("movies"), &v1alpha1.Invite{ObjectMeta: w.meta("cousins"), Spec: v1alpha1.InviteSpec{
		Offers: []v1alpha1.InviteOffer{{ServerRef: v1alpha1.LocalReference{Name: serverName}, Libraries: &libraries}},
	}})
	condition := w.condition(&v1alpha1.Invite{}, "cousins", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	if !strings.Contains(condition.Message, "declare a User") {
		t.Errorf("the message says something else: %s", condition.Message)
	}
}

func TestNamedByEmail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: func(traits *media.Traits) { traits.KeyedByEmail, traits.NamedByEmail = true, true }})
	ann, ben := w.user("ann"), w.user("ben")
	ann.Spec.Email = "ann@example.org"
	ben.Spec.Username, ben.Spec.Email = "Ben@example.org", "ben@example.org"
	w.create(ann, ben)
	w.ready(&v1alpha1.User{}, "ben")
	condition := w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec)
	if !strings.Contains(condition.Message, "as spec.username and as spec.email") {
		t.Errorf("the message does not say what to do: %s", condition.Message)
	}
}
