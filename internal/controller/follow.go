package controller

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// gathering gathers changes, and hands them on once a burst: when nothing has changed for a while, at the latest a
// while after the first change.
type gathering struct {
	quiet, atLatest time.Duration

	mu      sync.Mutex
	pending map[string]*burst
}

// burst is what has changed in a namespace since changes were last handed on.
type burst struct {
	first, last time.Time
	// seen holds, of each object, every state that it had and that differs in what selects it.
	seen map[types.UID][]client.Object
}

func newGathering(quiet, atLatest time.Duration) *gathering {
	return &gathering{quiet: quiet, atLatest: atLatest, pending: map[string]*burst{}}
}

// changed takes note of an object that has changed, as it was or as it is now.
func (g *gathering) changed(object client.Object, follow func([]client.Object)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, namespace := time.Now(), object.GetNamespace()
	b := g.pending[namespace]
	if b == nil {
		b = &burst{first: now, seen: map[types.UID][]client.Object{}}
		g.pending[namespace] = b
		time.AfterFunc(g.quiet, func() { g.due(namespace, follow) })
	}
	b.last = now
	states := b.seen[object.GetUID()]
	for i, state := range states {
		if maps.Equal(state.GetLabels(), object.GetLabels()) {
			states[i] = object
			return
		}
	}
	b.seen[object.GetUID()] = append(states, object)
}

// due hands on what has changed, or waits on while the changes go on.
func (g *gathering) due(namespace string, follow func([]client.Object)) {
	seen, left := g.take(namespace)
	if left > 0 {
		time.AfterFunc(left, func() { g.due(namespace, follow) })
		return
	}
	follow(seen)
}

// take returns a burst that is over, and forgets it; else how much longer to wait.
func (g *gathering) take(namespace string) ([]client.Object, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.pending[namespace]
	if left := min(time.Until(b.last.Add(g.quiet)), time.Until(b.first.Add(g.atLatest))); left > 0 {
		return nil, left
	}
	delete(g.pending, namespace)
	return slices.Concat(slices.Collect(maps.Values(b.seen))...), 0
}

// follow enqueues what changes concern after a while, so that a burst of changes is followed once.
func (w wakes) follow(by string, quiet, atLatest time.Duration, concerns func(context.Context, []client.Object) []reconcile.Request) handler.EventHandler {
	gathered := newGathering(quiet, atLatest)
	return onChange(func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], objects ...client.Object) {
		for _, object := range objects {
			gathered.changed(object, func(seen []client.Object) {
				requests := concerns(context.WithoutCancel(ctx), seen)
				w.count(by, len(requests))
				enqueue(q, 0, handler.LowPriority, requests)
			})
		}
	})
}
