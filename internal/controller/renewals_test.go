package controller

import (
	"testing"
	"time"
)

func TestRenewalsAreSpreadOverTime(t *testing.T) {
	t.Parallel()
	var r renewals
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	done := func(server string) (n int) {
		for range 100 {
			if r.wait(server, now) == 0 {
				n++
			}
		}
		return n
	}
	if n := done("a"); n != renewalsAtOnce {
		t.Errorf("%d at once", n)
	}
	if n := done("b"); n != renewalsAtOnce {
		t.Errorf("another server had %d at once", n)
	}
	if wait := r.wait("a", now); wait < renewalsEvery*9/10 || wait > renewalsEvery*11/10 {
		t.Errorf("the next one waits %s", wait)
	}
	now = now.Add(3 * renewalsEvery)
	if n := done("a"); n != 3 {
		t.Errorf("%d after three times the interval", n)
	}
}
