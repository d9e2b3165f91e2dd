package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
)

// TestWhatOthersHoldSaysSo: what Usher has let go, and a finalizer of others keeps, is not shown as it was before.
func TestWhatOthersHoldSaysSo(t *testing.T) {
	t.Parallel()
	const hold = "example.org/hold"
	w := newIdleWorld(t, memory.Options{})
	w.start()
	boss := w.user("boss")
	boss.Spec.Role, boss.Spec.DeletionPolicy = v1alpha1.AccountRoleAdmin, v1alpha1.UserDeletionDisable
	objects := []client.Object{boss, w.user("ann"), w.library("movies"), w.mediaServer()}
	for _, object := range objects {
		object.SetFinalizers([]string{hold})
		w.create(object)
	}
	w.create(w.grant("g", "*", "*"))
	w.ready(&v1alpha1.User{}, "boss", "ann")
	w.seesExactly("ann", "movies")
	for _, object := range objects {
		w.delete(object)
		released := object.DeepCopyObject().(withStatus)
		w.eventually(fmt.Sprintf("%T %s is let go", object, object.GetName()), func() bool {
			return w.client.Get(t.Context(), client.ObjectKeyFromObject(object), released) == nil && slices.Equal(released.GetFinalizers(), []string{hold})
		})
		ready := w.condition(released, object.GetName(), v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeleting)
		w.eventually(fmt.Sprintf("%T %s says what holds it: %s", object, object.GetName(), ready.Message), func() bool {
			ready = w.condition(released, object.GetName(), v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeleting)
			return strings.Contains(ready.Message, "let go") && strings.Contains(ready.Message, hold)
		})
		if user, is := released.(*v1alpha1.User); is && (user.Status.State != v1alpha1.UserPending || user.Status.Access != nil) {
			t.Errorf("User %s, which is let go, is said to be %s and to see %v", user.Name, user.Status.State, user.Status.Access)
		}
	}
	for _, object := range objects {
		edit(w, object, func(o client.Object) { controllerutil.RemoveFinalizer(o, hold) })
		w.gone(object)
	}
}
