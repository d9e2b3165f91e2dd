package enqueue

import (
	"sync"
	"time"
)

// Backoff is an exponential backoff by key, for what is demanded over and over.
type Backoff[K comparable] struct {
	// first is the delay of the first demand, last the longest, quiet how long after a delay has passed another demand still
	// continues the series.
	first, last, quiet time.Duration

	mu    sync.Mutex
	byKey map[K]delay
}

// delay is when what was demanded last is due, and how long after the demand that is.
type delay struct {
	due   time.Time
	after time.Duration
}

// NewBackoff makes a backoff whose delays begin with first and double up to last, as long as demands follow each other within
// twice the delay and quiet.
func NewBackoff[K comparable](first, last, quiet time.Duration) *Backoff[K] {
	return &Backoff[K]{first: first, last: last, quiet: quiet, byKey: map[K]delay{}}
}

// Next returns how long from now what is demanded for a key is due. Demands before that time join it.
func (b *Backoff[K]) Next(key K, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, demanded := b.byKey[key]
	if now.Before(before.due) {
		return before.due.Sub(now)
	}
	after := b.first
	if demanded && now.Sub(before.due) <= 2*before.after+b.quiet {
		after = min(2*before.after, b.last)
	}
	b.byKey[key] = delay{due: now.Add(after), after: after}
	return after
}
