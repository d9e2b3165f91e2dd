package shisho

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

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

// kind of a library.
type kind int

const (
	// ordinary: people put books there.
	ordinary kind = iota
	// intact: a placeholder as it was made.
	intact
	// spoiled: a placeholder of which somebody made something else. Whoever was granted it would see what it holds.
	spoiled
)

// kind says what a library is, given when each library was made that was seen to be a placeholder. What has one of the
// kernel's directories is nothing that people made.
func (l library) kind(known map[int]time.Time) kind {
	made, seen := known[l.ID]
	kernels := slices.ContainsFunc(l.Paths, func(f folder) bool { return strings.HasPrefix(f.Path, "/proc/sys/kernel") })
	switch {
	case l.Name == PlaceholderName && len(l.Paths) == 1 && slices.Contains(placeholderPaths, l.Paths[0].Path):
		return intact
	case l.Name == PlaceholderName, kernels, seen && media.SameMoment(made, l.CreatedAt.Time):
		return spoiled
	}
	return ordinary
}

// shelf is all libraries at one moment.
type shelf struct {
	libraries []library
	kinds     map[int]kind
	// nowhere: the server has no directory for a placeholder.
	nowhere bool
}

func newShelf(libraries []library, known map[int]time.Time) shelf {
	s := shelf{libraries: libraries, kinds: make(map[int]kind, len(libraries))}
	for _, l := range libraries {
		s.kinds[l.ID] = l.kind(known)
	}
	return s
}

// has says whether there is a library that a caller may name.
func (s shelf) has(id int) bool {
	k, there := s.kinds[id]
	return there && k == ordinary
}

// floor is the placeholder's id: the oldest, should there be several; 0 for none.
func (s shelf) floor() int {
	oldest := 0
	for id, k := range s.kinds {
		if k == intact && (oldest == 0 || id < oldest) {
			oldest = id
		}
	}
	return oldest
}

// exposes says whether an account that is limited could be shown more than it was granted: what somebody put into a
// placeholder, or every list, when its last library goes and no placeholder is left.
func (s shelf) exposes(u user) bool {
	if !*u.IsActive || u.all() {
		return false
	}
	guarded := false
	for _, id := range u.granted() {
		if s.kinds[id] == spoiled {
			return true
		}
		guarded = guarded || s.kinds[id] == intact
	}
	return !guarded && (!s.nowhere || s.floor() != 0)
}

// account converts what check found to be complete. No placeholder is access.
func (s shelf) account(u user) media.Account {
	account := media.Account{
		ID: accountID(u.ID), Username: u.Username, Email: u.Email, Role: roleOf(u.Role.Name),
		Access:   media.Access{All: u.all(), Libraries: map[media.LibraryID]media.LibraryRole{}},
		Disabled: !*u.IsActive, MustChangePassword: *u.MustChangePassword, Exposed: s.exposes(u),
	}
	for _, id := range u.granted() {
		if s.kinds[id] == ordinary {
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
	return !slices.ContainsFunc(u.granted(), func(id int) bool { _, known := s.kinds[id]; return !known })
}

// shelves remembers the newest shelf, so that reading one account does not need all libraries.
type shelves struct {
	mu     sync.Mutex
	newest shelf
	// known says of each library that was seen to be a placeholder when it was made.
	known map[int]time.Time
	// looks are the libraries as Usher last looked at them: what it decides on.
	looks map[int]library
	// held are the spoiled placeholders that the last List found somebody to be granted.
	held    []library
	nowhere bool
	// laying holds one creation of the placeholder at a time.
	laying chan struct{}
}

func newShelves() shelves {
	return shelves{laying: make(chan struct{}, 1), known: map[int]time.Time{}, looks: map[int]library{}}
}

func (s *shelves) get() shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// put makes a shelf of all libraries.
func (s *shelves) put(libraries []library) shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest = newShelf(libraries, s.known)
	s.newest.nowhere = s.nowhere
	for _, l := range libraries {
		if s.newest.kinds[l.ID] == intact {
			s.known[l.ID] = l.CreatedAt.Time
		}
	}
	return s.newest
}

func (s *shelves) kindOf(l library) kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.kind(s.known)
}

// looked notes how Usher last saw some libraries; all that there are, where it saw all.
func (s *shelves) looked(all bool, libraries ...library) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if all {
		clear(s.looks)
	}
	for _, l := range libraries {
		s.looks[l.ID] = l
	}
}

// another says whether a library is another one than when Usher last looked at it: ids are given out again where an older
// database comes back.
func (s *shelves) another(now library) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, looked := s.looks[now.ID]
	told := !was.CreatedAt.IsZero() && !now.CreatedAt.IsZero()
	return looked && (told && !media.SameMoment(was.CreatedAt.Time, now.CreatedAt.Time) || was.Name != now.Name && !slices.Equal(was.paths(), now.paths()))
}

// somewhere notes whether the server has a directory for a placeholder.
func (s *shelves) somewhere(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nowhere = !is
	s.newest.nowhere = s.nowhere
}

// fresh reads all libraries.
func (d *Driver) fresh(ctx context.Context) (shelf, error) {
	libraries, err := d.libraries(ctx)
	if err != nil {
		return shelf{}, err
	}
	return d.shelves.put(libraries), nil
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
	return d.shelves.put(append(slices.Clone(s.libraries), made)), made.ID, nil
}

// placeholderPath finds the placeholder's directory on the server. Unsupported where there is none.
func (d *Driver) placeholderPath(ctx context.Context) (string, error) {
	for _, path := range placeholderPaths {
		err := d.directory(ctx, path)
		if err == nil {
			d.shelves.somewhere(true)
		}
		if err == nil || media.CodeOf(err) != media.Invalid {
			return path, err
		}
	}
	d.shelves.somewhere(false)
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
