package controller

import (
	"testing"
	"time"
)

// TestFewComeBackInVain: however many wait for their turn, few ask again before it, and no turn is wasted.
func TestFewComeBackInVain(t *testing.T) {
	t.Parallel()
	const users = 3000
	var r renewals
	begin := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	asks := make([]int, 3600) // by second
	due, done := map[int][]int{}, 0
	for i := range users {
		due[0] = append(due[0], i)
	}
	for second := range asks {
		for _, user := range due[second] {
			asks[second]++
			wait := r.wait("home", begin.Add(time.Duration(second)*time.Second))
			if wait == 0 {
				done++
				continue
			}
			if wait > safetyPoll+safetyPoll/20 {
				t.Fatalf("one is to wait %s", wait)
			}
			back := second + max(1, int(wait/time.Second))
			due[back] = append(due[back], user)
		}
	}
	for second, n := range asks[1:] {
		if n > 50 {
			t.Errorf("%d ask again in second %d", n, second+1)
		}
	}
	if want := renewalsAtOnce + 3600/int(renewalsEvery/time.Second); done < want-20 {
		t.Errorf("%d had their turn in an hour, want about %d", done, want)
	}
}
