// Package audiobookshelftest is an Audiobookshelf server for tests: a fake that behaves as the contract says, with its
// traps, and what tests a driver against the fake and against real servers alike.
//
// A request that ends the real server's process ends the fake: from then on it breaks every connection, until Restart. What
// the real one has stored by then and fails at, keeps the fake from starting again. It looks at real directories.
package audiobookshelftest

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Version is the one that the contract measured.
const Version = "2.36.0"

// Options of a fake. The zero value is a server with the system's clock.
type Options struct {
	// Now is the server's clock; nil for the system's. Tokens go by it.
	Now func() time.Time
	// Version that the server says; empty for Version.
	Version string
	// Limit is how many sign-ins and renewals are let through; 0 for any number.
	Limit int
}

// Server is a running fake. Its methods may be called at any time.
type Server struct {
	URL string

	options Options
	mux     *http.ServeMux

	mu sync.Mutex
	store
	// dead: the process has ended. why says by which request.
	dead bool
	why  string
	// stuck counts the requests that will never be answered.
	stuck int
	// gate holds creations between the look at the name and the account.
	gate *gate
	// calls are the requests so far, as "METHOD path".
	calls []string
	// bodies are the bodies of the requests that write.
	bodies []Body
}

// Body is what a request carried.
type Body struct {
	// Call is method and path.
	Call string
	JSON []byte
}

// Start starts a server without accounts. It stops with the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Version == "" {
		options.Version = Version
	}
	s := &Server{options: options, mux: http.NewServeMux(), store: newStore()}
	s.routes()
	web := httptest.NewUnstartedServer(s)
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // connections are broken on purpose
	web.Start()
	s.URL = web.URL
	t.Cleanup(web.Close)
	return s
}

// call is one request under way.
type call struct {
	*http.Request
	writer http.ResponseWriter
	// body is what was sent; an empty object for none.
	body object
	raw  []byte
	user *account
}

// refusal is an answer outside 2xx. Plain words are what the server answers in; page makes them a web page's.
type refusal struct {
	status int
	words  string
	page   bool
	json   any
	header http.Header
}

// Error implements error.
func (r *refusal) Error() string { return r.words }

// say is how the server refuses with words: as a web page's text. plain is how it refuses with a status alone.
func say(status int, words string) error { return &refusal{status: status, words: words, page: true} }

func plain(status int) error { return &refusal{status: status, words: http.StatusText(status)} }

// crash is what a handler panics with that ends the process.
type crash struct{ why string }

type handler func(c *call) (any, error)

func (s *Server) routes() {
	for pattern, handle := range map[string]handler{
		"GET /healthcheck": func(*call) (any, error) { return text("OK"), nil },
		"GET /status":      s.status, "POST /init": s.setUp, "POST /login": s.login,
		"POST /auth/refresh": s.refresh, "POST /logout": s.logout,
	} {
		s.mux.HandleFunc(pattern, s.serve(false, handle))
	}
	for pattern, handle := range map[string]handler{
		"GET /api/me":    func(c *call) (any, error) { return c.user.form(false), nil },
		"GET /api/users": s.listUsers, "POST /api/users": s.createUser, "GET /api/users/{id}": s.getUser,
		"PATCH /api/users/{id}": s.updateUser, "DELETE /api/users/{id}": s.deleteUser,
		"GET /api/libraries": s.listLibraries, "POST /api/libraries": s.createLibrary,
		"GET /api/libraries/{id}": s.getLibrary, "PATCH /api/libraries/{id}": s.updateLibrary,
		"DELETE /api/libraries/{id}": s.deleteLibrary, "GET /api/libraries/{id}/items": s.listItems,
		"GET /api/filesystem": s.browse, "GET /api/auth-settings": s.authSettings,
		"GET /api/emails/settings": s.mail, "POST /api/emails/ereader-devices": s.setDevices,
		"POST /api/api-keys": s.createKey, "DELETE /api/api-keys/{id}": s.deleteKey,
	} {
		s.mux.HandleFunc(pattern, s.serve(true, handle))
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	dead := s.dead
	s.calls = append(s.calls, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	if dead {
		panic(http.ErrAbortHandler)
	}
	r.URL.Path = strings.TrimPrefix(r.URL.Path, "/audiobookshelf")
	if _, pattern := s.mux.Handler(r); pattern == "" {
		answer(w, &refusal{status: http.StatusNotFound, words: "<!DOCTYPE html><pre>Cannot " + r.Method + " " + r.URL.Path + "</pre>", page: true})
		return
	}
	s.mux.ServeHTTP(w, r)
}

// serve does one thing at a time, but where a handler lets others in between.
func (s *Server) serve(signedIn bool, handle handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		defer s.end(r)
		c := &call{Request: r, writer: w, body: object{}, raw: raw}
		if r.Method != http.MethodGet && r.Method != http.MethodDelete {
			s.bodies = append(s.bodies, Body{r.Method + " " + r.URL.Path, raw})
		}
		if len(raw) > 0 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			if json.Unmarshal(raw, &c.body) != nil {
				answer(w, say(http.StatusBadRequest, "<pre>Bad Request</pre>"))
				return
			}
		}
		if signedIn {
			if c.user = s.authorized(r); c.user == nil {
				answer(w, plain(http.StatusUnauthorized))
				return
			}
		}
		body, err := handle(c)
		if err != nil {
			answer(w, err)
			return
		}
		send(w, body)
	}
}

// end ends the process when a handler says so.
func (s *Server) end(r *http.Request) {
	switch why := recover().(type) {
	case nil:
	case crash:
		s.dead, s.why = true, r.Method+" "+r.URL.Path+": "+why.why
		panic(http.ErrAbortHandler)
	default:
		panic(why)
	}
}

// text is an answer in plain words.
type text string

func send(w http.ResponseWriter, body any) {
	if words, ok := body.(text); ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, string(words))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(body)
}

func answer(w http.ResponseWriter, err error) {
	r, ok := err.(*refusal)
	if !ok {
		r = &refusal{status: http.StatusInternalServerError, words: "<pre>Internal Server Error</pre>", page: true}
	}
	for name, values := range r.header {
		w.Header()[name] = values
	}
	switch {
	case r.json != nil:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(r.status)
		_ = json.NewEncoder(w).Encode(r.json)
		return
	case r.page:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(r.status)
	_, _ = io.WriteString(w, r.words)
}
