package controller

import (
	"sync"
	"time"
)

// pace is a per-key exponential backoff for what is asked for over and over: a look at a server that lacks something, a
// status that derives from what goes on changing.
type pace[K comparable] struct {
	// first is the wait of the first time, last the longest.
	first, last time.Duration

	mu    sync.Mutex
	byKey map[K]turn
}

type turn struct {
	// due is when what was asked for last is to be done, wait how long that was to be.
	due  time.Time
	wait time.Duration
}

func newPace[K comparable](first, last time.Duration) *pace[K] {
	return &pace[K]{first: first, last: last, byKey: map[K]turn{}}
}

// next doubles the wait for as long as each turn is followed by another demand, and begins anew after a quiet while.
// Demands before a turn is due join it.
func (p *pace[K]) next(key K, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, asked := p.byKey[key]
	if now.Before(before.due) {
		return before.due.Sub(now)
	}
	wait := p.first
	if asked && now.Sub(before.due) <= 2*before.wait+demandsForgotten {
		wait = min(2*before.wait, p.last)
	}
	p.byKey[key] = turn{due: now.Add(wait), wait: wait}
	return wait
}
