package access

import (
	"testing"
	"time"
)

func TestWhatWasMadeBeforeAMomentIsAccepted(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	for _, try := range []struct {
		moment   string
		made     time.Duration
		accepted bool
	}{
		{at(0), -time.Hour, true}, {at(0), 0, true}, {at(0), time.Second, false},
		{at(-time.Hour), -time.Hour, true}, {at(-time.Hour), -time.Hour + time.Second, false},
		{at(time.Hour), 30 * time.Minute, true}, {at(24*time.Hour - time.Second), 0, true}, {at(24 * time.Hour), 0, false},
		{"2099-01-01T00:00:00Z", 0, false}, {"", 0, false}, {"true", 0, false}, {"2026-11-29", 0, false},
	} {
		if got := AcceptedBefore(try.moment, now.Add(try.made), now); got != try.accepted {
			t.Errorf("what was made %s from now is accepted by %q: %t", try.made, try.moment, got)
		}
	}
}
