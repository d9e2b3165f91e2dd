package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/embedded"
)

func open(t *testing.T, config media.Config) media.Driver {
	t.Helper()
	driver, err := embedded.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = driver.Close() })
	return driver
}

func wantCode(t *testing.T, err error, code media.Code) {
	t.Helper()
	if media.CodeOf(err) != code {
		t.Errorf("got %q (%v), want %q", media.CodeOf(err), err, code)
	}
}

// counter counts requests by method and path, and can change them.
type counter struct {
	mu     sync.Mutex
	counts map[string]int
	edit   func(*http.Request)
}

func (c *counter) wrap(next http.RoundTripper) http.RoundTripper {
	return transport(func(request *http.Request) (*http.Response, error) {
		c.mu.Lock()
		if c.counts == nil {
			c.counts = map[string]int{}
		}
		c.counts[request.Method+" "+request.URL.Path]++
		edit := c.edit
		c.mu.Unlock()
		if edit != nil {
			edit(request)
		}
		return next.RoundTrip(request)
	})
}

func (c *counter) count(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[what]
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

const signInPath = "POST /v1/auth/sign-in"

func TestOneSignInForMany(t *testing.T) {
	r := start(t)
	r.register()
	var requests counter
	config := r.config()
	config.Transport = requests.wrap
	driver := open(t, config)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := driver.List(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := requests.count(signInPath); n != 1 {
		t.Errorf("%d sign-ins", n)
	}
}

// The session ends on the server, as after a change of the password back and forth: the driver signs in again, once.
func TestSignsInAgain(t *testing.T) {
	r := start(t)
	token := r.register()
	var requests counter
	config := r.config()
	config.Transport = requests.wrap
	driver := open(t, config)
	probe, err := driver.Probe(context.Background())
	wantCode(t, err, "")
	hand{r, token}.do("PUT", "/v1/users/"+string(probe.Self)+"/password", object{"password": ownerPassword})
	_, err = driver.List(context.Background())
	wantCode(t, err, "")
	if n := requests.count(signInPath); n != 2 {
		t.Errorf("%d sign-ins", n)
	}
}

func TestToken(t *testing.T) {
	r := start(t)
	token := r.register()
	config := media.Config{Allowed: media.Loopback(), URL: r.url, Credentials: media.Credentials{Token: token}}
	driver := open(t, config)
	probe, err := driver.Probe(context.Background())
	if err != nil || probe.SelfName != owner || !probe.Capabilities.Roles[media.RoleAdmin].Assignable {
		t.Errorf("%+v %v", probe, err)
	}
	wantCode(t, driver.(media.Bootstrapper).Bootstrap(context.Background()), media.Invalid)
	config.Credentials.Token = "wrong"
	_, err = open(t, config).List(context.Background())
	wantCode(t, err, media.Unauthenticated)
}

func TestSignsInByEmail(t *testing.T) {
	r := start(t)
	config := r.config()
	config.Credentials.Email = "owner@example.org"
	wantCode(t, open(t, config).(media.Bootstrapper).Bootstrap(context.Background()), "")
	config.Credentials.Username = ""
	probe, err := open(t, config).Probe(context.Background())
	if err != nil || probe.SelfName != owner {
		t.Errorf("%+v %v", probe, err)
	}
	// The login field takes addresses, but Authenticate is about usernames.
	_, err = open(t, config).(media.Authenticator).Authenticate(context.Background(), "owner@example.org", ownerPassword)
	wantCode(t, err, media.Unauthenticated)
}

// On a server with open registration, Bootstrap makes no second account.
func TestBootstrapWithOpenRegistration(t *testing.T) {
	r := start(t)
	token := r.register()
	hand{r, token}.do("PATCH", "/v1/server", object{"registration": "open"})
	config := r.config()
	config.Credentials.Username = "somebody"
	driver := open(t, config)
	wantCode(t, driver.(media.Bootstrapper).Bootstrap(context.Background()), media.AlreadyExists)
	_, err := driver.Probe(context.Background())
	wantCode(t, err, media.Unauthenticated)
}

func TestOwnAccountMustChooseAPassword(t *testing.T) {
	r := start(t)
	token := r.register()
	hand{r, token}.do("POST", "/v1/users", object{
		"username": "usher", "password": "usher's password", "role": "admin", "mustChangePassword": true,
	})
	config := r.config()
	config.Credentials = media.Credentials{Username: "usher", Password: "usher's password"}
	_, err := open(t, config).List(context.Background())
	wantCode(t, err, media.PermissionDenied)
	if err == nil || !strings.Contains(err.Error(), "choose another password") {
		t.Error(err)
	}
}

func TestResyncIsPagesOnly(t *testing.T) {
	r := start(t)
	token := r.register()
	for i := range 120 {
		hand{r, token}.do("POST", "/v1/users", object{"username": fmt.Sprintf("person%d", i), "password": "a password"})
	}
	var requests counter
	config := r.config()
	config.Transport = requests.wrap
	driver := open(t, config)
	listing, err := driver.List(context.Background())
	if err != nil || len(listing.Accounts) != 121 {
		t.Fatalf("%d accounts, %v", len(listing.Accounts), err)
	}
	users, libraries := requests.count("GET /v1/users"), requests.count("GET /v1/libraries")
	if users != 2 || libraries != 1 || len(requests.counts) != 3 {
		t.Errorf("%v", requests.counts)
	}
}

// Ten libraries at once are one request of any kind.
func TestAccessIsOneRequest(t *testing.T) {
	r := start(t)
	r.register()
	var requests counter
	config := r.config()
	config.Transport = requests.wrap
	driver := open(t, config)
	want := media.Access{}.Clone()
	for i := range 10 {
		name := fmt.Sprintf("Library %d", i)
		library, err := driver.CreateLibrary(context.Background(), media.NewLibrary{
			Name: name, MediaType: "Mixed", Paths: []string{r.path(name)},
		})
		wantCode(t, err, "")
		want.Libraries[library.ID] = media.LibraryViewer
	}
	account, err := driver.CreateAccount(context.Background(), media.NewAccount{
		Username: "mia", Password: "mia's password", Role: media.RoleMember,
	})
	wantCode(t, err, "")
	var before atomic.Int32
	requests.edit = func(*http.Request) { before.Add(1) }
	if _, err = driver.SetAccess(context.Background(), account, want); err != nil || before.Load() != 1 {
		t.Errorf("%d requests, %v", before.Load(), err)
	}
}

func TestRefusedFieldIsNamed(t *testing.T) {
	r := start(t)
	r.register()
	driver, failed := open(t, r.config()), new(media.Error)
	for username, why := range map[string]string{
		" mia": "must not begin or end with a space", strings.Repeat("a", 65): "expected length <= 64",
		"mia\u200d": "must not contain invisible characters", "👩\u200d👧 family": "must not contain invisible characters",
		"mia\a": "must not contain control characters",
	} {
		_, err := driver.CreateAccount(context.Background(), media.NewAccount{Username: username, Password: "mia's password", Role: media.RoleMember})
		if !errors.As(err, &failed) || failed.Message != "POST /v1/users: the server refuses the field username: "+why {
			t.Errorf("%q: %v", username, err)
		}
	}
	for path, why := range map[string]string{"/usr": "lies outside of the root folders", r.path("gone") + "/../not there": "does not exist"} {
		_, err := driver.CreateLibrary(context.Background(), media.NewLibrary{Name: "Films", MediaType: "Movies", Paths: []string{path}})
		if !errors.As(err, &failed) || failed.Message != "POST /v1/libraries: the server refuses the field paths: "+why {
			t.Errorf("%q: %v", path, err)
		}
	}
}
