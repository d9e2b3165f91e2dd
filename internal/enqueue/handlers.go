package enqueue

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Handlers makes the event handlers of one controller, and counts what enqueues its objects. Several requests for one object that
// wait at the same time are one reconcile.
type Handlers struct {
	counter *prometheus.CounterVec
	kind    string
}

// NewHandlers makes handlers for a controller of a kind. The counter has the labels kind and by.
func NewHandlers(counter *prometheus.CounterVec, kind string) Handlers {
	return Handlers{counter: counter, kind: kind}
}

func (h Handlers) count(by string, n int) { h.counter.WithLabelValues(h.kind, by).Add(float64(n)) }

// ForPrimary counts the events of the controller's own objects that a predicate passes.
func (h Handlers) ForPrimary(passes predicate.Funcs) predicate.Predicate {
	counted := func(passed bool, by string) bool {
		if passed {
			h.count(by, 1)
		}
		return passed
	}
	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return counted(passes.Create(e), "creation") },
		UpdateFunc:  func(e event.UpdateEvent) bool { return counted(passes.Update(e), "change") },
		DeleteFunc:  func(e event.DeleteEvent) bool { return counted(passes.Delete(e), "change") },
		GenericFunc: func(e event.GenericEvent) bool { return counted(passes.Generic(e), "change") },
	}
}

// Mapped enqueues at once what a change concerns.
func (h Handlers) Mapped(by string, concerns handler.MapFunc) handler.EventHandler {
	return onChange(func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], objects ...client.Object) {
		h.enqueue(ctx, q, by, 0, concerns, objects)
	})
}

// MappedAfter enqueues what a change concerns after a delay, so that one reconcile sees changes that are made together.
func (h Handlers) MappedAfter(by string, delay time.Duration, concerns handler.MapFunc) handler.EventHandler {
	return onChange(func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], objects ...client.Object) {
		h.enqueue(ctx, q, by, delay, concerns, objects)
	})
}

// enqueue enqueues, each once, what any of some objects concerns.
func (h Handlers) enqueue(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], by string, after time.Duration, concerns handler.MapFunc, objects []client.Object) {
	var requests []reconcile.Request
	known := map[reconcile.Request]bool{}
	for _, object := range objects {
		for _, request := range concerns(ctx, object) {
			if !known[request] {
				known[request] = true
				requests = append(requests, request)
			}
		}
	}
	h.count(by, len(requests))
	add(q, after, 0, requests)
}

// onChange hands on every object of an event, as it was and as it is now. What was there when the operator started is left
// out: then, each object is reconciled for its own sake.
func onChange(handle func(context.Context, workqueue.TypedRateLimitingInterface[reconcile.Request], ...client.Object)) handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			if !e.IsInInitialList {
				handle(ctx, q, e.Object)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			handle(ctx, q, e.ObjectOld, e.ObjectNew)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			handle(ctx, q, e.Object)
		},
	}
}

// Counted counts what requests names for a key, as External.Source asks for it.
func (h Handlers) Counted(by string, requests func(context.Context, string) []reconcile.Request) func(context.Context, string) []reconcile.Request {
	return func(ctx context.Context, key string) []reconcile.Request {
		concerned := requests(ctx, key)
		h.count(by, len(concerned))
		return concerned
	}
}

// Created enqueues a new object after the delay that after returns for it.
func (h Handlers) Created(after func(context.Context, client.Object) time.Duration) handler.EventHandler {
	return handler.Funcs{CreateFunc: func(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		h.count("creation", 1)
		priority := 0
		if e.IsInInitialList {
			priority = handler.LowPriority // what was there before the operator gives way to what comes
		}
		add(q, after(ctx, e.Object), priority, []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(e.Object)}})
	}}
}
