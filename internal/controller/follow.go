package controller

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// gathering brings something back once for a burst of changes: when nothing has changed for a while, at the latest a
// while after the first change that it has not seen.
type gathering[K comparable] struct {
	quiet, atLatest time.Duration

	mu      sync.Mutex
	pending map[K]*burst
}

// burst is what has changed since something was last brought back.
type burst struct{ first, last time.Time }

func newGathering[K comparable](quiet, atLatest time.Duration) *gathering[K] {
	return &gathering[K]{quiet: quiet, atLatest: atLatest, pending: map[K]*burst{}}
}

// changed takes note of a change, and calls back when it is time.
func (g *gathering[K]) changed(key K, back func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if b := g.pending[key]; b != nil {
		b.last = now
		return
	}
	g.pending[key] = &burst{first: now, last: now}
	time.AfterFunc(g.quiet, func() { g.due(key, back) })
}

// due calls back, or waits on while the changes go on.
func (g *gathering[K]) due(key K, back func()) {
	if left := g.left(key); left > 0 {
		time.AfterFunc(left, func() { g.due(key, back) })
		return
	}
	back()
}

// left says how much longer to wait, and forgets the burst when that is over.
func (g *gathering[K]) left(key K) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.pending[key]
	left := time.Until(b.last.Add(g.quiet))
	if latest := time.Until(b.first.Add(g.atLatest)); latest < left {
		left = latest
	}
	if left <= 0 {
		delete(g.pending, key)
	}
	return left
}

// follow enqueues what a change concerns after a while, so that a burst of changes is followed once.
func (w wakes) follow(by string, quiet, atLatest time.Duration, concerns handler.MapFunc) handler.EventHandler {
	gathered := newGathering[reconcile.Request](quiet, atLatest)
	add := func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], objects ...client.Object) {
		for _, object := range objects {
			for _, request := range concerns(ctx, object) {
				gathered.changed(request, func() {
					w.count(by, 1)
					enqueue(q, 0, handler.LowPriority, []reconcile.Request{request})
				})
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.Object)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.ObjectOld, e.ObjectNew)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.Object)
		},
	}
}
