package shisho

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// PlaceholderName is the name of the empty library that every account with limited access is granted.
const PlaceholderName = "Usher placeholder"

// placeholderPaths are directories in which nobody can keep a book, the first that a server has being taken: the
// kernel's own on Linux, where they need no write permission to exist, and one that is empty by convention elsewhere.
// A path that does not exist would make the server's scans fail (contract, section 5).
var placeholderPaths = []string{"/proc/sys/kernel/random", "/proc/sys/kernel", "/var/empty"}

const browsePath = "/filesystem/browse"

// everyList stands in an Access for the lists that an account without a grant is shown: it is neither no library nor
// the access to all of them, and equals neither.
const (
	everyList     media.LibraryID   = "every list, without a grant"
	everyListRole media.LibraryRole = "ListsOnly"
)

// placeholder says whether a library is the placeholder. One whose path somebody changed holds what is there, and is
// a library like any other.
func (l library) placeholder() bool {
	return l.Name == PlaceholderName && len(l.Paths) == 1 && slices.Contains(placeholderPaths, l.Paths[0].Path)
}

// shelf is all libraries at one moment.
type shelf struct {
	libraries []library
	// hidden says of each id whether it is a placeholder.
	hidden map[int]bool
}

func newShelf(libraries []library) shelf {
	s := shelf{libraries: libraries, hidden: make(map[int]bool, len(libraries))}
	for _, l := range libraries {
		s.hidden[l.ID] = l.placeholder()
	}
	return s
}

// has says whether there is a library that a caller may name.
func (s shelf) has(id int) bool {
	hidden, there := s.hidden[id]
	return there && !hidden
}

// floor is the placeholder's id: the oldest, should there be several; 0 for none.
func (s shelf) floor() int {
	oldest := 0
	for id, hidden := range s.hidden {
		if hidden && (oldest == 0 || id < oldest) {
			oldest = id
		}
	}
	return oldest
}

// account converts what check found to be complete. The placeholder is no access.
func (s shelf) account(u user) media.Account {
	account := media.Account{
		ID: accountID(u.ID), Username: u.Username, Email: u.Email, Role: roleOf(u.Role.Name),
		Access:   media.Access{All: u.all(), Libraries: map[media.LibraryID]media.LibraryRole{}},
		Disabled: !*u.IsActive, MustChangePassword: *u.MustChangePassword,
	}
	for _, id := range u.granted() {
		if !s.hidden[id] {
			account.Access.Libraries[libraryID(id)] = media.LibraryViewer
		}
	}
	if u.open() {
		account.Access = media.Access{All: true, Libraries: map[media.LibraryID]media.LibraryRole{everyList: everyListRole}}
	}
	return account
}

// knows says whether every library that an account was granted is on the shelf.
func (s shelf) knows(u user) bool {
	return !slices.ContainsFunc(u.granted(), func(id int) bool { _, known := s.hidden[id]; return !known })
}

// shelves remembers the newest shelf, so that reading one account does not need all libraries.
type shelves struct {
	mu     sync.Mutex
	newest shelf
	// laying holds one creation of the placeholder at a time.
	laying chan struct{}
}

func newShelves() shelves { return shelves{laying: make(chan struct{}, 1)} }

func (s *shelves) get() shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

func (s *shelves) put(newest shelf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest = newest
}

// fresh reads all libraries.
func (d *Driver) fresh(ctx context.Context) (shelf, error) {
	libraries, err := d.libraries(ctx)
	if err != nil {
		return shelf{}, err
	}
	s := newShelf(libraries)
	d.shelves.put(s)
	return s, nil
}

// shelfFor returns a shelf that knows every library that the account was granted.
func (d *Driver) shelfFor(ctx context.Context, u user) (shelf, error) {
	if s := d.shelves.get(); s.knows(u) {
		return s, nil
	}
	return d.fresh(ctx)
}

// lay returns the placeholder's id on a shelf, read anew where it has none, and makes the placeholder where there is none. A second one, after
// a lost answer or made by another process at the same moment, does no harm: all are empty and hidden.
func (d *Driver) lay(ctx context.Context, s shelf) (shelf, int, error) {
	if id := s.floor(); id != 0 {
		return s, id, nil
	}
	select {
	case d.shelves.laying <- struct{}{}:
		defer func() { <-d.shelves.laying }()
	case <-ctx.Done():
		return s, 0, media.Errorf(media.Unavailable, "no turn came to make the placeholder library").WithCause(ctx.Err())
	}
	if err := d.seesAll(ctx); err != nil {
		return s, 0, err
	}
	s, err := d.fresh(ctx)
	if err != nil || s.floor() != 0 {
		return s, s.floor(), err
	}
	path, err := d.placeholderPath(ctx)
	if err != nil {
		return s, 0, err
	}
	made, err := d.makeLibrary(ctx, newLibrary{Name: PlaceholderName, Paths: []string{path}, CoverAspectRatio: defaultCover})
	if err != nil {
		return s, 0, err
	}
	s.hidden = maps.Clone(s.hidden)
	s.hidden[made.ID] = true
	s.libraries = append(slices.Clone(s.libraries), made)
	d.shelves.put(s)
	return s, made.ID, nil
}

// placeholderPath finds the placeholder's directory on the server. Unsupported where there is none.
func (d *Driver) placeholderPath(ctx context.Context) (string, error) {
	for _, path := range placeholderPaths {
		err := d.directory(ctx, path)
		if err == nil || media.CodeOf(err) != media.Invalid {
			return path, err
		}
	}
	return "", media.Errorf(media.Unsupported,
		"the server has none of the directories that can hold the placeholder library, without which an account cannot be kept from seeing every list: make an empty /var/empty there")
}

// directory says whether the server sees a directory: Invalid when it does not.
func (d *Driver) directory(ctx context.Context, path string) error {
	err := d.browse(ctx, url.Values{"path": {path}, "limit": {"1"}}, new(directory))
	if media.CodeOf(err) == media.Unavailable && d.isFile(ctx, path) {
		return media.Errorf(media.Invalid, "the path %q is a file on the server, not a directory", path)
	}
	if media.CodeOf(err) == media.Invalid {
		return media.Errorf(media.Invalid, "the server has no directory %q: mount it there first", path)
	}
	return err
}

func (d *Driver) browse(ctx context.Context, query url.Values, into *directory) error {
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: browsePath, Query: query, Into: into})
	return err
}
