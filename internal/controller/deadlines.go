package controller

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// deadlines enqueue objects when time alone changes what they are to have, as when a person's access ends, before all that is
// only looked at again. A requeue of the queue's own cannot do that: its item comes back with the priority that it was added with,
// and has that one for every look in the meantime, too. One LibraryGrant with an end would put the looks at all Users of the
// namespace before the changes that people make.
type deadlines struct {
	mu     sync.Mutex
	queue  workqueue.TypedRateLimitingInterface[reconcile.Request]
	timers map[reconcile.Request]*time.Timer
}

// source connects the deadlines to a controller's queue. With the controller, they end.
func (d *deadlines) source() source.Source {
	return source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.queue = queue
		context.AfterFunc(ctx, d.stop)
		return nil
	})
}

// set has an object enqueued at a moment, and not at the one that was set for it before; the zero time is never.
func (d *deadlines) set(request reconcile.Request, at, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if timer := d.timers[request]; timer != nil {
		timer.Stop()
		delete(d.timers, request)
	}
	if at.IsZero() || d.queue == nil {
		return
	}
	if d.timers == nil {
		d.timers = map[reconcile.Request]*time.Timer{}
	}
	queue := d.queue
	d.timers[request] = time.AfterFunc(max(at.Sub(now), time.Millisecond), func() { enqueue(queue, 0, 0, []reconcile.Request{request}) })
}

func (d *deadlines) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, timer := range d.timers {
		timer.Stop()
	}
	d.queue, d.timers = nil, nil
}
