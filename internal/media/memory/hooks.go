package memory

import (
	"context"
	"slices"
	"sync"

	"github.com/usher-media/usher/internal/media"
)

// Moment of a call.
type Moment int

const (
	// Before the server does anything: an error here means that nothing was done.
	Before Moment = iota
	// After the server did it: an error here is a lost answer.
	After
)

// Hook is asked at both moments of every call. A nil answer lets the call go on; an error is what the caller gets.
// It may block until ctx ends. It runs without locks, so it may edit the Store.
type Hook func(ctx context.Context, moment Moment, call Call) error

type hook struct{ run Hook }

// Hook adds a hook, after those that are there, and returns what removes it.
func (s *Store) Hook(run Hook) (remove func()) {
	added := &hook{run: run}
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	s.calls.hooks = append(s.calls.hooks, added)
	return func() {
		s.calls.mu.Lock()
		defer s.calls.mu.Unlock()
		s.calls.hooks = slices.DeleteFunc(slices.Clone(s.calls.hooks), func(h *hook) bool { return h == added })
	}
}

func (l *callLog) ask(ctx context.Context, moment Moment, call Call) error {
	l.mu.Lock()
	hooks := l.hooks
	l.mu.Unlock()
	for _, h := range slices.Clone(hooks) {
		if err := h.run(ctx, moment, call); err != nil {
			return err
		}
	}
	return gone(ctx, moment, call.Op)
}

// gone is the error of a caller whose time is over; nil while it is not.
func gone(ctx context.Context, moment Moment, op Op) error {
	if ctx.Err() == nil {
		return nil
	}
	code := media.Unavailable
	if moment == After && op.Writes() {
		code = media.Ambiguous
	}
	return media.Errorf(code, "no answer in time").WithCause(ctx.Err())
}

// Fail makes the next n calls of an operation end with the error before anything is done; all of them when n is
// negative. It returns what stops that.
func (s *Store) Fail(op Op, n int, err error) (stop func()) {
	return s.Hook(limited(op, Before, n, func(context.Context, Call) error { return err }))
}

// Lose makes the next n calls of an operation be done and their answers lost: Ambiguous for a write, Unavailable for
// another; all of them when n is negative. It returns what stops that.
func (s *Store) Lose(op Op, n int) (stop func()) {
	return s.Hook(limited(op, After, n, func(_ context.Context, call Call) error {
		if call.Op.Writes() {
			return media.Errorf(media.Ambiguous, "the answer was lost")
		}
		return media.Errorf(media.Unavailable, "the answer was lost")
	}))
}

// Down makes every call Unavailable, as a server that cannot be reached. It returns what brings it back.
func (s *Store) Down() (up func()) {
	refused := media.Errorf(media.Unavailable, "the server cannot be reached")
	refused.Unsent = true
	return s.Fail(Any, -1, refused)
}

// limited runs f at one moment of the next n calls of an operation.
func limited(op Op, at Moment, n int, f func(context.Context, Call) error) Hook {
	var mu sync.Mutex
	return func(ctx context.Context, moment Moment, call Call) error {
		if moment != at || (op != Any && op != call.Op) {
			return nil
		}
		mu.Lock()
		due := n != 0
		if n > 0 {
			n--
		}
		mu.Unlock()
		if !due {
			return nil
		}
		return f(ctx, call)
	}
}

// Hold keeps calls waiting.
type Hold struct {
	arrived chan Call
	release chan struct{}
	once    sync.Once
}

// heldCalls is how many calls can be waiting at one Hold before Arrived must be read.
const heldCalls = 1024

// Hold makes every call of an operation wait at that moment until Release or its context's end.
func (s *Store) Hold(op Op, at Moment) *Hold {
	h := &Hold{arrived: make(chan Call, heldCalls), release: make(chan struct{})}
	s.Hook(limited(op, at, -1, func(ctx context.Context, call Call) error {
		select {
		case <-h.release:
			return nil
		default:
		}
		h.arrived <- call
		select {
		case <-h.release:
			return nil
		case <-ctx.Done():
			return gone(ctx, at, call.Op)
		}
	}))
	return h
}

// Arrived gives each call that waits or has waited, in the order of arriving.
func (h *Hold) Arrived() <-chan Call { return h.arrived }

// Release lets all calls go on, now and from now on. A second time does nothing.
func (h *Hold) Release() { h.once.Do(func() { close(h.release) }) }
