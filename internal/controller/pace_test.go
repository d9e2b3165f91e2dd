package controller

import (
	"testing"
	"time"
)

// TestDemandsForLooksBackOff: something that stays missing has its server looked at ever more rarely.
func TestDemandsForLooksBackOff(t *testing.T) {
	d := newPace[string](lookAgainAfter, lastProbeBackoff)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var looks []time.Duration
	for start := now; now.Sub(start) < 10*time.Minute; {
		wait := d.next("server", now)
		if joined := d.next("server", now); joined != wait {
			t.Fatalf("a second demand at the same moment waits %s, not %s", joined, wait)
		}
		looks = append(looks, wait)
		now = now.Add(wait)
	}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}
	for i, seconds := range want {
		if looks[i] != seconds*time.Second {
			t.Fatalf("looks after %v, want the first %v", looks, want)
		}
	}
	if other := d.next("another", now); other != lookAgainAfter {
		t.Errorf("another server waits %s", other)
	}
	if quiet := d.next("server", now.Add(10*time.Minute)); quiet != lookAgainAfter {
		t.Errorf("after a quiet while it waits %s", quiet)
	}
}
