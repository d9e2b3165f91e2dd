package audiobookshelftest

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/audiobookshelf"
	"github.com/usher-media/usher/internal/media/drivertest"
)

const (
	// Owner and OwnerPassword are the root that the harnesses' servers are set up with.
	Owner         = "Keeper"
	OwnerPassword = "the keeper's password"
)

// Harness tests the driver against a fake of its own for each case.
func Harness() drivertest.Harness {
	return drivertest.Harness{
		HTTP: true, Parallel: true, OneAccessWrite: true,
		Refusal:  func(status int) (string, string) { return "text/plain; charset=utf-8", http.StatusText(status) },
		Settings: map[string]string{"provider": "openlibrary", "icon": "books-1"},
		Start: func(t testing.TB) drivertest.Server {
			fake := Start(t, Options{})
			return Serve(t, fake)
		},
		StartEmpty: func(t testing.TB) drivertest.Server {
			server := Running(t, &Visitor{URL: Start(t, Options{}).URL}, directories(t))
			server.Config.Credentials = media.Credentials{Username: Owner, Password: OwnerPassword}
			return server
		},
	}
}

// Serve sets a fake up and describes it to the suite. A fake whose process was ended fails the test.
func Serve(t testing.TB, fake *Server) drivertest.Server {
	t.Helper()
	keeper := SetUp(t, fake.URL)
	t.Cleanup(func() {
		if why := fake.Dead(); why != "" {
			t.Errorf("the server ended: %s", why)
		}
		if fake.Stuck() > 0 {
			t.Error("the server will never answer a request")
		}
	})
	server := Running(t, keeper, directories(t))
	server.Config.Credentials = media.Credentials{Username: Owner, Password: OwnerPassword}
	server.Fill = func(library media.Library) { fake.AddItem(string(library.ID), false) }
	return server
}

func directories(t testing.TB) func(name string) string {
	root := t.TempDir()
	return func(name string) string {
		path := filepath.Join(root, strings.ReplaceAll(name, "/", "-"))
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
}

// SetUp gives a server without accounts its root, and signs it in.
func SetUp(t testing.TB, url string) *Visitor {
	t.Helper()
	v := &Visitor{URL: url}
	root := map[string]any{"newRoot": map[string]string{"username": Owner, "password": OwnerPassword}}
	if status, err := v.Try(context.Background(), http.MethodPost, "/init", root, nil); err != nil || status != http.StatusOK {
		t.Fatalf("setting up: status %d, %v", status, err)
	}
	keeper, err := Enter(context.Background(), url, Owner, OwnerPassword)
	if err != nil {
		t.Fatal(err)
	}
	return keeper
}

// Running describes a running server to the suite. The keeper is an administrator who is signed in; the directories that
// path returns are seen by the server. Config lacks the credentials.
func Running(t testing.TB, keeper *Visitor, path func(name string) string) drivertest.Server {
	return drivertest.Server{
		Open: audiobookshelf.Open, Config: media.Config{Allowed: media.Loopback(), URL: keeper.URL}, Path: path,
		SignIn: func(ctx context.Context, username, password string) (drivertest.Person, error) {
			v, err := Enter(ctx, keeper.URL, username, password)
			v.keeper = keeper
			return v, err
		},
		Hand: &hand{TB: t, Visitor: keeper},
	}
}

// hand is an administrator at the server's own pages.
type hand struct {
	testing.TB
	*Visitor
}

func (h *hand) do(method, path string, body any) {
	h.Helper()
	if err := h.Do(context.Background(), method, path, body, nil); err != nil {
		h.Fatal(err)
	}
}

func (h *hand) user(username string) string {
	h.Helper()
	var list struct {
		Users []struct{ ID, Username string }
	}
	if err := h.Do(context.Background(), http.MethodGet, "/api/users", nil, &list); err != nil {
		h.Fatal(err)
	}
	for _, user := range list.Users {
		if user.Username == username {
			return "/api/users/" + user.ID
		}
	}
	h.Fatalf("there is no %s", username)
	return ""
}

// SetAccess gives the libraries and nothing else.
func (h *hand) SetAccess(username string, access media.Access) {
	list := append([]media.LibraryID{}, access.IDs()...)
	h.do(http.MethodPatch, h.user(username), map[string]any{"permissions": map[string]any{
		"accessAllLibraries": access.All, "librariesAccessible": list,
	}})
}

func (h *hand) SetDisabled(username string, disabled bool) {
	h.do(http.MethodPatch, h.user(username), map[string]any{"isActive": !disabled})
}

func (h *hand) DeleteAccount(username string) { h.do(http.MethodDelete, h.user(username), nil) }

func (h *hand) RenameLibrary(id media.LibraryID, name string) {
	h.do(http.MethodPatch, "/api/libraries/"+string(id), map[string]any{"name": name})
}
