package wire

import (
	"context"
	"sync"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// renewMargin is how long before its end a token is renewed, at most.
const renewMargin = time.Minute

// Token is what a sign-in gives.
type Token struct {
	Value string
	// Expires is when the token ends by the server's word; zero when the server does not say.
	Expires time.Time
}

// SignIn gets a new token. It is called by one goroutine at a time.
type SignIn func(ctx context.Context) (Token, error)

// Session holds the token of the account that Usher uses, and signs in when there is none, when it is about to end, or
// when the server refused it. Many calls that need a token at once cause one sign-in. It is safe for use by many
// goroutines and starts none.
type Session struct {
	signIn SignIn
	now    func() time.Time

	mu      sync.Mutex
	token   string
	renewAt time.Time
	flight  *flight
}

// flight is one sign-in under way. Its fields are read after done is closed.
type flight struct {
	done  chan struct{}
	token string
	err   error
	// abandoned: the caller that signed in gave up, which says nothing of the credentials.
	abandoned bool
}

// NewSession makes a Session that signs in when it is first needed.
func NewSession(signIn SignIn) *Session {
	return &Session{signIn: signIn, now: time.Now}
}

// FixedToken makes a Session of a token that cannot be renewed.
func FixedToken(token string) *Session {
	return &Session{token: token, now: time.Now}
}

// Token returns a token that should be good. Its error is that of the sign-in.
func (s *Session) Token(ctx context.Context) (string, error) { return s.get(ctx, "") }

// Renew returns a token other than the one that the server has just refused.
func (s *Session) Renew(ctx context.Context, refused string) (string, error) {
	return s.get(ctx, refused)
}

// Adopt takes a token that the server gave by itself: at registration, or in a later answer.
func (s *Session) Adopt(token Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(token)
}

// Forget drops the token, so that the next call signs in.
func (s *Session) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.renews() {
		s.token = ""
	}
}

// have returns the token that there is, and never waits: empty when there is none.
func (s *Session) have() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// refused drops a token that the server refuses, so that the next call signs in.
func (s *Session) refused(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.renews() && s.token == token {
		s.token = ""
	}
}

func (s *Session) renews() bool { return s.signIn != nil }

func (s *Session) get(ctx context.Context, refused string) (string, error) {
	if !s.renews() {
		return s.fixed(refused)
	}
	for {
		token, under, mine := s.join(refused)
		switch {
		case token != "":
			return token, nil
		case mine:
			return s.lead(ctx, under)
		}
		select {
		case <-under.done:
			if !under.abandoned {
				return under.token, under.err
			}
		case <-ctx.Done():
			return "", media.Errorf(media.Unavailable, "sign-in: no answer in time").WithCause(ctx.Err())
		}
	}
}

// fixed returns the token that cannot be renewed.
func (s *Session) fixed(refused string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == "" || s.token == refused {
		return "", media.Errorf(media.Unauthenticated, "the server refuses the token")
	}
	return s.token, nil
}

// join returns the token where it will do, or the sign-in to wait for, or (mine) the one to do.
func (s *Session) join(refused string) (token string, under *flight, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := s.renewAt.IsZero() || s.now().Before(s.renewAt)
	if s.token != "" && s.token != refused && fresh {
		return s.token, nil, false
	}
	if s.flight != nil {
		return "", s.flight, false
	}
	s.flight = &flight{done: make(chan struct{})}
	return "", s.flight, true
}

// lead signs in and tells those who wait. The deferred part runs even if the sign-in panics.
func (s *Session) lead(ctx context.Context, own *flight) (string, error) {
	own.abandoned = true
	defer func() {
		s.mu.Lock()
		s.flight = nil
		s.mu.Unlock()
		close(own.done)
	}()
	token, err := s.signIn(ctx)
	own.abandoned = err != nil && ctx.Err() != nil
	own.token, own.err = token.Value, err
	if err == nil {
		s.Adopt(token)
	}
	return token.Value, err
}

// keep stores a token and when to renew it: a minute before its end, or sooner for a short one. A token that seems to
// have ended already (the clocks differ) is used until the server refuses it.
func (s *Session) keep(token Token) {
	s.token, s.renewAt = token.Value, time.Time{}
	if life := token.Expires.Sub(s.now()); !token.Expires.IsZero() && life > 0 {
		s.renewAt = token.Expires.Add(-min(renewMargin, life/4))
	}
}
