package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/store"
)

// feed is what a database says of changes and of streams.
type feed struct {
	*streams
	now time.Time
	// changes is the number of the last one; takes is how long each answer takes; silent is what changed says instead.
	changes atomic.Int64
	takes   time.Duration
	silent  error
	// asked and checked count the questions; asking is how many are asked about changes at this moment, and most how many were.
	asked, checked, asking, most atomic.Int64
}

func newFeed() *feed {
	f := &feed{now: time.Unix(1_000_000, 0)}
	f.streams = &streams{log: slog.New(slog.DiscardHandler), now: func() time.Time { return f.now }, open: map[*stream]struct{}{},
		count: map[string]int{}, changed: func(_ context.Context, seq int64) (int64, bool, error) {
			f.asked.Add(1)
			f.most.Store(max(f.most.Load(), f.asking.Add(1)))
			defer f.asking.Add(-1)
			time.Sleep(f.takes)
			return f.changes.Load(), f.changes.Load() > seq, f.silent
		}}
	return f
}

// add opens a stream that nobody but the test looks after.
func (f *feed) add(key string, ask func() (store.Instant, error)) *stream {
	one := &stream{connection: http.NewResponseController(httptest.NewRecorder()), asked: time.Now(),
		allowed: permission{to: key, key: key, ask: func(context.Context) (store.Instant, error) {
			f.checked.Add(1)
			return ask()
		}}}
	f.open[one] = struct{}{}
	return one
}

func yes() (store.Instant, error) { return 0, nil }

// An hour of 50 streams asks once an interval whether something has changed, and about the streams only when it has, or when one's
// time is over; once for all that have the same answer; and never by how much they send.
func TestStreamsAreCheckedWhenSomethingChanges(t *testing.T) {
	f := newFeed()
	until := store.At(f.now.Add(time.Hour))
	for i := range 50 {
		f.add(fmt.Sprint("stream ", i%25), func() (store.Instant, error) {
			if i%25 == 0 {
				return until, nil
			}
			return 0, nil
		})
	}
	last := int64(0)
	for _, step := range []struct {
		do   func()
		more int64
		want int64
	}{
		{func() {}, 1, 25}, {func() {}, 100, 0}, {func() { f.changes.Store(7) }, 1, 25}, {func() {}, 100, 0},
		{func() { f.now, until = f.now.Add(time.Hour), until+until }, 1, 1}, {func() {}, 100, 0},
	} {
		step.do()
		f.asked.Store(0)
		f.checked.Store(0)
		for range step.more {
			last = f.look(last)
		}
		if f.asked.Load() != step.more || f.checked.Load() != step.want {
			t.Errorf("%d looks asked for changes %d times, and about streams %d times, want %d", step.more, f.asked.Load(), f.checked.Load(), step.want)
		}
	}
}

// What streams ask does not wait for the connections of requests.
func TestStreamsAskByTheWatchsConnections(t *testing.T) {
	database, err := store.Open(t.Context(), store.Config{Location: filepath.Join(t.TempDir(), "test.db"), Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	a, account := &api{store: database, watching: database.Watching()}, &store.Account{Username: "mia"}
	session, _ := a.inSession(t.Context(), "none", route{})
	session.account = account
	present := &caller{account: account, again: func(context.Context) (*store.Account, store.Instant, error) { return account, 0, nil }}
	a.store = nil
	if _, err := a.stillSees(session, "none").ask(t.Context()); !errors.Is(err, store.ErrNoSession) {
		t.Errorf("a session: %v", err)
	}
	if _, err := a.stillSees(present, "none").ask(t.Context()); !errors.Is(err, store.ErrItemNotFound) {
		t.Errorf("an item: %v", err)
	}
	if _, err := a.stillBasic(t.Context(), route{}, account); !errors.Is(err, store.ErrAccountNotFound) {
		t.Errorf("a password: %v", err)
	}
}

// All streams with the same answer get it.
func TestOneAnswerEndsAllStreamsThatItIsAbout(t *testing.T) {
	f := newFeed()
	no := func() (store.Instant, error) { return 0, store.ErrNoSession }
	first, second, other := f.add("mia", no), f.add("mia", no), f.add("tom", yes)
	f.look(0)
	if !first.ended.Load() || !second.ended.Load() || other.ended.Load() || f.checked.Load() != 2 {
		t.Errorf("ended: %t %t, another's: %t, asked %d times", first.ended.Load(), second.ended.Load(), other.ended.Load(), f.checked.Load())
	}
}

// While the database does not say whether a stream may go on, it goes on for a while, and not for ever; those of which it does say
// so go on.
func TestStreamsEndWhenNobodyKnows(t *testing.T) {
	silent := errors.New("no answer")
	for _, changes := range []error{nil, silent} {
		synctest.Test(t, func(t *testing.T) {
			f := newFeed()
			f.silent = changes
			dark := f.add("dark", func() (store.Instant, error) { return 0, silent })
			lit := f.add("lit", yes)
			began := time.Now()
			for last := int64(0); !dark.ended.Load(); last = f.look(last) {
				time.Sleep(streamInterval)
			}
			if took := time.Since(began); took <= streamPatience || took > streamPatience+time.Second {
				t.Errorf("ended after %v", took)
			}
			if lit.ended.Load() != (changes != nil) {
				t.Errorf("changes: %v; the stream of which the database says that it may go on: ended is %t", changes, lit.ended.Load())
			}
		})
	}
}

// However many wait, and however slow the answers are: whose turn has not come goes on, and comes before those that were asked.
func TestAStreamWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		const many = 40
		var asked []string
		for i := range many {
			key := fmt.Sprint("stream ", i)
			f.add(key, func() (store.Instant, error) {
				f.mu.Lock()
				asked = append(asked, key)
				f.mu.Unlock()
				time.Sleep(2 * time.Second)
				return 0, nil
			})
		}
		began := time.Now()
		for last := int64(0); len(asked) < 2*many; f.changes.Add(1) {
			time.Sleep(streamInterval)
			before := time.Now()
			if last = f.look(last); time.Since(before) > 2*streamPatience {
				t.Fatalf("a look took %v", time.Since(before))
			}
		}
		for one := range f.open {
			if one.ended.Load() {
				t.Errorf("%s ended", one.allowed.key)
			}
		}
		for round := range 2 {
			seen := map[string]bool{}
			for _, key := range asked[round*many : (round+1)*many] {
				seen[key] = true
			}
			if len(seen) != many {
				t.Errorf("round %d asked about %d streams", round, len(seen))
			}
		}
		if time.Since(began) < 4*streamPatience {
			t.Errorf("nobody had to wait: all is done after %v", time.Since(began))
		}
	})
}

// A stream ends within a second of a change, whenever that comes, with a database that takes a tenth of one to answer.
func TestAStreamEndsWithinASecond(t *testing.T) {
	for offset := time.Duration(0); offset <= streamInterval; offset += streamInterval / 10 {
		synctest.Test(t, func(t *testing.T) {
			f := newFeed()
			f.takes = 100 * time.Millisecond
			var took atomic.Bool
			one := f.add("mia", func() (store.Instant, error) {
				gone := took.Load()
				time.Sleep(f.takes)
				if gone {
					return 0, store.ErrNoSession
				}
				return 0, nil
			})
			clear(f.open)
			if !f.begin(one) {
				t.Fatal("refused")
			}
			time.Sleep(time.Minute + offset)
			took.Store(true)
			f.changes.Add(1)
			began := time.Now()
			for !one.ended.Load() && time.Since(began) < time.Minute {
				time.Sleep(time.Millisecond)
			}
			if time.Since(began) > time.Second {
				t.Errorf("a change %v after a look ended the stream after %v", offset, time.Since(began))
			}
			f.finish(one)
			time.Sleep(2 * streamInterval) // the watch ends by itself
		})
	}
}

// Streams that come and go have one watch at a time, which ends after the last.
func TestThereIsOneWatchAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		f.takes = 2 * streamInterval
		for range 50 {
			one := f.add("mia", yes)
			clear(f.open)
			f.begin(one)
			time.Sleep(streamInterval + streamInterval/10)
			f.finish(one)
		}
		if f.most.Load() != 1 || f.asked.Load() == 0 {
			t.Errorf("%d watches asked at once, %d times in all", f.most.Load(), f.asked.Load())
		}
		time.Sleep(time.Second)
		f.asked.Store(0)
		if time.Sleep(time.Minute); f.asked.Load() != 0 {
			t.Error("a watch goes on without streams")
		}
	})
}

// An account, or a network by public links, has only so many streams at once, and takes none from the others.
func TestStreamsAtOnceAreBounded(t *testing.T) {
	f := newFeed()
	allowed := func(to string) permission {
		return permission{to: to, key: to, ask: func(context.Context) (store.Instant, error) { return 0, nil }}
	}
	one := func(to string) *httptest.ResponseRecorder {
		got := httptest.NewRecorder()
		f.send(got, strings.NewReader("film"), allowed(to), func(content io.ReadSeeker) { _, _ = io.Copy(got, content) })
		return got
	}
	var within func(n int)
	within = func(n int) {
		if n > 0 {
			f.send(httptest.NewRecorder(), strings.NewReader(""), allowed("mia"), func(io.ReadSeeker) { within(n - 1) })
			return
		}
		if got := one("mia"); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" || strings.Contains(got.Body.String(), "film") {
			t.Errorf("one more: %d %v %s", got.Code, got.Header(), got.Body)
		}
		if got := one("tom"); got.Code != http.StatusOK || got.Body.String() != "film" {
			t.Errorf("somebody else: %d %s", got.Code, got.Body)
		}
	}
	within(streamsAtOnce)
	if got := one("mia"); got.Code != http.StatusOK || len(f.count) != 0 {
		t.Errorf("afterwards: %d, %v are open", got.Code, f.count)
	}
}
