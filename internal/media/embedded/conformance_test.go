package embedded_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/embedded"
	"github.com/usher-media/usher/internal/mediaserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	owner         = "owner"
	ownerPassword = "the owner's password"
)

// running is one embedded media server on loopback.
type running struct {
	t      testing.TB
	server *mediaserver.Server
	url    string
	media  string
}

// start starts a server without accounts.
func start(t testing.TB) *running {
	t.Helper()
	r := &running{t: t, media: t.TempDir()}
	server, err := mediaserver.New(context.Background(), mediaserver.Config{
		DataDir: t.TempDir(), MediaRoots: []string{r.media}, CheapPasswordHashing: true, Version: "1.2.3",
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server.Handler())
	r.server, r.url = server, web.URL
	t.Cleanup(func() {
		web.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *running) config() media.Config {
	return media.Config{URL: r.url, Credentials: media.Credentials{Username: owner, Password: ownerPassword}}
}

// call makes a call as anybody would, without the driver, and returns the status.
func (r *running) call(ctx context.Context, token, method, path string, body, into any) (int, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return 0, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, r.url+path, &sent)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	// A connection of its own for each call: none is left when the test ends.
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if into != nil && response.StatusCode < 300 {
		err = json.NewDecoder(response.Body).Decode(into)
	}
	return response.StatusCode, err
}

type object map[string]any

// owner makes the first account and returns its token.
func (r *running) register() string {
	r.t.Helper()
	var in struct{ Token string }
	status, err := r.call(context.Background(), "", "POST", "/v1/auth/register", object{"username": owner, "password": ownerPassword}, &in)
	if err != nil || status != http.StatusCreated {
		r.t.Fatalf("register: %d %v", status, err)
	}
	return in.Token
}

// session is somebody who is signed in.
type session struct {
	*running
	token string
}

func (r *running) signIn(ctx context.Context, username, password string) (drivertest.Person, error) {
	var in struct{ Token string }
	status, err := r.call(ctx, "", "POST", "/v1/auth/sign-in", object{"login": username, "password": password}, &in)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d", status)
	}
	return session{r, in.Token}, err
}

// Libraries lists what the person sees, and asks for each by its id.
func (s session) Libraries(ctx context.Context) ([]media.LibraryID, error) {
	var ids []media.LibraryID
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID       media.LibraryID
				Personal bool
			}
			NextCursor *string
		}
		status, err := s.call(ctx, s.token, "GET", "/v1/libraries?limit=100&cursor="+cursor, nil, &page)
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("status %d: %w", status, err)
		}
		for _, item := range page.Items {
			if status, err := s.call(ctx, s.token, "GET", "/v1/libraries/"+string(item.ID), nil, nil); err != nil || status != http.StatusOK {
				return nil, fmt.Errorf("library %s: status %d: %w", item.ID, status, err)
			}
			// Everybody has a library of their own, which no grant gives.
			if !item.Personal {
				ids = append(ids, item.ID)
			}
		}
		if page.NextCursor == nil {
			return ids, nil
		}
		cursor = *page.NextCursor
	}
}

// hand is the owner at the server's own pages.
type hand struct {
	*running
	token string
}

func (h hand) do(method, path string, body any) {
	h.t.Helper()
	if status, err := h.call(context.Background(), h.token, method, path, body, nil); err != nil || status >= 300 {
		h.t.Fatalf("%s %s: %d %v", method, path, status, err)
	}
}

func (h hand) user(username string) string {
	var page struct {
		Items []struct{ ID, Username string }
	}
	if _, err := h.call(context.Background(), h.token, "GET", "/v1/users?limit=100", nil, &page); err != nil {
		h.t.Fatal(err)
	}
	for _, user := range page.Items {
		if user.Username == username {
			return "/v1/users/" + user.ID
		}
	}
	h.t.Fatalf("there is no %s", username)
	return ""
}

// SetAccess uses the calls of one library at a time, as people do.
func (h hand) SetAccess(username string, access media.Access) {
	user := h.user(username)
	h.do("PUT", user+"/access", object{"all": false, "libraries": []any{}})
	for id := range access.Libraries {
		h.do("POST", "/v1/libraries/"+string(id)+"/permissions", object{"userId": filepath.Base(user)})
	}
}

func (h hand) SetDisabled(username string, disabled bool) {
	h.do("PATCH", h.user(username), object{"disabled": disabled})
}

func (h hand) DeleteAccount(username string) { h.do("DELETE", h.user(username), nil) }

func (h hand) RenameLibrary(id media.LibraryID, name string) {
	h.do("PATCH", "/v1/libraries/"+string(id), object{"name": name})
}

func (r *running) path(name string) string {
	path := filepath.Join(r.media, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// fill puts a file into the library's directory and waits until the server has found it.
func (h hand) fill(library media.Library) {
	if err := os.WriteFile(filepath.Join(library.Paths[0], "a text.txt"), []byte("Once upon a time."), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := h.server.WaitForScans(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	h.do("POST", "/v1/libraries/"+string(library.ID)+"/scan", nil)
	if err := h.server.WaitForScans(context.Background()); err != nil {
		h.t.Fatal(err)
	}
}

func serve(r *running, config media.Config, token string) drivertest.Server {
	h := hand{r, token}
	return drivertest.Server{
		Open: embedded.Open, Config: config, Path: r.path, SignIn: r.signIn, Fill: h.fill, Hand: h,
	}
}

func harness() drivertest.Harness {
	return drivertest.Harness{
		Start: func(t testing.TB) drivertest.Server {
			r := start(t)
			token := r.register()
			return serve(r, r.config(), token)
		},
		StartEmpty: func(t testing.TB) drivertest.Server {
			r := start(t)
			return serve(r, r.config(), "")
		},
		HTTP: true,
		Refusal: func(status int) (string, string) {
			return "application/json", fmt.Sprintf(`{"error":%q}`, http.StatusText(status))
		},
		OneAccessWrite: true, PasswordEndsSessions: true,
		Settings: map[string]string{"emoji": "🎬", "publicSharing": "true"},
	}
}

func TestConformance(t *testing.T) { drivertest.Run(t, harness()) }

// An administrator that is not the owner makes no other administrators, and says so.
func TestConformanceAsAdmin(t *testing.T) {
	h := harness()
	h.Only = []string{"R5", "R11", "accounts", "passwords"}
	h.Start = func(t testing.TB) drivertest.Server {
		r := start(t)
		token := r.register()
		hand{r, token}.do("POST", "/v1/users", object{"username": "usher", "password": "usher's password", "role": "admin"})
		config := r.config()
		config.Credentials = media.Credentials{Username: "usher", Password: "usher's password"}
		return serve(r, config, token)
	}
	drivertest.Run(t, h)
}

func BenchmarkDriver(b *testing.B) { drivertest.Benchmark(b, harness()) }
