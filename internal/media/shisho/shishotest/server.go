// Package shishotest is a Shisho server for tests: a fake that behaves as the contract says, with its traps, and what
// tests a driver against the fake and against real servers alike.
//
// The fake keeps accounts and libraries in memory and looks at real directories. It does one thing at a time, as the
// server's one database connection makes it. Nothing runs by itself: scans happen at Scan.
package shishotest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Options of a fake. The zero value is a server at the root of its port, with the system's clock.
type Options struct {
	// Now is the server's clock; nil for the system's. Sessions and the OPDS cache go by it.
	Now func() time.Time
	// BasePath is where the API is, such as "/api"; everything else but OPDS and the like answers with a web page and
	// status 200, as the official image does.
	BasePath string
	// SessionTime is how long a session lasts; zero for 30 days.
	SessionTime time.Duration
}

// Server is a running fake. Its methods may be called at any time.
type Server struct {
	// URL of the API.
	URL string

	options Options
	web     *httptest.Server
	events  events
	mux     *http.ServeMux
	faults  faults

	mu sync.Mutex
	store
}

// births makes each fake's database a second younger than the one before: servers differ in when they were made.
var births atomic.Int64

// Start starts a server without accounts. It stops with the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.SessionTime == 0 {
		options.SessionTime = 30 * 24 * time.Hour
	}
	s := &Server{options: options, mux: http.NewServeMux()}
	s.seed(options.Now().Add(time.Duration(births.Add(1)) * time.Second).UTC().Truncate(time.Second))
	s.routes()
	s.web = httptest.NewServer(s)
	s.URL = s.web.URL + options.BasePath
	t.Cleanup(s.web.Close)
	return s
}

// handler answers a call. A refusal is returned as the error.
type handler func(c *call) (status int, body any, err error)

// access says who may make a call.
type access struct {
	// anonymous: everybody.
	anonymous bool
	// permission that the account's role must have, such as "users:write"; empty for none.
	permission string
	// library: the path names a library, which must be granted.
	library bool
	// choosing: also who must choose another password.
	choosing bool
}

func (s *Server) routes() {
	anyone := access{anonymous: true}
	may := func(permission string) access { return access{permission: permission} }
	granted := func(permission string) access { return access{permission: permission, library: true} }
	routes := []struct {
		pattern string
		access  access
		handle  handler
	}{
		{"GET /health", anyone, func(*call) (int, any, error) { return http.StatusOK, object{"healthy": true}, nil }},
		{"GET /auth/status", anyone, s.status},
		{"POST /auth/setup", anyone, s.setUp},
		{"POST /auth/login", anyone, s.login},
		{"POST /auth/logout", anyone, func(*call) (int, any, error) { return http.StatusNoContent, nil, nil }},
		{"GET /auth/me", access{choosing: true}, s.me},
		{"GET /users", may("users:read"), s.listUsers},
		{"GET /users/{id}", may("users:read"), s.getUser},
		{"POST /users", may("users:write"), s.createUser},
		{"POST /users/{id}", may("users:write"), s.updateUser},
		{"DELETE /users/{id}", may("users:write"), s.deactivateUser},
		{"POST /users/{id}/reset-password", access{choosing: true}, s.resetPassword},
		{"GET /roles", may("users:read"), s.listRoles},
		{"GET /roles/{id}", may("users:read"), s.getRole},
		{"POST /roles", may("users:write"), s.createRole},
		{"POST /roles/{id}", may("users:write"), s.updateRole},
		{"DELETE /roles/{id}", may("users:write"), s.deleteRole},
		{"GET /libraries", may("libraries:read"), s.listLibraries},
		{"GET /libraries/{id}", granted("libraries:read"), s.getLibrary},
		{"POST /libraries", may("libraries:write"), s.createLibrary},
		{"POST /libraries/{id}", granted("libraries:write"), s.updateLibrary},
		{"DELETE /libraries/{id}", granted("libraries:write"), s.deleteLibrary},
		{"GET /filesystem/browse", may("libraries:write"), s.browse},
		{"GET /books", may("books:read"), s.listBooks},
		{"GET /books/{id}", may("books:read"), s.getBook},
		{"GET /search", may("books:read"), s.search},
		{"GET /jobs", may("jobs:read"), s.listJobs},
		{"GET /jobs/{id}", may("jobs:read"), s.getJob},
		{"POST /jobs", may("jobs:write"), s.createJob},
		{"GET /user/api-keys", access{}, s.listKeys},
		{"POST /user/api-keys", access{}, s.createKey},
		{"DELETE /user/api-keys/{id}", access{}, s.deleteKey},
		{"POST /user/api-keys/{id}/permissions/{permission}", access{}, s.permitKey},
	}
	known := map[string]bool{}
	for _, r := range routes {
		s.mux.HandleFunc(r.pattern, s.serve(r.access, r.handle))
		if _, path, _ := strings.Cut(r.pattern, " "); !known[path] {
			known[path] = true
			s.mux.HandleFunc(path, s.serve(access{choosing: true}, wrongMethod))
		}
	}
	s.mux.HandleFunc("GET /events", s.stream)
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /opds/v1/{types}/catalog": s.catalog, "GET /opds/v1/{types}/libraries/{id}": s.feed,
		"GET /opds/download/{id}": s.download, "GET /ereader/key/{key}/": s.ereader,
		"GET /kobo/{key}/all/v1/books/{book}/file/epub": s.kobo,
	} {
		s.mux.HandleFunc(pattern, s.locked(handle))
	}
}

func wrongMethod(*call) (int, any, error) {
	return 0, nil, refuse(http.StatusNotFound, "not_found", "Not Found")
}

// locked does one thing at a time.
func (s *Server) locked(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		handle(w, r)
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if base := s.options.BasePath; base != "" {
		path, below := strings.CutPrefix(r.URL.Path, base+"/")
		switch {
		case below:
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = "/"+path, ""
		case !passesThrough(r.URL.Path):
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte("<!doctype html><title>Shisho</title><div id=root></div>"))
			return
		}
	}
	_, pattern := s.mux.Handler(r)
	if pattern == "" {
		send(w, http.StatusNotFound, envelope(refuse(http.StatusNotFound, "not_found", "Page not found.")))
		return
	}
	s.faults.pass(w, r, pattern, s.mux)
	s.events.tell(r.URL.Path)
}

// passesThrough says whether the official image's web server hands a path on as it is.
func passesThrough(path string) bool {
	for _, prefix := range []string{"/health", "/opds/", "/ereader/", "/e/", "/kobo/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// serve checks who calls, in the server's order: session, forced password, permission, library.
func (s *Server) serve(who access, handle handler) http.HandlerFunc {
	return s.locked(func(w http.ResponseWriter, r *http.Request) {
		c := &call{Request: r, writer: w, server: s}
		status, body, err := s.admit(c, who)
		if err == nil {
			status, body, err = handle(c)
		}
		var refused *refusal
		switch {
		case errors.As(err, &refused):
			send(w, refused.status, envelope(refused))
		case err != nil:
			send(w, http.StatusInternalServerError, envelope(failure()))
		default:
			send(w, status, body)
		}
	})
}

func (s *Server) admit(c *call, who access) (int, any, error) {
	if who.anonymous {
		return 0, nil, nil
	}
	if c.user = s.signedIn(c.Request); c.user == nil {
		return 0, nil, refuse(http.StatusUnauthorized, "unauthorized", "Authentication required")
	}
	switch {
	case c.user.mustChange && !who.choosing:
		return 0, nil, refuse(http.StatusForbidden, "password_reset_required", "You must reset your password before accessing this resource.")
	case who.permission != "" && !c.user.role.may(who.permission):
		return 0, nil, refuse(http.StatusForbidden, "forbidden", "You don't have permission is not allowed.")
	case who.library:
		id, err := strconv.Atoi(c.PathValue("id"))
		if err == nil && !c.user.granted(id) {
			return 0, nil, refuse(http.StatusForbidden, "forbidden", "You don't have access to this library is not allowed.")
		}
	}
	return 0, nil, nil
}
