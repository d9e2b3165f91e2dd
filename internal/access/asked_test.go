package access

import (
	"testing"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
)

// TestWhatIsAccepted: what was made up to the moment that was named, if it was named since what it is to count for.
func TestWhatIsAccepted(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return began.Add(d).Format(time.RFC3339Nano) }
	for _, try := range []struct {
		// moment is what the annotation says; seen, made and since are when, from when the MediaServer was made.
		moment            string
		seen, made, since time.Duration
		accepted          bool
	}{
		{at(time.Hour), time.Hour, -time.Hour, 0, true},
		{at(time.Hour), 2 * time.Hour, time.Hour, 0, true},
		{at(time.Hour), 2 * time.Hour, time.Hour + time.Second, 0, false},
		// Of an earlier time that the MediaServer said so, however it was named then.
		{at(time.Hour), time.Hour, 0, time.Hour, true},
		{at(time.Hour), time.Hour, 0, time.Hour + time.Second, false},
		{at(time.Hour), time.Hour, 0, 2 * time.Hour, false},
		{at(time.Hour + 4*time.Second), time.Hour, 0, time.Hour, true},
		{at(time.Hour + 4*time.Second), time.Hour, 0, time.Hour + time.Nanosecond, false},
		{at(time.Hour + 4*time.Second), time.Hour, time.Hour + time.Second, 0, false},
		// Ahead of when it was seen.
		{at(time.Hour + 5*time.Second), time.Hour, 0, 0, true},
		{at(time.Hour + 6*time.Second), time.Hour, 0, 0, false},
		{at(20 * time.Hour), time.Hour, 0, 0, false},
		{at(20 * time.Hour), time.Hour, 0, 19 * time.Hour, false},
		{"9999-12-31T23:59:59Z", time.Hour, 0, 0, false},
		// Of a MediaServer that was there before.
		{at(0), 0, -time.Hour, 0, true},
		{at(-time.Second), time.Hour, -time.Hour, -time.Hour, false},
		{"", time.Hour, 0, 0, false}, {"true", time.Hour, 0, 0, false}, {"2026-11-29", time.Hour, 0, 0, false},
		{"0000-01-01T00:00:00+23:59", time.Hour, 0, 0, false},
	} {
		noted := NoteAccepted(try.moment, nil, began, began.Add(try.seen))
		later := NoteAccepted(try.moment, noted, began, began.Add(try.seen+time.Hour))
		for when, noted := range map[string]*v1alpha1.AcceptedObjects{"at once": noted, "an hour later": later} {
			if got := Accepted(noted, began.Add(try.made), began.Add(try.since)); got != try.accepted {
				t.Errorf("%q, seen %s, accepts what was made %s since %s: %t (%s)", try.moment, try.seen, try.made, try.since, got, when)
			}
		}
	}
}

// TestAnotherMomentIsSeenAnew: the status forgets the one before.
func TestAnotherMomentIsSeenAnew(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	first := NoteAccepted("2026-11-28T21:00:00Z", nil, made, made.Add(time.Hour))
	if same := NoteAccepted("2026-11-28T22:00:00+01:00", first, made, made.Add(3*time.Hour)); *same != *first {
		t.Errorf("the same moment, written otherwise, is seen anew: %v, was %v", same, first)
	}
	if another := NoteAccepted("2026-11-28T21:00:01Z", first, made, made.Add(3*time.Hour)); another.Seen != "2026-11-28T23:00:00Z" {
		t.Errorf("another moment was seen %s", another.Seen)
	}
	if gone := NoteAccepted("", first, made, made.Add(3*time.Hour)); gone != nil {
		t.Errorf("no moment is noted as %v", gone)
	}
}
