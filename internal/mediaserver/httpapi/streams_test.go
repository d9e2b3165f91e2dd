package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/store"
)

// An hour of 50 streams asks once an interval whether something has changed, and about the streams only when it has, or when one's
// time is over; and never by how much they send.
func TestStreamsAreCheckedWhenSomethingChanges(t *testing.T) {
	now, changes, asked := time.Unix(1_000_000, 0), int64(0), 0
	var checked atomic.Int64
	s := &streams{log: slog.New(slog.DiscardHandler), now: func() time.Time { return now }, open: map[*stream]struct{}{},
		changed: func(_ context.Context, seq int64) (int64, bool, error) {
			asked++
			return changes, changes > seq, nil
		}}
	until := store.At(now.Add(time.Hour))
	for i := range 50 {
		one := &stream{allowed: func(context.Context) (store.Instant, error) {
			checked.Add(1)
			if i == 0 {
				return until, nil
			}
			return 0, nil
		}}
		s.open[one] = struct{}{}
	}
	last := int64(0)
	for _, step := range []struct {
		do   func()
		more int
		want int64
	}{
		{func() {}, 1, 50}, {func() {}, 100, 0}, {func() { changes = 7 }, 1, 50}, {func() {}, 100, 0},
		{func() { now, until = now.Add(time.Hour), until+until }, 1, 1}, {func() {}, 100, 0},
	} {
		step.do()
		asked = 0
		checked.Store(0)
		for range step.more {
			last = s.look(t.Context(), last)
		}
		if asked != step.more || checked.Load() != step.want {
			t.Errorf("%d looks asked for changes %d times, and checked %d streams, want %d", step.more, asked, checked.Load(), step.want)
		}
	}
}

// While the database does not answer, a stream goes on for a while, and not for ever.
func TestStreamsEndWhenNobodyKnows(t *testing.T) {
	silent := errors.New("no answer")
	s := &streams{log: slog.New(slog.DiscardHandler), now: time.Now, open: map[*stream]struct{}{},
		changed: func(context.Context, int64) (int64, bool, error) { return 0, false, silent }}
	for _, c := range []struct {
		name  string
		since time.Duration
		ends  bool
	}{{"just now", 0, false}, {"long ago", streamPatience + time.Second, true}} {
		got := httptest.NewRecorder()
		err := func() (broken any) {
			defer func() { broken = recover() }()
			s.send(got, strings.NewReader("0123456789"), func(context.Context) (store.Instant, error) { return 0, silent }, func(content io.ReadSeeker) {
				for one := range s.open {
					one.confirmed = time.Now().Add(-c.since)
				}
				s.look(t.Context(), 0)
				_, _ = io.Copy(got, content)
			})
			return nil
		}()
		if ended := got.Body.String() != "0123456789"; ended != c.ends || (err != nil) != c.ends {
			t.Errorf("last known %s: sent %q, %v", c.name, got.Body, err)
		}
	}
}
