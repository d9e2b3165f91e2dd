package jellyfintest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
)

// Harness tests a driver against a fake of its own for each case, which it enters with the Owner's password. It fails a
// case in which the driver sent what the server's OpenAPI document does not have (Notes).
func Harness(open media.Open, options Options) drivertest.Harness {
	return harness(open, options, media.Credentials{Username: Owner, Password: OwnerPassword})
}

// HarnessByKey is Harness with an API key.
func HarnessByKey(open media.Open, options Options) drivertest.Harness {
	return harness(open, options, media.Credentials{})
}

func harness(open media.Open, options Options, credentials media.Credentials) drivertest.Harness {
	return drivertest.Harness{
		HTTP: true, Parallel: true, CreatesInSteps: true, PasswordEndsSessions: true,
		Start: func(t testing.TB) drivertest.Server {
			s, key := StartReady(t, options)
			config := media.Config{Allowed: media.Loopback(), URL: s.URL, Credentials: credentials}
			if credentials.Username == "" {
				config.Credentials.Token = key
			}
			return s.serving(t, open, config, key)
		},
		StartEmpty: func(t testing.TB) drivertest.Server {
			s := Start(t, options)
			config := media.Config{Allowed: media.Loopback(), URL: s.URL, Credentials: media.Credentials{Username: Owner, Password: OwnerPassword}}
			return s.serving(t, open, config, "")
		},
		Refusal: func(status int) (string, string) {
			return kindJSON, fmt.Sprintf("%q", http.StatusText(status))
		},
	}
}

// serving describes the server to the suite.
func (s *Server) serving(t testing.TB, open media.Open, config media.Config, key string) drivertest.Server {
	t.Helper()
	root := t.TempDir()
	server := Running(t, open, &Visitor{URL: s.URL, Token: key, Device: "the keeper's"}, func(name string) string {
		path := filepath.Join(root, strings.ReplaceAll(name, "/", "-"))
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	})
	server.Config = config
	server.Fill = func(library media.Library) {
		if s.AddItem(library.Name, Item{Name: "A Film of " + library.Name}) == "" {
			t.Fatalf("there is no library %s", library.Name)
		}
	}
	t.Cleanup(func() {
		if notes := s.Notes(); len(notes) > 0 {
			t.Errorf("the driver sent what the server does not know: %q", notes)
		}
	})
	return server
}

// Running describes a running server, also a real one, to the suite. The keeper is an administrator or a key; the
// directories that path returns are seen by the server. Config is left to the caller.
func Running(t testing.TB, open media.Open, keeper *Visitor, path func(name string) string) drivertest.Server {
	return drivertest.Server{
		Open: open, Path: path, Hand: &hand{TB: t, Visitor: keeper},
		SignIn: func(ctx context.Context, username, password string) (drivertest.Person, error) {
			return Enter(ctx, keeper.URL, username, password)
		},
	}
}

// hand is an administrator at the server's own pages, which write a whole policy that they have just read.
type hand struct {
	testing.TB
	*Visitor
}

func (h *hand) call(method, path string, body, into any) {
	h.Helper()
	if err := h.must(context.Background(), method, path, body, into); err != nil {
		h.Fatal(err)
	}
}

func (h *hand) user(username string) (path string, policy map[string]any) {
	h.Helper()
	var users []struct {
		ID, Name string
		Policy   map[string]any
	}
	h.call(http.MethodGet, "/Users", nil, &users)
	for _, user := range users {
		if user.Name == username {
			return "/Users/" + user.ID, user.Policy
		}
	}
	h.Fatalf("there is no %s", username)
	return "", nil
}

func (h *hand) change(username string, change func(policy map[string]any)) {
	h.Helper()
	path, policy := h.user(username)
	change(policy)
	h.call(http.MethodPost, path+"/Policy", policy, nil)
}

func (h *hand) SetAccess(username string, access media.Access) {
	h.change(username, func(policy map[string]any) {
		policy["EnableAllFolders"], policy["EnabledFolders"] = access.All, access.IDs()
	})
}

func (h *hand) SetDisabled(username string, disabled bool) {
	h.change(username, func(policy map[string]any) { policy["IsDisabled"] = disabled })
}

func (h *hand) DeleteAccount(username string) {
	path, _ := h.user(username)
	h.call(http.MethodDelete, path, nil, nil)
}

// RenameLibrary gives the library another id, as the server's own page does (section 7).
func (h *hand) RenameLibrary(id media.LibraryID, name string) {
	var folders []struct{ Name, ItemID string }
	h.call(http.MethodGet, "/Library/VirtualFolders", nil, &folders)
	at := slices.IndexFunc(folders, func(f struct{ Name, ItemID string }) bool { return f.ItemID == string(id) })
	if at < 0 {
		h.Fatalf("there is no library %s", id)
	}
	query := url.Values{"name": {folders[at].Name}, "newName": {name}, "refreshLibrary": {"true"}}
	h.call(http.MethodPost, "/Library/VirtualFolders/Name?"+query.Encode(), nil, nil)
}
