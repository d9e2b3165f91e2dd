package controller_test

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
)

// TestAGrantOfAServerThatIsGone does not say what nobody can see: neither while it gives something, nor when it ends.
func TestAGrantOfAServerThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionTrue, "")
	w.delete(w.mediaServer())
	w.gone(w.mediaServer())
	unknown := func() {
		t.Helper()
		c := w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionUnknown, v1alpha1.ReasonServerNotFound)
		if !strings.Contains(c.Message, "MediaServer "+serverName) {
			t.Errorf("the message is %s", c.Message)
		}
	}
	unknown()
	edit(w, w.grant("g", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Disabled = true })
	unknown()
	w.create(w.mediaServer())
	w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionTrue, "")
	w.seesExactly("ann")
}

// TestACascadeThatTheBrakeHolds says so on the MediaServer, with the way on.
func TestACascadeThatTheBrakeHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.grant("g", "*", "*"))
	for i := range 7 { // five may always be shut out
		w.create(w.user(fmt.Sprintf("u%d", i)))
	}
	w.allReady(7)
	w.cascade()
	w.delete(w.mediaServer())
	w.eventually("the MediaServer says what holds its deletion", func() bool {
		server := get(w, &v1alpha1.MediaServer{}, serverName)
		ready := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionReady)
		return server.Status.State == v1alpha1.MediaServerDeleting && ready != nil &&
			strings.Contains(ready.Message, "the disruption limit holds 2 of them") && strings.Contains(ready.Message, v1alpha1.AnnotationProceed)
	})
	w.proceed()
	w.gone(w.mediaServer())
}
