package controller_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
)

// Two accounts whose addresses are to be swapped wait for each other: each says whose address it waits for, and the way
// out works.
func TestSwappedEmails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	for name, email := range map[string]string{"left": "shared@example.org", "right": "right@example.org"} {
		user := w.user(name)
		user.Spec.Email = email
		w.create(user)
	}
	w.ready(&v1alpha1.User{}, "left", "right")
	email := func(name, email string) { edit(w, w.user(name), func(u *v1alpha1.User) { u.Spec.Email = email }) }
	email("left", "right@example.org")
	email("right", "shared@example.org")
	for name, other := range map[string]string{"left": `"right"`, "right": `"left"`} {
		stalled := w.condition(&v1alpha1.User{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
		if !strings.Contains(stalled.Message, "account "+other) {
			t.Errorf("%s: %s, want the other account", name, stalled.Message)
		}
	}
	email("left", "third@example.org")
	w.ready(&v1alpha1.User{}, "left")
	w.look()
	w.ready(&v1alpha1.User{}, "right")
	email("left", "right@example.org")
	w.ready(&v1alpha1.User{}, "left")
}
