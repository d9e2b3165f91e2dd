package media_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// identified is a Server that speaks to the store's server only.
func identified(t *testing.T, options memory.Options) *served {
	t.Helper()
	s := &served{store: memory.NewStore(options)}
	server, err := media.OpenServer(s.store.Open, s.store.Config(), time.Now, nil)
	must(t, err)
	s.Server = server
	s.probe, err = s.Probe(t.Context())
	must(t, err)
	s.Expect(s.probe.Identity)
	s.mia = media.AccountKey{ID: s.store.AddAccount(media.Account{Username: "mia"}, serverPassword), Username: "mia"}
	must(t, s.Refresh(t.Context(), s.probe.Self))
	s.store.ResetCalls()
	return s
}

// everyWrite is each call that could change a server.
func (s *served) everyWrite(t *testing.T) map[string]func() error {
	renamed := "Mia"
	library := s.store.AddLibrary(media.Library{Name: "Movies", MediaType: "Movies", Paths: []string{"/movies"}})
	return map[string]func() error{
		"CreateAccount": func() error {
			_, err := s.CreateAccount(t.Context(), media.NewAccount{Username: "ben", Role: media.RoleMember, Password: "a password 1"})
			return err
		},
		"UpdateAccount": func() error {
			_, err := s.UpdateAccount(t.Context(), s.mia, media.AccountChange{DisplayName: &renamed})
			return err
		},
		"SetAccess": func() error {
			_, _, err := s.SetAccess(t.Context(), s.mia, func(media.Account) media.Access { return media.Access{All: true} })
			return err
		},
		"SetPassword": func() error {
			return s.SetPassword(t.Context(), s.mia, media.NewPassword{Password: "a password 2"})
		},
		"SetDisabled":   func() error { _, err := s.SetDisabled(t.Context(), s.mia, true); return err },
		"DeleteAccount": func() error { _, err := s.DeleteAccount(t.Context(), s.mia); return err },
		"CreateLibrary": func() error {
			_, err := s.CreateLibrary(t.Context(), media.NewLibrary{Name: "Shows", MediaType: "Shows", Paths: []string{"/shows"}})
			return err
		},
		"SetRegistration": func() error { return s.SetRegistration(t.Context(), media.RegistrationOpen) },
		"DeleteLibrary": func() error {
			return s.DeleteLibrary(t.Context(), library, func(media.Library) bool { return true })
		},
	}
}

// Whatever is written, and however long ago the server was looked at: another one at the address gets nothing. With a
// connection that ends with the server that holds at once, behind a proxy after identityAge.
func TestAnotherServerIsNeverWrittenTo(t *testing.T) {
	for _, proxied := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := identified(t, memory.Options{Proxied: proxied})
			writes := s.everyWrite(t)
			s.store.SetIdentity("another")
			if proxied {
				<-time.After(5 * time.Second)
			}
			for name, write := range writes {
				if err := write(); !errors.Is(err, media.ErrOtherServer) || !media.ConcernsConnection(err) {
					t.Errorf("proxied %v: %s: %v", proxied, name, err)
				}
			}
			if done := s.store.Writes(); len(done) > 0 && (proxied || applied(done)) {
				t.Errorf("proxied %v: written to another server: %v", proxied, done)
			}
			s.store.SetIdentity(s.probe.Identity)
			if err := writes["SetPassword"](); err != nil {
				t.Errorf("the first server is back: %v", err)
			}
		})
	}
}

func applied(calls []memory.Call) bool {
	for _, call := range calls {
		if call.Applied {
			return true
		}
	}
	return false
}

// Another server does not know the account: that is not believed to mean that it is gone.
func TestAnotherServerDoesNotSayWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := identified(t, memory.Options{Proxied: true})
		s.store.SetIdentity("another")
		s.store.RemoveAccount("mia")
		<-time.After(5 * time.Second)
		if gone, err := s.DeleteAccount(t.Context(), s.mia); !errors.Is(err, media.ErrOtherServer) {
			t.Errorf("deleted %v, %v", gone, err)
		}
		wantClass(t, s.Refresh(t.Context(), s.probe.Self), media.Unavailable)
	})
}

// That Usher's own account is refused says nothing of somebody's password, and no password is tried then.
func TestARefusalOfUshersOwnAccountAnswersNoTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := identified(t, memory.Options{Proxied: true})
		s.store.Fail(memory.Identity, 1, media.Errorf(media.Unauthenticated, "the server refuses the credentials"))
		<-time.After(5 * time.Second)
		_, err := s.Authenticate(t.Context(), "mia", serverPassword)
		wantClass(t, err, media.Unavailable)
		if n := s.store.Count(memory.Authenticate); n > 0 || media.ConcernsConnection(err) {
			t.Errorf("%d passwords were tried: %v", n, err)
		}
		if id, err := s.Authenticate(t.Context(), "mia", serverPassword); id != s.mia.ID {
			t.Errorf("later, the account is %q: %v", id, err)
		}
	})
}

// The identity is read once for many writes, not once for each; never when nothing is written.
func TestIdentityIsReadSparingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := identified(t, memory.Options{})
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				_, err := s.CreateAccount(t.Context(), media.NewAccount{Username: fmt.Sprint("user", i), Role: media.RoleMember, Password: "a password 1"})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := s.store.Count(memory.Identity); n != 0 {
			t.Errorf("%d readings for 200 writes right after a look", n)
		}
		<-time.After(time.Minute)
		for range 50 {
			all.Go(func() {
				if _, err := s.ReadAccount(t.Context(), s.mia); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := s.store.Count(memory.Identity); n != 0 {
			t.Errorf("%d readings for reads", n)
		}
		for i := range 200 {
			all.Go(func() {
				if err := s.SetPassword(t.Context(), s.mia, media.NewPassword{Password: fmt.Sprint("a password ", i)}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := s.store.Count(memory.Identity); n != 1 {
			t.Errorf("%d readings for 200 writes a minute after a look, want 1", n)
		}
	})
}

// A password that was set in the moments before another server was noticed may be that one's: it does not count.
func TestPasswordSetOnAnotherServerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := identified(t, memory.Options{Proxied: true})
		set := func() error { return s.SetPassword(t.Context(), s.mia, media.NewPassword{Password: "a password 3"}) }
		must(t, set())
		<-time.After(5 * time.Second)
		must(t, s.SetRegistration(t.Context(), media.RegistrationOpen)) // proves the first
		s.store.SetIdentity("another")
		<-time.After(5 * time.Second)
		if err := set(); !errors.Is(err, media.ErrOtherServer) || s.PasswordLost(s.mia.ID) {
			t.Errorf("a password from before counts as lost (%v)", err)
		}
		s.store.SetIdentity(s.probe.Identity)
		must(t, set())
		s.store.SetIdentity("another") // at once: nobody notices
		must(t, set())
		<-time.After(5 * time.Second)
		probe, err := s.Probe(t.Context())
		must(t, err)
		if probe.Identity == s.probe.Identity || !s.PasswordLost(s.mia.ID) {
			t.Error("a password that another server got counts as set")
		}
		s.store.SetIdentity(s.probe.Identity)
		_, err = s.Probe(t.Context())
		must(t, err)
		if !s.PasswordLost(s.mia.ID) {
			t.Error("that the first server is back does not mean that it has the password")
		}
		must(t, set())
		if s.PasswordLost(s.mia.ID) {
			t.Error("set again, and still lost")
		}
	})
}

// A server without accounts may be made one's own: there is nobody else yet.
func TestBootstrapNeedsNoIdentity(t *testing.T) {
	store := memory.NewStore(memory.Options{SetupRequired: true})
	server, err := media.OpenServer(store.Open, store.Config(), time.Now, nil)
	must(t, err)
	must(t, server.Bootstrap(t.Context()))
}
