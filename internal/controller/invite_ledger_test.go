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
	// recorded are the Redemptions, everybody all people who were ever imported: each of them is a User.
	recorded  []media.InviteUse
	everybody map[media.AccountID]bool
	// listedAgain: a look crashed, or a database came back that is no older one, so that the ledger lists people again who are
	// known. That these are Users tells who was taken back.
	listedAgain bool
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

// imports is what Usher does when it looks. It may crash before it has written what it recorded.
func (g *guestbook) imports(crash bool) {
	if g.record.imported(g.native()) {
		return
	}
	was := func(use media.InviteUse) bool { return g.everybody[use.Account] }
	fresh, next := ledger{record: g.record, native: g.native(), uses: g.uses, recorded: g.has, known: was, redemptions: len(g.recorded)}.unknown()
	for _, use := range fresh {
		if was(use) && !g.has(use) && !g.listedAgain {
			g.t.Fatalf("%s was taken back, and is to be recorded again", use.Account)
		}
		if !was(use) {
			g.recorded, g.everybody[use.Account] = append(g.recorded, use), true
		}
	}
	if crash {
		g.listedAgain = true
		return
	}
	g.record = next
}

// TestEverybodyWhoComesIsRecordedOnceAndCountsOnce: people come, databases come back, older and newer ones in turns, and
// Redemptions are deleted. After each look everybody whom the server lists was recorded, and everybody who ever was counts
// once.
func TestEverybodyWhoComesIsRecordedOnceAndCountsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &guestbook{t: t, now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), everybody: map[media.AccountID]bool{}}
		takenBack, crashed := false, false
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			g.now = g.now.Add(time.Minute)
			switch rapid.SampledFrom([]string{"come", "come", "look", "look", "backup", "restore", "restore", "take back", "crash"}).Draw(t, "step") {
			case "come":
				g.came++
				g.uses = append(slices.Clone(g.uses), media.InviteUse{Account: media.AccountID(fmt.Sprintf("account-%d", g.came)), At: g.now})
			case "backup":
				g.backups = append(g.backups, g.uses)
			case "restore": // what was looked at before it is what Usher can know
				g.imports(false)
				if len(g.backups) > 0 {
					before := g.uses
					g.uses = rapid.SampledFrom(g.backups).Draw(t, "which")
					older := len(g.uses) <= len(before) && digestOf(g.uses) == digestOf(before[:len(g.uses)])
					g.listedAgain = g.listedAgain || !older
				}
			case "take back":
				if len(g.recorded) > 0 {
					at := rapid.IntRange(0, len(g.recorded)-1).Draw(t, "which")
					g.recorded, takenBack = slices.Delete(g.recorded, at, at+1), true
				}
			case "crash":
				g.imports(true)
				crashed = true
			case "look":
				g.imports(false)
				g.check(takenBack && crashed)
			}
		}
	})
}

// check looks at what is counted. Who was recorded in a look that crashed, and taken back before the next, is seen by nobody.
func (g *guestbook) check(fewer bool) {
	for _, use := range g.uses {
		if !g.everybody[use.Account] {
			g.t.Fatalf("%s came and was never recorded; listed %v, record %+v", use.Account, g.uses, g.record)
		}
	}
	counted, came := g.counted(), len(g.everybody)
	if counted > came || (counted < came && !fewer) || counted < len(g.recorded) || counted < len(g.uses) {
		g.t.Fatalf("%d are counted (%d earlier), %d came, of whom %d have Redemptions; listed %v", counted, g.record.Earlier, came, len(g.recorded), g.uses)
	}
}

// TestAnAccountThatIsDeletedTakesNoUseBack: where the list of uses loses people whose account is gone, the server's count holds
// them still.
func TestAnAccountThatIsDeletedTakesNoUseBack(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	use := func(n int) media.InviteUse {
		return media.InviteUse{Account: media.AccountID(fmt.Sprint(n)), At: at.Add(time.Duration(n) * time.Minute)}
	}
	all := func(media.InviteUse) bool { return true }
	_, known := ledger{native: media.Invite{Uses: 2}, uses: []media.InviteUse{use(1), use(2)}, recorded: all, known: all, redemptions: 2}.unknown()
	none := func(u media.InviteUse) bool { return u.Account != "3" }
	fresh, next := ledger{record: known, native: media.Invite{Uses: 3}, uses: []media.InviteUse{use(2), use(3)}, recorded: none, known: none, redemptions: 2}.unknown()
	if len(fresh) != 1 || fresh[0].Account != "3" || next.Earlier != 0 || next.Imported != 3 {
		t.Errorf("fresh %v, record %+v", fresh, next)
	}
}

// TestAnInviteThatIsGoneKeepsItsCount: what was used up by it stays used up by the next.
func TestAnInviteThatIsGoneKeepsItsCount(t *testing.T) {
	if next := (record{Earlier: 2, Imported: 3, Uses: "3:x", LastUsedBy: "a"}).forget(1); next.Earlier != 5 || next.Imported != 0 || next.Uses != "" || next.LastUsedBy != "" {
		t.Errorf("%+v", next)
	}
	if next := (record{}).forget(4); next.Earlier != 4 {
		t.Errorf("Redemptions count where the record is lost: %+v", next)
	}
}
