package controller_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
)

// TestAForeignSecretOfTheNameIsAConflict: it is never written, and nothing is done whose password could not be kept.
func TestAForeignSecretOfTheNameIsAConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.secret("ann-credentials", map[string]string{"password": "somebody's own"}), w.user("ann"), w.user("bob"))
	said := w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	if !strings.Contains(said.Message, "ann-credentials") {
		t.Errorf("the message does not name the Secret: %s", said.Message)
	}
	if _, made := w.store.Account("ann"); made || w.password("ann-credentials") != "somebody's own" {
		t.Error("made an account whose password cannot be kept, or wrote a foreign Secret")
	}
	w.delete(&corev1.Secret{ObjectMeta: w.meta("ann-credentials")})
	w.ready(&v1alpha1.User{}, "ann", "bob")

	// The same at a rotation: the password that works is not replaced by one that cannot be kept.
	first := w.password("bob-credentials")
	w.stop()
	w.delete(&corev1.Secret{ObjectMeta: w.meta("bob-credentials")})
	w.create(w.secret("bob-credentials", map[string]string{"password": "somebody's own"}))
	w.start()
	w.condition(&v1alpha1.User{}, "bob", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	edit(w, w.user("bob"), func(u *v1alpha1.User) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
	})
	w.sync()
	w.condition(&v1alpha1.User{}, "bob", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	if !w.store.CheckPassword("bob", first) || w.password("bob-credentials") != "somebody's own" {
		t.Error("a password was set that cannot be kept, or a foreign Secret was written")
	}
	w.delete(&corev1.Secret{ObjectMeta: w.meta("bob-credentials")})
	w.ready(&v1alpha1.User{}, "bob")
	if second := w.password("bob-credentials"); second == first || !w.store.CheckPassword("bob", second) {
		t.Error("the rotation was forgotten")
	}
}

// TestASecretThatWasChangedByHandIsRepaired: whatever was changed, and whether Usher was there to see it or not.
func TestASecretThatWasChangedByHandIsRepaired(t *testing.T) {
	t.Parallel()
	changes := map[string]func(*corev1.Secret){
		"another password": func(s *corev1.Secret) { s.Data["password"] = []byte("changed by hand") },
		"no password":      func(s *corev1.Secret) { delete(s.Data, "password") },
		"another username": func(s *corev1.Secret) { s.Data["username"] = []byte("somebody") },
		"nothing":          func(s *corev1.Secret) { s.Data = nil },
		"nobody's":         func(s *corev1.Secret) { s.OwnerReferences = nil },
		"a label, and that": func(s *corev1.Secret) {
			s.Labels = map[string]string{"a": "b"}
			s.Data["url"] = []byte("http://elsewhere")
		},
	}
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	secret := &corev1.Secret{ObjectMeta: w.meta("ann-credentials")}
	want := get(w, secret, "ann-credentials").DeepCopy()
	for _, running := range []bool{true, false} {
		for what, change := range changes {
			if !running {
				w.stop()
			}
			edit(w, secret, change)
			if !running {
				w.start()
			}
			w.eventually("repaired: "+what, func() bool {
				now := get(w, &corev1.Secret{}, "ann-credentials")
				return string(now.Data["password"]) == string(want.Data["password"]) && string(now.Data["username"]) == "ann" &&
					string(now.Data["url"]) == serverURL && metav1.IsControlledBy(now, get(w, &v1alpha1.User{}, "ann"))
			})
			w.ready(&v1alpha1.User{}, "ann")
		}
	}
	if w.store.Count(memory.SetPassword) > 0 {
		t.Error("a password was set")
	}
}

// TestASecretThatCannotBeRepairedIsSaid: an immutable one is not ours to replace.
func TestASecretThatCannotBeRepairedIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	secret := &corev1.Secret{ObjectMeta: w.meta("ann-credentials")}
	edit(w, secret, func(s *corev1.Secret) { s.Data["password"], s.Immutable = []byte("changed by hand"), new(true) })
	said := w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	if !strings.Contains(said.Message, "immutable") {
		t.Errorf("the message: %s", said.Message)
	}
	w.delete(secret)
	w.ready(&v1alpha1.User{}, "ann")
	if !w.store.CheckPassword("ann", w.password("ann-credentials")) {
		t.Error("the kept password does not work")
	}
}

// TestAReferencedSecretReachesTheUserWhoeverOwnsIt: one that keeps another User's generated password, too.
func TestAReferencedSecretReachesTheUserWhoeverOwnsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	bob := w.user("bob")
	bob.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-credentials"}}
	w.create(bob)
	w.condition(&v1alpha1.User{}, "bob", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	edit(w, w.user("ann"), func(u *v1alpha1.User) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
	})
	first := w.password("ann-credentials")
	w.eventually("ann has another password, and bob with her", func() bool {
		now := w.password("ann-credentials")
		return now != first && w.store.CheckPassword("ann", now) && w.store.CheckPassword("bob", now)
	})
}

// TestAnInvitesSecretIsRepairedAndAForeignOneIsAConflict: a picture that leads elsewhere is no small thing.
func TestAnInvitesSecretIsRepairedAndAForeignOneIsAConflict(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.create(w.secret("cousins-invite", map[string]string{"code": "somebody's own"}))
	cousins := &v1alpha1.Invite{ObjectMeta: w.meta("cousins"), Spec: v1alpha1.InviteSpec{Offers: offering(serverName)}}
	w.create(cousins)
	w.condition(&v1alpha1.Invite{}, "cousins", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	if string(get(w.world, &corev1.Secret{}, "cousins-invite").Data["code"]) != "somebody's own" {
		t.Error("a foreign Secret was written")
	}
	w.delete(&corev1.Secret{ObjectMeta: w.meta("cousins-invite")})
	w.ready(&v1alpha1.Invite{}, "cousins")

	w.invite("guests", nil)
	secret := &corev1.Secret{ObjectMeta: w.meta("guests-invite")}
	want := get(w.world, secret, "guests-invite").DeepCopy()
	for _, change := range []func(*corev1.Secret){
		func(s *corev1.Secret) { s.Data["qr.png"] = []byte("another picture") },
		func(s *corev1.Secret) { s.Data["qr.txt"] = []byte("another picture") },
		func(s *corev1.Secret) { s.Data["url"] = []byte("http://elsewhere") },
		func(s *corev1.Secret) { s.Data["code"] = nil },
		func(s *corev1.Secret) { s.OwnerReferences = nil },
	} {
		edit(w.world, secret, change)
		w.eventually("repaired", func() bool {
			now := get(w.world, &corev1.Secret{}, "guests-invite")
			return fmt.Sprint(now.Data) == fmt.Sprint(want.Data) && metav1.IsControlledBy(now, get(w.world, &v1alpha1.Invite{}, "guests"))
		})
	}
}

// TestASecretThatAMediaServerReadsIsItsAlone: though a User made it, it is not written any more, nor deleted with the User.
func TestASecretThatAMediaServerReadsIsItsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	other := w.mediaServer()
	other.Name, other.Spec.URL, other.Spec.Credentials.SecretRef.Name = "other", "http://elsewhere.test", "ann-credentials"
	w.create(other)
	edit(w, &corev1.Secret{ObjectMeta: w.meta("ann-credentials")}, func(s *corev1.Secret) { s.Data["password"] = []byte("of the other server") })
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.delete(w.user("ann"))
	w.gone(w.user("ann"))
	if w.passwordOrNone("ann-credentials") != "of the other server" {
		t.Error("the Secret of a MediaServer was written or deleted by a User")
	}
}

// TestADeletedUserTakesNoForeignSecretAlong that has the name which its own would have.
func TestADeletedUserTakesNoForeignSecretAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.secret("ann-first", map[string]string{"password": "first password of ann"}), w.secret("ann-credentials", map[string]string{"password": "somebody's own"}))
	ann := w.user("ann")
	ann.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-first"}}
	w.create(ann)
	w.ready(&v1alpha1.User{}, "ann")
	w.delete(w.user("ann"))
	w.gone(w.user("ann"))
	if w.passwordOrNone("ann-credentials") != "somebody's own" {
		t.Error("a Secret that is not the User's was deleted with it")
	}
}
