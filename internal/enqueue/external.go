package enqueue

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// External enqueues the objects of one kind when something outside Kubernetes happens. A key names what they have in common, such
// as a server. The zero value is ready; until its controller has started, Enqueue does nothing, since a start enqueues everything.
type External struct {
	mu      sync.RWMutex
	enqueue func(key string, delay time.Duration)
}

// Enqueue enqueues the objects of a key after a delay.
func (e *External) Enqueue(key string, delay time.Duration) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.enqueue != nil {
		e.enqueue(key, delay)
	}
}

// Source connects External to a controller's queue. Requests names the objects of a key. What it enqueues gives way to what
// people changed; what urgent names comes before the rest of it. A nil urgent names none.
func (e *External) Source(requests func(ctx context.Context, key string) []reconcile.Request, urgent func(reconcile.Request) bool) source.Source {
	return source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.enqueue = func(key string, delay time.Duration) {
			var first, rest []reconcile.Request
			for _, request := range requests(ctx, key) {
				if urgent != nil && urgent(request) {
					first = append(first, request)
				} else {
					rest = append(rest, request)
				}
			}
			add(queue, delay, handler.LowPriority+1, first)
			add(queue, delay, handler.LowPriority, rest)
		}
		return nil
	})
}

// add enqueues requests after a delay, with a priority where the queue knows any.
func add(q workqueue.TypedRateLimitingInterface[reconcile.Request], delay time.Duration, priority int, requests []reconcile.Request) {
	if pq, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		pq.AddWithOpts(priorityqueue.AddOpts{After: delay, Priority: &priority}, requests...)
		return
	}
	for _, request := range requests {
		q.AddAfter(request, delay)
	}
}
