package access

import (
	"testing"
	"time"
)

func TestTheBrakeIsLetGoForADayAtMost(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	for after, released := range map[time.Duration]bool{
		-time.Second: false, 0: false, time.Second: true, time.Hour: true, 24*time.Hour - time.Second: true,
		24 * time.Hour: false, 24*time.Hour + time.Second: false, 25 * time.Hour: false, 24 * 365 * time.Hour: false,
	} {
		if got := BrakeReleased(now.Add(after).Format(time.RFC3339), now); got != released {
			t.Errorf("an annotation that names a moment %s from now lets the brake go: %t", after, got)
		}
	}
	for _, text := range []string{"", "true", "tomorrow", "2026-11-28"} {
		if BrakeReleased(text, now) {
			t.Errorf("%q lets the brake go", text)
		}
	}
}

func TestTenures(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	for had, want := range map[time.Duration]Tenure{
		0: TenureNew, BrakeWindow - time.Second: TenureNew, BrakeWindow: TenureRecent, 24*time.Hour - time.Second: TenureRecent,
		24 * time.Hour: TenureLong, 1000 * time.Hour: TenureLong,
	} {
		if got := TenureOf(now.Add(-had), now); got != want {
			t.Errorf("had for %s: %s, want %s", had, got, want)
		}
	}
	if got := TenureOf(time.Time{}, now); got != TenureLong {
		t.Errorf("had since nobody knows when: %s", got)
	}
}
