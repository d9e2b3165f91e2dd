package enqueue

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

// debouncer collects changes and hands each burst of them on once: when nothing has changed for quietPeriod, and maxDelay after
// the first change at the latest.
type debouncer struct {
	quietPeriod, maxDelay time.Duration

	mu      sync.Mutex
	pending map[string]*batch
}

// batch is what has changed in a namespace since changes were last handed on.
type batch struct {
	first, last time.Time
	// seen holds, of each object, every state that it had and that differs in what selects it.
	seen map[types.UID][]client.Object
}

func newDebouncer(quietPeriod, maxDelay time.Duration) *debouncer {
	return &debouncer{quietPeriod: quietPeriod, maxDelay: maxDelay, pending: map[string]*batch{}}
}

// changed takes note of an object that has changed, as it was or as it is now.
func (d *debouncer) changed(object client.Object, flush func([]client.Object)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, namespace := time.Now(), object.GetNamespace()
	b := d.pending[namespace]
	if b == nil {
		b = &batch{first: now, seen: map[types.UID][]client.Object{}}
		d.pending[namespace] = b
		time.AfterFunc(d.quietPeriod, func() { d.due(namespace, flush) })
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
func (d *debouncer) due(namespace string, flush func([]client.Object)) {
	seen, left := d.take(namespace)
	if left > 0 {
		time.AfterFunc(left, func() { d.due(namespace, flush) })
		return
	}
	flush(seen)
}

// take returns a batch that is complete, and forgets it; else how much longer to wait.
func (d *debouncer) take(namespace string) ([]client.Object, time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.pending[namespace]
	if left := min(time.Until(b.last.Add(d.quietPeriod)), time.Until(b.first.Add(d.maxDelay))); left > 0 {
		return nil, left
	}
	delete(d.pending, namespace)
	return slices.Concat(slices.Collect(maps.Values(b.seen))...), 0
}

// Debounced enqueues what changes concern once a burst: when no more follow for quietPeriod, and maxDelay after the first at the
// latest. concerns gets every state that the objects had meanwhile and that differs in labels.
func (h Handlers) Debounced(by string, quietPeriod, maxDelay time.Duration, concerns func(context.Context, []client.Object) []reconcile.Request) handler.EventHandler {
	changes := newDebouncer(quietPeriod, maxDelay)
	return onChange(func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], objects ...client.Object) {
		for _, object := range objects {
			changes.changed(object, func(seen []client.Object) {
				requests := concerns(context.WithoutCancel(ctx), seen)
				h.count(by, len(requests))
				add(q, 0, handler.LowPriority, requests)
			})
		}
	})
}
