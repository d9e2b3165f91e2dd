package wire_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"syscall"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// TestARefusedConnectionProvesThatNothingWasSent, also when a connection that was left open turned out to be dead first:
// the transport asks for another one only where it wrote nothing.
func TestARefusedConnectionProvesThatNothingWasSent(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, c := range map[string]struct {
		happens func(*httptrace.ClientTrace)
		sent    bool
	}{
		"refused": {func(trace *httptrace.ClientTrace) { trace.GetConn("x") }, false},
		"a dead one, then refused": {func(trace *httptrace.ClientTrace) {
			trace.GetConn("x")
			trace.GotConn(httptrace.GotConnInfo{})
			trace.GetConn("x")
		}, false},
		"broken after it was there": {func(trace *httptrace.ClientTrace) { trace.GetConn("x"); trace.GotConn(httptrace.GotConnInfo{}) }, true},
	} {
		c2 := client(t, media.Config{URL: "http://127.0.0.1:1", Transport: func(http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				c.happens(httptrace.ContextClientTrace(r.Context()))
				return nil, refused
			})
		}}, wire.Options{})
		_, err := c2.Do(context.Background(), wire.Call{Method: "POST", Path: "/x", Body: 1})
		want := media.Unavailable
		if c.sent {
			want = media.Ambiguous
		}
		if media.CodeOf(err) != want || media.NothingSent(err) == c.sent {
			t.Errorf("%s: %v (%s), nothing sent: %t", name, err, media.CodeOf(err), media.NothingSent(err))
		}
	}
}

// TestAnEarlierWriteOfTheCallIsNoted: what was refused later proves nothing then.
func TestAnEarlierWriteOfTheCallIsNoted(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	for method, noted := range map[string]bool{"POST": true, "DELETE": true, "GET": false} {
		c := client(t, media.Config{URL: url}, wire.Options{})
		server := media.NewServer(doer{does: func(ctx context.Context) error {
			if _, err := c.Do(ctx, wire.Call{Method: method, Path: "/x"}); err != nil {
				return err
			}
			_, err := client(t, media.Config{URL: "http://127.0.0.1:1"}, wire.Options{}).Do(ctx, wire.Call{Method: "POST", Path: "/x"})
			return err
		}}, time.Now, nil)
		nothing := server.Bootstrap(t.Context())
		wantCode(t, nothing, media.Unavailable)
		if media.NothingSent(nothing) == noted {
			t.Errorf("after a %s that was answered, nothing sent: %t", method, media.NothingSent(nothing))
		}
	}
}

// doer is a driver that does one thing.
type doer struct {
	media.Driver
	does func(context.Context) error
}

func (doer) Traits() media.Traits                  { return media.Traits{LongestCall: time.Minute, Concurrency: 1} }
func (d doer) Bootstrap(ctx context.Context) error { return d.does(ctx) }
