package media

import "testing"

func TestAnInventoryKnowsAtWhichLookAnAccountChanged(t *testing.T) {
	inventory := testInventory()
	list := func(accounts ...Account) { inventory.apply(inventory.begin(noon), Listing{Accounts: accounts}) }
	want := func(id AccountID, listing int) {
		t.Helper()
		if got := inventory.AccountChanged(id); got != listing {
			t.Errorf("account %s changed at look %d, want %d", id, got, listing)
		}
	}
	list(account("1", "ann"), account("2", "bob"), account("3", "cat"), account("4", "dan"))
	list(account("1", "ann"), account("2", "bobby"), account("3", "Cat"))
	want("1", 1)
	want("2", 2)
	want("3", 1) // the server takes both spellings for one name
	want("4", 2)
	list(account("1", "ann"), account("2", "bobby"), account("3", "cat"))
	want("2", 2)
	want("4", 2) // also when it is missing beyond doubt

	// What a call about one account says is no look at all of them.
	inventory.observeAccount(inventory.begin(noon), account("1", "zed"))
	want("1", 0)
	inventory.recordAccount(Account{ID: "2", Username: "bobby", Disabled: true})
	want("2", 2)
	list(account("1", "zed"), account("2", "bobby"), account("3", "cat"), account("4", "dan"))
	want("1", 4)
	want("4", 4)
	if inventory.Listings() != 4 {
		t.Errorf("%d looks", inventory.Listings())
	}
}
