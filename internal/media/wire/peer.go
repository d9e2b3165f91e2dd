package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// introduceTimeout bounds how long a new connection may take to say who is at its other end.
const introduceTimeout = 10 * time.Second

// errUnknownPeer says that a connection was not used, since it is not known who is at its other end.
var errUnknownPeer = errors.New("it is not known who is at the other end of the connection")

// peer is a connection that knows who is at its other end, as it was asked when the connection was made.
type peer struct {
	net.Conn
	// identity is empty where the server could not be asked; why says so.
	identity string
	why      error
	// refused fails every write from now on: a connection that is not to be used, and is closed by that.
	refused atomic.Pointer[error]
}

func (p *peer) Write(b []byte) (int, error) {
	if refused := p.refused.Load(); refused != nil {
		return 0, *refused
	}
	return p.Conn.Write(b)
}

// dialer makes the connections of one client.
type dialer struct {
	plain  *net.Dialer
	secure *tls.Config
	guard  *media.Guard
	// forgetful: the server ends a connection after each answer, so that asking it who it is costs the connection. Then
	// nothing but the time since the last reading of the identity counts (media.Guard).
	forgetful atomic.Bool
}

func (d *dialer) dialPlain(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dial(ctx, func() (net.Conn, error) { return d.plain.DialContext(ctx, network, address) })
}

func (d *dialer) dialSecure(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dial(ctx, func() (net.Conn, error) {
		plain, err := d.plain.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		config := d.secure.Clone()
		if config.ServerName, _, err = net.SplitHostPort(address); err != nil {
			_ = plain.Close()
			return nil, err
		}
		secure := tls.Client(plain, config)
		ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = plain.Close()
			return nil, err
		}
		return secure, nil
	})
}

// dial makes a connection and asks who is at its other end. One that this used up is made again, and then stays unknown.
func (d *dialer) dial(ctx context.Context, connect func() (net.Conn, error)) (net.Conn, error) {
	connection, err := connect()
	if err != nil || d.guard == nil || d.forgetful.Load() {
		return connection, err
	}
	asked := &peer{Conn: connection}
	x := &exchange{connection: connection, reader: bufio.NewReader(connection)}
	ctx, cancel := context.WithTimeout(ctx, introduceTimeout)
	defer cancel()
	asked.identity, asked.why = d.guard.Identify(context.WithValue(ctx, exchangeKey{}, x))
	switch {
	case !x.over && x.reader.Buffered() == 0 && connection.SetDeadline(time.Time{}) == nil:
		return asked, nil
	case asked.why == nil && x.ended:
		d.forgetful.Store(true)
	}
	_ = connection.Close()
	if asked.Conn, err = connect(); err != nil {
		return nil, err
	}
	asked.identity = ""
	return asked, nil
}

// exchange speaks HTTP on one connection, one request after the other, before it is anybody's.
type exchange struct {
	connection net.Conn
	reader     *bufio.Reader
	// over: the connection cannot be used any more. ended: because the server said that it ends it.
	over, ended bool
}

type exchangeKey struct{}

// exchangeOf is the connection that a call must go by; nil for any.
func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// RoundTrip implements http.RoundTripper.
func (x *exchange) RoundTrip(request *http.Request) (*http.Response, error) {
	if x.over {
		return nil, net.ErrClosed
	}
	x.over = true
	deadline, _ := request.Context().Deadline()
	if err := x.connection.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if err := request.Write(x.connection); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(x.reader, request)
	if err != nil {
		return nil, err
	}
	x.over, x.ended = response.Close, response.Close
	return response, nil
}

// admit returns an error for a connection that must not be used for a call of the context's, and sees to it that it is not.
func (d *dialer) admit(ctx context.Context, connection net.Conn) error {
	p, ok := connection.(*peer)
	if !ok || d.guard.Expected(ctx) == "" || (p.identity == "" && d.forgetful.Load()) {
		return nil
	}
	err := d.guard.Admit(ctx, p.identity)
	if p.identity == "" {
		err = errUnknownPeer
		if code := media.CodeOf(p.why); p.why != nil && code != media.Unavailable {
			err = errors.Join(err, p.why)
		}
	}
	if err != nil {
		p.refused.Store(&err)
	}
	return err
}
