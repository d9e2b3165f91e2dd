package rules_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

func anyHolding(t *rapid.T, name string) rules.Holding {
	h := rules.Holding{All: rapid.Bool().Draw(t, name+" all"), Libraries: map[string]rules.LibraryRole{}}
	if h.Role = rapid.SampledFrom(append(rules.Roles(), "")).Draw(t, name+" role"); h.Role == rules.Guest && rapid.Bool().Draw(t, name+" custom") {
		h.Custom = &rules.Custom{ID: "c", Pairs: anyPairs(t, name)}
	}
	for _, library := range []string{"a", "b", "c"} {
		role := rapid.SampledFrom([]rules.LibraryRole{"", rules.Viewer, rules.LibraryAdmin, rules.LibraryOwner}).Draw(t, name+" in "+library)
		if role != "" {
			h.Libraries[library] = role
		}
	}
	return h
}

var capabilitiesOfAll = []rules.Capability{
	rules.ManageServer, rules.DeleteServer, rules.ManageBilling, rules.InviteUsers, rules.ManageUsers, rules.AssignRoles, rules.RemoveUsers,
	rules.CreateLibraries, rules.DeleteLibraries, rules.ScanLibraries, rules.ManageMetadata, rules.AccessAllLibraries, rules.ShareLibraries,
	rules.ManageSettings, rules.ManagePrivacy, rules.ViewAuditLogs, rules.BrowseMedia, rules.EditLibraries, rules.ReadBooks, rules.ReadSeries,
	rules.ReadPeople, rules.EditSeries, rules.EditPeople, rules.ViewUsers, rules.ViewJobs, rules.ViewSettings,
}

// covered says in other words than the rule's own that one has all that the other has.
func covered(one, other rules.Holding) error {
	for _, capability := range capabilitiesOfAll {
		if other.Can(capability) && !one.Can(capability) {
			return fmt.Errorf("%s is more", capability)
		}
	}
	if other.All && !one.All && !one.Administers() {
		return fmt.Errorf("all libraries are more")
	}
	order := map[rules.LibraryRole]int{rules.Viewer: 1, rules.LibraryAdmin: 2, rules.LibraryOwner: 3}
	for library, role := range other.Libraries {
		mine := order[one.Libraries[library]]
		if mine == 0 && one.All {
			mine = 1
		}
		if mine < order[role] && !one.Administers() {
			return fmt.Errorf("%s in %s is more", role, library)
		}
	}
	return nil
}

// On whatever path: what is handed on, and whom it reaches, is no more than the giver has; and only the owner makes, unmakes or
// becomes an admin.
func TestNobodyHandsOnMoreThanTheyHave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		giver, gift, receiver := anyHolding(t, "giver"), anyHolding(t, "gift"), anyHolding(t, "receiver")
		path := rapid.SampledFrom(rules.Paths()).Draw(t, "path")
		if rules.HandOn(giver, path, gift, receiver) != nil {
			return
		}
		for name, other := range map[string]rules.Holding{"gift": gift, "receiver": receiver} {
			if err := covered(giver, other); err != nil {
				t.Fatalf("%s: the %s: %v", path, name, err)
			}
		}
		if path == rules.ResetPassword && receiver.Administers() && giver.Role != rules.Owner {
			t.Fatal("somebody but the owner signs in as an admin")
		}
	})
}

// A link gives what its maker may still give, and nothing else.
func TestLinksGiveWhatTheirMakersMayGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		maker, gift := anyHolding(t, "maker"), anyHolding(t, "gift")
		gift.All = false
		left, gives := rules.StillGives(maker, rules.MakeInvite, gift)
		if !gives {
			return
		}
		if rules.HandOn(maker, rules.MakeInvite, left, rules.Holding{}) != nil {
			t.Fatalf("gives %+v", left)
		}
		for library, role := range left.Libraries {
			if gift.Libraries[library] != role {
				t.Fatalf("gives %s in %s, which was not promised", role, library)
			}
		}
	})
}

// The rule is one function with one table: no handler compares roles by itself.
func TestNoHandlerComparesRoles(t *testing.T) {
	entries, err := os.ReadDir("../httpapi")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile("../httpapi/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for number, line := range strings.Split(string(text), "\n") {
			for _, comparison := range []string{
				".Role == rules.", ".Role != rules.", "role == rules.", "role != rules.", "case rules.Owner", "case rules.Admin", ".Administers()", ".Pairs()...",
				"HigherLibraryRole", ".Custom ==",
			} {
				if strings.Contains(line, comparison) && !strings.HasSuffix(entry.Name(), "_test.go") {
					t.Errorf("%s:%d compares roles: %s", entry.Name(), number+1, strings.TrimSpace(line))
				}
			}
		}
	}
}
