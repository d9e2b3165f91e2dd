package controller

import (
	"context"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Wake brings objects back when something outside Kubernetes changed: a media server was listed, came up or went down.
type Wake struct {
	servers, users, libraries, grants, invites chan event.TypedGenericEvent[string]
}

// NewWake makes the channels.
func NewWake() *Wake {
	make := func() chan event.TypedGenericEvent[string] {
		return make(chan event.TypedGenericEvent[string], 1024)
	}
	return &Wake{servers: make(), users: make(), libraries: make(), grants: make(), invites: make()}
}

// Server asks for a fresh look at a media server soon.
func (w *Wake) Server(key string) { send(w.servers, key) }

// Dependents brings back every Library, User, LibraryGrant and Invite of a media server.
func (w *Wake) Dependents(key string) {
	send(w.libraries, key)
	send(w.users, key)
	send(w.grants, key)
	send(w.invites, key)
}

// send never blocks a reconcile: a full channel means that the same is on its way many times over.
func send(channel chan event.TypedGenericEvent[string], key string) {
	select {
	case channel <- event.TypedGenericEvent[string]{Object: key}:
	default:
	}
}

// source delivers wake-ups to a controller. They wait a moment, so that a burst becomes one, and give way to
// what people changed.
func (w *Wake) source(channel chan event.TypedGenericEvent[string], delay time.Duration, requests func(context.Context, string) []reconcile.Request) source.Source {
	return source.Channel(channel, handler.TypedFuncs[string, reconcile.Request]{
		GenericFunc: func(ctx context.Context, e event.TypedGenericEvent[string], q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			enqueue(q, delay, handler.LowPriority, requests(ctx, e.Object))
		},
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
