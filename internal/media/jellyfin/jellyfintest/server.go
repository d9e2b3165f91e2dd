// Package jellyfintest is a Jellyfin server for tests: a fake that behaves as docs/contracts/jellyfin.md says, with every
// trap of the page and of its additions, as one of the releases 10.10, 10.11 and 12.0. Comments cite the page.
//
// The fake keeps accounts and libraries in memory and does one thing at a time. Nothing runs by itself: what the real
// server does in the background is done by the next requests or by Scan. Faults fail requests (Decide), hooks let a test
// act in the middle of one (OnStep), and what the server undoes by itself is armed by UndoNext.
//
// Where the contract is silent, the fake takes the less forgiving way, and the comment says "not in the contract".
package jellyfintest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Options of a fake. The zero value is a brand-new 10.11.11 at the root of its port, whose wizard is pending.
type Options struct {
	// Version is the release; empty for Release1011.
	Version Version
	// Now is the server's clock; nil for the system's. Schedules, codes and the age of an activity go by it.
	Now func() time.Time
	// BasePath is the server's base URL, such as "/jellyfin"; what is not below it is 404.
	BasePath string
	// Sees says whether the server sees a directory; nil for the directories of this machine.
	Sees func(path string) bool
	// KnownProxy says that the server trusts X-Forwarded-For. Without, everybody behind a proxy is local (additions B.14).
	KnownProxy bool
	// FoldItemIDs lower-cases paths before they become ids (EnableCaseSensitiveItemIds off, section 7).
	FoldItemIDs bool
	// NewerFields are fields of the policy that only a later release has, with the defaults of their constructor: what is
	// not posted back becomes the default (section 5, "keep unknown fields").
	NewerFields map[string]any
	// SlowReads is how many listings of the libraries still show no ItemId while a rename is done in the background
	// (additions B.9).
	SlowReads int
}

// Server is a running fake. Its methods may be called at any time.
type Server struct {
	// URL of the API.
	URL string

	options Options
	web     *httptest.Server
	faults  faults
	hooks   hooks
	// folderWrites are the changes of libraries that are under way (section 7, "serialise per server").
	folderWrites, overlaps atomic.Int32

	mu      sync.Mutex
	version Version
	schemas *schemas
	routes  []route
	store
	live
}

// live is what is lost when the server restarts, and what a test armed.
type live struct {
	phase    Phase
	sessions map[string]*session
	quick    []*quickConnect
	pins     map[string]*pin
	undo     map[string]Moment
	stale    map[string]*user
	emptied  bool
	notes    []string
}

// New makes a server that is to be served by somebody else: it is an http.Handler. Its URL is empty.
func New(options Options) *Server {
	if options.Version == "" {
		options.Version = Release1011
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Sees == nil {
		options.Sees = isDirectory
	}
	s := &Server{options: options}
	s.become(options.Version)
	s.seed(options.Version)
	return s
}

// become makes the server one of a release.
func (s *Server) become(version Version) {
	s.version, s.schemas, s.live = version, newSchemas(version, s.options.NewerFields), newLive()
	s.routes = s.allRoutes()
}

// Upgrade restarts the server as a later release, with its data. That to 12.0 turns the legacy forms of authorization off,
// once (section 1).
func (s *Server) Upgrade(version Version) {
	s.mu.Lock()
	old := s.version
	s.become(version)
	if old.legacyAuthorization() && !version.legacyAuthorization() {
		s.config.legacyAuthorization = false
	}
	s.mu.Unlock()
	s.Restart()
}

// Start starts a brand-new server, whose wizard is pending. It stops with the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	s := New(options)
	s.web = httptest.NewServer(s)
	s.URL = s.web.URL + options.BasePath
	t.Cleanup(s.web.Close)
	return s
}

// The account that StartReady and the harness give a server.
const (
	Owner         = "Keeper"
	OwnerPassword = "the keeper's password"
)

// StartReady starts a server whose wizard is completed, with the administrator Owner and an API key, which it returns.
func StartReady(t testing.TB, options Options) (s *Server, key string) {
	t.Helper()
	s = Start(t, options)
	s.mu.Lock()
	defer s.mu.Unlock()
	owner := s.addUser(Owner)
	owner.password = OwnerPassword
	owner.policy["IsAdministrator"] = true
	s.startup.completed = true
	return s, s.addKey("Usher").token
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func newLive() live {
	return live{
		sessions: map[string]*session{}, pins: map[string]*pin{}, undo: map[string]Moment{}, stale: map[string]*user{},
	}
}

func (s *Server) now() time.Time { return s.options.Now().UTC() }

// Restart ends everything that is in memory only: live sessions and Quick Connect codes. Tokens stay. From 12.0 on, a
// wizard that an administrator with a password was made by counts as completed (section 3).
func (s *Server) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = newLive()
	if s.version.startupUserOnce() && s.any(func(u *user) bool { return u.admin() && u.password != "" }) {
		s.startup.completed = true
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, status := s.find(r)
	switch {
	case c == nil && s.inPhase() != PhaseRunning:
		waiting().write(w)
		return
	case c == nil:
		w.WriteHeader(status)
		return
	}
	c.noteParameters()
	s.faults.pass(w, r, c.route.path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.Request = r
		s.serve(c).write(w)
	}))
}

// serve answers one request: the setup server first, then who asks, then what the body holds.
func (s *Server) serve(c *call) answer {
	if early, answered := s.starting(c); answered {
		return early
	}
	if c.route.folders {
		if s.folderWrites.Add(1) > 1 {
			s.overlaps.Add(1)
		}
		defer s.folderWrites.Add(-1)
		s.reach(MonitorStopped, "")
	}
	refused, admitted := s.admit(c)
	if !admitted {
		return refused
	}
	if refused, read := c.read(); !read {
		return refused
	}
	s.touch(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.route.do(c)
}

// Notes are what the server bore in silence though its OpenAPI document does not have it: fields and parameters that it
// ignored. A driver causes none.
func (s *Server) Notes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.notes...)
}

// Overlaps counts the changes of libraries that came while another one was under way: each stops the library monitor for a
// while, so that a driver makes one at a time (section 7).
func (s *Server) Overlaps() int { return int(s.overlaps.Load()) }

func (s *Server) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, text)
}
