package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
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
	// streamChecks is how many streams are checked at once after a change.
	streamChecks = 4
)

// permission says whether what a stream sends may still be sent, and until when if nothing changes; the zero instant is for ever.
type permission func(context.Context) (until store.Instant, err error)

// streams are the answers under way that somebody's access may end before their last byte (Dubby access seed, line 19: "Changes
// take effect immediately").
type streams struct {
	// changed is store.ChangedSince.
	changed func(ctx context.Context, seq int64) (last int64, changed bool, err error)
	log     *slog.Logger
	now     func() time.Time

	mu   sync.Mutex
	open map[*stream]struct{}
	// stop ends the watch over the open ones.
	stop context.CancelFunc
}

type stream struct {
	connection *http.ResponseController
	allowed    permission
	ended      atomic.Bool
	// The watch alone uses what follows. confirmed is when it was last known that the stream may go on; checked, whether nothing
	// has changed since allowed said so, until when.
	confirmed time.Time
	checked   bool
	until     store.Instant
}

// errStreamEnded says that the rest of a stream may not be sent.
var errStreamEnded = errors.New("access to the stream has ended")

func newStreams(database *store.Store, log *slog.Logger, now func() time.Time) *streams {
	return &streams{changed: database.ChangedSince, log: log, now: now, open: map[*stream]struct{}{}}
}

// send lets serve answer with the content, and ends the answer unfinished within a second of when it is no longer allowed.
func (s *streams) send(w http.ResponseWriter, content io.ReadSeeker, allowed permission, serve func(io.ReadSeeker)) {
	one := &stream{connection: http.NewResponseController(w), allowed: allowed, confirmed: time.Now()}
	s.begin(one)
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

func (s *streams) begin(one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		ctx, stop := context.WithCancel(context.Background())
		s.stop = stop
		go s.watch(ctx)
	}
	s.open[one] = struct{}{}
}

// finish forgets the stream and reports whether it was ended.
func (s *streams) finish(one *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, one)
	if len(s.open) == 0 {
		s.stop()
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
func (s *streams) watch(ctx context.Context) {
	tick := time.NewTicker(streamInterval)
	defer tick.Stop()
	var last int64
	for {
		select {
		case <-tick.C:
			last = s.look(ctx, last)
		case <-ctx.Done():
			return
		}
	}
}

// look checks the open streams that a change since that number, or the clock, may have ended, and returns the number to ask for
// next. A stream that is new is checked in any case: something may have changed while it began.
func (s *streams) look(ctx context.Context, last int64) int64 {
	asking, cancel := context.WithTimeout(ctx, streamPatience/2)
	defer cancel()
	now, changed, err := s.changed(asking, last)
	if err != nil {
		now = last
	}
	var checks errgroup.Group
	checks.SetLimit(streamChecks)
	for _, one := range s.all() {
		checks.Go(func() error {
			s.check(asking, one, changed, err)
			return nil
		})
	}
	_ = checks.Wait()
	return now
}

func (s *streams) all() []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*stream, 0, len(s.open))
	for one := range s.open {
		all = append(all, one)
	}
	return all
}

// check ends the stream if it is no longer allowed, or if nobody has known for too long whether it is.
func (s *streams) check(ctx context.Context, one *stream, changed bool, unknown error) {
	if changed || !one.until.IsZero() && one.until <= store.At(s.now()) {
		one.checked = false
	}
	if unknown == nil && !one.checked {
		one.until, unknown = one.allowed(ctx)
		one.checked = unknown == nil
		if problem := known(unknown); problem != nil && problem.status < http.StatusInternalServerError {
			s.end(one, unknown)
			return
		}
	}
	switch {
	case unknown == nil:
		one.confirmed = time.Now()
	case ctx.Err() == context.Canceled:
	case time.Since(one.confirmed) > streamPatience:
		s.end(one, unknown)
	}
}
