package alcovestest

import (
	"sync"
	"testing"
)

// cleared makes the tables as they were when they were new.
const cleared = `DELETE FROM files; DELETE FROM library_invite_uses; DELETE FROM library_invites; DELETE FROM library_members;
	DELETE FROM libraries; DELETE FROM sessions; DELETE FROM personal_access_tokens; DELETE FROM accounts;
	DELETE FROM oauth_access_tokens; DELETE FROM oauth_refresh_tokens; DELETE FROM oauth_authorization_codes;
	UPDATE app_settings SET settings = '{"registration_mode":"open"}', updated_by = NULL; DELETE FROM users`

// Shelf holds databases with the tables of Alcoves, for tests that change nothing but rows: making tables takes longer than
// most of them. A test that has one has it alone.
type Shelf struct {
	// Database makes another one, empty and for as long as the shelf.
	Database func() string

	mu   sync.Mutex
	free []string
}

func (s *Shelf) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		return ""
	}
	dsn := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	return dsn
}

func (s *Shelf) put(dsn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, dsn)
}

// Start is Start and GrantAsDocumented on a database of the shelf.
func (s *Shelf) Start(t testing.TB) *Server {
	t.Helper()
	dsn, prepare := s.take(), func(server *Server) { server.Exec(cleared) }
	if dsn == "" {
		dsn, prepare = s.Database(), func(server *Server) { server.Exec(schema); GrantAsDocumented(server) }
	}
	t.Cleanup(func() { s.put(dsn) }) // after all that uses it has stopped
	return start(t, dsn, prepare)
}
