package controller_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// Annotations that somebody filled hold back no disabling, though it cannot be recorded.
func TestFilledAnnotationsHoldBackNoDisabling(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	edit(w, w.user("ann"), func(u *v1alpha1.User) {
		used := 0
		for name, value := range u.Annotations {
			used += len(name) + len(value)
		}
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, "filler", strings.Repeat("x", 256<<10-used-len("filler")))
	})
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = true })
	w.eventually("the account is disabled", func() bool {
		account, _ := w.store.Account("ann")
		return account.Disabled
	})
}

// A server's default of Always takes over nobody who administers: whoever may write a User was not asked for that.
func TestAlwaysOfTheServerTakesNoAdministrator(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.store.AddAccount(media.Account{Username: "root2", Role: media.RoleAdmin}, "root2's own password")
	w.store.AddAccount(media.Account{Username: "ben", Role: media.RoleMember}, "ben's own password")
	w.start()
	server := w.mediaServer()
	server.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways
	w.create(server, w.user("ben"), w.user("root2"))
	w.accept()
	w.ready(&v1alpha1.User{}, "ben")
	w.condition(&v1alpha1.User{}, "root2", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	edit(w, w.user("root2"), func(u *v1alpha1.User) { u.Spec.Role = v1alpha1.AccountRoleAdmin })
	w.ready(&v1alpha1.User{}, "root2")
}

// A Secret that a MediaServer reads is nobody's to write or delete, whoever made it first.
func TestASecretOfAServerIsNotWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("home"))
	w.ready(&v1alpha1.User{}, "home")
	secret := &corev1.Secret{ObjectMeta: w.meta("home-credentials")}
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Credentials.SecretRef.Name = "home-credentials" })
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, "")
	edit(w, secret, func(s *corev1.Secret) {
		s.Data = map[string][]byte{"username": []byte(memory.DefaultOwner), "password": []byte(memory.DefaultPassword)}
	})
	w.ready(&v1alpha1.MediaServer{}, serverName)
	edit(w, w.user("home"), func(u *v1alpha1.User) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
	})
	w.condition(&v1alpha1.User{}, "home", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	if got := get(w, secret, "home-credentials"); string(got.Data["username"]) != memory.DefaultOwner {
		t.Errorf("the MediaServer's Secret was overwritten: it is for %s", got.Data["username"])
	}
	w.delete(w.user("home"))
	w.gone(w.user("home"))
	get(w, secret, "home-credentials")
}
