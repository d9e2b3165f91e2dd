package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// The Shisho seed's table (lines 13 to 21), row by row: what Admin, Editor and Viewer may do. Its Viewer is the member
// and the guest here, and the owner may do all that an admin may.
var shishoTable = `
libraries | read write | read write | read
books     | read write | read write | read
series    | read write | read write | read
people    | read write | read write | read
users     | read write |            |
jobs      | read write |            |
config    | read write |            |`

func TestShishosTable(t *testing.T) {
	columns := map[rules.Role]int{rules.Owner: 1, rules.Admin: 1, rules.Editor: 2, rules.Member: 3, rules.Guest: 3}
	for role, column := range columns {
		var want []string
		for row := range strings.Lines(strings.TrimSpace(shishoTable)) {
			cells := strings.Split(row, "|")
			for _, operation := range strings.Fields(cells[column]) {
				want = append(want, fmt.Sprintf("{%s %s}", strings.TrimSpace(cells[0]), operation))
			}
		}
		if got := strings.Trim(fmt.Sprint(role.Pairs()), "[]"); got != strings.Join(want, " ") {
			t.Errorf("%s: %s, want %s", role, got, want)
		}
	}
}

func anyPairs(t *rapid.T, name string) []rules.Pair {
	all := rules.Owner.Pairs()
	return rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, len(all), rapid.ID).Draw(t, name)
}

// However a role is made: its pairs never add up to what takes a built-in role.
func TestNoPairsMakeAnAdministrator(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		actor := rules.Actor{ID: "x", Role: rules.Guest, Custom: &rules.Custom{Pairs: anyPairs(t, "pairs")}}
		for _, c := range []rules.Capability{
			rules.ManageServer, rules.DeleteServer, rules.ManageBilling, rules.CreateLibraries, rules.DeleteLibraries,
			rules.AccessAllLibraries, rules.ManagePrivacy, rules.ViewAuditLogs,
		} {
			if actor.Can(c) {
				t.Fatalf("%v gives %s", actor.Custom.Pairs, c)
			}
		}
		if !actor.Can(rules.ManageOwnProfile) {
			t.Fatal("somebody cannot manage their own profile")
		}
	})
}

// Who has a role of the server's own changes nobody who may do more, and makes nobody who may.
func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mine, theirs, wanted := anyPairs(t, "mine"), anyPairs(t, "theirs"), anyPairs(t, "wanted")
		actor := rules.Holding{Actor: rules.Actor{ID: "a", Role: rules.Guest, Custom: &rules.Custom{ID: "1", Pairs: mine}}}
		subject := rules.Subject{Holding: rules.Holding{Actor: rules.Actor{ID: "b", Role: rules.Guest, Custom: &rules.Custom{ID: "2", Pairs: theirs}}}}
		change := rules.AccountChange{
			Role: rules.Guest, Custom: &rules.Custom{ID: "3", Pairs: wanted},
			SetPassword: rapid.Bool().Draw(t, "password"), Delete: rapid.Bool().Draw(t, "delete"),
		}
		if rules.CheckAccountChange(actor, subject, change) != nil {
			return
		}
		for _, pair := range append(theirs, wanted...) {
			if !strings.Contains(fmt.Sprint(mine), fmt.Sprint(pair)) {
				t.Fatalf("%v was reached with %v", pair, mine)
			}
		}
	})
}

// Alcoves seed, lines 18 to 25: exactly one role in a library, and what it allows.
func TestRolesInALibrary(t *testing.T) {
	member := rules.Actor{ID: "m", Role: rules.Member}
	for _, c := range []struct {
		name    string
		in      rules.InLibrary
		role    rules.LibraryRole
		writes  bool
		governs bool
	}{
		{"viewer", rules.InLibrary{Actor: member, CreatedBy: "o", Granted: rules.Viewer}, rules.Viewer, false, false},
		{"all libraries", rules.InLibrary{Actor: member, CreatedBy: "o"}, rules.Viewer, false, false},
		{"library admin", rules.InLibrary{Actor: member, CreatedBy: "o", Granted: rules.LibraryAdmin}, rules.LibraryAdmin, true, true},
		{"library owner", rules.InLibrary{Actor: member, CreatedBy: "m"}, rules.LibraryOwner, true, true},
		{"editor", rules.InLibrary{Actor: rules.Actor{ID: "e", Role: rules.Editor}, CreatedBy: "o"}, rules.Viewer, true, false},
		{"admin", rules.InLibrary{Actor: rules.Actor{ID: "a", Role: rules.Admin}, CreatedBy: "o"}, rules.LibraryAdmin, true, true},
		{"personal", rules.InLibrary{Actor: member, CreatedBy: "m", Personal: true}, rules.LibraryOwner, true, false},
	} {
		if got := c.in.Role(); got != c.role {
			t.Errorf("%s: role %s", c.name, got)
		}
		if got := c.in.CheckWrite(rules.EditLibraries) == nil; got != c.writes {
			t.Errorf("%s: writes %v", c.name, got)
		}
		if got := c.in.CheckMembers() == nil; got != c.governs {
			t.Errorf("%s: changes members %v", c.name, got)
		}
	}
}

// Whatever anybody is: a library's owner stays, nobody removes themselves, and a personal library stays whole and private.
func TestWhatNoRoleInALibraryCanDo(t *testing.T) {
	id := rapid.StringMatching("[ab]")
	rapid.Check(t, func(t *rapid.T) {
		in := rules.InLibrary{
			Actor:     rules.Actor{ID: id.Draw(t, "actor"), Role: rapid.SampledFrom(rules.Roles()).Draw(t, "role")},
			CreatedBy: id.Draw(t, "createdBy"), Personal: rapid.Bool().Draw(t, "personal"),
			Granted: rapid.SampledFrom([]rules.LibraryRole{"", rules.Viewer, rules.LibraryAdmin}).Draw(t, "granted"),
		}
		member, remove := id.Draw(t, "member"), rapid.Bool().Draw(t, "remove")
		if in.CheckMemberChange(member, remove) == nil && (member == in.CreatedBy || member == in.Actor.ID) {
			t.Fatalf("%+v changes %s", in, member)
		}
		if in.Personal && (in.CheckDelete() == nil || in.CheckMembers() == nil || in.CheckSharing(false, true) == nil) {
			t.Fatalf("%+v: a personal library is deleted or shared", in)
		}
		if in.CheckDelete() == nil && in.Actor.Role != rules.Owner && in.Actor.ID != in.CreatedBy {
			t.Fatalf("%+v: somebody else's library is deleted", in)
		}
	})
}

func TestRoleNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"Librarian": true, "Owner": false, "ＡＤＭＩＮ": false, "viewer": false, "": false, " x": false, "a\nb": false,
		"Film Club 2.0": true, "kids-only_x": true, "-x": false, "x.": false,
		// They look like Admin, Owner, Editor, Member and Guest: Greek, Cyrillic, small capitals, dotless, accented, invisible.
		"ΑDMIN": false, "Αdmin": false, "Оwner": false, "Ownеr": false, "Еditor": false, "ᴀᴅᴍɪɴ": false, "admın": false, "Ádmin": false, "Mеmber": false,
		"Gu\u200best": false, "Adm\u0456n": false, "Bücher": false,
		strings.Repeat("x", 64): true, strings.Repeat("x", 65): false,
	} {
		if (rules.CheckRoleName(name) == "") != ok {
			t.Errorf("%q: %s", name, rules.CheckRoleName(name))
		}
	}
}
