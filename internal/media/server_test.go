package media_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

const serverPassword = "canary of a password"

// served is a Server on a memory store, with an account and a library.
type served struct {
	*media.Server
	store   *memory.Store
	probe   media.Probe
	mia     media.AccountKey
	library media.LibraryID

	mu    sync.Mutex
	calls []media.Call
}

func serve(t *testing.T, options memory.Options) *served {
	t.Helper()
	s := &served{store: memory.NewStore(options)}
	driver, err := s.store.Open(s.store.Config())
	must(t, err)
	s.Server = media.NewServer(driver, time.Now, func(call media.Call) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls = append(s.calls, call)
	})
	s.probe, err = s.Probe(t.Context())
	must(t, err)
	s.library = s.store.AddLibrary(media.Library{Name: "Movies"})
	s.mia = media.AccountKey{ID: s.store.AddAccount(media.Account{Username: "mia"}, serverPassword), Username: "mia"}
	must(t, s.Refresh(t.Context(), s.probe.Self))
	s.store.ResetCalls()
	s.calls = nil
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantClass(t *testing.T, err error, code media.Code) {
	t.Helper()
	if media.CodeOf(err) != code {
		t.Errorf("got %q (%v), want %q", media.CodeOf(err), err, code)
	}
}

var errDown = media.Errorf(media.Unavailable, "the server cannot be reached")

func answered() *media.Error {
	e := media.Errorf(media.Unavailable, "the server is not able to answer (status 500)")
	e.Answered = true
	return e
}

func limited(after time.Duration) *media.Error {
	e := media.Errorf(media.RateLimited, "the server asks for patience")
	e.RetryAfter = after
	return e
}

// A driver that breaks its rules does not get its words into a status or a log.
func TestErrorsAreBoundedAndHoldNoSecret(t *testing.T) {
	s := serve(t, memory.Options{})
	var lines strings.Builder
	ctx := logging(t.Context(), &lines)
	s.store.Fail(memory.SetPassword, 1, media.Errorf(media.Invalid, "the body was {%q}", serverPassword))
	err := s.SetPassword(ctx, s.mia, media.NewPassword{Password: serverPassword})
	wantClass(t, err, media.Invalid)
	s.store.Fail(memory.CreateLibrary, 1, media.Errorf(media.Invalid, "%s", strings.Repeat("long\x1b[31m\n", 1000)))
	_, long := s.CreateLibrary(ctx, media.NewLibrary{Name: "x", MediaType: "Mixed", Paths: []string{"/x"}})
	if len(long.Error()) > 600 || strings.ContainsAny(long.Error(), "\x1b\n") {
		t.Errorf("got %q", long)
	}
	_, short := s.CreateAccount(ctx, media.NewAccount{Username: "ben", Password: "canary"})
	wantClass(t, short, media.Invalid)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), short.Error(), lines.String()} {
		if strings.Contains(text, "canary") {
			t.Errorf("a secret in %q", text)
		}
	}
	for _, word := range []string{"GetAccount", `"class"="Invalid"`, `"attempt"=1`, "duration"} {
		if !strings.Contains(lines.String(), word) {
			t.Errorf("the log lacks %s: %s", word, lines.String())
		}
	}
}

func logging(ctx context.Context, lines *strings.Builder) context.Context {
	return logr.NewContext(ctx, funcr.New(func(_, args string) { lines.WriteString(args + "\n") }, funcr.Options{Verbosity: 1}))
}

// odd answers about others.
type odd struct{ media.Driver }

func (odd) Account(context.Context, media.AccountID) (media.Account, error) {
	return media.Account{ID: "another", Username: "mia"}, nil
}

func (odd) SetPassword(context.Context, media.AccountID, media.NewPassword) error { return nil }

func (odd) Library(context.Context, media.LibraryID) (media.Library, error) {
	return media.Library{ID: "another", Name: "Movies"}, nil
}

func (o odd) List(ctx context.Context) (media.Listing, error) {
	listing, err := o.Driver.List(ctx)
	listing.Accounts = append(listing.Accounts, listing.Accounts[0])
	return listing, err
}

func TestAnswersAboutOthersAreNotBelieved(t *testing.T) {
	s := serve(t, memory.Options{})
	driver, err := s.store.Open(s.store.Config())
	must(t, err)
	server := media.NewServer(odd{driver}, time.Now, nil)
	_, err = server.ReadAccount(t.Context(), s.mia)
	wantClass(t, err, media.Unavailable)
	_, err = server.ReadLibrary(t.Context(), s.library)
	wantClass(t, err, media.Unavailable)
	wantClass(t, server.SetPassword(t.Context(), s.mia, media.NewPassword{Password: serverPassword}), media.Unavailable)
	wantClass(t, server.Refresh(t.Context(), s.probe.Self), media.Unavailable)
	if _, found := server.Inventory().Account("another"); found || !server.Inventory().Listed().IsZero() {
		t.Error("what was not believed is in the inventory")
	}
}

// Calls wait for their turn, and not for ever.
func TestConcurrencyIsBounded(t *testing.T) {
	s := serve(t, memory.Options{Traits: func(traits *media.Traits) { traits.Concurrency = 3 }})
	hold := s.store.Hold(memory.Account, memory.Before)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := s.ReadAccount(t.Context(), s.mia); err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 {
		<-hold.Arrived()
	}
	hold.Release()
	all.Wait()
	if peak := s.store.Peak(); peak != 3 {
		t.Errorf("%d calls at once, want 3", peak)
	}
}

func TestACallEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, memory.Options{Traits: func(traits *media.Traits) { traits.LongestCall, traits.Concurrency = 5*time.Second, 1 }})
		s.store.Hold(memory.Account, memory.Before)
		began := time.Now()
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				_, err := s.ReadAccount(t.Context(), s.mia)
				wantClass(t, err, media.Unavailable)
			})
		}
		all.Wait()
		if took := time.Since(began); took > 3*5*time.Second || s.Settled(began).Before(time.Now()) {
			t.Errorf("two calls with one turn took %s, longer than Settled says", took)
		}
	})
}
