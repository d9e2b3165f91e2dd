package wire_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// counting signs in with tokens "1", "2", and so on.
func counting(life time.Duration) (wire.SignIn, *atomic.Int32) {
	var signIns atomic.Int32
	return func(context.Context) (wire.Token, error) {
		token := wire.Token{Value: strconv.Itoa(int(signIns.Add(1)))}
		if life != 0 {
			token.Expires = time.Now().Add(life)
		}
		return token, nil
	}, &signIns
}

func wantToken(t *testing.T, s *wire.Session, want string) {
	t.Helper()
	if got, err := s.Token(context.Background()); err != nil || got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func TestSessionRenewsBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signIn, _ := counting(time.Hour)
		s := wire.NewSession(signIn)
		wantToken(t, s, "1")
		<-time.After(58 * time.Minute)
		wantToken(t, s, "1")
		<-time.After(90 * time.Second)
		wantToken(t, s, "2")
	})
}

func TestSessionOfAShortToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signIn, _ := counting(8 * time.Second)
		s := wire.NewSession(signIn)
		wantToken(t, s, "1")
		<-time.After(5 * time.Second)
		wantToken(t, s, "1")
		<-time.After(2 * time.Second)
		wantToken(t, s, "2")
	})
}

// A server whose clock is behind gives tokens that seem to have ended: they are used all the same.
func TestSessionWithClocksApart(t *testing.T) {
	signIn, signIns := counting(-time.Hour)
	s := wire.NewSession(signIn)
	wantToken(t, s, "1")
	wantToken(t, s, "1")
	if signIns.Load() != 1 {
		t.Errorf("%d sign-ins", signIns.Load())
	}
}

func TestSessionRenewsOnce(t *testing.T) {
	signIn, signIns := counting(0)
	s := wire.NewSession(signIn)
	wantToken(t, s, "1")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if token, err := s.Renew(context.Background(), "1"); err != nil || token != "2" {
				t.Errorf("%q %v", token, err)
			}
		})
	}
	all.Wait()
	if signIns.Load() != 2 {
		t.Errorf("%d sign-ins", signIns.Load())
	}
	s.Forget()
	wantToken(t, s, "3")
	s.Adopt(wire.Token{Value: "given"})
	wantToken(t, s, "given")
}

// Those who wait for a sign-in share its error, but not the end of the caller's time who did it.
func TestSessionSharesErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := media.Errorf(media.Unauthenticated, "no")
		var signIns atomic.Int32
		s := wire.NewSession(func(context.Context) (wire.Token, error) {
			signIns.Add(1)
			<-time.After(time.Second)
			return wire.Token{}, refused
		})
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if _, err := s.Token(context.Background()); !errors.Is(err, refused) {
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		if signIns.Load() != 1 {
			t.Errorf("%d sign-ins", signIns.Load())
		}
	})
}

func TestSessionLeaderGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var signIns atomic.Int32
		s := wire.NewSession(func(ctx context.Context) (wire.Token, error) {
			if signIns.Add(1) == 1 {
				<-ctx.Done()
				return wire.Token{}, ctx.Err()
			}
			return wire.Token{Value: "good"}, nil
		})
		impatient, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := s.Token(impatient); err == nil {
				t.Error("the leader got a token")
			}
		})
		synctest.Wait()
		hurried, stop := context.WithTimeout(context.Background(), time.Millisecond)
		defer stop()
		_, err := s.Token(hurried)
		wantCode(t, err, media.Unavailable)
		wantToken(t, s, "good")
		all.Wait()
	})
}

func TestFixedToken(t *testing.T) {
	s := wire.FixedToken("fixed")
	s.Forget()
	wantToken(t, s, "fixed")
	_, err := s.Renew(context.Background(), "fixed")
	wantCode(t, err, media.Unauthenticated)
}

func TestSignsInAgainOn401(t *testing.T) {
	good := "2"
	var asked atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "Bearer "+good {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	signIn, signIns := counting(0)
	c := client(t, media.Config{URL: url}, wire.Options{Session: wire.NewSession(signIn)})
	call := wire.Call{Method: "POST", Path: "/x", Body: 1}
	if _, err := c.Do(context.Background(), call); err != nil || asked.Load() != 2 || signIns.Load() != 2 {
		t.Errorf("%v after %d requests and %d sign-ins", err, asked.Load(), signIns.Load())
	}
	good = "none"
	_, err := c.Do(context.Background(), call)
	wantCode(t, err, media.Unauthenticated)
	if asked.Load() != 4 || signIns.Load() != 3 {
		t.Errorf("%d requests and %d sign-ins", asked.Load(), signIns.Load())
	}
	_, err = client(t, media.Config{URL: url}, wire.Options{Session: wire.FixedToken("x")}).Do(context.Background(), call)
	wantCode(t, err, media.Unauthenticated)
	if asked.Load() != 5 {
		t.Error("a token that cannot be renewed was tried twice")
	}
}
