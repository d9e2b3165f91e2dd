package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"
)

// quiet is how long the operator must do nothing to count as idle. It is longer than Usher gathers changes for.
const quiet = 3 * time.Second

// snapshot is all that was counted up to a moment.
type snapshot struct {
	at time.Time
	// kubernetes counts the operator's requests as the API server saw them, media those that the media server saw.
	kubernetes, media, reconciles counts
	// wakeups count what brought objects back, as "kind, by what". Several at once are one reconcile.
	wakeups counts
}

func (b *bench) snapshot(ctx context.Context) (s snapshot, err error) {
	s.at = time.Now()
	if s.kubernetes, err = b.audit.read(); err != nil {
		return s, err
	}
	if s.media, err = b.media.requests(ctx); err != nil {
		return s, err
	}
	found, err := scrape(ctx, b.operator.metrics)
	if err != nil {
		return s, err
	}
	s.reconciles, s.wakeups = found.by("controller_runtime_reconcile_total", "controller"), found.by("usher_wakeups_total", "kind", "by")
	for result, n := range found.by("controller_runtime_reconcile_total", "controller", "result") {
		if kind, again := strings.CutSuffix(result, ", requeue_after"); again {
			s.wakeups[kind+", asked for another look"] = n
		}
		if kind, failed := strings.CutSuffix(result, ", error"); failed {
			s.wakeups[kind+", failed"] = n
		}
	}
	return s, nil
}

// since returns what was counted between two moments.
func (s snapshot) since(before snapshot) snapshot {
	return snapshot{
		at: s.at, kubernetes: s.kubernetes.since(before.kubernetes),
		media: s.media.since(before.media), reconciles: s.reconciles.since(before.reconciles), wakeups: s.wakeups.since(before.wakeups),
	}
}

// idle waits until the operator has nothing to do, and returns what was counted by then.
func (b *bench) idle(ctx context.Context) (snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var last counts
	since, said := time.Now(), time.Now()
	for {
		found, err := scrape(ctx, b.operator.metrics)
		if err != nil {
			return snapshot{}, err
		}
		reconciles := found.by("controller_runtime_reconcile_total", "controller")
		busy := found.by("workqueue_depth", "controller").total() + found.by("controller_runtime_active_workers", "controller").total()
		if busy > 0 || !maps.Equal(reconciles, last) {
			last, since = reconciles, time.Now()
		}
		if time.Since(since) >= quiet {
			return b.snapshot(ctx)
		}
		if time.Since(said) > sayEvery {
			said = time.Now()
			b.say("  waiting for the operator to come to rest (%d reconciles by now)", reconciles.total())
		}
		if err := b.pause(ctx, 250*time.Millisecond); err != nil {
			return snapshot{}, fmt.Errorf("the operator does not come to rest: %w", err)
		}
	}
}
