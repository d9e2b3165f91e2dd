package enqueue

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Deadlines enqueue objects when time alone changes what they are to have, as when a person's access ends, before all that is
// only looked at again. A requeue of the queue's own cannot do that: its item comes back with the priority that it was added with,
// and has that one for every look in the meantime, too. One LibraryGrant with an end would put the reconciles of all Users of the
// namespace before the changes that people make. The zero value is ready.
type Deadlines struct {
	mu     sync.Mutex
	queue  workqueue.TypedRateLimitingInterface[reconcile.Request]
	timers map[reconcile.Request]*time.Timer
}

// Source connects the deadlines to a controller's queue. With the controller, they end.
func (d *Deadlines) Source() source.Source {
	return source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.queue = queue
		context.AfterFunc(ctx, d.stop)
		return nil
	})
}

// Set has an object enqueued at a moment, and not at the one that was set for it before; the zero time is never.
func (d *Deadlines) Set(request reconcile.Request, at, now time.Time) {
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
	d.timers[request] = time.AfterFunc(max(at.Sub(now), time.Millisecond), func() { add(queue, 0, 0, []reconcile.Request{request}) })
}

func (d *Deadlines) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, timer := range d.timers {
		timer.Stop()
	}
	d.queue, d.timers = nil, nil
}
