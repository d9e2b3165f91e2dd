package mortal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// OpenHTTP makes drivers each of whose HTTP requests that may change something is a write of the process, named by its
// method and route, such as "http: POST /users/{id}". harmless says which requests change nothing though their method
// is no GET; may be nil.
func (p *Process) OpenHTTP(open media.Open, harmless func(*http.Request) bool) media.Open {
	return func(config media.Config) (media.Driver, error) {
		beneath := config.Transport
		config.Transport = func(next http.RoundTripper) http.RoundTripper {
			if beneath != nil {
				next = beneath(next)
			}
			return &transport{next: next, p: p, harmless: harmless}
		}
		inner, err := open(config)
		if err != nil {
			return nil, err
		}
		return &driver{Driver: inner, p: p, byRequest: true}, nil
	}
}

type transport struct {
	next     http.RoundTripper
	p        *Process
	harmless func(*http.Request) bool
}

func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet || request.Method == http.MethodHead || (t.harmless != nil && t.harmless(request)) {
		return reading(t.p, func() (*http.Response, error) { return t.next.RoundTrip(request) })
	}
	var answer *http.Response
	err := t.p.write("http: "+request.Method+" "+route(request.URL.Path), func() (err error) {
		answer, err = t.whole(request)
		return err
	}, func() error { return errors.New("the connection broke before the answer came") }, func() error { return errRefused })
	if errors.Is(err, errRefused) {
		return refusal(request), nil
	}
	return answer, err
}

var errRefused = errors.New("refused by the test")

// whole reads the answer to its end, so that it is known to have come. What has been sent arrives, whether or not
// anybody still waits for it.
func (t *transport) whole(request *http.Request) (*http.Response, error) {
	type outcome struct {
		answer *http.Response
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		answer, err := t.next.RoundTrip(request.WithContext(context.WithoutCancel(request.Context())))
		if err == nil {
			err = buffer(answer)
		}
		done <- outcome{answer, err}
	}()
	select {
	case o := <-done:
		return o.answer, o.err
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
}

func buffer(answer *http.Response) error {
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

// refusal is the answer of a server that is overloaded.
func refusal(request *http.Request) *http.Response {
	return &http.Response{
		Status: "503 Service Unavailable", StatusCode: http.StatusServiceUnavailable, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader("busy")), Request: request,
	}
}

// route is a path with its numbers taken out.
func route(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if part != "" && strings.Trim(part, "0123456789") == "" {
			parts[i] = "{id}"
		}
	}
	return strings.Join(parts, "/")
}
