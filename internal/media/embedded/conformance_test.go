package embedded_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/embedded/embeddedtest"
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

type object = embeddedtest.Object

func (r *running) people() embeddedtest.Server { return embeddedtest.Server{URL: r.url} }

// call makes a call as anybody would, without the driver, and returns the status.
func (r *running) call(ctx context.Context, token, method, path string, body, into any) (int, error) {
	return r.people().Call(ctx, token, method, path, body, into)
}

// hand is the owner at the server's own pages.
type hand struct {
	*running
	token string
}

func (h hand) do(method, path string, body any) {
	h.t.Helper()
	embeddedtest.Hand{Server: h.people(), T: h.t, Token: h.token}.Do(method, path, body)
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
	return media.Config{Allowed: media.Loopback(), URL: r.url, Credentials: media.Credentials{Username: owner, Password: ownerPassword}}
}

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
	server := embeddedtest.Serve(r.t, config, r.media, token)
	server.Fill = hand{r, token}.fill
	return server
}

func harness() drivertest.Harness {
	h := embeddedtest.Harness()
	h.Parallel = true
	h.Start = func(t testing.TB) drivertest.Server {
		r := start(t)
		token := r.register()
		hand{r, token}.do("POST", "/v1/roles", object{"name": "Librarian", "permissions": []any{object{"resource": "libraries", "operation": "read"}}})
		return serve(r, r.config(), token)
	}
	h.StartEmpty = func(t testing.TB) drivertest.Server {
		r := start(t)
		return serve(r, r.config(), "")
	}
	return h
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
