package controller

import (
	"testing"
	"time"
)

// TestWhatIsKeptIsDecidedLater: a moment that has passed would have the User reconciled over and over, for as long as everything is
// being left.
func TestWhatIsKeptIsDecidedLater(t *testing.T) {
	t.Parallel()
	const wait = 5 * time.Second
	now := time.Date(2026, 11, 29, 11, 0, 0, 0, time.UTC)
	gone := []departure[int]{{at: now.Add(-time.Hour)}, {at: now.Add(-wait)}, {at: now.Add(-time.Second)}, {at: now}}
	pending, due := due(gone, now.Add(-wait))
	if len(pending) != 2 || len(due) != 2 {
		t.Fatalf("%d are pending and %d are due", len(pending), len(due))
	}
	for _, c := range []struct {
		pending []departure[int]
		leaving bool
		want    time.Time
	}{
		{pending, false, now.Add(wait - time.Second)},
		{pending, true, now.Add(wait - time.Second)},
		{nil, true, now.Add(leavingFor)},
		{nil, false, time.Time{}},
	} {
		if next := decidedAt(times(c.pending), c.leaving, wait, now); !next.Equal(c.want) {
			t.Errorf("%d pending, leaving %t: %s, want %s", len(c.pending), c.leaving, next, c.want)
		}
	}
}
