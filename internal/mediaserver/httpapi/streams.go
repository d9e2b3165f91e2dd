package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/usher-media/usher/internal/mediaserver/store"
)

const (
	// streamInterval is how often a server that streams asks whether anybody's access has changed: once for all streams.
	streamInterval = 250 * time.Millisecond
	// streamPatience is how long a stream goes on while the database does not say whether it may.
	streamPatience = 5 * time.Second
	// streamQuestion is how long the database has to answer one question, and to answer questions before the next look.
	streamQuestion = streamPatience / 2
	// streamChecks is how many questions are asked at once after a change: as many as the watch has connections.
	streamChecks = store.Watchers
	// streamsAtOnce is how many streams one account has at once, and one network of public links: two pages full of pictures.
	streamsAtOnce = 128
	// streamsAgain is when to come back with one more, in seconds.
	streamsAgain = "10"
)

// permission says whether what a stream sends may still be sent.
type permission struct {
	// to is who is sent it, an account or the network that asks by a public link: each has only so many streams at once.
	to string
	// key is the same for those that have the same answer.
	key string
	// ask returns until when it may be sent if nothing changes; the zero instant is for ever. It fails where it may not be sent.
	ask func(context.Context) (until store.Instant, err error)
}

// streams are the answers under way that somebody's access may end before their last byte (Dubby access seed, line 19: "Changes
// take effect immediately").
type streams struct {
	// changed is store.ChangedSince.
	changed func(ctx context.Context, seq int64) (last int64, changed bool, err error)
	log     *slog.Logger
	now     func() time.Time

	mu   sync.Mutex
	open map[*stream]struct{}
	// count is how many are open, by who is sent them.
	count map[string]int
	// watched says that a watch runs. It ends by itself.
	watched bool
}

type stream struct {
	connection *http.ResponseController
	allowed    permission
	ended      atomic.Bool
	// The watch alone uses what follows, once the stream is open. checked says that nothing has changed since the answer was that
	// it may be sent, until when.
	checked bool
	until   store.Instant
	// asked is when that was asked last, or the stream began; failing, since when there has been no answer.
	asked, failing time.Time
}

// errStreamEnded says that the rest of a stream may not be sent.
var errStreamEnded = errors.New("access to the stream has ended")

// newStreams returns none yet. The database is to answer although requests keep it busy.
func newStreams(database *store.Store, log *slog.Logger, now func() time.Time) *streams {
	return &streams{changed: database.ChangedSince, log: log, now: now, open: map[*stream]struct{}{}, count: map[string]int{}}
}

// send lets serve answer with the content, and ends the answer unfinished within a second of when it is no longer allowed. Who has
// too many streams at once is refused, before serve is called.
func (s *streams) send(w http.ResponseWriter, content io.ReadSeeker, allowed permission, serve func(io.ReadSeeker)) {
	one := &stream{connection: http.NewResponseController(w), allowed: allowed, asked: time.Now()}
	if !s.begin(one) {
		w.Header().Set("Retry-After", streamsAgain)
		answer(w, http.StatusTooManyRequests, "Too many streams at once")
		return
	}
	// What is sent may not look whole: the connection ends, be it in a panic.
	defer func() {
		if s.finish(one) {
			cutOff(one.connection)
		}
	}()
	serve(&watchedContent{content, one})
}

// watchedContent cannot be read when its stream has ended.
type watchedContent struct {
	io.ReadSeeker
	stream *stream
}

func (c *watchedContent) Read(p []byte) (int, error) {
	if c.stream.ended.Load() {
		return 0, errStreamEnded
	}
	return c.ReadSeeker.Read(p)
}

// cutOff closes the connection without sending what is still in the system's buffers.
func cutOff(connection *http.ResponseController) {
	raw, _, err := connection.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := raw.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}

// begin reports whether one more stream may be open, and starts the watch if there is none.
func (s *streams) begin(one *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count[one.allowed.to] >= streamsAtOnce {
		return false
	}
	s.count[one.allowed.to]++
	s.open[one] = struct{}{}
	if !s.watched {
		s.watched = true
		go s.watch()
	}
	return true
}

// finish forgets the stream and reports whether it was ended.
func (s *streams) finish(one *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, one)
	if s.count[one.allowed.to]--; s.count[one.allowed.to] == 0 {
		delete(s.count, one.allowed.to)
	}
	return one.ended.Load()
}

// end stops the stream, also one whose client reads nothing.
func (s *streams) end(one *stream, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// The connection of a stream that is no longer open may serve another request by now.
	if _, open := s.open[one]; !open || one.ended.Swap(true) {
		return
	}
	_ = one.connection.SetWriteDeadline(time.Unix(1, 0))
	s.log.Info("stream ended", "reason", why)
}

// watch looks after the open streams until there are none.
func (s *streams) watch() {
	tick := time.NewTicker(streamInterval)
	defer tick.Stop()
	var last int64
	for range tick.C {
		if !s.goesOn() {
			return
		}
		last = s.look(last)
	}
}

// goesOn reports whether there is anything to look after. If not, the watch has ended: the next stream starts another.
func (s *streams) goesOn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watched = len(s.open) > 0
	return s.watched
}

// look checks the open streams that a change since that number, or the clock, may have ended, and returns the number to ask for
// next. A stream that is new is checked in any case: something may have changed while it began. Those for which there is no time
// in this look come first in the next one.
func (s *streams) look(last int64) int64 {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), streamQuestion)
	now, changed, err := s.changed(ctx, last)
	cancel()
	if err != nil {
		for _, one := range s.all() {
			s.unknown(one, began, err)
		}
		return last
	}
	var checks errgroup.Group
	checks.SetLimit(streamChecks)
	for _, same := range s.due(changed) {
		if time.Since(began) > streamQuestion {
			break
		}
		checks.Go(func() error {
			s.check(same)
			return nil
		})
	}
	_ = checks.Wait()
	return now
}

func (s *streams) all() []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.open))
}

// due returns the streams to be asked about, together those with the same answer, and first those that have waited longest.
func (s *streams) due(changed bool) [][]*stream {
	now, byKey := store.At(s.now()), map[string][]*stream{}
	for _, one := range s.all() {
		if changed || !one.until.IsZero() && one.until <= now {
			one.checked = false
		}
		if one.checked {
			one.failing = time.Time{}
			continue
		}
		byKey[one.allowed.key] = append(byKey[one.allowed.key], one)
	}
	waiting := func(a, b *stream) int { return a.asked.Compare(b.asked) }
	return slices.SortedFunc(maps.Values(byKey), func(a, b []*stream) int {
		return waiting(slices.MinFunc(a, waiting), slices.MinFunc(b, waiting))
	})
}

// check asks once for all of the streams, which have the same answer, and ends them if they are no longer allowed.
func (s *streams) check(same []*stream) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), streamQuestion)
	defer cancel()
	until, err := same[0].allowed.ask(ctx)
	problem := known(err)
	for _, one := range same {
		one.asked = began
		switch {
		case err == nil:
			one.checked, one.until, one.failing = true, until, time.Time{}
		case problem != nil && problem.status < http.StatusInternalServerError:
			s.end(one, err)
		default:
			s.unknown(one, began, err)
		}
	}
}

// unknown ends the stream if what was asked since then, and before, has had no answer for too long.
func (s *streams) unknown(one *stream, since time.Time, err error) {
	if one.failing.IsZero() {
		one.failing = since
	}
	if time.Since(one.failing) > streamPatience {
		s.end(one, err)
	}
}
