package faults

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/shisho"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
	"github.com/usher-media/usher/test/mortal"
)

// shishoCapabilities are what the scenarios ask for.
var shishoCapabilities = media.Capabilities{Disable: true, DeleteLibrary: true}

// shishoSystem is the fake of Shisho, spoken to by HTTP.
type shishoSystem struct {
	t    testing.TB
	fake *shishotest.Server
	root string
	gone atomic.Bool
}

func newShisho(t testing.TB, _ scenario) system {
	s := &shishoSystem{t: t, fake: shishotest.Start(t, shishotest.Options{}), root: t.TempDir()}
	if err := shishotest.SetUp(t.Context(), s.fake.URL); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shishoSystem) kind() v1alpha1.MediaServerType { return v1alpha1.MediaServerShisho }
func (s *shishoSystem) url() string                    { return s.fake.URL }
func (s *shishoSystem) adminsSeeAll() bool             { return false }
func (s *shishoSystem) longestCall() time.Duration     { return 2 * time.Second }
func (s *shishoSystem) mediaType() v1alpha1.MediaType  { return v1alpha1.MediaTypeBooks }

func (s *shishoSystem) credentials() map[string]string {
	return map[string]string{"username": shishotest.Owner, "password": shishotest.OwnerPassword}
}

func (s *shishoSystem) open(p *mortal.Process) media.Open {
	return p.OpenHTTP(func(config media.Config) (media.Driver, error) {
		above := config.Transport
		config.Transport = func(next http.RoundTripper) http.RoundTripper { return above(&switchable{next, &s.gone}) }
		return shisho.Open(config)
	}, func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/auth/") })
}

// switchable refuses connections while the server is gone.
type switchable struct {
	next http.RoundTripper
	gone *atomic.Bool
}

func (s *switchable) RoundTrip(request *http.Request) (*http.Response, error) {
	if s.gone.Load() {
		return nil, syscall.ECONNREFUSED
	}
	return s.next.RoundTrip(request)
}

func (s *shishoSystem) path(library string) string {
	path := filepath.Join(s.root, library)
	if err := os.MkdirAll(path, 0o755); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *shishoSystem) people() map[string]person {
	people := map[string]person{}
	for _, p := range s.fake.People() {
		if p.Username != shishotest.Owner {
			people[p.Username] = person{Sees: p.Shown, Disabled: p.Out, Role: media.Role(p.Role)}
		}
	}
	return people
}

func (s *shishoSystem) libraries() []string { return s.fake.LibraryNames() }

func (s *shishoSystem) accepts(username, password string) bool {
	return s.fake.Accepts(username, password)
}

func (s *shishoSystem) addAccount(username, password string) { s.fake.AddAccount(username, password) }

func (s *shishoSystem) setDisabled(username string, disabled bool) {
	s.fake.Switch(username, !disabled)
}

func (s *shishoSystem) give(username, library string) { s.fake.Give(username, library) }
func (s *shishoSystem) take(username, library string) { s.fake.Take(username, library) }

func (s *shishoSystem) addLibrary(name string) {
	s.fake.AddLibrary(name, s.path(strings.ToLower(name)))
}

func (s *shishoSystem) removeAccount(string) { s.t.Fatal("the server deletes no accounts") }

func (s *shishoSystem) down() func() {
	s.gone.Store(true)
	return func() { s.gone.Store(false) }
}

// odd loses answers, breaks connections, fails, fails in the middle of a write of grants, which leaves a part behind, or
// is slow. That it fails before the first grant is written is left to the driver's own tests: then everybody is shown every
// list until the driver's next request, which no client can help.
func (s *shishoSystem) odd(n int) func() {
	switch n % 5 {
	case 3:
		s.fake.BreakGrants(1 + n/5%2)
		return func() { s.fake.BreakGrants(-1) }
	case 4:
		s.fake.Decide(func(int, string, string) shishotest.Fate {
			<-time.After(s.longestCall() / 4)
			return shishotest.Serve
		})
	default:
		fate := []shishotest.Fate{shishotest.Lose, shishotest.Drop, shishotest.Fail}[n%5]
		s.fake.Decide(func(request int, _, _ string) shishotest.Fate {
			if request <= 1+n%4 {
				return fate
			}
			return shishotest.Serve
		})
	}
	return func() { s.fake.Decide(nil) }
}
