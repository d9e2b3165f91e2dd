package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/usher-media/usher/internal/media"
)

// maxUnknown is how often a call is begun anew for a connection of which it is not known who is at its other end.
const maxUnknown = 4

// Call is one request.
type Call struct {
	Method string
	// Path is a template below the server's URL: "/v1/users/{id}". Only the template shows in error texts.
	Path string
	// Args fill the template's braces in order. An empty one, "." and ".." are refused before anything is sent: the
	// request would mean something else.
	Args   []string
	Query  url.Values
	Header http.Header
	// Body is sent as JSON with a Content-Length; nil sends none.
	Body any
	// Into receives the answer: a pointer for JSON to be decoded into (and checked, see Checker), or a *[]byte for the
	// bytes of a server that does not answer in JSON here. Nil expects an answer without a body, or JSON that is ignored.
	Into any
	// Want is the only status of success; zero takes any 2xx. Where the answer has no body, it is all that tells the
	// server's answer from a stranger's.
	Want int
	// List bounds the answer by Options.ListLimit.
	List bool
	// Harmless says that a request other than GET and HEAD changes nothing that lasts, as a sign-in does: its lost
	// answer is Unavailable.
	Harmless bool
	// Anonymous sends no token.
	Anonymous bool
	// Codes say what a status means for this call, where that is not what the table of statuses says.
	Codes map[int]media.Code
}

// Answer is what came back besides the body.
type Answer struct {
	Status int
	Header http.Header
}

// Do sends the call with the session's token and reads the answer. When the server answers 401, the session signs in
// again and the call is sent once more. Every error is a *media.Error whose text names method and path template.
//
// Where there is a Guard, a call with a token and one that writes go to the expected server only: by a connection at
// whose other end it is, and a write after the identity was read (media.Guard).
func (c *Client) Do(ctx context.Context, call Call) (Answer, error) {
	session := c.options.Session
	if call.Anonymous || session == nil {
		return c.guarded(ctx, call, func() (string, error) { return "", nil })
	}
	if exchangeOf(ctx) != nil {
		return c.doOn(ctx, call, session)
	}
	var token string
	answer, err := c.guarded(ctx, call, func() (_ string, err error) {
		token, err = c.token(ctx, session.Token)
		return token, err
	})
	if answer.Status != http.StatusUnauthorized || !session.renews() {
		return answer, err
	}
	c.guard.Doubt()
	return c.guarded(ctx, call, func() (string, error) {
		return c.token(ctx, func(ctx context.Context) (string, error) { return session.Renew(ctx, token) })
	})
}

// DoAs sends the call with a token of somebody else's, and never signs in.
func (c *Client) DoAs(ctx context.Context, token string, call Call) (Answer, error) {
	return c.guarded(ctx, call, func() (string, error) { return token, nil })
}

// doOn sends a call that asks who is at the other end of a new connection. It never signs in: that would need another
// connection, whose other end would have to be asked.
func (c *Client) doOn(ctx context.Context, call Call, session *Session) (Answer, error) {
	token := session.have()
	if token == "" {
		return Answer{}, call.fail(media.Unavailable, "nobody is signed in").WithCause(errUnknownPeer)
	}
	answer, err := c.send(ctx, call, token)
	if answer.Status == http.StatusUnauthorized {
		session.refused(token)
	}
	return answer, err
}

// token gets a token. Whoever gives a new one may be another server than before.
func (c *Client) token(ctx context.Context, get func(context.Context) (string, error)) (string, error) {
	before := c.options.Session.have()
	token, err := get(ctx)
	if token != before {
		c.guard.Doubt()
	}
	return token, err
}

// guarded sends a call once it is known who gets it. Connections of which that is not known were made before the server
// could be asked: others are made then.
func (c *Client) guarded(ctx context.Context, call Call, token func() (string, error)) (answer Answer, err error) {
	for range maxUnknown {
		var with string
		if with, err = token(); err != nil {
			return Answer{}, err
		}
		if call.writes() {
			if err := c.guard.Check(ctx); err != nil {
				return Answer{}, err
			}
		}
		answer, err = c.send(ctx, call, with)
		if !errors.Is(err, errUnknownPeer) || media.CodeOf(err) == media.RateLimited {
			return answer, err
		}
		c.idle.CloseIdleConnections()
	}
	return answer, err
}

func (c *Client) send(ctx context.Context, call Call, token string) (Answer, error) {
	request, err := c.request(ctx, call, token)
	if err != nil {
		return Answer{}, err
	}
	// From the moment that the request has a connection, some of it may have been written. That the transport asks for
	// another one says that nothing was: it sends no write twice.
	var sent atomic.Bool
	transport, guarded := c.transport, token != "" || call.writes()
	if x := exchangeOf(ctx); x != nil {
		transport = x
	}
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { sent.Store(false) },
		GotConn: func(got httptrace.GotConnInfo) { sent.Store(!guarded || c.dialer.admit(ctx, got.Conn) == nil) },
	}
	request = request.WithContext(httptrace.WithClientTrace(ctx, trace))
	// The transport itself, without http.Client: nothing follows redirects, not even by mistake.
	response, err := transport.RoundTrip(request)
	if sent.Load() && call.writes() {
		media.NoteWrite(ctx)
	}
	if err != nil {
		c.guard.Doubt()
		return Answer{}, c.vague(call, lost(ctx, call, err, sent.Load()))
	}
	defer func() { _ = response.Body.Close() }()
	answer := Answer{Status: response.StatusCode, Header: response.Header}
	return answer, c.vague(call, c.receive(ctx, call, response))
}

func (c *Client) request(ctx context.Context, call Call, token string) (*http.Request, error) {
	target, err := c.target(call)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, lost(ctx, call, err, false)
	}
	request := (&http.Request{Method: call.Method, URL: target, Header: http.Header{}}).WithContext(ctx)
	if call.Header != nil {
		request.Header = call.Header.Clone()
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "usher")
	if token != "" {
		c.options.Authorize(request.Header, token)
	}
	return request, attach(request, call)
}

// attach gives the request its body. A bytes.Reader has a length, so that the body is never chunked: some servers take
// a chunked body for none.
func attach(request *http.Request, call Call) error {
	if call.Body == nil {
		return nil
	}
	body, err := json.Marshal(call.Body)
	if err != nil {
		return call.fail(media.Invalid, "the request cannot be written as JSON")
	}
	request.Header.Set("Content-Type", "application/json")
	request.ContentLength = int64(len(body))
	// GetBody lets the transport change to a fresh connection when an idle one turns out to be closed and nothing was
	// written yet; once something was, it sends no write twice.
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	request.Body, err = request.GetBody()
	return err
}

// target puts the arguments into the template and that below the server's URL.
func (c *Client) target(call Call) (*url.URL, error) {
	raw := c.base.EscapedPath()
	rest := call.Path
	for _, arg := range call.Args {
		before, after, _ := strings.Cut(rest, "{")
		_, after, found := strings.Cut(after, "}")
		if !found || arg == "" || arg == "." || arg == ".." {
			return nil, call.fail(media.Invalid, "an id in the path is empty or is none")
		}
		raw += before + url.PathEscape(arg)
		rest = after
	}
	if strings.Contains(rest, "{") {
		return nil, call.fail(media.Invalid, "an id in the path is missing")
	}
	raw += rest
	path, err := url.PathUnescape(raw)
	if err != nil {
		return nil, call.fail(media.Invalid, "the path cannot be written")
	}
	return &url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: path, RawPath: raw, RawQuery: call.Query.Encode()}, nil
}

// writes says whether the call may change something that lasts.
func (c Call) writes() bool {
	return c.Method != http.MethodGet && c.Method != http.MethodHead && !c.Harmless
}

// fail makes an error that names the call by method and template.
func (c Call) fail(code media.Code, words string) *media.Error {
	return media.Errorf(code, "%s %s: %s", c.Method, c.Path, words)
}
