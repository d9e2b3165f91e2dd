package controller

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/internal/media"
)

// guestbook is a server's invite whose database is put back now and then, and what Usher keeps of it.
type guestbook struct {
	t       *rapid.T
	now     time.Time
	came    int
	uses    []media.InviteUse
	backups [][]media.InviteUse
	record  record
	// recorded are the Redemptions, everybody all people who were ever imported, users those of them who are Users still.
	recorded         []media.InviteUse
	everybody, users map[media.AccountID]bool
	// crashed are those whom only a look recorded that crashed: that they came is known by their Redemptions alone.
	crashed map[media.AccountID]bool
}

func newGuestbook(t *rapid.T) *guestbook {
	return &guestbook{
		t: t, now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC),
		everybody: map[media.AccountID]bool{}, users: map[media.AccountID]bool{}, crashed: map[media.AccountID]bool{},
	}
}

// counted is how many people Usher says have come.
func (g *guestbook) counted() int { return g.record.came(len(g.uses), len(g.recorded)) }

func (g *guestbook) native() media.Invite {
	native := media.Invite{ID: "invite", Uses: len(g.uses)}
	if len(g.uses) > 0 {
		native.LastUsedBy = g.uses[len(g.uses)-1].Account
	}
	return native
}

func (g *guestbook) has(use media.InviteUse) bool {
	return slices.ContainsFunc(g.recorded, func(one media.InviteUse) bool { return one.Account == use.Account && one.At.Equal(use.At) })
}

// keys name the Redemptions.
func (g *guestbook) keys() (keys []useKey) {
	for _, use := range g.recorded {
		keys = append(keys, useKeyOf(use.Account, use.At))
	}
	return keys
}

// imports is what Usher does when it looks. It may crash before it has written what it recorded.
func (g *guestbook) imports(crash bool) {
	if g.record.imported(g.native()) {
		return
	}
	known := func(use media.InviteUse) bool { return g.has(use) || g.users[use.Account] }
	fresh, next := ledger{record: g.record, native: g.native(), uses: g.uses, recorded: g.has, known: known, redemptions: g.keys(), now: g.now}.unknown()
	for _, use := range fresh {
		if g.everybody[use.Account] && !g.has(use) && !g.crashed[use.Account] {
			g.t.Fatalf("%s was taken back, and is to be recorded again", use.Account)
		}
		if !known(use) {
			g.recorded = append(g.recorded, use)
		}
		g.everybody[use.Account], g.users[use.Account], g.crashed[use.Account] = true, true, true
	}
	if crash {
		return
	}
	g.record = next
	for _, use := range g.uses {
		delete(g.crashed, use.Account)
	}
}

// stray is somebody who comes by a link that is not the record's, and is imported before it is removed.
func (g *guestbook) stray() {
	g.came++
	use := media.InviteUse{Account: media.AccountID(fmt.Sprintf("account-%d", g.came)), At: g.now}
	g.record = g.record.countStray(g.now, useKeyOf(use.Account, use.At))
	g.recorded = append(g.recorded, use)
	g.everybody[use.Account], g.users[use.Account] = true, true
}

// lose deletes the link on the server, and Usher makes another.
func (g *guestbook) lose() {
	g.record, g.uses = g.record.forget(0, g.keys(), g.now), nil
}

// takeBack deletes a Redemption, and the User as well or not.
func (g *guestbook) takeBack(at int, user bool) {
	use := g.recorded[at]
	g.recorded = slices.Delete(g.recorded, at, at+1)
	if user {
		delete(g.users, use.Account)
	}
}

// TestEverybodyWhoComesIsRecordedOnceAndCountsOnce: people come, also by links from before, databases come back in any order,
// looked at in between or not, links are lost and made again, and Redemptions are deleted. After each look everybody whom the
// server lists was recorded, and everybody who ever was counts once. Nobody who was taken back is recorded again.
func TestEverybodyWhoComesIsRecordedOnceAndCountsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGuestbook(t)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			g.now = g.now.Add(time.Minute)
			switch rapid.SampledFrom([]string{"come", "come", "look", "look", "backup", "backup", "restore", "restore", "take back", "crash", "stray", "lose"}).Draw(t, "step") {
			case "stray":
				g.stray()
			case "lose":
				g.lose()
				g.check()
			case "come":
				g.came++
				g.uses = append(slices.Clone(g.uses), media.InviteUse{Account: media.AccountID(fmt.Sprintf("account-%d", g.came)), At: g.now})
			case "backup":
				g.backups = append(g.backups, g.uses)
			case "restore":
				if len(g.backups) > 0 {
					g.uses = rapid.SampledFrom(g.backups).Draw(t, "which")
				}
			case "take back":
				if len(g.recorded) > 0 {
					g.takeBack(rapid.IntRange(0, len(g.recorded)-1).Draw(t, "which"), rapid.Bool().Draw(t, "the User as well"))
				}
			case "crash":
				g.imports(true)
			case "look":
				g.imports(false)
				g.check()
			}
		}
	})
}

// check looks at what is counted.
func (g *guestbook) check() {
	for _, use := range g.uses {
		if !g.everybody[use.Account] {
			g.t.Fatalf("%s came and was never recorded; listed %v, record %+v", use.Account, g.uses, g.record)
		}
	}
	counted, came := g.counted(), len(g.everybody)
	if counted > came || counted < came-len(g.crashed) || counted < len(g.recorded) || counted < len(g.uses) {
		g.t.Fatalf("%d are counted (%d earlier), %d came, of whom %d have Redemptions; listed %v", counted, g.record.Earlier, came, len(g.recorded), g.uses)
	}
}

// TestAnAccountThatIsDeletedTakesNoUseBack: where the list of uses loses people whose account is gone, the server's count holds
// them still.
func TestAnAccountThatIsDeletedTakesNoUseBack(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	later := at.Add(time.Hour)
	use := func(n int) media.InviteUse {
		return media.InviteUse{Account: media.AccountID(fmt.Sprint(n)), At: at.Add(time.Duration(n) * time.Minute)}
	}
	all := func(media.InviteUse) bool { return true }
	_, known := ledger{native: media.Invite{Uses: 2}, uses: []media.InviteUse{use(1), use(2)}, recorded: all, known: all, redemptions: make([]useKey, 2), now: later}.unknown()
	none := func(u media.InviteUse) bool { return u.Account != "3" }
	fresh, next := ledger{record: known, native: media.Invite{Uses: 3}, uses: []media.InviteUse{use(2), use(3)}, recorded: none, known: none, redemptions: make([]useKey, 2), now: later}.unknown()
	if len(fresh) != 1 || fresh[0].Account != "3" || next.Earlier != 0 || next.Imported != 3 {
		t.Errorf("fresh %v, record %+v", fresh, next)
	}
}

// manyUses are so many uses, one a minute, of which the first is the number first.
func manyUses(first, n int) (uses []media.InviteUse) {
	for i := range n {
		at := time.Date(2026, 6, 1, 12, first+i, 0, 345_678_000, time.UTC)
		uses = append(uses, media.InviteUse{Account: media.AccountID(fmt.Sprint("account-", first+i)), At: at})
	}
	return uses
}

// TestARecordNamesABoundedNumberOfUses: of more uses than it has room for it names the newest, and counts those until then as
// imported. Each counts once all the same.
func TestARecordNamesABoundedNumberOfUses(t *testing.T) {
	none := func(media.InviteUse) bool { return false }
	uses := manyUses(0, maxUseKeys+10)
	look := func(r record, uses []media.InviteUse) ([]media.InviteUse, record) {
		native := media.Invite{Uses: len(uses), LastUsedBy: uses[len(uses)-1].Account}
		return ledger{record: r, native: native, uses: uses, recorded: none, known: none, now: uses[len(uses)-1].At.Add(maxUseKeys * time.Hour)}.unknown()
	}
	fresh, known := look(record{}, uses)
	if len(fresh) != len(uses) || len(unpackUses(known.UseKeys)) != maxUseKeys || known.UsesUntil.Truncate(time.Second) != uses[9].At.Truncate(time.Second) {
		t.Fatalf("%d are new, %d are named, and those until %s", len(fresh), len(unpackUses(known.UseKeys)), known.UsesUntil)
	}
	if size := len(known.UseKeys); size > 32<<10 {
		t.Errorf("%d bytes", size)
	}
	if again, next := look(known, append(uses[:len(uses):len(uses)], manyUses(len(uses), 1)...)); len(again) != 1 || next.came(len(uses)+1, 0) != len(uses)+1 {
		t.Errorf("one more: %d are new, %d came", len(again), next.came(len(uses)+1, 0))
	}
	for _, older := range []int{5, 100} {
		if again, next := look(known, uses[:older]); len(again) != 0 || next.came(older, 0) != len(uses) {
			t.Errorf("a database with %d: %d are new, %d came", older, len(again), next.came(older, 0))
		}
	}
}

// TestARecordFromBeforeUsesWereNamedIsUnderstood: what was imported by an earlier version stays so, and counts once.
func TestARecordFromBeforeUsesWereNamedIsUnderstood(t *testing.T) {
	uses := manyUses(0, 5)
	before := record{Imported: 2, Uses: digestOf(uses[:2]), LastUsedBy: string(uses[1].Account), LastUse: uses[1].At}
	recorded := func(use media.InviteUse) bool { return use.Account == uses[0].Account } // the other's was taken back
	look := func(r record, uses []media.InviteUse) ([]media.InviteUse, record) {
		return ledger{record: r, native: media.Invite{Uses: len(uses)}, uses: uses, recorded: recorded, known: recorded, redemptions: []useKey{useKeyOf(uses[0].Account, uses[0].At)}, now: before.LastUse.Add(time.Hour)}.unknown()
	}
	for name, c := range map[string]struct {
		listed           []media.InviteUse
		fresh, came, all int
	}{
		"one more":             {uses[:3], 1, 3, 3},
		"an older database":    {uses[:1], 0, 2, 2},
		"another one, and new": {uses[2:3], 1, 3, 3},
	} {
		fresh, next := look(before, c.listed)
		if len(fresh) != c.fresh || next.came(len(c.listed), 1) != c.came || !next.namesUses() || next.Uses != "" {
			t.Errorf("%s: %d are new, %d came, record %+v", name, len(fresh), next.came(len(c.listed), 1), next)
		}
		again, last := look(next, uses[:3]) // the newest database of all
		for _, use := range again {
			if use.Account == uses[1].Account {
				t.Errorf("%s: who was taken back is to be recorded again", name)
			}
		}
		if last.came(3, 1) != 3 {
			t.Errorf("%s, and all of them: %d came", name, last.came(3, 1))
		}
	}
}

// TestAnInviteThatIsGoneKeepsItsCount: what was used up by it stays used up by the next.
func TestAnInviteThatIsGoneKeepsItsCount(t *testing.T) {
	if next := (record{Earlier: 2, Imported: 3, Uses: "3:x", LastUsedBy: "a"}).forget(0, make([]useKey, 1), time.Now()); next.Earlier != 5 || next.Imported != 0 || next.Uses != "" || next.LastUsedBy != "" {
		t.Errorf("%+v", next)
	}
	if next := (record{}).forget(0, make([]useKey, 4), time.Now()); next.Earlier != 4 {
		t.Errorf("Redemptions count where the record is lost: %+v", next)
	}
}

// TestALinkThatIsGoneCountsWhoWasNotImported: by what the server counted, and by the Redemptions of a reconcile that did not end, but
// each once, also when they are looked at again.
func TestALinkThatIsGoneCountsWhoWasNotImported(t *testing.T) {
	uses := manyUses(0, 4)
	now := uses[3].At.Add(time.Hour)
	keys := ledger{uses: uses}.listed()
	known := record{Imported: 2}.name(now, keys[:2]...)
	for name, c := range map[string]struct{ counted, redemptions, earlier int }{
		"nothing more": {0, 2, 2}, "one that was not recorded": {3, 2, 3}, "one that was": {3, 3, 3}, "on a server that does not tell": {0, 3, 3}, "another besides": {4, 3, 4},
	} {
		next := known.forget(c.counted, keys[:c.redemptions], now)
		_, again := ledger{record: next, recorded: func(media.InviteUse) bool { return true }, redemptions: keys[:c.redemptions], now: now}.unknown()
		if next.Earlier != c.earlier || again.Earlier != c.earlier {
			t.Errorf("%s: %d came, and %d at the next look, want %d", name, next.Earlier, again.Earlier, c.earlier)
		}
	}
}

// TestAStrayIsNamedWhereAllOthersAre: a record from before uses were named goes on knowing which it has imported.
func TestAStrayIsNamedWhereAllOthersAre(t *testing.T) {
	uses := manyUses(0, 3)
	now, stray := uses[2].At.Add(time.Hour), useKeyOf(uses[2].Account, uses[2].At)
	if next := (record{}).countStray(now, stray); next.Earlier != 1 || !next.names(stray) {
		t.Errorf("a new record: %+v", next)
	}
	before := record{Imported: 2, Uses: digestOf(uses[:2]), LastUse: uses[1].At}
	if next := before.countStray(now, stray); next.Earlier != 1 || next.namesUses() || next.Uses != before.Uses {
		t.Errorf("a record from before: %+v", next)
	}
}

// TestAClockThatWasAheadHidesNobody: whoever comes after a server's clock was put right is imported, though those before came later
// by that clock; and nobody of these is imported again.
func TestAClockThatWasAheadHidesNobody(t *testing.T) {
	now := time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	none := func(media.InviteUse) bool { return false }
	guest := func(name string, at time.Time) media.InviteUse {
		return media.InviteUse{Account: media.AccountID(name), At: at}
	}
	look := func(r record, now time.Time, uses ...media.InviteUse) ([]media.InviteUse, record) {
		return ledger{record: r, native: media.Invite{Uses: len(uses)}, uses: uses, recorded: none, known: none, now: now}.unknown()
	}
	ahead, many := manyUses(0, 3), manyUses(0, maxUseKeys+1)
	for name, c := range map[string]struct {
		before record
		listed []media.InviteUse
		behind time.Duration
	}{
		"a record from before":                      {record{Imported: 3, Uses: digestOf(ahead), LastUse: ahead[2].At}, ahead, time.Hour},
		"a record from before, of another database": {record{Imported: 3, Uses: "3:other", LastUse: ahead[2].At}, ahead[:1], -time.Minute},
		"more than a record names":                  {record{}, many, -time.Minute},
	} {
		_, r := look(c.before, now, c.listed...)
		uses := append(slices.Clone(c.listed), guest("late", now.Add(-c.behind)))
		fresh, next := look(r, now.Add(2*time.Minute), uses...)
		if !slices.ContainsFunc(fresh, func(use media.InviteUse) bool { return use.Account == "late" }) {
			t.Errorf("%s: who came after the clock was put right is overlooked until %s", name, r.UsesUntil)
		}
		if len(c.listed) <= maxUseKeys && (len(fresh) != 1 || next.UsesUntil.After(now)) {
			t.Errorf("%s: %d are new; until %s", name, len(fresh), next.UsesUntil)
		}
	}
}
