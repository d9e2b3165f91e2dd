package controller

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// TestTheBrakeCountsWhoHasSomethingToLose: those that see nothing neither raise how many of the others may be shut out, nor
// use it up.
func TestTheBrakeCountsWhoHasSomethingToLose(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	people := func(kind string, n int) map[media.AccountID]bool {
		out := map[media.AccountID]bool{}
		for i := range n {
			out[media.AccountID(fmt.Sprint(kind, i))] = true
		}
		return out
	}
	family, junk := people("family", 40), people("junk", 1000)
	var b brake
	shut := func(key brakeKey, users map[media.AccountID]bool) (n int) {
		for user := range users {
			if allowed, _, _ := b.allow(key, loser{account: user, user: types.UID(user)}, users, now); allowed {
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
		if allowed, limit, of := b.allow(brakeKey{server: "home", sees: true}, loser{account: user, user: types.UID(user)}, left, now); allowed {
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
		allowed, _, _ := b.allow(brakeKey{server: "home", sees: true}, loser{account: user, user: types.UID(user)}, left, now.Add(time.Minute))
		disabled, _, _ := b.allow(brakeKey{server: "home", sees: false}, loser{account: user, user: types.UID(user)}, people("family", 40), now.Add(time.Minute))
		if allowed == left[user] || disabled == left[user] {
			t.Errorf("%s, shut out before: %t: again %t, disabled as well %t", user, !left[user], allowed, disabled)
		}
	}
	if allowed, _, _ := b.allow(brakeKey{server: "home", sees: true}, loser{account: "family41", user: "family41"}, left, now.Add(access.BrakeWindow)); !allowed {
		t.Error("a window has no end")
	}
	if n := shut(brakeKey{server: "cabin", sees: true}, family); n != 8 {
		t.Errorf("%d were shut out of another server, want 8", n)
	}
}

// TestWhoeverGainsLatelyHoldsBackNobody: however somebody gives access to accounts, by Usher or by an Invite, and takes it from
// them, those who had theirs before are shut out, or stopped, exactly as if they were alone, also those from whom it was taken
// and given back; and never more than BrakeLimit of them within a window.
func TestWhoeverGainsLatelyHoldsBackNobody(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
		family := rapid.IntRange(1, 40).Draw(t, "family")
		alone, beside := newCrowd(), newCrowd()
		for i := range family {
			for _, c := range []*crowd{alone, beside} {
				c.comes(types.UID(fmt.Sprint("family", i)), now.Add(-access.TenuresRemembered))
			}
		}
		lost := map[types.UID]time.Time{}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 20, 60, 180, 180, 660}).Draw(t, "seconds")) * time.Second)
			one := types.UID(fmt.Sprint("family", rapid.IntRange(0, family-1).Draw(t, "one")))
			switch rapid.IntRange(0, 4).Draw(t, "does") {
			case 4: // taken again and given back, by an editor
				if at, before := lost[one]; before && beside.sees[one] && now.Sub(at) < access.TenuresRemembered {
					if !beside.shut(one, now) {
						t.Fatalf("at %s, %s is held, who was shut out within a day", now, one)
					}
					beside.back(one, false, now)
				}
			case 0:
				beside.bring(t, now)
			case 1:
				if junk := junkOf(t); beside.sees[junk] {
					beside.shut(junk, now)
				}
			case 2: // what was taken is given back, to the same User or to another that is made for the account
				if !alone.sees[one] {
					again := rapid.Bool().Draw(t, "another User")
					alone.back(one, again, now)
					beside.back(one, again, now)
				}
			default:
				if !alone.sees[one] {
					continue
				}
				is, want := beside.shut(one, now), alone.shut(one, now)
				if is != want {
					t.Fatalf("at %s, %s is shut out: %t, and %t without the others", now, one, is, want)
				}
				if at, before := lost[one]; is && (!before || now.Sub(at) >= access.TenuresRemembered) {
					lost[one] = now
				}
			}
			if n := within(lost, now); n > access.BrakeLimit(family) {
				t.Fatalf("%d of %d were shut out within a window", n, family)
			}
		}
	})
}

func junkOf(t *rapid.T) types.UID {
	return types.UID(fmt.Sprint("junk", rapid.IntRange(0, 60).Draw(t, "which")))
}

// within counts those who were shut out within a window.
func within(lost map[types.UID]time.Time, now time.Time) (n int) {
	for _, at := range lost {
		if now.Sub(at) < access.BrakeWindow {
			n++
		}
	}
	return n
}

// crowd are Users of one server, and when each was made.
type crowd struct {
	brake brake
	sees  map[types.UID]bool
	made  map[types.UID]time.Time
}

func newCrowd() *crowd { return &crowd{sees: map[types.UID]bool{}, made: map[types.UID]time.Time{}} }

func viewer(user types.UID) holding {
	return holding{server: "home", account: media.AccountID(user), sees: true}
}

// comes declares somebody whose account sees something already: it was taken over, or an Invite brought it.
func (c *crowd) comes(user types.UID, made time.Time) { c.sees[user], c.made[user] = true, made }

// bring lets somebody see something who did not: Usher gives it, or somebody comes by an Invite.
func (c *crowd) bring(t *rapid.T, now time.Time) {
	junk := junkOf(t)
	if c.sees[junk] {
		return
	}
	if _, before := c.made[junk]; !before && rapid.Bool().Draw(t, "by an Invite") {
		c.comes(junk, now)
		return
	}
	c.back(junk, false, now)
}

// back gives somebody what they had, or never had.
func (c *crowd) back(user types.UID, again bool, now time.Time) {
	if _, before := c.made[user]; again || !before {
		c.made[user] = now
	}
	c.sees[user] = true
	c.brake.gave(viewer(user), now)
}

// shut shuts somebody out who sees something, if the brake allows it.
func (c *crowd) shut(user types.UID, now time.Time) bool {
	tenure := func(of types.UID) access.Tenure { return c.brake.tenure(viewer(of), c.made[of], now) }
	key, users := brakeKey{server: "home", sees: true, tenure: tenure(user)}, map[media.AccountID]bool{}
	for other, sees := range c.sees {
		if sees && tenure(other) == key.tenure {
			users[media.AccountID(other)] = true
		}
	}
	allowed, _, _ := c.brake.allow(key, loser{media.AccountID(user), user, c.made[user]}, users, now)
	if allowed {
		c.sees[user] = false
		c.brake.took(viewer(user), c.made[user], now)
	}
	return allowed
}

// TestAnAccountThatAnInviteBroughtIsAsNewAsItsUser: Usher gives it nothing, so that nothing is noted of it.
func TestAnAccountThatAnInviteBroughtIsAsNewAsItsUser(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	r := &userReconciler{brake: &brake{}}
	home := site{server: &v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{UID: "home"}}}
	for ago, want := range map[time.Duration]access.Tenure{
		time.Minute: access.TenureNew, access.BrakeWindow: access.TenureRecent, access.TenuresRemembered: access.TenureLong,
	} {
		user := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(now.Add(-ago))}}
		for _, sees := range []bool{false, true} {
			if got := r.tenure(home, user, media.Account{ID: "guest"}, sees, now); got != want {
				t.Errorf("made %s ago: it has had it for %s, want %s", ago, got, want)
			}
		}
	}
}

// TestAMistakeIsStoppedWhateverPeopleHadBefore: of a household of which some came today, no more are shut out than the limits of
// each tenure, and everybody else is held.
func TestAMistakeIsStoppedWhateverPeopleHadBefore(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	for _, try := range []struct {
		long, recent, fresh, taken, shut int
	}{
		{taken: 40, shut: 8}, {long: 30, taken: 10, shut: 11}, {long: 40, shut: 8}, {fresh: 40, shut: 8}, {recent: 40, shut: 8}, {long: 30, fresh: 3, shut: 9}, {long: 30, recent: 10, fresh: 10, shut: 16}, {fresh: 5, shut: 5},
	} {
		c := newCrowd()
		add := func(kind string, n int, made, since time.Time) {
			for i := range n {
				uid := types.UID(fmt.Sprint(kind, i))
				c.comes(uid, made)
				if !since.IsZero() {
					c.brake.gave(viewer(uid), since)
				}
			}
		}
		never, yesterday := time.Time{}, now.Add(-access.TenuresRemembered)
		add("long", try.long, yesterday, never)
		add("recent", try.recent, yesterday, now.Add(-access.BrakeWindow))
		add("fresh", try.fresh, yesterday, now.Add(-access.BrakeWindow+time.Second))
		add("taken", try.taken, now, never) // over, by Users that were just made, or made again when the cluster was restored
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

// TestTakingFromTheSameAgainAndAgainHoldsBackNobody: five that an editor takes from and gives back in every window, for a day.
func TestTakingFromTheSameAgainAndAgainHoldsBackNobody(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	c := newCrowd()
	for i := range 10 {
		c.comes(types.UID(fmt.Sprint("family", i)), now.Add(-access.TenuresRemembered))
	}
	for range 2 * int(access.TenuresRemembered/access.BrakeWindow) {
		for i := range 5 {
			again := types.UID(fmt.Sprint("family", i))
			c.shut(again, now)
			c.back(again, i%2 == 0, now)
		}
		now = now.Add(access.BrakeWindow)
	}
	for i := range 5 {
		c.shut(types.UID(fmt.Sprint("family", i)), now)
	}
	if !c.shut("family9", now) {
		t.Error("another is held back")
	}
}

// TestTheBrakeKnowsHowOldAnAccountIs, where its User is younger: of before a restore of the cluster, or adopted.
func TestTheBrakeKnowsHowOldAnAccountIs(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	keyring, err := NewKeyring([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	kit := &Kit{Keyring: keyring}
	r := &userReconciler{Kit: kit, brake: &brake{}}
	home := site{server: &v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{UID: "home"}}, connection: media.Connection{Probe: media.Probe{Identity: "home"}}}
	user := func(own record) *v1alpha1.User {
		u := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "ann", UID: "new", CreationTimestamp: metav1.NewTime(now)}}
		if own.KeyID != "" {
			own.KeyID, own.Seed = kit.Keyring.ID(), kit.Keyring.seed(u, types.UID(own.Seed))
		}
		own.ID, own.Server = "ann", "home"
		if err := own.into(u); err != nil {
			t.Fatal(err)
		}
		return u
	}
	guest := user(record{Origin: v1alpha1.OriginAdopted})
	guest.Labels = map[string]string{v1alpha1.LabelInvite: "friends"}
	copied := user(record{KeyID: "here", Seed: "old"})
	copied.Name = "mallory"
	for name, try := range map[string]struct {
		user    *v1alpha1.User
		account media.Account
		want    access.Tenure
	}{
		"made by Usher":                 {user(record{Origin: v1alpha1.OriginCreated}), media.Account{}, access.TenureNew},
		"adopted":                       {user(record{Origin: v1alpha1.OriginAdopted}), media.Account{}, access.TenureLong},
		"came by an Invite":             {guest, media.Account{}, access.TenureNew},
		"restored":                      {user(record{KeyID: "here", Seed: "old"}), media.Account{}, access.TenureLong},
		"signed for this very User":     {user(record{KeyID: "here", Seed: "new"}), media.Account{}, access.TenureNew},
		"a copy of another's record":    {copied, media.Account{}, access.TenureNew},
		"the server says, a month":      {user(record{}), media.Account{Created: now.AddDate(0, -1, 0)}, access.TenureLong},
		"the server says, an hour":      {user(record{}), media.Account{Created: now.Add(-time.Hour)}, access.TenureRecent},
		"the server says, in an hour":   {user(record{}), media.Account{Created: now.Add(time.Hour)}, access.TenureNew},
		"adopted, made an hour ago":     {user(record{Origin: v1alpha1.OriginAdopted}), media.Account{Created: now.Add(-time.Hour)}, access.TenureRecent},
		"adopted, as old as its User":   {user(record{Origin: v1alpha1.OriginAdopted}), media.Account{Created: now}, access.TenureNew},
		"the guest's account is a week": {guest, media.Account{Created: now.AddDate(0, 0, -7)}, access.TenureLong},
	} {
		try.account.ID = "ann"
		if got := r.tenure(home, try.user, try.account, true, now); got != try.want {
			t.Errorf("%s: has had it for %s, want %s", name, got, try.want)
		}
	}
}

// TestWhoCameTogetherIsCountedTogether: at no moment of their first two days are more shut out within a window than the limit.
func TestWhoCameTogetherIsCountedTogether(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	for _, turns := range []time.Duration{access.BrakeWindow, access.TenuresRemembered} {
		for _, before := range []time.Duration{time.Second, time.Minute, access.BrakeWindow - time.Second} {
			c, lost := newCrowd(), map[types.UID]time.Time{}
			for i := range 40 {
				c.comes(types.UID(fmt.Sprint("family", i)), made)
			}
			for now := made.Add(turns - before); now.Before(made.Add(turns + access.BrakeWindow)); now = now.Add(10 * time.Second) {
				for user, sees := range c.sees {
					if sees && c.shut(user, now) {
						lost[user] = now
					}
				}
				if n := within(lost, now); n > access.BrakeLimit(40) {
					t.Fatalf("%s after they came, %d of 40 were shut out within a window", now.Sub(made), n)
				}
			}
		}
	}
}

// TestTenuresAreForgotten: what is long past is not kept, however many come and go.
func TestTenuresAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	var b brake
	for i := range 20_000 {
		b.gave(viewer(types.UID(fmt.Sprint(i))), now.Add(time.Duration(i)*time.Minute))
	}
	if n := len(b.gained); n > 4000 {
		t.Errorf("%d are remembered, of 1440 a day", n)
	}
}
