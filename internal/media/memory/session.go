package memory

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/usher-media/usher/internal/media"
)

var errSignIn = media.Errorf(media.Unauthenticated, "the server refuses the credentials")

func (s *Store) hash(password string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(password))
	return mac.Sum(nil)
}

func (s *Store) newID(kind string) string {
	s.nextID++
	return fmt.Sprintf("%s-%04d", kind, s.nextID)
}

// authenticate returns the account that may sign in with name and password, or nil.
func (s *Store) authenticate(name, password string) *account {
	a := s.named(name)
	if a == nil || a.Disabled || !hmac.Equal(a.password, s.hash(password)) {
		return nil
	}
	return a
}

// endSessions signs an account out everywhere.
func (s *Store) endSessions(id media.AccountID) {
	for token, holder := range s.sessions {
		if holder == id {
			delete(s.sessions, token)
		}
	}
}

// CheckPassword says whether the password is the account's, disabled or not. It counts as no call.
func (s *Store) CheckPassword(username, password string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.named(username)
	return a != nil && hmac.Equal(a.password, s.hash(password))
}

// Session is a person who is signed in: the view that proves access.
type Session struct {
	store *Store
	token string
}

// SignIn signs a person in. Unauthenticated for a wrong password and for a disabled account.
func (s *Store) SignIn(username, password string) (*Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.authenticate(username, password)
	if a == nil {
		return nil, errSignIn
	}
	token := rand.Text()
	s.sessions[token] = a.ID
	return &Session{store: s, token: token}, nil
}

// Libraries lists what the person sees. Unauthenticated when the session has ended, PermissionDenied while another
// password must be chosen first.
func (s *Session) Libraries() ([]media.LibraryID, error) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	a := s.store.find(s.store.sessions[s.token])
	switch {
	case a == nil || a.Disabled:
		return nil, errSignIn
	case a.MustChangePassword:
		return nil, media.Errorf(media.PermissionDenied, "another password must be chosen first")
	}
	return s.store.sees(a), nil
}

// Sees lists what a person sees: SignIn and Session.Libraries in one.
func (s *Store) Sees(username, password string) ([]media.LibraryID, error) {
	session, err := s.SignIn(username, password)
	if err != nil {
		return nil, err
	}
	return session.Libraries()
}
