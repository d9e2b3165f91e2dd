package media

import (
	"cmp"
	"iter"
	"sync"
	"time"
)

// Inventory is what a server had when it was last listed, with Usher's own later writes on top. Every reconcile
// compares with it instead of asking the server. Safe for concurrent use.
//
// Every entry carries the sequence number of Usher's last write to it, so that a listing that was begun before
// that write never undoes it.
type Inventory struct {
	mu        sync.RWMutex
	sequence  uint64
	accounts  *table[AccountID, Account]
	libraries *table[LibraryID, Library]
	// began holds when the last two complete listings were begun, the newest last.
	began [2]time.Time
	// listings counts the complete ones.
	listings int
	// disabled holds the number of the first complete listing since which an account is disabled.
	disabled map[AccountID]int
	// applied is the sequence number of the newest listing that was begun and counted.
	applied uint64
	// common holds accesses that accounts have in common, each kept once. Nobody changes what comes from an Inventory.
	common map[string]Access
}

// maxCommon bounds what Inventory.common remembers.
const maxCommon = 1024

func newInventory(traits Traits) *Inventory {
	return &Inventory{
		common: map[string]Access{}, disabled: map[AccountID]int{},
		accounts: newTable(
			func(a Account) AccountID { return a.ID },
			func(a Account) string { return traits.FoldUsername(a.Username) }),
		libraries: newTable(
			func(l Library) LibraryID { return l.ID },
			func(l Library) string { return l.Name }),
	}
}

// ticket marks the moment when a listing was begun.
type ticket struct {
	sequence uint64
	began    time.Time
}

func (i *Inventory) begin(now time.Time) ticket {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sequence++
	return ticket{sequence: i.sequence, began: now}
}

// apply takes a complete listing, unless one that was begun later is here already: that one knows better.
func (i *Inventory) apply(t ticket, listing Listing) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if t.sequence < i.applied {
		return
	}
	i.applied = t.sequence
	i.listings++
	i.began = [2]time.Time{i.began[1], t.began}
	disabled := map[AccountID]int{}
	for n := range listing.Accounts {
		if account := listing.Accounts[n]; account.Disabled {
			disabled[account.ID] = cmp.Or(i.disabled[account.ID], i.listings)
		}
		listing.Accounts[n] = i.sharing(listing.Accounts[n])
	}
	i.disabled = disabled
	i.accounts.apply(t.sequence, i.listings, listing.Accounts)
	i.libraries.apply(t.sequence, i.listings, listing.Libraries)
}

// sharing returns an account whose access is one with that of others who have the same.
func (i *Inventory) sharing(account Account) Account {
	key := account.Access.key()
	known, found := i.common[key]
	if !found {
		if len(i.common) >= maxCommon {
			clear(i.common)
		}
		known, i.common[key] = account.Access, account.Access
	}
	account.Access = known
	return account
}

func (i *Inventory) recordAccount(account Account) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sequence++
	i.accounts.put(i.sharing(account), i.sequence)
}

// observeAccount takes what a live read said that was begun at a ticket: not over a later write of our own.
func (i *Inventory) observeAccount(t ticket, account Account) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.accounts.observe(i.sharing(account), t.sequence)
}

// observeLibrary is observeAccount for a library.
func (i *Inventory) observeLibrary(t ticket, library Library) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.libraries.observe(library, t.sequence)
}

func (i *Inventory) removeAccount(id AccountID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sequence++
	i.accounts.remove(id, i.sequence)
}

func (i *Inventory) recordLibrary(library Library) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sequence++
	i.libraries.put(library, i.sequence)
}

func (i *Inventory) removeLibrary(id LibraryID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sequence++
	i.libraries.remove(id, i.sequence)
}

// Account returns one account.
func (i *Inventory) Account(id AccountID) (Account, bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.accounts.get(id)
}

// AccountsNamed returns the accounts whose username folds to the same, mostly one or none.
func (i *Inventory) AccountsNamed(folded string) []Account {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.accounts.named(folded)
}

// Accounts returns all accounts, in no order.
func (i *Inventory) Accounts() []Account {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.accounts.all()
}

// All yields all accounts, in no order, without copying them first. Nothing else may be asked of the Inventory meanwhile.
func (i *Inventory) All() iter.Seq[Account] {
	return func(yield func(Account) bool) {
		i.mu.RLock()
		defer i.mu.RUnlock()
		for _, e := range i.accounts.entries {
			if !yield(e.value) {
				return
			}
		}
	}
}

// Library returns one library.
func (i *Inventory) Library(id LibraryID) (Library, bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.libraries.get(id)
}

// Libraries returns all libraries, in no order.
func (i *Inventory) Libraries() []Library {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.libraries.all()
}

// LibrariesNamed returns the libraries of exactly that name; names are not unique on every server.
func (i *Inventory) LibrariesNamed(name string) []Library {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.libraries.named(name)
}

// Counts returns the number of accounts and of libraries.
func (i *Inventory) Counts() (accounts, libraries int) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return len(i.accounts.entries), len(i.libraries.entries)
}

// Listed returns when the newest complete listing was begun; the zero time when there is none.
func (i *Inventory) Listed() time.Time {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.began[1]
}

// AccountAbsent says whether an account is missing beyond doubt: from two complete listings, both begun after a moment.
func (i *Inventory) AccountAbsent(id AccountID, after time.Time) bool {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.absent(i.accounts.missingSince(id), after)
}

// AccountChanged is the number of the complete listing since which an account has the name that it has, or is missing: two
// with the same number changed at one look. 0 while no listing has shown that name, but only a call about that account.
func (i *Inventory) AccountChanged(id AccountID) int {
	i.mu.RLock()
	defer i.mu.RUnlock()
	if e, found := i.accounts.entries[id]; found {
		return e.named
	}
	return i.accounts.missingSince(id)
}

// AccountDisabled is the number of the complete listing since which an account is listed as disabled; 0 for one that is not.
func (i *Inventory) AccountDisabled(id AccountID) int {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.disabled[id]
}

// Listings counts the complete listings.
func (i *Inventory) Listings() int {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.listings
}

// LibraryAbsent says the same of a library.
func (i *Inventory) LibraryAbsent(id LibraryID, after time.Time) bool {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.absent(i.libraries.missingSince(id), after)
}

// absent takes the number of the first listing without the object, 0 for an object that is there.
func (i *Inventory) absent(missingSince int, after time.Time) bool {
	return missingSince > 0 && i.listings > missingSince && i.began[0].After(after)
}
