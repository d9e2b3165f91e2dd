package access

import (
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
)

// clocksApart is how far the clock of whoever names a moment may be ahead of Usher's.
const clocksApart = 5 * time.Second

// NoteAccepted returns what the status of a MediaServer remembers of its annotation usher.media/accept-objects-before: was is what it
// remembers so far. A moment before the MediaServer was made accepts nothing, and neither does what is no moment.
func NoteAccepted(annotation string, was *v1alpha1.AcceptedObjects, made, now time.Time) *v1alpha1.AcceptedObjects {
	at, err := v1alpha1.Time(annotation).Parse()
	if err != nil || at.Before(made) {
		return nil
	}
	accepted := &v1alpha1.AcceptedObjects{Before: v1alpha1.NewExactTime(at), Seen: v1alpha1.NewExactTime(now)}
	if was != nil && was.Before == accepted.Before {
		accepted.Seen = was.Seen
	}
	return accepted
}

// Accepted says whether a person accepted what was made at a moment, though nobody was asked for permission, and did so since
// another: whatever they accepted before that may have been changed by somebody who was not asked. A moment that was still to come
// when Usher saw it first accepts nothing, ever: it would accept what nobody has read yet.
func Accepted(accepted *v1alpha1.AcceptedObjects, made, since time.Time) bool {
	if accepted == nil {
		return false
	}
	before, beforeErr := accepted.Before.Parse()
	seen, seenErr := accepted.Seen.Parse()
	if beforeErr != nil || seenErr != nil || before.After(seen.Add(clocksApart)) {
		return false
	}
	if seen.Before(before) {
		before = seen
	}
	return !made.After(before) && !before.Before(since)
}
