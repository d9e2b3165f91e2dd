package controller

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

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
	if n := shut(brakeKey{server: "home", sees: false}, junk); n != 200 {
		t.Errorf("%d of 1000 that see nothing were shut out, want 200", n)
	}
	// Who is shut out is not among those that see something any more, and was when the window began.
	left, n := people("family", 40), 0
	for user := range family {
		if allowed, limit, of := b.allow(brakeKey{server: "home", sees: true}, user, left, now); allowed {
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
		allowed, _, _ := b.allow(brakeKey{server: "home", sees: true}, user, left, now.Add(time.Minute))
		disabled, _, _ := b.allow(brakeKey{server: "home", sees: false}, user, people("family", 40), now.Add(time.Minute))
		if allowed == left[user] || disabled == left[user] {
			t.Errorf("%s, shut out before: %t: again %t, disabled as well %t", user, !left[user], allowed, disabled)
		}
	}
	if allowed, _, _ := b.allow(brakeKey{server: "home", sees: true}, "family41", left, now.Add(access.BrakeWindow)); !allowed {
		t.Error("a window has no end")
	}
	if n := shut(brakeKey{server: "cabin", sees: true}, family); n != 8 {
		t.Errorf("%d were shut out of another server, want 8", n)
	}
}

// TestWhoeverGainsLatelyHoldsBackNobody: however somebody gives access to accounts, and takes it from them, those who had theirs
// before are shut out, or stopped, exactly as if they were alone; and never more than BrakeLimit of them within a window.
func TestWhoeverGainsLatelyHoldsBackNobody(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
		family := rapid.IntRange(1, 40).Draw(t, "family")
		alone, beside := &crowd{sees: map[types.UID]bool{}}, &crowd{sees: map[types.UID]bool{}}
		for i := range family {
			for _, c := range []*crowd{alone, beside} {
				c.sees[types.UID(fmt.Sprint("family", i))] = true
			}
		}
		now, lost := start, map[types.UID]time.Time{}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 180).Draw(t, "seconds")) * time.Second)
			junk := types.UID(fmt.Sprint("junk", rapid.IntRange(0, 60).Draw(t, "which")))
			switch rapid.IntRange(0, 2).Draw(t, "does") {
			case 0: // given access, which it had not
				if !beside.sees[junk] {
					beside.sees[junk] = true
					beside.brake.gave(junk, true, now)
				}
			case 1:
				if beside.sees[junk] {
					beside.shut(junk, now)
				}
			default:
				one := types.UID(fmt.Sprint("family", rapid.IntRange(0, family-1).Draw(t, "one")))
				if !alone.sees[one] {
					continue
				}
				is, want := beside.shut(one, now), alone.shut(one, now)
				if is != want {
					t.Fatalf("after %s, %s is shut out: %t, and %t without the others", now.Sub(start), one, is, want)
				}
				if is {
					lost[one] = now
				}
			}
			within := 0
			for _, at := range lost {
				if now.Sub(at) < access.BrakeWindow {
					within++
				}
			}
			if within > access.BrakeLimit(family) {
				t.Fatalf("%d of %d were shut out within a window", within, family)
			}
		}
	})
}

// crowd are Users of one server.
type crowd struct {
	brake brake
	sees  map[types.UID]bool
}

// shut shuts somebody out who sees something, if the brake allows it.
func (c *crowd) shut(user types.UID, now time.Time) bool {
	key, users := brakeKey{server: "home", sees: true, tenure: c.brake.tenure(user, true, now)}, map[types.UID]bool{}
	for other, sees := range c.sees {
		if sees && c.brake.tenure(other, true, now) == key.tenure {
			users[other] = true
		}
	}
	allowed, _, _ := c.brake.allow(key, user, users, now)
	if allowed {
		c.sees[user] = false
	}
	return allowed
}

// TestAMistakeIsStoppedWhateverPeopleHadBefore: of a household of which some came today, no more are shut out than the limits of
// each tenure, and everybody else is held.
func TestAMistakeIsStoppedWhateverPeopleHadBefore(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	for _, try := range []struct {
		long, recent, fresh, shut int
	}{
		{long: 40, shut: 8}, {fresh: 40, shut: 8}, {recent: 40, shut: 8}, {long: 30, fresh: 3, shut: 9}, {long: 30, recent: 10, fresh: 10, shut: 16}, {fresh: 5, shut: 5},
	} {
		c := &crowd{sees: map[types.UID]bool{}}
		add := func(kind string, n int, since time.Time) {
			for i := range n {
				uid := types.UID(fmt.Sprint(kind, i))
				c.sees[uid] = true
				if !since.IsZero() {
					c.brake.gave(uid, true, since)
				}
			}
		}
		add("long", try.long, time.Time{})
		add("recent", try.recent, now.Add(-access.BrakeWindow))
		add("fresh", try.fresh, now.Add(-access.BrakeWindow+time.Second))
		n := 0
		for uid := range c.sees {
			if c.shut(uid, now) {
				n++
			}
		}
		if n != try.shut {
			t.Errorf("%d of %+v were shut out", n, try)
		}
	}
}

// TestTenuresAreForgotten: what is long past is not kept, however many come and go.
func TestTenuresAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	var b brake
	for i := range 20_000 {
		b.gave(types.UID(fmt.Sprint(i)), true, now.Add(time.Duration(i)*time.Minute))
	}
	if n := len(b.gained); n > 4000 {
		t.Errorf("%d are remembered, of 1440 a day", n)
	}
}
