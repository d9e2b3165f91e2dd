package controller

import (
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
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
			wait := r.wait("home", types.UID(strconv.Itoa(user)), begin.Add(time.Duration(second)*time.Second))
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

// TestWhoAsksBeforeTheTurnKeepsIt: looks in the meantime put nobody off.
func TestWhoAsksBeforeTheTurnKeepsIt(t *testing.T) {
	t.Parallel()
	var r renewals
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	for i := range renewalsAtOnce {
		if wait := r.wait("home", types.UID(strconv.Itoa(i)), now); wait != 0 {
			t.Fatalf("%d of %d waits %s", i, renewalsAtOnce, wait)
		}
	}
	due := now.Add(r.wait("home", "ann", now))
	second := now.Add(r.wait("home", "bob", now))
	for ; now.Before(due); now = now.Add(time.Second) {
		if at := now.Add(r.wait("home", "ann", now)); !at.Equal(due) {
			t.Fatalf("ann, whose turn was at %s, has it at %s", due, at)
		}
	}
	if wait := r.wait("home", "ann", now); wait != 0 {
		t.Errorf("at her turn, ann waits %s", wait)
	}
	if wait := r.wait("home", "bob", second); wait != 0 {
		t.Errorf("at his turn, bob waits %s", wait)
	}
	if wait := r.wait("cabin", "carl", now); wait != 0 {
		t.Errorf("on another server, carl waits %s", wait)
	}
}
