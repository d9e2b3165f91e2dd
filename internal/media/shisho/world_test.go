package shisho_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/shisho"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
)

const password = "a first password 1"

// world is a server with its keeper and libraries that hold a book each.
type world struct {
	testing.TB
	url string
	// fake is the server, with a clock that only the test moves; nil for a real one.
	fake   *shishotest.Server
	keeper *shishotest.Visitor
	driver *shisho.Driver
	ids    []media.LibraryID

	mu  sync.Mutex
	now time.Time
}

func newWorld(t testing.TB, libraries ...string) *world {
	w := emptyWorld(t)
	w.furnish(libraries...)
	return w
}

// emptyWorld has no account.
func emptyWorld(t testing.TB) *world {
	w := &world{TB: t, now: time.Now()}
	w.fake = shishotest.Start(t, shishotest.Options{Now: w.clock})
	w.url = w.fake.URL
	return w
}

func (w *world) furnish(libraries ...string) {
	w.driver = w.open(nil)
	w.must(w.driver.Bootstrap(w.ctx()))
	var err error
	w.keeper, err = shishotest.Enter(w.ctx(), w.url, shishotest.Owner, shishotest.OwnerPassword)
	w.must(err)
	for _, name := range libraries {
		w.ids = append(w.ids, w.byHand("/libraries", map[string]any{
			"name": name, "library_paths": []string{w.shelf(name)}, "cover_aspect_ratio": "book", "organize_file_structure": false,
		}))
	}
	if w.fake != nil {
		w.must(w.fake.Scan())
	}
}

func (w *world) ctx() context.Context { return w.Context() }

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("failed: %v (%s)", err, media.CodeOf(err))
	}
}

func (w *world) wantCode(err error, code media.Code) {
	w.Helper()
	if got := media.CodeOf(err); got != code {
		w.Errorf("got %q (%v), want %q", got, err, code)
	}
}

// open makes a driver as another process would.
func (w *world) open(transport func(http.RoundTripper) http.RoundTripper) *shisho.Driver {
	w.Helper()
	driver, err := shisho.Open(media.Config{Allowed: media.Loopback(),
		URL: w.url, Transport: transport,
		Credentials: media.Credentials{Username: shishotest.Owner, Password: shishotest.OwnerPassword},
	})
	w.must(err)
	w.Cleanup(func() { _ = driver.Close() })
	return driver.(*shisho.Driver)
}

// shelf is a directory with a book.
func (w *world) shelf(name string) string {
	w.Helper()
	directory := w.TempDir()
	w.must(shishotest.WriteBook(directory+"/"+name+" book.epub", name+" book"))
	return directory
}

// byHand posts as an administrator at the server's own pages, and returns the id in the answer.
func (w *world) byHand(path string, body map[string]any) media.LibraryID {
	w.Helper()
	var made struct{ ID int }
	status, err := w.keeper.Call(w.ctx(), http.MethodPost, path, body, &made)
	if err != nil || status >= 300 {
		w.Fatalf("POST %s: status %d, %v", path, status, err)
	}
	return media.LibraryID(strconv.Itoa(made.ID))
}

// personByHand makes an account with grants as they are given: none of them is the placeholder.
func (w *world) personByHand(username string, libraries ...media.LibraryID) media.AccountID {
	w.Helper()
	ids := []int{}
	for _, id := range libraries {
		number, err := strconv.Atoi(string(id))
		w.must(err)
		ids = append(ids, number)
	}
	return media.AccountID(w.byHand("/users", map[string]any{"username": username, "password": password, "role_id": 2, "library_ids": ids}))
}

func (w *world) person(username string, libraries ...media.LibraryID) media.Account {
	w.Helper()
	account, err := w.driver.CreateAccount(w.ctx(), newAccount(username, libraries...))
	w.must(err)
	return account
}

func newAccount(username string, libraries ...media.LibraryID) media.NewAccount {
	return media.NewAccount{Username: username, Role: media.RoleMember, Access: access(libraries...), Password: password}
}

func access(ids ...media.LibraryID) media.Access {
	a := media.Access{}.Clone()
	for _, id := range ids {
		a.Libraries[id] = media.LibraryViewer
	}
	return a
}

// sees is everything that a person is shown: by lists, single libraries, search and OPDS, after its memory is over.
// Who cannot sign in is shown nothing.
func (w *world) sees(username string) []media.LibraryID {
	w.Helper()
	w.pass(time.Minute)
	seen := map[media.LibraryID]bool{}
	visitor, err := shishotest.Enter(w.ctx(), w.url, username, password)
	if err == nil {
		listed, err := visitor.Libraries(w.ctx())
		w.must(err)
		for _, id := range listed {
			seen[id] = true
		}
	}
	if w.fake != nil { // a real server remembers what was read by OPDS for a minute, and its books come when they come
		w.reads(username, visitor, seen)
	}
	var ids []media.LibraryID
	for id := range seen {
		if seen[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// reads adds what a person is shown by search and OPDS.
func (w *world) reads(username string, visitor *shishotest.Visitor, seen map[media.LibraryID]bool) {
	w.Helper()
	reader := &shishotest.Visitor{URL: w.url, Username: username, Password: password}
	_, catalog, err := reader.Catalog(w.ctx())
	w.must(err)
	for _, id := range catalog {
		seen[id] = true
	}
	for _, id := range w.ids {
		status, err := reader.Feed(w.ctx(), id)
		w.must(err)
		found, err := visitor.Search(w.ctx(), number(w, string(id)), "book")
		seen[id] = seen[id] || status == http.StatusOK || (err == nil && len(found) > 0)
	}
}

func (w *world) wantSees(username string, want ...media.LibraryID) {
	w.Helper()
	if got := w.sees(username); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		w.Errorf("%s sees %q, want %q", username, got, want)
	}
}

func (w *world) listed(driver *shisho.Driver, username string) (media.Account, bool) {
	w.Helper()
	listing, err := driver.List(w.ctx())
	w.must(err)
	for _, account := range listing.Accounts {
		if account.Username == username {
			return account, true
		}
	}
	return media.Account{}, false
}

var errDead = errors.New("the process is dead")

// dying is the transport of a process that dies at a request: before it is sent, or after it was answered.
type dying struct {
	at    int
	after bool

	next http.RoundTripper
	mu   sync.Mutex
	n    int
}

func (d *dying) wrap(next http.RoundTripper) http.RoundTripper {
	d.next = next
	return d
}

// RoundTrip implements http.RoundTripper.
func (d *dying) RoundTrip(request *http.Request) (*http.Response, error) {
	d.mu.Lock()
	d.n++
	n := d.n
	d.mu.Unlock()
	if n > d.at || (n == d.at && !d.after) {
		return nil, errDead
	}
	response, err := d.next.RoundTrip(request)
	if n == d.at && err == nil {
		_ = response.Body.Close()
		return nil, errDead
	}
	return response, err
}

// died says whether the process got as far as to die.
func (d *dying) died() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n >= d.at
}
