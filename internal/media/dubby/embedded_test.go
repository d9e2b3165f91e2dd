package dubby_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/dubby"
	"github.com/usher-media/usher/internal/media/dubby/dubbytest"
	"github.com/usher-media/usher/internal/mediaserver"
)

// running is one embedded media server, which speaks the paths that Dubby documents.
type running struct {
	t          testing.TB
	server     *mediaserver.Server
	url, media string
	token      string
}

func startEmbedded(t testing.TB) *running {
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
	var in struct{ Token string }
	r.do("POST", "/v1/auth/register", map[string]string{
		"username": dubbytest.OwnerEmail, "email": dubbytest.OwnerEmail, "password": dubbytest.OwnerPassword,
	}, &in)
	r.token = in.Token
	return r
}

func (r *running) do(method, path string, body, into any) {
	r.t.Helper()
	if status, err := call(context.Background(), r.url, r.token, method, path, body, into); err != nil || status >= 300 {
		r.t.Fatalf("%s %s: %d %v", method, path, status, err)
	}
}

// user returns the path of an account.
func (r *running) user(email string) string {
	r.t.Helper()
	var page struct{ Items []struct{ ID, Email string } }
	r.do("GET", "/v1/users?limit=100", nil, &page)
	for _, user := range page.Items {
		if user.Email == address(email) {
			return "/v1/users/" + user.ID
		}
	}
	r.t.Fatalf("there is no %s", email)
	return ""
}

// The calls of somebody at the server's own pages.
func (r *running) SetAccess(email string, access media.Access) {
	user := r.user(email)
	r.do("PUT", user+"/access", map[string]any{"all": false, "libraries": []any{}}, nil)
	for id := range access.Libraries {
		r.do("POST", "/v1/libraries/"+string(id)+"/permissions", map[string]string{"userId": filepath.Base(user)}, nil)
	}
}

func (r *running) SetDisabled(email string, disabled bool) {
	r.do("PATCH", r.user(email), map[string]bool{"disabled": disabled}, nil)
}

func (r *running) DeleteAccount(email string) { r.do("DELETE", r.user(email), nil, nil) }

func (r *running) RenameLibrary(id media.LibraryID, name string) {
	r.do("PATCH", "/v1/libraries/"+string(id), map[string]string{"name": name}, nil)
}

func (r *running) path(name string) string {
	path := filepath.Join(r.media, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// fill puts a file into the library's directory and waits until the server has found it.
func (r *running) fill(library media.Library) {
	if err := os.WriteFile(filepath.Join(library.Paths[0], "a text.txt"), []byte("Once upon a time."), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := r.server.WaitForScans(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	r.do("POST", "/v1/libraries/"+string(library.ID)+"/scan", nil, nil)
	if err := r.server.WaitForScans(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// TestConformanceEmbedded runs everything against Usher's own media server, whose OpenAPI document nobody wrote for this.
func TestConformanceEmbedded(t *testing.T) {
	h := harness(dubbytest.Options{})
	h.PasswordEndsSessions = true
	// Each request of each call is spoiled in every way on the fakes, which answer sooner; here, those of the calls by which
	// somebody could come to see more than they should, in one way of each kind.
	h.Ways = []string{"reset_after_sent", "answer_lost", "other_json_200", "truncated_quietly", "limit_429", "failed_500"}
	h.Only = []string{
		"R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11", "R12", "R13", "accounts", "passwords", "libraries",
		"HTTP", "network", "bounds", "matrix/CreateAccount", "matrix/SetAccess", "matrix/UpdateAccount", "matrix/DeleteAccount",
	}
	h.Start = func(t testing.TB) drivertest.Server {
		r := startEmbedded(t)
		return drivertest.Server{
			Open: dubby.Open, Config: config(r.url), SignIn: signIn(r.url), Path: r.path, Fill: r.fill, Hand: r,
		}
	}
	drivertest.Run(t, h)
}

// TestEmbeddedOperations says which of the operations the embedded server shows, so that a change of either shows here.
func TestEmbeddedOperations(t *testing.T) {
	driver, err := dubby.Open(config(startEmbedded(t).url))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = driver.Close() })
	probe, err := driver.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	can := probe.Capabilities
	if !can.DeleteAccount || !can.Disable || !can.DisplayName || !can.Roles[media.RoleAdmin].Assignable || !can.Roles[media.RoleGuest].Assignable || len(can.MediaTypes) != 9 {
		t.Errorf("capabilities %+v", can)
	}
	mia, err := driver.CreateAccount(t.Context(), newAccount("mia@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	// Everybody has a library of their own there: it is given to nobody else.
	listing, err := driver.List(t.Context())
	at := slices.IndexFunc(listing.Libraries, func(l media.Library) bool { return l.Personal })
	if err != nil || at < 0 {
		t.Fatalf("%v %v", listing.Libraries, err)
	}
	_, err = driver.SetAccess(t.Context(), mia, newAccount("", string(listing.Libraries[at].ID)).Access)
	wantCode(t, err, media.Conflict)
}
