package controller

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

// Wake brings objects back when something outside Kubernetes changed: a media server was listed, came up or went down.
type Wake struct {
	servers, users, libraries, grants, invites bell
	demands                                    *pace[string]
}

// NewWake makes one whose controllers have not started.
func NewWake() *Wake { return &Wake{demands: newPace[string](lookAgainAfter, lastProbeBackoff)} }

// Server asks for a fresh look at a media server soon.
func (w *Wake) Server(key string) { w.servers.ring(key, lookAgainAfter) }

// Again asks for another look at a media server that was just looked at. Who asks over and over gets it ever more
// rarely, down to once in lastProbeBackoff.
func (w *Wake) Again(key string, now time.Time) { w.servers.ring(key, w.demands.next(key, now)) }

// Users brings back every User of a media server.
func (w *Wake) Users(key string) { w.users.ring(key, 0) }

// Dependents brings back every Library, User, LibraryGrant and Invite of a media server.
func (w *Wake) Dependents(key string) {
	w.libraries.ring(key, 0)
	w.users.ring(key, 0)
	w.grants.ring(key, grantsFollowAfter)
	w.invites.ring(key, 0)
}

// bell brings the objects of one kind back by their media server's key. Before its controller has started it does
// nothing: at the start, everything is looked at.
type bell struct {
	mu      sync.RWMutex
	enqueue func(key string, delay time.Duration)
}

func (b *bell) ring(key string, delay time.Duration) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.enqueue != nil {
		b.enqueue(key, delay)
	}
}

// source connects the bell to a controller's queue. What it brings back gives way to what people changed.
func (b *bell) source(requests func(context.Context, string) []reconcile.Request) source.Source {
	return b.sourceWith(requests, func(reconcile.Request) bool { return false })
}

// sourceWith is source for a kind some of which come before the others.
func (b *bell) sourceWith(requests func(context.Context, string) []reconcile.Request, urgent func(reconcile.Request) bool) source.Source {
	return source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.enqueue = func(key string, delay time.Duration) {
			var first, rest []reconcile.Request
			for _, request := range requests(ctx, key) {
				if urgent(request) {
					first = append(first, request)
				} else {
					rest = append(rest, request)
				}
			}
			enqueue(queue, delay, handler.LowPriority+1, first)
			enqueue(queue, delay, handler.LowPriority, rest)
		}
		return nil
	})
}

func enqueue(q workqueue.TypedRateLimitingInterface[reconcile.Request], delay time.Duration, priority int, requests []reconcile.Request) {
	if pq, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		pq.AddWithOpts(priorityqueue.AddOpts{After: delay, Priority: &priority}, requests...)
		return
	}
	for _, request := range requests {
		q.AddAfter(request, delay)
	}
}
