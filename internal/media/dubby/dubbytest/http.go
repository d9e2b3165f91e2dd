package dubbytest

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// call is one request to one route, with the server locked.
type call struct {
	*http.Request
	s *Server
	// by is who is signed in; nil on public routes.
	by   *User
	body map[string]json.RawMessage
}

type handle func(c *call) (status int, answer any, no *refused)

// Fault spoils a request: it may answer in the server's place (and then returns true), or after the server did its part
// break the connection.
type Fault func(number int, r *http.Request) (spoil Spoil)

// Spoil is what a Fault does to a request.
type Spoil struct {
	// Status, if not 0, is answered instead of doing anything.
	Status int
	Body   string
	Header http.Header
	// Lose breaks the connection after the request was done.
	Lose bool
	// Before runs first, without the lock.
	Before func()
}

// SetFault spoils requests from now on, which are numbered from 1; nil stops that.
func (s *Server) SetFault(fault Fault) {
	s.Lock()
	defer s.Unlock()
	s.fault, s.requests = fault, 0
}

var anyID = regexp.MustCompile(`\{[a-zA-Z]+\}`)

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	add := func(pattern string, public bool, h handle, fields ...string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.serve(w, r, anyID.ReplaceAllString(pattern, "{}"), public, h, fields)
		})
	}
	s.authRoutes(add)
	s.userRoutes(add)
	s.inviteRoutes(add)
	s.libraryRoutes(add)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, "unknown", true, func(*call) (int, any, *refused) { return 0, nil, refuse(404, "Not found") }, nil)
	})
	return mux
}

type adder func(pattern string, public bool, h handle, fields ...string)

func (s *Server) serve(w http.ResponseWriter, r *http.Request, route string, public bool, h handle, fields []string) {
	s.Lock()
	s.counts[route]++
	s.requests++
	var spoil Spoil
	if s.fault != nil {
		spoil = s.fault(s.requests, r)
	}
	s.Unlock()
	if spoil.Before != nil {
		spoil.Before()
	}
	if spoil.Status != 0 {
		for name, values := range spoil.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(spoil.Status)
		_, _ = io.WriteString(w, spoil.Body)
		return
	}
	status, answer, no := s.run(r, public, h, fields)
	if spoil.Lose {
		panic(http.ErrAbortHandler)
	}
	if no != nil {
		for name, values := range no.header {
			w.Header()[name] = values
		}
		status, answer = no.status, no.body
	}
	respond(w, status, answer)
}

func (s *Server) run(r *http.Request, public bool, h handle, fields []string) (int, any, *refused) {
	s.Lock()
	defer s.Unlock()
	c := &call{Request: r, s: s}
	if r.Header.Get("Origin") != "" || r.Header.Get("Cookie") != "" {
		return 0, nil, betterAuth(http.StatusForbidden, "INVALID_ORIGIN", "Invalid origin")
	}
	if !public {
		if no := c.identify(); no != nil {
			return 0, nil, no
		}
	}
	if no := c.read(fields); no != nil {
		return 0, nil, no
	}
	return h(c)
}

// identify finds out who asks: every request checks that the account is active (section 3).
func (c *call) identify() *refused {
	token, _ := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
	if user := c.s.user(c.s.sessions[token]); token != "" && user != nil && user.Active {
		c.by = user
		return nil
	}
	return refuse(http.StatusUnauthorized, "Unauthorized")
}

// read reads the body, which may have only those fields.
func (c *call) read(fields []string) *refused {
	raw, err := io.ReadAll(io.LimitReader(c.Body, 1<<20+1))
	switch {
	case err != nil:
		return refuse(http.StatusBadRequest, "Bad request")
	case len(raw) > 1<<20:
		return refuse(http.StatusRequestEntityTooLarge, "Too large")
	case len(raw) == 0:
		return nil
	case c.Header.Get("Content-Type") != "application/json" || json.Unmarshal(raw, &c.body) != nil:
		return refuse(http.StatusBadRequest, "Not JSON")
	}
	for name := range c.body {
		if !slices.Contains(fields, name) {
			return invalid(name)
		}
	}
	return nil
}

// field reads a field; false when it is missing or of another type.
func (c *call) field(name string, into any) bool {
	raw, there := c.body[name]
	return there && json.Unmarshal(raw, into) == nil
}

func (c *call) administers() bool { return c.by.Role == "owner" || c.by.Role == "admin" }

// admins lets only owner and admins through.
func admins(h handle) handle {
	return func(c *call) (int, any, *refused) {
		if !c.administers() {
			return 0, nil, refuse(http.StatusForbidden, "Forbidden")
		}
		return h(c)
	}
}

// list answers with entries in the envelope, by pages of cursor and limit (section 2).
func (c *call) list(entries []any) (int, any, *refused) {
	limit, from := 20, 0
	if word := c.URL.Query().Get("limit"); word != "" {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > 100 {
			return 0, nil, invalid("limit")
		}
		limit = n
	}
	if word := c.URL.Query().Get("cursor"); word != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(word, "after-"))
		if err != nil || n < 0 || n > len(entries) {
			return 0, nil, invalid("cursor")
		}
		from = n
	}
	if c.s.options.Lists == Array {
		return http.StatusOK, append([]any{}, entries...), nil
	}
	to := min(from+limit, len(entries))
	var next any
	if to < len(entries) {
		next = "after-" + strconv.Itoa(to)
	}
	some := append([]any{}, entries[from:to]...)
	switch c.s.options.Lists {
	case Boxed:
		return http.StatusOK, map[string]any{"data": some, "pagination": map[string]any{"next_cursor": next, "hasMore": next != nil}}, nil
	case Odd:
		if next == nil {
			next = ""
		}
		return http.StatusOK, map[string]any{"records": some, "total": len(entries), "cursor": next}, nil
	}
	return http.StatusOK, map[string]any{"items": some, "nextCursor": next}, nil
}

// authRoutes are those of better-auth, and the document.
func (s *Server) authRoutes(add adder) {
	add("POST /api/auth/sign-in/email", true, signIn, "email", "password")
	add("POST /api/auth/sign-out", false, func(c *call) (int, any, *refused) {
		delete(c.s.sessions, strings.TrimPrefix(c.Header.Get("Authorization"), "Bearer "))
		return http.StatusOK, map[string]any{"success": true}, nil
	})
	add("GET /api/auth/get-session", true, func(c *call) (int, any, *refused) {
		if c.identify() != nil {
			return http.StatusOK, json.RawMessage("null"), nil
		}
		return http.StatusOK, map[string]any{"session": map[string]any{}, "user": c.s.userView(c.by)}, nil
	})
	add("GET /v1/openapi.json", true, func(c *call) (int, any, *refused) {
		if document := c.s.document(); document != nil {
			return http.StatusOK, document, nil
		}
		return 0, nil, refuse(http.StatusNotFound, "Not found")
	})
	if s.options.Info {
		add("GET /api/seerr/system/info", true, func(*call) (int, any, *refused) {
			return http.StatusOK, map[string]any{"id": "x", "name": "Dubby", "version": "0.1.0-beta.7", "type": "dubby"}, nil
		})
	}
}

func signIn(c *call) (int, any, *refused) {
	now := time.Now()
	if c.s.options.RateLimit {
		c.s.signIns = slices.DeleteFunc(c.s.signIns, func(at time.Time) bool { return now.Sub(at) > 10*time.Second })
		if c.s.signIns = append(c.s.signIns, now); len(c.s.signIns) > 3 {
			no := &refused{status: http.StatusTooManyRequests, header: http.Header{"X-Retry-After": {"10"}}}
			no.body = map[string]any{"message": "Too many requests. Please try again later."}
			return 0, nil, no
		}
	}
	var email, password string
	if !c.field("email", &email) || !c.field("password", &password) || password == "" {
		return 0, nil, betterAuth(http.StatusBadRequest, "VALIDATION_ERROR", "Invalid")
	}
	user := c.s.mailed(email)
	if user == nil || user.Password != password || !user.Active {
		return 0, nil, betterAuth(http.StatusUnauthorized, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password")
	}
	c.s.Audit = append(c.s.Audit, "auth:sign-in")
	return http.StatusOK, c.s.startSession(user), nil
}

func (s *Server) startSession(user *User) map[string]any {
	token := s.newID() + s.newID()
	s.sessions[token] = user.ID
	return map[string]any{"redirect": false, "token": token, "user": s.userView(user)}
}

// EndSessions signs everybody out.
func (s *Server) EndSessions() {
	s.Lock()
	defer s.Unlock()
	clear(s.sessions)
}
