package media

import (
	"maps"
	"slices"
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
	// applied is the sequence number of the newest listing that was begun and counted.
	applied uint64
}

func newInventory(traits Traits) *Inventory {
	return &Inventory{
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
	i.accounts.apply(t.sequence, i.listings, listing.Accounts)
	i.libraries.apply(t.sequence, i.listings, listing.Libraries)
}

func (i *Inventory) recordAccount(account Account) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sequence++
	i.accounts.put(account, i.sequence)
}

// observeAccount takes what a live read said that was begun at a ticket: not over a later write of our own.
func (i *Inventory) observeAccount(t ticket, account Account) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.accounts.observe(account, t.sequence)
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

// Library returns one library.
func (i *Inventory) Library(id LibraryID) (Library, bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.libraries.get(id)
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

// table holds one kind of object of a server.
type table[ID comparable, V any] struct {
	id      func(V) ID
	name    func(V) string
	entries map[ID]entry[V]
	byName  map[string][]ID
	// missing holds the number of the first listing without an object that was there before.
	missing map[ID]int
	// removed holds the sequence number of Usher's own deletions until a later listing agrees.
	removed map[ID]uint64
}

type entry[V any] struct {
	value V
	// written is the sequence number of Usher's own last write; 0 for what only a listing said.
	written uint64
}

func newTable[ID comparable, V any](id func(V) ID, name func(V) string) *table[ID, V] {
	return &table[ID, V]{
		id: id, name: name,
		entries: map[ID]entry[V]{}, byName: map[string][]ID{},
		missing: map[ID]int{}, removed: map[ID]uint64{},
	}
}

// apply takes a complete listing that was begun at a sequence number.
func (t *table[ID, V]) apply(sequence uint64, listing int, values []V) {
	listed := make(map[ID]bool, len(values))
	for _, value := range values {
		id := t.id(value)
		listed[id] = true
		if t.removed[id] > sequence || t.entries[id].written > sequence {
			continue
		}
		delete(t.removed, id)
		t.set(id, entry[V]{value: value})
	}
	for id, entry := range t.entries {
		if !listed[id] && entry.written <= sequence {
			t.unset(id)
			t.missing[id] = listing
		}
	}
	for id, removed := range t.removed {
		if !listed[id] && removed <= sequence {
			delete(t.removed, id)
		}
	}
	// What two listings lacked is like what was never there (missingSince), and need not be remembered for ever.
	maps.DeleteFunc(t.missing, func(_ ID, since int) bool { return since < listing })
}

func (t *table[ID, V]) put(value V, sequence uint64) {
	id := t.id(value)
	delete(t.removed, id)
	t.set(id, entry[V]{value: value, written: sequence})
}

// observe takes a live read that was begun at a sequence number. From then on, a listing begun earlier does not count
// for the object.
func (t *table[ID, V]) observe(value V, sequence uint64) {
	id := t.id(value)
	if t.removed[id] > sequence || t.entries[id].written > sequence {
		return
	}
	t.put(value, sequence)
}

func (t *table[ID, V]) remove(id ID, sequence uint64) {
	t.unset(id)
	t.removed[id] = sequence
}

func (t *table[ID, V]) set(id ID, e entry[V]) {
	t.unset(id)
	delete(t.missing, id)
	t.entries[id] = e
	name := t.name(e.value)
	t.byName[name] = append(t.byName[name], id)
}

func (t *table[ID, V]) unset(id ID) {
	old, found := t.entries[id]
	if !found {
		return
	}
	delete(t.entries, id)
	name := t.name(old.value)
	t.byName[name] = slices.DeleteFunc(t.byName[name], func(other ID) bool { return other == id })
	if len(t.byName[name]) == 0 {
		delete(t.byName, name)
	}
}

func (t *table[ID, V]) get(id ID) (V, bool) {
	e, found := t.entries[id]
	return e.value, found
}

func (t *table[ID, V]) named(name string) []V {
	var values []V
	for _, id := range t.byName[name] {
		values = append(values, t.entries[id].value)
	}
	return values
}

func (t *table[ID, V]) all() []V {
	values := make([]V, 0, len(t.entries))
	for _, e := range t.entries {
		values = append(values, e.value)
	}
	return values
}

// missingSince returns the number of the first listing without the object: 1 for one that was never seen, 0 for one that is there.
func (t *table[ID, V]) missingSince(id ID) int {
	if _, found := t.entries[id]; found {
		return 0
	}
	if since, known := t.missing[id]; known {
		return since
	}
	return 1
}
