package media_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// One failure of a read is not seen by anybody but the metrics.
func TestAReadIsAskedAgainOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			err  error
			wait [2]time.Duration
		}{
			"unreachable": {errDown, [2]time.Duration{100 * time.Millisecond, 300 * time.Millisecond}},
			"a 500":       {answered(), [2]time.Duration{100 * time.Millisecond, 300 * time.Millisecond}},
			"rate limit":  {limited(1500 * time.Millisecond), [2]time.Duration{1500 * time.Millisecond, 1500 * time.Millisecond}},
		} {
			s := serve(t, memory.Options{})
			s.store.Fail(memory.Account, 1, c.err)
			began := time.Now()
			_, err := s.ReadAccount(t.Context(), s.mia)
			must(t, err)
			if took := time.Since(began); took < c.wait[0] || took > c.wait[1] || s.store.Count(memory.Account) != 2 {
				t.Errorf("%s: %d calls in %s", name, s.store.Count(memory.Account), took)
			}
			if len(s.calls) != 2 || s.calls[0].Code != media.CodeOf(c.err) || s.calls[1].Code != "" {
				t.Errorf("%s: observed %v", name, s.calls)
			}
		}
	})
}

// What must not be asked again is not, nor what would not help.
func TestNothingElseIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			op  memory.Op
			err error
			run func(*served, context.Context) error
		}{
			"a write": {memory.CreateAccount, errDown, func(s *served, ctx context.Context) error {
				_, err := s.CreateAccount(ctx, media.NewAccount{Username: "ben", Role: media.RoleMember, Password: serverPassword})
				return err
			}},
			"a password": {memory.Authenticate, errDown, func(s *served, ctx context.Context) error {
				_, err := s.Authenticate(ctx, "mia", serverPassword)
				return err
			}},
			"probe": {memory.Probe, errDown, func(s *served, ctx context.Context) error { _, err := s.Probe(ctx); return err }},
			"list":  {memory.List, errDown, func(s *served, ctx context.Context) error { return s.Refresh(ctx, s.probe.Self) }},
			"a long wait": {memory.Account, limited(3 * time.Second), func(s *served, ctx context.Context) error {
				_, err := s.ReadAccount(ctx, s.mia)
				return err
			}},
			"no time left": {memory.Account, errDown, func(s *served, ctx context.Context) error {
				ctx, cancel := context.WithTimeout(ctx, 150*time.Millisecond)
				defer cancel()
				_, err := s.ReadAccount(ctx, s.mia)
				return err
			}},
			"not found": {memory.Account, media.Errorf(media.NotFound, "gone"), func(s *served, ctx context.Context) error {
				_, err := s.ReadAccount(ctx, s.mia)
				return err
			}},
		} {
			s := serve(t, memory.Options{})
			s.store.Fail(c.op, 1, c.err)
			wantClass(t, c.run(s, t.Context()), media.CodeOf(c.err))
			if n := s.store.Count(c.op); n != 1 {
				t.Errorf("%s: %d calls", name, n)
			}
		}
	})
}

// However many ask a dead server, it costs one retry, until it answers again.
func TestADeadServerCostsOneRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, memory.Options{})
		up := s.store.Down()
		const readers = 100
		var all sync.WaitGroup
		for range readers {
			all.Go(func() {
				_, err := s.ReadAccount(t.Context(), s.mia)
				wantClass(t, err, media.Unavailable)
				if !media.ConcernsConnection(err) {
					t.Error("does not concern the connection")
				}
			})
		}
		all.Wait()
		if n := s.store.Count(memory.Account); n != readers+1 {
			t.Errorf("%d readers cost %d calls", readers, n)
		}
		up()
		_, err := s.ReadAccount(t.Context(), s.mia)
		must(t, err)
	})
}

// One object that the server cannot serve is not the whole server; every object is.
func TestWhichErrorsConcernTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, memory.Options{})
		stop := s.store.Fail(memory.Account, -1, answered())
		read := func() bool {
			_, err := s.ReadAccount(t.Context(), s.mia)
			wantClass(t, err, media.Unavailable)
			return media.ConcernsConnection(err)
		}
		for wait := time.Second; wait < time.Minute; wait *= 2 { // as an object's backoff does
			if read() {
				t.Error("one object's error concerns the connection")
			}
			time.Sleep(wait) // of the test's own clock
		}
		for range 20 {
			if read() {
				t.Error("others' calls succeed between")
			}
			_, err := s.ReadLibrary(t.Context(), s.library)
			must(t, err)
		}
		var concerns []bool
		for range 6 {
			concerns = append(concerns, read())
		}
		if slices.Contains(concerns[:3], true) || !concerns[5] {
			t.Errorf("many errors in a row: %v", concerns)
		}
		stop()
	})
	for err, want := range map[error]bool{
		errDown: true, answered(): false, limited(0): true, errors.New("no class"): true,
		media.Errorf(media.Unauthenticated, "x"): true, media.Errorf(media.PermissionDenied, "x"): false,
		media.Errorf(media.Ambiguous, "x"): false, media.Errorf(media.NotFound, "x"): false,
		media.Errorf(media.Unavailable, "x").WithCause(context.Canceled): false,
	} {
		if media.ConcernsConnection(err) != want {
			t.Errorf("%v: want %t", err, want)
		}
	}
}
