package portal

import (
	"fmt"
	"strconv"
	"time"
)

const day = 24 * time.Hour

// spans are the units that a time is told in, the largest first, each from how much on.
var spans = []struct {
	from, unit time.Duration
	name       string
}{
	{2 * 365 * day, 365 * day, "year"}, {60 * day, 30 * day, "month"}, {2 * day, day, "day"},
	{time.Hour, time.Hour, "hour"}, {time.Minute, time.Minute, "minute"},
}

// relative tells a time as seen from now: "in 3 days", "2 hours ago".
func relative(t, now time.Time) string {
	if t.After(now) {
		return "in " + span(t.Sub(now))
	}
	return span(now.Sub(t)) + " ago"
}

func span(d time.Duration) string {
	for _, s := range spans {
		if d >= s.from {
			return counted(int(d/s.unit), s.name)
		}
	}
	return "less than a minute"
}

func counted(n int, name string) string {
	if n == 1 {
		return "1 " + name
	}
	return fmt.Sprintf("%d %ss", n, name)
}

// exact tells a time to the minute, and to the second where it has some, in UTC.
func exact(t time.Time) string {
	layout := "2 January 2006, 15:04 MST"
	if t = t.UTC(); t.Second() != 0 {
		layout = "2 January 2006, 15:04:05 MST"
	}
	return t.Format(layout)
}

// machine tells a time as HTML's time element wants it.
func machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// places tells how many people an invite still lets in.
func places(remaining *int) string {
	if remaining == nil {
		return "No limit"
	}
	return strconv.Itoa(*remaining)
}
