package controller

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/internal/access"
)

// TestTheBrakeCountsWhoHasSomethingToLose: those that see nothing neither raise how many of the others may be shut out, nor
// use it up.
func TestTheBrakeCountsWhoHasSomethingToLose(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	people := func(kind string, n int) map[types.UID]bool {
		out := map[types.UID]bool{}
		for i := range n {
			out[types.UID(fmt.Sprint(kind, i))] = true
		}
		return out
	}
	family, junk := people("family", 40), people("junk", 1000)
	var b brake
	shut := func(key brakeKey, users map[types.UID]bool) (n int) {
		for user := range users {
			if allowed, _, _ := b.allow(key, user, users, now); allowed {
				n++
			}
		}
		return n
	}
	if n := shut(brakeKey{"home", false}, junk); n != 200 {
		t.Errorf("%d of 1000 that see nothing were shut out, want 200", n)
	}
	// Who is shut out is not among those that see something any more, and was when the window began.
	left, n := people("family", 40), 0
	for user := range family {
		if allowed, limit, of := b.allow(brakeKey{"home", true}, user, left, now); allowed {
			n++
			delete(left, user)
		} else if limit != 8 || of != 40 {
			t.Errorf("%d of %d, want 8 of 40", limit, of)
		}
	}
	if n != 8 {
		t.Errorf("%d of 40 were shut out, want 8", n)
	}
	for user := range family {
		allowed, _, _ := b.allow(brakeKey{"home", true}, user, left, now.Add(time.Minute))
		disabled, _, _ := b.allow(brakeKey{"home", false}, user, people("family", 40), now.Add(time.Minute))
		if allowed == left[user] || disabled == left[user] {
			t.Errorf("%s, shut out before: %t: again %t, disabled as well %t", user, !left[user], allowed, disabled)
		}
	}
	if allowed, _, _ := b.allow(brakeKey{"home", true}, "family41", left, now.Add(access.BrakeWindow)); !allowed {
		t.Error("a window has no end")
	}
	if n := shut(brakeKey{"cabin", true}, family); n != 8 {
		t.Errorf("%d were shut out of another server, want 8", n)
	}
}
