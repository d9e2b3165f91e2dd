package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// sayEvery is how often progress is told.
const sayEvery = 5 * time.Second

// settling is how often the Users are listed when all else is Ready.
const settling = 200 * time.Millisecond

// readiness knows which of the benchmark's objects are Ready. It watches all but the Users: following each of their
// changes would take processor time from what is measured. A LibraryGrant says whether its edges have reached the media
// server, so the Users are listed when all else is Ready, and for the progress.
type readiness struct {
	mu      sync.Mutex
	ready   map[string]bool
	changed chan struct{}
	failed  chan error
}

// withConditions is an object of Usher's kinds.
type withConditions interface {
	client.Object
	StatusConditions() *[]metav1.Condition
}

// watchReady begins to watch. It ends with ctx.
func (b *bench) watchReady(ctx context.Context) (*readiness, error) {
	r := &readiness{ready: map[string]bool{}, changed: make(chan struct{}, 1), failed: make(chan error, 4)}
	for _, list := range []client.ObjectList{&v1alpha1.LibraryList{}, &v1alpha1.LibraryGrantList{}, &v1alpha1.MediaServerList{}} {
		watcher, err := b.client.Watch(ctx, list, client.InNamespace(namespace))
		if err != nil {
			return nil, err
		}
		go r.follow(ctx, watcher)
	}
	return r, nil
}

func (r *readiness) follow(ctx context.Context, watcher watch.Interface) {
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		object, ok := event.Object.(withConditions)
		if !ok {
			r.failed <- fmt.Errorf("watch: %v", event.Object)
			return
		}
		r.mu.Lock()
		r.ready[fmt.Sprintf("%T %s", object, object.GetName())] = isReady(object)
		r.mu.Unlock()
		select {
		case r.changed <- struct{}{}:
		default:
		}
	}
	if ctx.Err() == nil {
		r.failed <- fmt.Errorf("the API server ended a watch")
	}
}

// isReady also asks of a grant that every edge has reached the server.
func isReady(object withConditions) bool {
	holds := func(kind string) bool {
		condition := apimeta.FindStatusCondition(*object.StatusConditions(), kind)
		return condition != nil && condition.Status == metav1.ConditionTrue && condition.ObservedGeneration == object.GetGeneration()
	}
	_, grant := object.(*v1alpha1.LibraryGrant)
	return holds(v1alpha1.ConditionReady) && (!grant || holds(v1alpha1.ConditionApplied))
}

func (r *readiness) count() (ready int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, is := range r.ready {
		if is {
			ready++
		}
	}
	return ready
}

// readyUsers lists the Users and counts those that are Ready.
func (b *bench) readyUsers(ctx context.Context) (ready int, err error) {
	var users v1alpha1.UserList
	if err := b.client.List(ctx, &users, client.InNamespace(namespace)); err != nil {
		return 0, err
	}
	for i := range users.Items {
		if isReady(&users.Items[i]) {
			ready++
		}
	}
	return ready, nil
}

// others is the number of objects that are no Users: the MediaServer, the Libraries and the LibraryGrants.
func (b *bench) others() int { return 1 + b.libraries + shelves }

// await waits until so many Users and other objects are Ready, within a time that is long enough for a slow machine.
func (b *bench) await(ctx context.Context, r *readiness, users, others int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute+time.Duration(users)*200*time.Millisecond)
	defer cancel()
	began, tick := time.Now(), time.NewTicker(sayEvery)
	defer tick.Stop()
	var again <-chan time.Time
	for {
		if r.count() >= others {
			ready, err := b.readyUsers(ctx)
			if err != nil || ready >= users {
				return err
			}
			again = time.After(settling)
		}
		select {
		case <-r.changed:
		case <-again:
		case <-tick.C:
			ready, err := b.readyUsers(ctx)
			if err != nil {
				return err
			}
			b.say("  %d of %d Users Ready after %.0f s", ready, users, time.Since(began).Seconds())
		case err := <-r.failed:
			return err
		case name := <-b.stopped:
			return fmt.Errorf("%s stopped by itself", name)
		case <-ctx.Done():
			return fmt.Errorf("not all of %d Users and %d other objects became Ready: %w", users, others, ctx.Err())
		}
	}
}
