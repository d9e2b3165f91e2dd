package shishotest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/shisho"
)

const (
	// Owner and OwnerPassword are the account that the harnesses' servers are set up with.
	Owner         = "Keeper"
	OwnerPassword = "the keeper's password"
)

// Harness tests the driver against a fake of its own for each case.
func Harness() drivertest.Harness {
	h := harness()
	h.Parallel = true
	h.Start = func(t testing.TB) drivertest.Server {
		fake := Start(t, Options{})
		return serve(t, fake.URL, true, func(*hand) error { return fake.Scan() })
	}
	h.StartEmpty = func(t testing.TB) drivertest.Server {
		return serve(t, Start(t, Options{}).URL, false, nil)
	}
	return h
}

// Live tests the driver against real servers that nobody uses, by the URLs of their APIs, also in the cases that package
// conformance leaves out on a server with people. Each case empties a server: it deletes all
// accounts, by a route that the server has with ENVIRONMENT=test only, and all libraries. Two servers are needed for
// the cases that tell servers apart; they must run on this machine, since they must see its directories, with workers
// (WORKER_PROCESSES=1) for the cases that need a book.
func Live(urls ...string) drivertest.Harness {
	h := harness()
	next := 0
	empty := func(t testing.TB) string {
		t.Helper()
		address := urls[next%len(urls)]
		next++
		if err := Empty(context.Background(), address); err != nil {
			t.Fatal(err)
		}
		return address
	}
	h.Start = func(t testing.TB) drivertest.Server {
		return serve(t, empty(t), true, func(h *hand) error { return h.Scan(context.Background()) })
	}
	h.StartEmpty = func(t testing.TB) drivertest.Server { return serve(t, empty(t), false, nil) }
	return h
}

func harness() drivertest.Harness {
	return drivertest.Harness{
		HTTP: true,
		Refusal: func(status int) (string, string) {
			return "application/json", fmt.Sprintf(`{"error":{"code":"refused","message":%q,"status_code":%d}}`, http.StatusText(status), status)
		},
		OneAccessWrite: true,
		Settings:       map[string]string{"organizeFiles": "true", "coverAspectRatio": "AudiobookFallbackBook"},
	}
}

// SetUp gives a server without accounts its first, the Owner.
func SetUp(ctx context.Context, url string) error {
	return (&Visitor{URL: url, Username: Owner, Password: OwnerPassword}).enter(ctx, "/auth/setup")
}

// Empty deletes all accounts and libraries of a server for tests, and leaves it without an account.
func Empty(ctx context.Context, url string) error {
	v := &Visitor{URL: url, Username: Owner, Password: OwnerPassword}
	wipe := func() error { return v.must(ctx, http.MethodDelete, "/test/users", nil, nil) }
	if err := wipe(); err != nil {
		return fmt.Errorf("this is no server for tests (it must run with ENVIRONMENT=test, and is emptied): %w", err)
	}
	if err := v.enter(ctx, "/auth/setup"); err != nil {
		return err
	}
	shelves, err := v.Shelves(ctx)
	if err != nil {
		return err
	}
	for _, shelf := range shelves {
		if err := v.must(ctx, http.MethodDelete, "/libraries/"+strconv.Itoa(shelf.ID), nil, nil); err != nil {
			return err
		}
	}
	return wipe()
}

func serve(t testing.TB, url string, setUp bool, scan func(*hand) error) drivertest.Server {
	t.Helper()
	root := t.TempDir()
	keeper := &Visitor{URL: url, Username: Owner, Password: OwnerPassword}
	h := &hand{TB: t, Visitor: keeper}
	if setUp {
		h.check(h.enter(context.Background(), "/auth/setup"))
	}
	server := Running(t, keeper, func(name string) string {
		path := filepath.Join(root, strings.ReplaceAll(name, "/", "-"))
		h.check(os.MkdirAll(path, 0o755))
		return path
	})
	server.Config.Credentials = media.Credentials{Username: Owner, Password: OwnerPassword}
	server.Fill = func(library media.Library) {
		h.check(WriteBook(filepath.Join(library.Paths[0], "book.epub"), "A Book of "+library.Name))
		h.check(scan(h))
	}
	return server
}

// Running describes a running server to the suite. The keeper is an administrator who is signed in; the directories that
// path returns are below what the server sees. Config lacks the credentials.
func Running(t testing.TB, keeper *Visitor, path func(name string) string) drivertest.Server {
	return drivertest.Server{
		Open: shisho.Open, Config: media.Config{Allowed: media.Loopback(), URL: keeper.URL}, Path: path,
		SignIn: func(ctx context.Context, username, password string) (drivertest.Person, error) {
			return Enter(ctx, keeper.URL, username, password)
		},
		Hand: &hand{TB: t, Visitor: keeper},
	}
}

// hand is an administrator at the server's own pages.
type hand struct {
	testing.TB
	*Visitor
}

func (h *hand) check(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *hand) post(path string, body any) {
	h.Helper()
	h.check(h.must(context.Background(), http.MethodPost, path, body, nil))
}

func (h *hand) user(username string) string {
	h.Helper()
	var page struct {
		Items []struct {
			ID       int
			Username string
		}
	}
	h.check(h.must(context.Background(), http.MethodGet, "/users?"+url.Values{"limit": {"-1"}}.Encode(), nil, &page))
	for _, user := range page.Items {
		if user.Username == username {
			return "/users/" + strconv.Itoa(user.ID)
		}
	}
	h.Fatalf("there is no %s", username)
	return ""
}

// SetAccess gives the libraries and nothing else, as the server's own form does.
func (h *hand) SetAccess(username string, access media.Access) {
	ids := []int{}
	for _, library := range access.IDs() {
		number, err := strconv.Atoi(string(library))
		h.check(err)
		ids = append(ids, number)
	}
	h.post(h.user(username), map[string]any{"all_library_access": access.All, "library_ids": ids})
}

func (h *hand) SetDisabled(username string, disabled bool) {
	h.post(h.user(username), map[string]any{"is_active": !disabled})
}

func (h *hand) DeleteAccount(string) { h.Fatal("the server deletes no accounts") }

func (h *hand) RenameLibrary(id media.LibraryID, name string) {
	h.post("/libraries/"+string(id), map[string]any{"name": name})
}
