// Package dubbytest is a Dubby server for tests, made of nothing but the contract that was gathered from Dubby's published
// documentation: sections 2 to 9. What the contract leaves open is an Option, so that the driver is tried with each way.
// It is strict: a field that it does not know, a cookie or an Origin is refused, and every sign-in is audited.
package dubbytest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Envelope is how lists come.
type Envelope string

// The envelopes.
const (
	// Items is {"items":[...],"nextCursor":null}.
	Items Envelope = "items"
	// Array is all entries in a plain array, pages or not.
	Array Envelope = "array"
	// Boxed is {"data":[...],"pagination":{"next_cursor":...,"hasMore":...}}.
	Boxed Envelope = "boxed"
	// Odd is {"records":[...],"total":n,"cursor":""}.
	Odd Envelope = "odd"
)

// Options are what the contract leaves open. The zero value is a server on which everything can be done.
type Options struct {
	Lists Envelope
	// PackedPaths writes a library's paths as a string that holds JSON.
	PackedPaths bool
	// GrantStatus and RevokeStatus are those of success; zero for 201 and 204.
	GrantStatus, RevokeStatus int
	// StrictGrants answers 409 to a repeated grant, and 404 to a revoke of what was not granted.
	StrictGrants bool
	// NestedUser names a permission's user as {"user":{"id":...}}.
	NestedUser bool
	// DashIDs makes ids that begin with a dash.
	DashIDs bool
	// LowerCase stores email addresses in lower case.
	LowerCase bool
	// BetterAuth registers by better-auth's sign-up, whose errors have its shape, and calls display names "name".
	BetterAuth bool
	// InviteDays lets invites expire after whole days, not at a time.
	InviteDays bool
	// RoleRoute changes roles by a route of their own.
	RoleRoute bool
	// Bare has no calls that set passwords, read one user, disable or delete users, or change names.
	Bare bool
	// RateLimit allows three sign-ins in ten seconds, as stock better-auth does.
	RateLimit bool
	// Info answers at the vendor's information route.
	Info bool
	// Document edits the OpenAPI document; setting it to nil leaves none.
	Document func(document map[string]any) map[string]any
}

// Server is one running server. Its fields may be used under Lock only.
type Server struct {
	sync.Mutex
	URL     string
	options Options
	web     *httptest.Server
	// Users, Libraries and Invites in order of creation.
	Users     []*User
	Libraries []*Library
	Invites   []*Invite
	grants    []grant
	sessions  map[string]string
	// Audit is the log: one word for each event.
	Audit    []string
	counts   map[string]int
	signIns  []time.Time
	fault    Fault
	requests int
}

// User is an account.
type User struct {
	ID, Email, Name, Role, Password string
	Active                          bool
}

// Library is a library.
type Library struct {
	ID, Name, Type string
	Paths          []string
	Items          int
}

// Invite is an invite for one person.
type Invite struct {
	ID, Code, Role, Email string
	Libraries             []string
	Expires               time.Time
	UsedBy                string
}

type grant struct{ id, library, user string }

// The account that a new server has.
const (
	OwnerEmail    = "owner@example.org"
	OwnerPassword = "The owner's password 1"
)

// Start starts a server that has an owner. It stops with the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	s := &Server{options: options, sessions: map[string]string{}, counts: map[string]int{}}
	s.Add("owner", OwnerEmail, OwnerPassword)
	s.web = httptest.NewServer(s.handler())
	s.URL = s.web.URL
	t.Cleanup(s.web.Close)
	return s
}

// Add makes an account behind everybody's back.
func (s *Server) Add(role, email, password string) *User {
	s.Lock()
	defer s.Unlock()
	name, _, _ := strings.Cut(email, "@")
	user := &User{ID: s.newID(), Email: email, Name: name, Role: role, Password: password, Active: true}
	s.Users = append(s.Users, user)
	return user
}

// Count returns how many requests came in for a route, as "POST /v1/invites", with {} for ids.
func (s *Server) Count(route string) int {
	s.Lock()
	defer s.Unlock()
	return s.counts[route]
}

// Audited counts the events of one kind in the audit log, as "auth:sign-in".
func (s *Server) Audited(event string) int {
	s.Lock()
	defer s.Unlock()
	n := 0
	for _, logged := range s.Audit {
		if logged == event {
			n++
		}
	}
	return n
}

// OpenInvites are those that can be used.
func (s *Server) OpenInvites() []Invite {
	s.Lock()
	defer s.Unlock()
	var open []Invite
	for _, invite := range s.Invites {
		if invite.UsedBy == "" && time.Now().Before(invite.Expires) {
			open = append(open, *invite)
		}
	}
	return open
}

// User finds an account by its address, as the server compares them.
func (s *Server) User(email string) *User {
	s.Lock()
	defer s.Unlock()
	return s.mailed(email)
}

func (s *Server) mailed(email string) *User {
	for _, user := range s.Users {
		if strings.EqualFold(user.Email, email) {
			return user
		}
	}
	return nil
}

func (s *Server) user(id string) *User {
	for _, user := range s.Users {
		if user.ID == id {
			return user
		}
	}
	return nil
}

func (s *Server) library(id string) *Library {
	for _, library := range s.Libraries {
		if library.ID == id {
			return library
		}
	}
	return nil
}

// newID makes a nanoid: 21 of A-Z, a-z, 0-9, _ and -.
func (s *Server) newID() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	id := base64.RawURLEncoding.EncodeToString(raw)[:21]
	if s.options.DashIDs {
		id = "-" + id[1:]
	}
	return id
}

// refused is an answer other than success.
type refused struct {
	status int
	body   any
	header http.Header
}

func refuse(status int, text string) *refused {
	return &refused{status: status, body: map[string]any{"error": text}}
}

// betterAuth is a refusal in better-auth's own shape.
func betterAuth(status int, code, text string) *refused {
	return &refused{status: status, body: map[string]any{"message": text, "code": code}}
}

func invalid(field string) *refused {
	return &refused{status: http.StatusUnprocessableEntity, body: map[string]any{
		"error": "Validation error", "details": []any{map[string]any{"path": field, "message": "is not right"}},
	}}
}

func respond(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
