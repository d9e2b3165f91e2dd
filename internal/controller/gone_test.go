package controller_test

import (
	"encoding/json"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
)

// TestAGuestWhoIsDeletedByHandIsGone: no ghost takes the name of somebody who alone knew the password; the status says so, and
// both ways on work.
func TestAGuestWhoIsDeletedByHandIsGone(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", nil)
	code := w.code("guests")
	w.mustRegister("joe", code)
	w.mustRegister("kim", code)
	joe, kim := w.came("joe"), w.came("kim")
	gone := func(user v1alpha1.User) *metav1.Condition {
		t.Helper()
		w.asOwner("DELETE", "/v1/users/"+user.Status.ExternalID)
		w.look()
		condition := w.condition(&v1alpha1.User{}, user.Name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAccountGone)
		if status := get(w.world, &v1alpha1.User{}, user.Name).Status; status.State != v1alpha1.UserGone || status.Access != nil && status.Access.Total > 0 {
			t.Errorf("%s: %+v", user.Name, status)
		}
		return condition
	}
	if message := gone(joe).Message; !strings.Contains(message, "delete this User") || !strings.Contains(message, "password.secretRef") {
		t.Errorf("the message names no way on: %s", message)
	}
	gone(kim)
	if names := w.usernames(); strings.Contains(names, "joe") || strings.Contains(names, "kim") {
		t.Errorf("made again: %s", names)
	}

	w.mustRegister("joe", code) // the name is free: he comes again
	if again := w.came("joe"); again.Name == joe.Name || total(again) != 1 {
		t.Errorf("came again as %s with %d libraries", again.Name, total(again))
	}
	w.look()
	w.eventually("the former User says that it is not his", func() bool {
		return get(w.world, &v1alpha1.User{}, joe.Name).Status.State == v1alpha1.UserPending
	})

	w.create(w.secret("kim-password", map[string]string{"password": "a new password for kim"}))
	edit(w.world, &v1alpha1.User{ObjectMeta: w.meta(kim.Name)}, func(u *v1alpha1.User) {
		u.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "kim-password"}}
	})
	w.ready(&v1alpha1.User{}, kim.Name)
	var signedIn struct{ Token string }
	_ = json.Unmarshal([]byte(w.signIn("kim", "a new password for kim")), &signedIn)
	if signedIn.Token == "" {
		t.Error("kim cannot sign in with the password of the Secret")
	}
}
