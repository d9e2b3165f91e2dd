package media

import (
	"maps"
	"slices"
)

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

// rememberGone is for how many listings it is remembered at which one an object went.
const rememberGone = 8

type entry[V any] struct {
	value V
	// written is the sequence number of Usher's own last write; 0 for what only a listing said.
	written uint64
	// named is the number of the listing that first showed the object under the name that it has; 0: none has yet.
	named int
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
		named := t.namedSince(value)
		if named == 0 {
			named = listing
		}
		t.set(id, entry[V]{value: value, named: named})
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
	// What two listings lacked is like what was never there (missingSince), but for the look at which it went.
	maps.DeleteFunc(t.missing, func(_ ID, since int) bool { return since < listing-rememberGone })
}

func (t *table[ID, V]) put(value V, sequence uint64) {
	id := t.id(value)
	delete(t.removed, id)
	t.set(id, entry[V]{value: value, written: sequence, named: t.namedSince(value)})
}

// namedSince is when a listing first showed the object under the name that it has in value; 0 where none has.
func (t *table[ID, V]) namedSince(value V) int {
	if old, found := t.entries[t.id(value)]; found && t.name(old.value) == t.name(value) {
		return old.named
	}
	return 0
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
