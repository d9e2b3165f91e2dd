package audiobookshelf_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/audiobookshelf"
	"github.com/usher-media/usher/internal/media/audiobookshelf/audiobookshelftest"
	"github.com/usher-media/usher/internal/media/drivertest"
)

const password = "a first password 1"

// world is a fake with its root, its driver and some libraries.
type world struct {
	testing.TB
	fake   *audiobookshelftest.Server
	server drivertest.Server
	keeper *audiobookshelftest.Visitor
	driver *audiobookshelf.Driver
	ids    []media.LibraryID
	root   string
}

func newWorld(t testing.TB, names ...string) *world {
	t.Helper()
	w := &world{TB: t, fake: audiobookshelftest.Start(t, audiobookshelftest.Options{}), root: t.TempDir()}
	w.keeper = audiobookshelftest.SetUp(t, w.fake.URL)
	w.server = audiobookshelftest.Running(t, w.keeper, func(name string) string { return filepath.Join(w.root, name) })
	w.server.Config.Credentials = media.Credentials{Username: audiobookshelftest.Owner, Password: audiobookshelftest.OwnerPassword}
	for _, name := range names {
		w.ids = append(w.ids, media.LibraryID(w.fake.MakeLibrary(name, w.TempDir())))
	}
	w.driver = w.open(nil)
	return w
}

// open opens a driver, as another process would.
func (w *world) open(wrap func(http.RoundTripper) http.RoundTripper) *audiobookshelf.Driver {
	w.Helper()
	config := w.server.Config
	config.Transport = wrap
	return w.openWith(config)
}

func (w *world) openWith(config media.Config) *audiobookshelf.Driver {
	w.Helper()
	driver, err := audiobookshelf.Open(config)
	w.must(err)
	w.Cleanup(func() { _ = driver.Close() })
	return driver.(*audiobookshelf.Driver)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) want(err error, code media.Code) {
	w.Helper()
	if media.CodeOf(err) != code {
		w.Errorf("got %q (%v), want %q", media.CodeOf(err), err, code)
	}
}

// alive fails when a request ended the server.
func (w *world) alive() {
	w.Helper()
	if why := w.fake.Dead(); why != "" {
		w.Errorf("the server ended: %s", why)
	}
}

func (w *world) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	w.Cleanup(cancel)
	return ctx
}

func access(ids ...media.LibraryID) media.Access {
	a := media.Access{}.Clone()
	for _, id := range ids {
		a.Libraries[id] = media.LibraryViewer
	}
	return a
}

func newAccount(username string, ids ...media.LibraryID) media.NewAccount {
	return media.NewAccount{Username: username, Role: media.RoleMember, Password: password, Access: access(ids...)}
}

func (w *world) person(username string, ids ...media.LibraryID) media.Account {
	w.Helper()
	account, err := w.driver.CreateAccount(w.ctx(), newAccount(username, ids...))
	w.must(err)
	return account
}

// sees is what somebody sees; nothing for who cannot sign in.
func (w *world) sees(username string) []media.LibraryID {
	w.Helper()
	person, err := w.server.SignIn(w.ctx(), username, password)
	if err != nil {
		return nil
	}
	seen, err := person.Libraries(w.ctx())
	w.must(err)
	slices.Sort(seen)
	return seen
}

func (w *world) wantSees(username string, ids ...media.LibraryID) {
	w.Helper()
	if got, want := w.sees(username), slices.Sorted(slices.Values(ids)); !slices.Equal(got, want) {
		w.Errorf("%s sees %q, want %q", username, got, want)
	}
}

// listed finds an account by its name.
func (w *world) listed(d media.Driver, username string) (media.Account, bool) {
	w.Helper()
	listing, err := d.List(w.ctx())
	w.must(err)
	for _, account := range listing.Accounts {
		if account.Username == username {
			return account, true
		}
	}
	return media.Account{}, false
}

var errDied = errors.New("the process died")

// dying is the transport of a process that dies at a request, before or after the server has answered it.
type dying struct {
	at    int
	after bool

	mu   sync.Mutex
	seen int
}

func (d *dying) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		d.mu.Lock()
		d.seen++
		seen := d.seen
		d.mu.Unlock()
		if seen < d.at {
			return next.RoundTrip(request)
		}
		if seen == d.at && d.after {
			if response, err := next.RoundTrip(request); err == nil {
				_ = response.Body.Close()
			}
		}
		return nil, errDied
	})
}

func (d *dying) died() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen >= d.at
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }
