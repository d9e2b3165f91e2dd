package wire

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// Bounds on the bytes of an answer, where Options name no others.
const (
	defaultListLimit = 8 << 20
	defaultBodyLimit = 1 << 20
	// refusalLimit bounds what is read of an error's body: enough for an envelope.
	refusalLimit = 64 << 10
)

// Options say how one type of server speaks.
type Options struct {
	// Server names the type in error texts, with its article: "an Embedded media server".
	Server string
	// Session gives the calls their token; nil for a server that wants none.
	Session *Session
	// Authorize puts a token into a request's header: a cookie, a header of the server's own. Nil writes
	// "Authorization: Bearer <token>".
	Authorize func(header http.Header, token string)
	// Classify gives an answer outside 2xx its class and words, where the status does not say enough. The words must
	// be the driver's own: nothing of the body (R2). An empty class leaves it to Call.Codes and then to the table of
	// statuses; empty words leave them to the table. Nil is always empty.
	Classify func(Refusal) (media.Code, string)
	// ListLimit bounds the body of a list in bytes; zero is 8 MiB. BodyLimit bounds any other; zero is 1 MiB.
	ListLimit, BodyLimit int64
}

// Client speaks HTTP to one server. It is safe for use by many goroutines.
type Client struct {
	base      *url.URL
	options   Options
	transport http.RoundTripper
	idle      *http.Transport
	dialer    *dialer
	guard     *media.Guard
}

// New makes a client for the server at config.URL, whose path is kept before every call's path. It does no I/O. It
// answers Invalid for a URL or a CA that can never work.
func New(config media.Config, options Options) (*Client, error) {
	base, err := parseBase(config)
	if err != nil {
		return nil, err
	}
	transport, dialer, err := newTransport(config)
	if err != nil {
		return nil, err
	}
	client := &Client{
		base: base, options: options.withDefaults(), transport: transport, idle: transport, dialer: dialer, guard: config.Guard,
	}
	if config.Transport != nil {
		client.transport = config.Transport(transport)
	}
	return client, nil
}

// Close ends the connections that are idle, and every other as soon as its call is over.
func (c *Client) Close() error {
	c.idle.CloseIdleConnections()
	return nil
}

func (o Options) withDefaults() Options {
	if o.ListLimit == 0 {
		o.ListLimit = defaultListLimit
	}
	if o.BodyLimit == 0 {
		o.BodyLimit = defaultBodyLimit
	}
	if o.Authorize == nil {
		o.Authorize = bearer
	}
	if o.Classify == nil {
		o.Classify = func(Refusal) (media.Code, string) { return "", "" }
	}
	return o
}

func bearer(header http.Header, token string) {
	header.Set("Authorization", "Bearer "+token)
}

// parseBase reads the server's URL. Its text is never part of an error: it may hold what does not belong there.
func parseBase(config media.Config) (*url.URL, error) {
	base, err := url.Parse(config.URL)
	switch {
	case err != nil:
		return nil, media.Errorf(media.Invalid, "the url cannot be read: write it like https://media.example.org")
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, media.Errorf(media.Invalid, "the url must begin with http:// or https://")
	case base.Hostname() == "":
		return nil, media.Errorf(media.Invalid, "the url names no host")
	case base.User != nil:
		return nil, media.Errorf(media.Invalid, "the url must hold no user and no password: credentials belong in the Secret")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, media.Errorf(media.Invalid, "the url must have no query and no fragment")
	}
	if err := CheckHost(base.Hostname(), config.Allowed); err != nil {
		return nil, err
	}
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: strings.TrimRight(base.Path, "/"),
		RawPath: strings.TrimRight(base.RawPath, "/")}, nil
}
