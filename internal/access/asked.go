package access

import "time"

// AcceptedBefore says whether what was made at a moment is accepted by a person, though nobody was asked for permission when
// it was made: the annotation usher.media/accept-objects-before names that moment or a later one, at most a day from now, so that
// a date that somebody mistypes accepts nothing for good.
func AcceptedBefore(moment string, made, now time.Time) bool {
	at, err := time.Parse(time.RFC3339, moment)
	return err == nil && !made.After(at) && at.Before(now.Add(24*time.Hour))
}
