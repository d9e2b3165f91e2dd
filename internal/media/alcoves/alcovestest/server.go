// Package alcovestest is a fake of Alcoves: its HTTP interface and its tables, over one real PostgreSQL database, so that
// what is written by SQL is seen by HTTP and the reverse. It is written from the contract, with its traps: lists that
// hide errors, settings that each process keeps to itself, links that admit one too many, rows that are left behind.
package alcovestest

import (
	"context"
	_ "embed"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed schema.sql
var schema string

// The account that owns the instance, and so the one that Usher uses.
const (
	OwnerEmail    = "usher@example.org"
	OwnerPassword = "the owner's password"
)

// Server is one instance.
type Server struct {
	t    testing.TB
	pool *pgxpool.Pool
	// URL of its first process.
	URL string
	// Proxy stands between Usher and the database. The server itself goes past it.
	Proxy *Proxy

	mu       sync.Mutex
	faults   []*Fault
	requests map[string]int
	hidden   map[string]bool
	requeued int
	// unredeemed is how many redemptions at registration are still to fail.
	unredeemed int
}

// process is one of the instance's API processes.
type process struct {
	*Server
	mu sync.Mutex
	// registration is the process's own copy of the setting.
	registration string
}

// Start makes the tables in an empty database and serves them. It stops with the test.
func Start(t testing.TB, dsn string) *Server {
	t.Helper()
	return start(t, dsn, func(s *Server) { s.Exec(schema) })
}

func start(t testing.TB, dsn string, prepare func(*Server)) *Server {
	t.Helper()
	ctx := context.Background() // the database is used until after the test's own context has ended
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 12
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := &Server{t: t, pool: pool, requests: map[string]int{}, hidden: map[string]bool{}}
	s.Proxy = startProxy(t, config.ConnConfig.Host, int(config.ConnConfig.Port), dsn)
	prepare(s)
	s.URL = s.Process()
	if _, err := s.register(ctx, registration{Name: "Usher", Email: OwnerEmail, Password: OwnerPassword}); err != nil {
		t.Fatal(err)
	}
	return s
}

// Process starts one more process of the same instance and returns its URL. It reads the settings now, and never again.
func (s *Server) Process() string {
	s.t.Helper()
	p := &process{Server: s}
	s.Query(&p.registration, `SELECT settings->>'registration_mode' FROM app_settings`)
	web := httptest.NewServer(s.disturb(p.routes()))
	s.t.Cleanup(func() {
		s.Heal()
		web.CloseClientConnections()
		web.Close()
	})
	return web.URL
}

// Exec runs a statement as somebody at the database would.
func (s *Server) Exec(statement string, args ...any) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := s.pool.Exec(ctx, statement, args...); err != nil {
		s.t.Errorf("%s: %v", statement, err)
	}
}

// Query reads one value.
func (s *Server) Query(into any, query string, args ...any) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.pool.QueryRow(ctx, query, args...).Scan(into); err != nil {
		s.t.Errorf("%s: %v", query, err)
	}
}

// Count returns how many rows a query has.
func (s *Server) Count(query string, args ...any) int {
	s.t.Helper()
	var n int
	s.Query(&n, `SELECT count(*) FROM (`+query+`) AS counted`, args...)
	return n
}

// Requeued counts the libraries whose images were all queued for detection again.
func (s *Server) Requeued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requeued
}

// FailRedemptions lets the next registrations make their account and then fail.
func (s *Server) FailRedemptions(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unredeemed = n
}

// Hide makes a list fail in the way that shows as an empty one with status 200: "users", "libraries", "shared", "members" or "links".
func (s *Server) Hide(list string, hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hidden[list] = hidden
}

func (s *Server) hides(list string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hidden[list]
}

func (p *process) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]public{
		"GET /api/health": p.health, "GET /api/version": p.version, "GET /api/_meta/registration-mode": p.registrationMode,
		"GET /api/auth/providers": p.providers, "POST /api/auth/register": p.signUp, "POST /api/auth/login": p.signIn,
		"POST /api/auth/logout": p.signOut, "GET /api/invites/{token}": p.preview,
	} {
		mux.Handle(pattern, h)
	}
	for pattern, h := range map[string]private{
		"GET /api/auth/me": p.me, "POST /api/auth/tokens": p.makeToken, "POST /api/invites/{token}/accept": p.accept,
		"GET /api/libraries": p.libraries, "POST /api/libraries": p.createLibrary,
		"GET /api/admin/users": p.users, "GET /api/admin/stats": p.stats, "PATCH /api/admin/settings": p.setSettings,
	} {
		mux.Handle(pattern, p.signedIn(h))
	}
	for pattern, h := range map[string]shared{
		"GET /api/libraries/{id}": p.library, "PATCH /api/libraries/{id}": p.changeLibrary, "DELETE /api/libraries/{id}": p.deleteLibrary,
		"GET /api/libraries/{id}/users": p.members, "PATCH /api/libraries/{id}/users/{user}": p.changeMember,
		"DELETE /api/libraries/{id}/users/{user}": p.removeMember, "POST /api/libraries/{id}/users/invite-link": p.makeLink,
		"DELETE /api/libraries/{id}/users/invites/{invite}": p.revokeLink,
	} {
		mux.Handle(pattern, p.signedIn(p.shared(h)))
	}
	mux.Handle("/", public(func(*http.Request) (answer, error) { return answer{}, refuse(404, "Not Found") }))
	return mux
}
