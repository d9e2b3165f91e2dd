package access

import "time"

const (
	// BrakeWindow is how long a loss counts for the disruption limit.
	BrakeWindow = 10 * time.Minute
	// brakeAlways is how many users may always be shut out within the window.
	brakeAlways = 5
)

// BrakeLimit is how many of a server's declared users may be shut out within BrakeWindow without anybody being asked:
// a fifth of them, and five in any case (design D3).
func BrakeLimit(declared int) int { return max(brakeAlways, declared/5) }

// Tenure is how long somebody has had what they would lose. The disruption limit counts each tenure for itself: whoever gives many
// accounts access, to take it again, holds back nobody who had theirs before.
type Tenure int

const (
	// TenureLong: for more than a day.
	TenureLong Tenure = iota
	// TenureRecent: for less than a day.
	TenureRecent
	// TenureNew: for less than BrakeWindow, so that when it began there was nothing to lose.
	TenureNew
)

// TenuresRemembered is how long it matters since when somebody has something.
const TenuresRemembered = 24 * time.Hour

// TenureOf is the tenure of who has had something since a moment; zero is one that nobody remembers.
func TenureOf(since, now time.Time) Tenure {
	switch had := now.Sub(since); {
	case since.IsZero() || had >= TenuresRemembered:
		return TenureLong
	case had >= BrakeWindow:
		return TenureRecent
	}
	return TenureNew
}

func (t Tenure) String() string {
	switch t {
	case TenureNew:
		return "less than ten minutes"
	case TenureRecent:
		return "less than a day"
	}
	return "long"
}

// BrakeReleased says whether a person lifted the disruption limit: the annotation usher.media/proceed names a moment that is
// still to come, and no more than a day away, so that no forgotten annotation leaves the brake off for good.
func BrakeReleased(until string, now time.Time) bool {
	at, err := time.Parse(time.RFC3339, until)
	return err == nil && now.Before(at) && at.Before(now.Add(24*time.Hour))
}

// ShutsOut says whether somebody who sees that many libraries now, and would see that many, is shut out by it.
func ShutsOut(now, then int) bool { return now > 0 && then == 0 }
