package jellyfin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/usher-media/usher/internal/media"
)

const (
	foldersPath = "/Library/VirtualFolders"
	// maxGone bounds how many libraries are remembered that are not there, and maxFormer how many ids each had.
	maxGone, maxFormer = 100, 8
)

// shelf remembers which library of the server is which, since the server's own ids go with names (section 7). A library keeps
// the id that it had at first. Where that id is gone and a new one has come with a folder of the same library, it was renamed.
type shelf struct {
	mu     *sync.Mutex
	places map[media.LibraryID]*place
}

// place is what is known of one library.
type place struct {
	// item is the server's id, former are those that it had under other names.
	item   string
	former []string
	kind   string
	// folders are fingerprints of its folders.
	folders []string
	there   bool
}

// view is one look at the libraries.
type view struct {
	folders []folder
	// ids are the libraries by the server's ids; items are the server's ids of libraries.
	ids   map[string]media.LibraryID
	items map[media.LibraryID]string
	// lapsed are former ids of libraries that are there.
	lapsed map[string]media.LibraryID
	// bare: libraries were known, and the server has none.
	bare bool
}

func newShelf() shelf { return shelf{mu: &sync.Mutex{}, places: map[media.LibraryID]*place{}} }

// look reads the libraries. One without an id is on its way: until it has one, nobody can tell which libraries there are (B.9).
// Looks wait for each other, so that an old answer is never taken for a new one.
func (d *Driver) look(ctx context.Context) (view, error) {
	leave, err := d.turns.take(ctx, foldersPath)
	if err != nil {
		return view{}, err
	}
	defer leave()
	var all folders
	if err := d.read(ctx, foldersPath, &all); err != nil {
		return view{}, err
	}
	for _, f := range all {
		if f.Item == "" {
			return view{}, notReady(f)
		}
	}
	return d.shelf.arrange(all)
}

func notReady(f folder) error {
	e := media.Errorf(media.Unavailable, "the server has no id yet for its library %q, which was made or renamed: waiting for it (a library scan on the server gives it one)", f.Name)
	e.Answered = true
	return e
}

// arrange finds out which library is which.
func (s shelf) arrange(all folders) (view, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	items := map[string]bool{}
	for _, f := range all {
		if items[f.Item] {
			return view{}, media.Errorf(media.Unavailable, "GET %s: the list names a library twice", foldersPath)
		}
		items[f.Item] = true
	}
	known := len(s.places) > 0
	claimed, looks := map[string]*place{}, map[string]folder{}
	for _, f := range all {
		looks[f.Item] = f
	}
	for _, name := range slices.Sorted(maps.Keys(s.places)) {
		p := s.places[name]
		// Another one that has the id, by its name, has other folders.
		f, has := looks[p.item]
		if p.there = has && claimed[p.item] == nil && (len(p.folders) == 0 || common(p.folders, fingerprints(f))); p.there {
			claimed[p.item] = p
		}
	}
	s.findRenamed(all, claimed)
	for _, name := range slices.Sorted(maps.Keys(s.places)) {
		if p := s.places[name]; !p.there && items[p.item] && claimed[p.item] == nil { // its folders were changed
			p.there = true
			claimed[p.item] = p
		}
	}
	for _, f := range all {
		if claimed[f.Item] == nil {
			p := &place{item: f.Item, there: true}
			s.places[s.unused(f.Item)] = p
			claimed[f.Item] = p
		}
		claimed[f.Item].kind, claimed[f.Item].folders = f.Kind, fingerprints(f)
	}
	s.forget()
	v := s.view(all)
	v.bare = known && len(all) == 0
	return v, nil
}

// findRenamed gives libraries that are gone the ids of new ones that have a folder of theirs: of only one, and only theirs.
func (s shelf) findRenamed(all folders, claimed map[string]*place) {
	wanted, wanting := map[*place][]string{}, map[string][]*place{}
	for _, f := range all {
		if claimed[f.Item] != nil {
			continue
		}
		for _, p := range s.places {
			if !p.there && p.kind == f.Kind && common(p.folders, fingerprints(f)) {
				wanted[p], wanting[f.Item] = append(wanted[p], f.Item), append(wanting[f.Item], p)
			}
		}
	}
	for p, found := range wanted {
		if len(found) == 1 && len(wanting[found[0]]) == 1 {
			p.become(found[0])
			claimed[p.item] = p
		}
	}
}

// become notes that the server has another id for the library.
func (p *place) become(item string) {
	if p.there = true; p.item == item {
		return
	}
	former := slices.DeleteFunc(append(p.former, p.item), func(f string) bool { return f == item })
	p.item, p.former = item, former[max(0, len(former)-maxFormer):]
}

// unused is the id of a library that is seen for the first time: the server's, unless an older one is known by that.
func (s shelf) unused(item string) media.LibraryID {
	name := media.LibraryID(item)
	for n := 2; s.places[name] != nil; n++ {
		name = media.LibraryID(item + "-" + strconv.Itoa(n))
	}
	return name
}

// forget drops some of the libraries that are not there, when there are many.
func (s shelf) forget() {
	var gone []media.LibraryID
	for name, p := range s.places {
		if !p.there {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	for len(gone) > maxGone {
		delete(s.places, gone[0])
		gone = gone[1:]
	}
}

func (s shelf) view(all folders) view {
	v := view{folders: all, ids: map[string]media.LibraryID{}, items: map[media.LibraryID]string{}, lapsed: map[string]media.LibraryID{}}
	for name, p := range s.places {
		if p.there {
			v.ids[p.item], v.items[name] = name, p.item
		}
	}
	for name, p := range s.places {
		for _, f := range p.former {
			if _, live := v.ids[f]; p.there && !live {
				v.lapsed[f] = name
			}
		}
	}
	return v
}

// rename notes that a library has the server's id of a new name.
func (s shelf) rename(of media.LibraryID, item string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.places[of]; p != nil {
		p.become(item)
	}
}

// drop forgets a library that was deleted.
func (s shelf) drop(of media.LibraryID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.places, of)
}

// fingerprints of a library's folders, which are long.
func fingerprints(f folder) []string {
	prints := make([]string, 0, len(f.Locations))
	for _, path := range f.Locations {
		sum := sha256.Sum256([]byte(path))
		prints = append(prints, hex.EncodeToString(sum[:6]))
	}
	slices.Sort(prints)
	return prints
}

func common(a, b []string) bool {
	return slices.ContainsFunc(a, func(one string) bool { return slices.Contains(b, one) })
}

// folder returns a library as the server has it.
func (v view) folder(of media.LibraryID) (folder, bool) {
	item, there := v.items[of]
	for _, f := range v.folders {
		if there && f.Item == item {
			return f, true
		}
	}
	return folder{}, false
}

func (v view) library(f folder) media.Library {
	return media.Library{
		ID: v.ids[f.Item], Name: f.Name, MediaType: typeOf(f.Kind), Paths: slices.Clone(f.Locations), Items: -1,
		Settings: map[string]string{},
	}
}

func (v view) libraries() []media.Library {
	all := make([]media.Library, 0, len(v.folders))
	for _, f := range v.folders {
		all = append(all, v.library(f))
	}
	return all
}

// access is what an account sees by its list, and whether that may become more by itself: an id of a library that is gone
// shows the next one of that name (section 7), and where folders are blocked the rest is seen, also what comes later (section 5).
func (v view) access(u user) (a media.Access, exposed bool) {
	a = media.Access{}.Clone()
	switch {
	case len(u.policy.Blocked) > 0:
		for item, name := range v.ids {
			if !slices.Contains(u.policy.Blocked, item) {
				a.Libraries[name] = media.LibraryViewer
			}
		}
		return a, true
	case *u.policy.All:
		a.All = true
		return a, false
	}
	for _, item := range u.policy.Folders {
		if name, live := v.ids[item]; live {
			a.Libraries[name] = media.LibraryViewer
		} else {
			exposed = true
		}
	}
	return a, exposed
}

func (v view) account(u user) media.Account {
	a, exposed := v.access(u)
	return media.Account{
		ID: media.AccountID(u.ID), Username: u.Name, Role: u.role(), Access: a, Disabled: *u.policy.Disabled, Exposed: exposed,
		LockedOut: u.lockedOut(),
	}
}

// words of a place for a later driver: its id, the server's ids with the present one first, what it holds, and its folders.
func (p *place) words(name media.LibraryID) string {
	items := strings.Join(append([]string{p.item}, p.former...), "+")
	return fmt.Sprintf("library %s %s %s %s", name, items, "="+p.kind, "="+strings.Join(p.folders, "+"))
}

// words of all places.
func (s shelf) words() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.places)) {
		all = append(all, s.places[name].words(name))
	}
	return all
}

// know takes the words of an earlier driver.
func (s shelf) know(words string) {
	parts := strings.Split(words, " ")
	if len(parts) != 5 || parts[0] != "library" || parts[1] == "" {
		return
	}
	items := strings.Split(parts[2], "+")
	for _, item := range items {
		if id(item) != item || item == "" {
			return
		}
	}
	p := &place{item: items[0], former: items[1:], kind: strings.TrimPrefix(parts[3], "=")}
	if folders := strings.TrimPrefix(parts[4], "="); folders != "" {
		p.folders = strings.Split(folders, "+")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places[media.LibraryID(parts[1])] = p
}
