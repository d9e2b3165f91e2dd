package media

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// The retry policy of all media servers. A driver does no retries (R1), so that this is all there is below a reconcile:
//
//   - Only reads of one thing are asked again: an account, a library, the invites, an invite's uses. No write is ever
//     sent twice, nor is a password tried twice. Probe and List are not asked again either: the MediaServer's own
//     reconcile repeats them, with one backoff for all objects.
//   - Unavailable: once, after a tenth to three tenths of a second, and only as the first failure since the server last
//     answered. However many objects ask a dead server, it costs one retry more than its probes.
//   - RateLimited: once, after exactly the time that the server asks for, if that is at most two seconds.
//   - Never when the call's own deadline would not leave as much time again for the answer.
const (
	retryPause    = 200 * time.Millisecond
	retryPatience = 2 * time.Second
)

// A server that answers this many calls in a row with an error of its own, within this time and none with anything
// else, is down as a whole: it concerns the connection. One object that the server cannot serve never gets there, since
// its attempts are further apart.
const (
	brokenCalls  = 5
	brokenWithin = 7 * time.Second
)

// health is what the last calls say of a server. Safe for concurrent use.
type health struct {
	// answering: the last call was answered, and the next failure is worth another try.
	answering atomic.Bool
	mu        sync.Mutex
	// broken counts the calls in a row, begun at first, that the server answered with an error of its own.
	broken int
	first  time.Time
}

// note takes a finished call into account. It may change the error: see brokenCalls.
func (h *health) note(err error, now time.Time) {
	e, _ := err.(*Error)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case CodeOf(err) == Ambiguous, CodeOf(err) == Unavailable && !e.Answered:
		return
	case CodeOf(err) != Unavailable:
		h.broken = 0
		h.answering.Store(true)
		return
	}
	if h.broken == 0 || now.Sub(h.first) > brokenWithin {
		h.broken, h.first = 0, now
	}
	if h.broken++; h.broken >= brokenCalls {
		e.Answered = false
	}
}

// pause says whether a read is asked again, after having waited as long as the policy says.
func (h *health) pause(ctx context.Context, err error) bool {
	var wait time.Duration
	switch CodeOf(err) {
	case RateLimited:
		if wait = RetryAfter(err); wait <= 0 || wait > retryPatience {
			return false
		}
	case Unavailable:
		wait = retryPause/2 + rand.N(retryPause)
	default:
		return false
	}
	if deadline, bounded := ctx.Deadline(); ctx.Err() != nil || bounded && time.Until(deadline) < 2*wait {
		return false
	}
	if CodeOf(err) == Unavailable && !h.answering.CompareAndSwap(true, false) {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
