package media

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func testInventory() *Inventory {
	return newInventory(Traits{FoldUsername: strings.ToLower})
}

func account(id, name string) Account { return Account{ID: AccountID(id), Username: name} }

var noon = time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC)

func TestAListingBegunBeforeAWriteDoesNotUndoIt(t *testing.T) {
	inventory := testInventory()
	before := inventory.begin(noon)
	inventory.recordAccount(Account{ID: "1", Username: "ann", Disabled: true})
	inventory.recordAccount(account("2", "bob"))
	inventory.removeAccount("3")
	stale := Listing{Accounts: []Account{account("1", "ann"), account("3", "eve")}}

	inventory.apply(before, stale)
	if ann, _ := inventory.Account("1"); !ann.Disabled {
		t.Error("a listing undid a write that it was begun before")
	}
	if _, found := inventory.Account("2"); !found {
		t.Error("a listing removed what was made after it was begun")
	}
	if _, found := inventory.Account("3"); found {
		t.Error("a listing brought back what was deleted after it was begun")
	}

	inventory.apply(inventory.begin(noon), stale)
	if ann, _ := inventory.Account("1"); ann.Disabled {
		t.Error("a later listing did not count")
	}
	if _, found := inventory.Account("3"); !found {
		t.Error("a later listing did not bring an account back")
	}
}

func TestAbsenceNeedsTwoListings(t *testing.T) {
	inventory := testInventory()
	list := func(at time.Time, accounts ...Account) {
		inventory.apply(inventory.begin(at), Listing{Accounts: accounts})
	}
	absent := func(after time.Time) bool { return inventory.AccountAbsent("1", after) }
	if absent(time.Time{}) {
		t.Error("absent before anything was listed")
	}
	list(noon, account("1", "ann"))
	if absent(time.Time{}) {
		t.Error("absent though it is there")
	}
	list(noon.Add(time.Minute))
	if absent(time.Time{}) {
		t.Error("absent after one listing without it")
	}
	list(noon.Add(2 * time.Minute))
	if !absent(time.Time{}) {
		t.Error("not absent after two listings without it")
	}
	if absent(noon.Add(time.Minute)) {
		t.Error("absent by a listing begun too early")
	}
	list(noon.Add(3*time.Minute), account("1", "ann"))
	if absent(time.Time{}) {
		t.Error("absent though it came back")
	}
}

func TestNeverSeenIsAbsentAfterTwoListings(t *testing.T) {
	inventory := testInventory()
	inventory.apply(inventory.begin(noon), Listing{})
	if inventory.LibraryAbsent("1", time.Time{}) {
		t.Error("absent after one listing")
	}
	inventory.apply(inventory.begin(noon), Listing{})
	if !inventory.LibraryAbsent("1", time.Time{}) {
		t.Error("not absent after two")
	}
}

func TestAnOlderListingDoesNotCount(t *testing.T) {
	inventory := testInventory()
	older, newer := inventory.begin(noon), inventory.begin(noon.Add(time.Minute))
	inventory.apply(newer, Listing{Accounts: []Account{account("1", "ann")}})
	inventory.apply(older, Listing{Accounts: []Account{account("2", "bob")}})
	if _, found := inventory.Account("1"); !found || !inventory.Listed().Equal(noon.Add(time.Minute)) {
		t.Errorf("an older listing replaced a newer one, of %s", inventory.Listed())
	}
	if inventory.AccountAbsent("2", time.Time{}) {
		t.Error("a listing that does not count was counted")
	}
}

func TestAReadBegunBeforeAWriteDoesNotUndoIt(t *testing.T) {
	inventory := testInventory()
	read, list := inventory.begin(noon), inventory.begin(noon)
	inventory.recordAccount(Account{ID: "1", Username: "ann", Disabled: true})
	inventory.removeAccount("2")
	inventory.observeAccount(read, account("1", "ann"))
	inventory.observeAccount(read, account("2", "bob"))
	if ann, _ := inventory.Account("1"); !ann.Disabled {
		t.Error("a read undid a write that it was begun before")
	}
	if _, found := inventory.Account("2"); found {
		t.Error("a read brought back what was deleted after it was begun")
	}
	inventory.observeAccount(inventory.begin(noon), account("1", "ann"))
	inventory.apply(list, Listing{Accounts: []Account{{ID: "1", Username: "ann", Disabled: true}}})
	if ann, _ := inventory.Account("1"); ann.Disabled {
		t.Error("a listing undid a read that was begun after it")
	}
}

// What is remembered of things that are gone does not grow for ever.
func TestTheInventoryForgets(t *testing.T) {
	inventory := testInventory()
	for i := range 20 {
		inventory.apply(inventory.begin(noon), Listing{Accounts: []Account{account(strconv.Itoa(i), "ann")}})
	}
	if n := len(inventory.accounts.missing); n > rememberGone+1 {
		t.Errorf("%d accounts that are gone are remembered", n)
	}
	if !inventory.AccountAbsent("1", time.Time{}) || inventory.AccountAbsent("18", time.Time{}) {
		t.Error("absent after one listing, or not after two")
	}
}

func TestNamesFollowTheirAccounts(t *testing.T) {
	inventory := testInventory()
	inventory.apply(inventory.begin(noon), Listing{Accounts: []Account{account("1", "Ann"), account("2", "ANN")}})
	if n := len(inventory.AccountsNamed("ann")); n != 2 {
		t.Errorf("%d accounts are named ann, want the twins", n)
	}
	inventory.recordAccount(account("2", "Bob"))
	if ann, bob := inventory.AccountsNamed("ann"), inventory.AccountsNamed("bob"); len(ann) != 1 || len(bob) != 1 || bob[0].ID != "2" {
		t.Errorf("after a rename: %v and %v", ann, bob)
	}
}

// TestInventoryAgreesWithAModel runs listings and writes in any overlap against a plain model of the rule: what a
// listing says of an object counts if and only if Usher has not written the object since the listing was begun, and no
// listing that was begun later has ended before.
func TestInventoryAgreesWithAModel(t *testing.T) {
	type entry struct {
		name    string
		there   bool
		written int
	}
	rapid.Check(t, func(t *rapid.T) {
		inventory, model := testInventory(), map[AccountID]entry{}
		var open []ticket
		var begun []int
		clock, newest := 0, 0
		ids := rapid.SampledFrom([]AccountID{"1", "2", "3"})
		names := rapid.SampledFrom([]string{"ann", "bob"})
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				clock++
				open, begun = append(open, inventory.begin(noon)), append(begun, clock)
			},
			"finish": func(t *rapid.T) {
				if len(open) == 0 {
					t.Skip("no listing is under way") // rapid draws another step: no test is skipped
				}
				var listing Listing
				listed := map[AccountID]string{}
				for _, id := range []AccountID{"1", "2", "3"} {
					if rapid.Bool().Draw(t, "listed") {
						listed[id] = names.Draw(t, "name")
						listing.Accounts = append(listing.Accounts, Account{ID: id, Username: listed[id]})
					}
				}
				n := rapid.IntRange(0, len(open)-1).Draw(t, "which ends")
				inventory.apply(open[n], listing)
				for _, id := range []AccountID{"1", "2", "3"} {
					if e := model[id]; e.written <= begun[n] && begun[n] > newest {
						name, there := listed[id]
						model[id] = entry{name, there, e.written}
					}
				}
				newest = max(newest, begun[n])
				open, begun = slices.Delete(open, n, n+1), slices.Delete(begun, n, n+1)
			},
			"write": func(t *rapid.T) {
				clock++
				id, name := ids.Draw(t, "id"), names.Draw(t, "name")
				inventory.recordAccount(Account{ID: id, Username: name})
				model[id] = entry{name, true, clock}
			},
			"remove": func(t *rapid.T) {
				clock++
				id := ids.Draw(t, "id")
				inventory.removeAccount(id)
				model[id] = entry{"", false, clock}
			},
			"": func(t *rapid.T) {
				for _, id := range []AccountID{"1", "2", "3"} {
					got, found := inventory.Account(id)
					if want := model[id]; found != want.there || got.Username != want.name {
						t.Fatalf("account %s: %q %t, want %q %t", id, got.Username, found, want.name, want.there)
					}
				}
			},
		})
	})
}
