package faults

import (
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
)

// informers are the informers of one operator's cache, whose view of the world a test can hold back.
type informers struct {
	mu sync.Mutex
	// gate is closed while events flow; nil for as long as none was ever held.
	gate chan struct{}
	// kinds are those that are held; empty for all.
	kinds map[string]bool
	// from is the resource version with which the caches begin; empty for the newest.
	from    string
	watches []*heldWatch
}

// hold keeps back the events of some kinds (all, when none is named) until release.
func (i *informers) hold(kinds ...string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.gate, i.kinds = make(chan struct{}), map[string]bool{}
	for _, kind := range kinds {
		i.kinds[kind] = true
	}
}

func (i *informers) release() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.gate != nil {
		close(i.gate)
		i.gate = nil
	}
}

// expire ends every watch as the API server does when its history is too short: the caches must list anew. What was
// held back is never told.
func (i *informers) expire() {
	i.mu.Lock()
	watches := i.watches
	i.watches = nil
	i.mu.Unlock()
	for _, w := range watches {
		w.expire()
	}
	i.release()
}

func (i *informers) held(kind string) <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.gate == nil || (len(i.kinds) > 0 && !i.kinds[kind]) {
		return nil
	}
	return i.gate
}

// new is the hook of the cache.
func (i *informers) new(lw toolscache.ListerWatcher, object runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
	return toolscache.NewSharedIndexInformer(&listerWatcher{ListerWatcher: lw, i: i, kind: reflect.TypeOf(object).Elem().Name()}, object, resync, indexers)
}

type listerWatcher struct {
	toolscache.ListerWatcher
	i    *informers
	kind string
}

// IsWatchListSemanticsUnSupported has the cache begin with a list, which can be an old one.
func (l *listerWatcher) IsWatchListSemanticsUnSupported() bool { return true }

func (l *listerWatcher) List(options metav1.ListOptions) (runtime.Object, error) {
	if l.i.from != "" && l.i.held(l.kind) != nil {
		options.ResourceVersion, options.ResourceVersionMatch = l.i.from, metav1.ResourceVersionMatchExact
	}
	//lint:ignore SA1019 the interface that the cache gives
	return l.ListerWatcher.List(options)
}

func (l *listerWatcher) Watch(options metav1.ListOptions) (watch.Interface, error) {
	//lint:ignore SA1019 as above
	inner, err := l.ListerWatcher.Watch(options)
	if err != nil {
		return nil, err
	}
	w := &heldWatch{Interface: inner, kind: l.kind, i: l.i, out: make(chan watch.Event), expired: make(chan struct{}), stopped: make(chan struct{})}
	l.i.mu.Lock()
	l.i.watches = append(l.i.watches, w)
	l.i.mu.Unlock()
	go w.run()
	return w, nil
}

// heldWatch passes events on while they are not held.
type heldWatch struct {
	watch.Interface
	i    *informers
	kind string
	out  chan watch.Event

	once             sync.Once
	expired, stopped chan struct{}
	stopOnce         sync.Once
}

func (w *heldWatch) ResultChan() <-chan watch.Event { return w.out }

func (w *heldWatch) Stop() {
	w.stopOnce.Do(func() { close(w.stopped) })
	w.Interface.Stop()
}

func (w *heldWatch) expire() { w.once.Do(func() { close(w.expired) }) }

func (w *heldWatch) run() {
	defer close(w.out)
	for {
		select {
		case event, open := <-w.Interface.ResultChan():
			if !open || !w.pass(event) {
				return
			}
		case <-w.expired:
			w.tellExpired()
			return
		case <-w.stopped:
			return
		}
	}
}

// pass waits while the kind is held, and then passes an event on. It says whether the watch goes on.
func (w *heldWatch) pass(event watch.Event) bool {
	if gate := w.i.held(w.kind); gate != nil {
		select {
		case <-gate:
		case <-w.expired:
			w.tellExpired()
			return false
		case <-w.stopped:
			return false
		}
	}
	select {
	case w.out <- event:
		return true
	case <-w.stopped:
		return false
	}
}

func (w *heldWatch) tellExpired() {
	gone := &metav1.Status{Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired, Message: fmt.Sprintf("too old a resource version of %s", w.kind)}
	select {
	case w.out <- watch.Event{Type: watch.Error, Object: gone}:
	case <-w.stopped:
	}
}
