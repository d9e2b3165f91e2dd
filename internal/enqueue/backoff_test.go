package enqueue

import (
	"testing"
	"time"
)

// TestDemandsBackOff: what is demanded over and over is due ever more rarely.
func TestDemandsBackOff(t *testing.T) {
	b := NewBackoff[string](time.Second, time.Minute, 5*time.Second)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var delays []time.Duration
	for start := now; now.Sub(start) < 10*time.Minute; {
		wait := b.Next("server", now)
		if joined := b.Next("server", now); joined != wait {
			t.Fatalf("a second demand at the same moment waits %s, not %s", joined, wait)
		}
		delays = append(delays, wait)
		now = now.Add(wait)
	}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}
	for i, seconds := range want {
		if delays[i] != seconds*time.Second {
			t.Fatalf("due after %v, want the first %v", delays, want)
		}
	}
	if other := b.Next("another", now); other != time.Second {
		t.Errorf("another server waits %s", other)
	}
	if quiet := b.Next("server", now.Add(10*time.Minute)); quiet != time.Second {
		t.Errorf("after a quiet while it waits %s", quiet)
	}
}
