package controller_test

import (
	"context"
	"fmt"
	"testing"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func chosenIDs(c *media.Capabilities) { c.ChosenIDs = true }

// TestWhatANewUserTakes: the writes to Kubernetes, and the reconciles, from nothing to Ready (design, section 4).
func TestWhatANewUserTakes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		capabilities func(*media.Capabilities)
		// records are the writes of finalizer, intent and id.
		records int
	}{
		"the server chooses ids": {func(*media.Capabilities) {}, 2},
		"Usher chooses ids":      {chosenIDs, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const users = 20
			w := newWorld(t, memory.Options{Capabilities: test.capabilities})
			w.create(w.library("movies"), w.library("tv"), w.grant("all", "*", "*"))
			w.ready(&v1alpha1.Library{}, "movies", "tv")
			w.ready(&v1alpha1.LibraryGrant{}, "all")
			w.counting.take()
			before := w.reconciles("user")
			w.createUsers(users)
			written := w.counting.take()
			for what, want := range map[string]int{
				"patch *v1alpha1.User": test.records * users, "patch status *v1alpha1.User": users, "create *v1.Secret": users,
			} {
				if written[what] != want {
					t.Errorf("%s: %d times, want %d", what, written[what], want)
				}
			}
			// Once each, and once more where a busy machine is so slow to hand on that the Libraries became known. The bench
			// judges the exact count.
			if reconciles := w.reconciles("user") - before; reconciles > users*2 {
				t.Errorf("%d reconciles for %d new Users", reconciles, users)
			}
			var events eventsv1.EventList
			if err := w.client.List(t.Context(), &events, client.InNamespace(w.namespace)); err != nil || len(events.Items) > 0 {
				t.Errorf("%v, and %d events of what the status says", err, len(events.Items))
			}
		})
	}
}

// TestNewUsersWaitForTheirLibraries: a User that is as new as its Libraries is looked at when they are there, not at
// each of them, and its account is made with all of them.
func TestNewUsersWaitForTheirLibraries(t *testing.T) {
	t.Parallel()
	const users, libraries = 20, 6
	w := newWorld(t, memory.Options{})
	applied := make(chan struct{})
	w.store.Hook(func(ctx context.Context, moment memory.Moment, call memory.Call) error {
		if call.Op == memory.CreateLibrary && moment == memory.Before {
			select {
			case <-applied:
			case <-ctx.Done():
			}
		}
		return nil
	})
	w.create(w.grant("all", "*", "*"))
	w.ready(&v1alpha1.LibraryGrant{}, "all")
	for i := range libraries {
		w.create(w.library(fmt.Sprintf("l%d", i)))
	}
	before := w.reconciles("user")
	for i := range users {
		w.create(w.user(fmt.Sprintf("u%03d", i)))
	}
	close(applied)
	for i := range users {
		w.ready(&v1alpha1.User{}, fmt.Sprintf("u%03d", i))
	}
	// On a busy machine the Libraries become known in several bursts, and the last may come twice; looking at each would
	// take seven reconciles a User. The bench judges the exact count.
	if reconciles := w.reconciles("user") - before; reconciles > users*3 {
		t.Errorf("%d reconciles for %d new Users", reconciles, users)
	}
	if written := w.store.Count(memory.SetAccess); written > 0 {
		t.Errorf("access was set %d times after the accounts were made", written)
	}
	if n := len(w.sees("u000")); n != libraries {
		t.Errorf("u000 sees %d libraries, want %d", n, libraries)
	}
}

// TestALibraryThatCannotBeMadeIsNotWaitedFor: its Users come without it, at once.
func TestALibraryThatCannotBeMadeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	refused := make(chan struct{})
	w.store.Hook(func(ctx context.Context, moment memory.Moment, call memory.Call) error {
		if call.Op != memory.CreateLibrary || moment != memory.Before {
			return nil
		}
		select {
		case <-refused:
		case <-ctx.Done():
		}
		return media.Errorf(media.Invalid, "no such path")
	})
	w.create(w.grant("all", "*", "*"), w.library("movies"), w.user("ann"))
	created := get(w, &v1alpha1.User{}, "ann").CreationTimestamp
	close(refused)
	w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionStalled, metav1.ConditionTrue, "")
	w.ready(&v1alpha1.User{}, "ann")
	ready := w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	if waited := ready.LastTransitionTime.Sub(created.Time); waited.Seconds() > 10 {
		t.Errorf("ann waited %s", waited)
	}
}

// createUsers waits until all are Ready.
func (w *world) createUsers(n int) {
	w.t.Helper()
	for i := range n {
		w.create(w.user(fmt.Sprintf("u%03d", i)))
	}
	for i := range n {
		w.ready(&v1alpha1.User{}, fmt.Sprintf("u%03d", i))
	}
}

// reconciles counts those of one of this operator's controllers.
func (w *world) reconciles(controller string) int {
	w.t.Helper()
	return int(w.ofController("controller_runtime_reconcile_total", controller))
}

// ofController sums a metric of one of the operator's controllers.
func (w *world) ofController(metric, controller string) (sum float64) {
	w.t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != metric {
			continue
		}
		for _, one := range family.GetMetric() {
			for _, label := range one.GetLabel() {
				if label.GetName() == "controller" && label.GetValue() == w.namespace+"-"+controller {
					sum += one.GetCounter().GetValue() + one.GetGauge().GetValue()
				}
			}
		}
	}
	return sum
}
