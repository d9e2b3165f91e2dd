package jellyfin_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/jellyfin"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

const password = "a first password 1"

// world is a server with libraries, and a driver that has a key.
type world struct {
	testing.TB
	fake   *jellyfintest.Server
	key    string
	driver *jellyfin.Driver
	// ids are the driver's for the libraries, by name.
	ids map[string]media.LibraryID
}

func newWorld(t testing.TB, options jellyfintest.Options, libraries ...string) *world {
	t.Helper()
	options.Sees = func(string) bool { return true }
	w := &world{TB: t, ids: map[string]media.LibraryID{}}
	w.fake, w.key = jellyfintest.StartReady(t, options)
	for _, name := range libraries {
		w.fake.AddLibrary(name, "movies", "/media/"+name)
	}
	w.driver = w.open(nil)
	w.look()
	return w
}

// look lists, as a sync does, and returns the accounts by name.
func (w *world) look() map[string]media.Account {
	w.Helper()
	_, err := w.driver.Probe(w.ctx())
	w.must(err)
	listing, err := w.driver.List(w.ctx())
	w.must(err)
	accounts := map[string]media.Account{}
	for _, a := range listing.Accounts {
		accounts[a.Username] = a
	}
	for _, l := range listing.Libraries {
		w.ids[l.Name] = l.ID
	}
	return accounts
}

func (w *world) ctx() context.Context { return w.Context() }

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
func (w *world) open(transport func(http.RoundTripper) http.RoundTripper) *jellyfin.Driver {
	w.Helper()
	return w.openAs(media.Credentials{Token: w.key}, transport)
}

func (w *world) openAs(credentials media.Credentials, transport func(http.RoundTripper) http.RoundTripper) *jellyfin.Driver {
	w.Helper()
	driver, err := jellyfin.Open(media.Config{
		Allowed: media.Loopback(), URL: w.fake.URL, Transport: transport, Credentials: credentials,
	})
	w.must(err)
	w.Cleanup(func() { _ = driver.Close() })
	return driver.(*jellyfin.Driver)
}

// access gives libraries by name.
func (w *world) access(names ...string) media.Access {
	w.Helper()
	a := media.Access{}.Clone()
	for _, name := range names {
		if w.ids[name] == "" {
			w.Fatalf("there is no library %s", name)
		}
		a.Libraries[w.ids[name]] = media.LibraryViewer
	}
	return a
}

func (w *world) wanted(username string, names ...string) media.NewAccount {
	return media.NewAccount{Username: username, Role: media.RoleMember, Access: w.access(names...), Password: password}
}

func (w *world) person(username string, names ...string) media.Account {
	w.Helper()
	account, err := w.driver.CreateAccount(w.ctx(), w.wanted(username, names...))
	w.must(err)
	return account
}

// signIn signs a person in on a device of their own.
func (w *world) signIn(username string) *jellyfintest.Visitor {
	w.Helper()
	visitor, err := jellyfintest.Enter(w.ctx(), w.fake.URL, username, password)
	w.must(err)
	return visitor
}

// sees are the names of the libraries that a person is shown after signing in, and asked for all items: none for who cannot.
func (w *world) sees(username string) []string {
	w.Helper()
	visitor, err := jellyfintest.EnterOn(w.ctx(), w.fake.URL, "looking-"+username, username, password)
	if err != nil {
		return nil
	}
	defer func() { w.must(visitor.Leave(w.ctx())) }()
	views, err := visitor.Views(w.ctx())
	w.must(err)
	var names []string
	for _, v := range views {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	return names
}

func (w *world) wantSees(username string, want ...string) {
	w.Helper()
	if got := w.sees(username); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		w.Errorf("%s sees %q, want %q", username, got, want)
	}
}

// posts counts the writes of policies by a call.
func (w *world) posts(call func()) int {
	before := w.fake.Count("POST /Users/{id}/Policy")
	call()
	return w.fake.Count("POST /Users/{id}/Policy") - before
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
