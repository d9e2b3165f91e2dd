package controller

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

// wakes makes what brings the objects of one kind back, and counts how often what did so: the metric
// usher_wakeups_total tells why the operator is busy. Several demands at once are one reconcile.
type wakes struct {
	counter *prometheus.CounterVec
	kind    string
}

func (k *Kit) wakes(kind string) wakes { return wakes{counter: k.counters.wakeups, kind: kind} }

func (w wakes) count(by string, n int) { w.counter.WithLabelValues(w.kind, by).Add(float64(n)) }

// itself counts the changes of the object itself that a predicate passes.
func (w wakes) itself(passes predicate.Funcs) predicate.Predicate {
	counted := func(passed bool, by string) bool {
		if passed {
			w.count(by, 1)
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

// concerning enqueues at once what a change concerns.
func (w wakes) concerning(by string, concerns handler.MapFunc) handler.EventHandler {
	return onChange(func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], objects ...client.Object) {
		w.enqueue(ctx, q, by, 0, concerns, objects)
	})
}

// shortly enqueues what a change concerns a moment later, so that changes made together are followed together.
func (w wakes) shortly(by string, moment time.Duration, concerns handler.MapFunc) handler.EventHandler {
	return onChange(func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], objects ...client.Object) {
		w.enqueue(ctx, q, by, moment, concerns, objects)
	})
}

// enqueue enqueues, each once, what any of some objects concerns.
func (w wakes) enqueue(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], by string, after time.Duration, concerns handler.MapFunc, objects []client.Object) {
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
	w.count(by, len(requests))
	enqueue(q, after, 0, requests)
}

// onChange hands on every object of an event, as it was and as it is now. What was there when the operator started is left
// out: then, each object is looked at for its own sake.
func onChange(add func(context.Context, workqueue.TypedRateLimitingInterface[reconcile.Request], ...client.Object)) handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			if !e.IsInInitialList {
				add(ctx, q, e.Object)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.ObjectOld, e.ObjectNew)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.Object)
		},
	}
}

// server brings back what a media server concerns.
func (w wakes) server(requests func(context.Context, string) []reconcile.Request) func(context.Context, string) []reconcile.Request {
	return func(ctx context.Context, key string) []reconcile.Request {
		concerned := requests(ctx, key)
		w.count("server", len(concerned))
		return concerned
	}
}

// created enqueues a new object when it is time for it, and not before.
func (w wakes) created(after func(context.Context, client.Object) time.Duration) handler.EventHandler {
	return handler.Funcs{CreateFunc: func(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		w.count("creation", 1)
		priority := 0
		if e.IsInInitialList {
			priority = handler.LowPriority // what was there before the operator gives way to what comes
		}
		enqueue(q, after(ctx, e.Object), priority, []reconcile.Request{requestFor(e.Object)})
	}}
}
