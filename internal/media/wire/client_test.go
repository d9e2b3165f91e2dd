package wire_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t *testing.T, config media.Config, options wire.Options) *wire.Client {
	t.Helper()
	options.Server, config.Allowed = "a Test server", media.Loopback()
	c, err := wire.New(config, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func wantCode(t *testing.T, err error, code media.Code) {
	t.Helper()
	if media.CodeOf(err) != code {
		t.Errorf("got %q (%v), want %q", media.CodeOf(err), err, code)
	}
}

type greeting struct {
	Hello string `json:"hello"`
}

func (g *greeting) Check() error {
	if g.Hello == "" {
		return errors.New("no greeting")
	}
	return nil
}

func TestRequest(t *testing.T) {
	var got *http.Request
	var body []byte
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		_, _ = w.Write([]byte(`{"hello":"you","more":1}`))
	})
	c := client(t, media.Config{URL: url + "/base%2Fpath/"}, wire.Options{Session: wire.FixedToken("secret")})
	var into greeting
	_, err := c.Do(context.Background(), wire.Call{
		Method: "POST", Path: "/v1/things/{id}/parts/{part}", Args: []string{"a/b ü", "c"},
		Query: map[string][]string{"q": {"x&y"}}, Header: http.Header{"X-More": {"1"}},
		Body: map[string]string{"a": "<b>"}, Into: &into,
	})
	if err != nil || into.Hello != "you" {
		t.Fatalf("%v %v", into, err)
	}
	if got.RequestURI != "/base%2Fpath/v1/things/a%2Fb%20%C3%BC/parts/c?q=x%26y" {
		t.Errorf("asked for %s", got.RequestURI)
	}
	if got.ContentLength != int64(len(body)) || len(got.TransferEncoding) != 0 || len(body) == 0 {
		t.Errorf("length %d, encoding %v, body %q", got.ContentLength, got.TransferEncoding, body)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer secret", "Content-Type": "application/json", "Accept": "application/json", "X-More": "1",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q", name, got.Header.Get(name))
		}
	}
}

func TestOwnAuthorization(t *testing.T) {
	var got http.Header
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	c := client(t, media.Config{URL: url}, wire.Options{
		Session:   wire.FixedToken("secret"),
		Authorize: func(h http.Header, token string) { h.Set("Cookie", "session="+token) },
	})
	if _, err := c.Do(context.Background(), wire.Call{Method: "DELETE", Path: "/x"}); err != nil {
		t.Fatal(err)
	}
	if got.Get("Cookie") != "session=secret" || got.Get("Authorization") != "" {
		t.Errorf("got %v", got)
	}
	if _, err := c.Do(context.Background(), wire.Call{Method: "GET", Path: "/x", Anonymous: true}); err != nil || got.Get("Cookie") != "" {
		t.Errorf("an anonymous call sent %v (%v)", got, err)
	}
}

func TestPathArguments(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	c := client(t, media.Config{URL: url}, wire.Options{})
	for _, args := range [][]string{{""}, {"."}, {".."}, {}, {"a", "b"}} {
		_, err := c.Do(context.Background(), wire.Call{Method: "DELETE", Path: "/users/{id}", Args: args})
		wantCode(t, err, media.Invalid)
	}
}

func TestConfiguration(t *testing.T) {
	for _, url := range []string{
		"", "media.example.org", "ftp://media.example.org", "http://", "http://u:p@host", "http://host?x=1", "http://host/?",
		"http://host/#f", "http://169.254.169.254", "http://[fe80::1%25eth0]:80", "http://[::ffff:a9fe:a9fe]", "http://0.0.0.0",
		"http://[::]", "http://239.1.2.3", "http://127.0.0.1", "http://localhost:3000", "http://LOCALHOST.", "http://media.localhost",
		"http://[::1]", "http://[64:ff9b::a9fe:a9fe]", "http://100.100.100.200", "http://[fd00:ec2::254]", "http://host:port", "http://ho st",
	} {
		_, err := wire.New(media.Config{URL: url}, wire.Options{})
		wantCode(t, err, media.Invalid)
	}
	_, err := wire.New(media.Config{URL: "https://host", CA: []byte("not a certificate")}, wire.Options{})
	wantCode(t, err, media.Invalid)
}

func TestForbiddenAddressBehindAName(t *testing.T) {
	// The guard looks at what is dialled, whatever the url said.
	c := client(t, media.Config{URL: "http://127.0.0.1:9", Transport: func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			moved := r.Clone(r.Context())
			moved.URL.Host = "169.254.169.254:80"
			return next.RoundTrip(moved)
		})
	}}, wire.Options{})
	_, err := c.Do(context.Background(), wire.Call{Method: "POST", Path: "/x"})
	wantCode(t, err, media.Unavailable)
	if !strings.Contains(err.Error(), "cannot be reached") || strings.Contains(err.Error(), "dial") {
		t.Errorf("what a name stands for is told: %v", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	call := wire.Call{Method: "POST", Path: "/x"}
	for name, c := range map[string]struct {
		config media.Config
		code   media.Code
		words  string
	}{
		"unknown":    {media.Config{URL: server.URL}, media.Unavailable, "give the CA"},
		"other name": {media.Config{URL: strings.Replace(server.URL, "127.0.0.1", "localhost", 1), CA: ca}, media.Unavailable, "not for the host"},
		"trusted":    {media.Config{URL: server.URL, CA: ca}, "", ""},
		"unchecked":  {media.Config{URL: server.URL, InsecureSkipVerify: true}, "", ""},
		"not at all": {media.Config{URL: "https" + serve(t, func(http.ResponseWriter, *http.Request) {})[4:]}, media.Unavailable, "TLS"},
	} {
		_, err := client(t, c.config, wire.Options{}).Do(context.Background(), call)
		if media.CodeOf(err) != c.code || (err != nil && !strings.Contains(err.Error(), c.words)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNothingSentIsUnavailable(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1:1", "http://no-such-host.invalid"} {
		_, err := client(t, media.Config{URL: url}, wire.Options{}).Do(context.Background(), wire.Call{Method: "PUT", Path: "/x"})
		wantCode(t, err, media.Unavailable)
		if want := "PUT /x: the server cannot be reached: is the url right, and does the server run?"; err.Error() != want {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// A server that takes the request and closes the connection: a write may have been done.
func TestClosedAfterRequest(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = connection.Close()
		}
	})
	c := client(t, media.Config{URL: url}, wire.Options{})
	for call, code := range map[*wire.Call]media.Code{
		{Method: "POST", Path: "/x", Body: 1}:                 media.Ambiguous,
		{Method: "DELETE", Path: "/x"}:                        media.Ambiguous,
		{Method: "POST", Path: "/x", Body: 1, Harmless: true}: media.Unavailable,
		{Method: "GET", Path: "/x"}:                           media.Unavailable,
	} {
		_, err := c.Do(context.Background(), *call)
		wantCode(t, err, code)
	}
}

func TestContextEndsWhileWaiting(t *testing.T) {
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	t.Cleanup(func() { close(release) })
	c := client(t, media.Config{URL: url}, wire.Options{})
	for method, code := range map[string]media.Code{"POST": media.Ambiguous, "GET": media.Unavailable} {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			<-arrived
			cancel()
		}()
		began := time.Now()
		_, err := c.Do(ctx, wire.Call{Method: method, Path: "/x"})
		wantCode(t, err, code)
		if !errors.Is(err, context.Canceled) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %s", method, err, time.Since(began))
		}
	}
}
