package drivertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
)

// quiet swallows what a server says of the connections that are broken on purpose.
var quiet = log.New(io.Discard, "", 0)

var errReset = errors.New("connection reset by peer")

// fault answers a request in the server's place, or lets it through and spoils the answer.
type fault func(next http.RoundTripper, request *http.Request) (*http.Response, error)

// faults stands between a driver and its server.
type faults struct {
	mu       sync.Mutex
	fault    fault
	answered func()
	requests int
	writes   int
}

// wrap is a Config.Transport.
func (f *faults) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		f.mu.Lock()
		f.requests++
		if changes(request) {
			f.writes++
		}
		spoil, answered := f.fault, f.answered
		f.mu.Unlock()
		if spoil != nil {
			return spoil(next, request)
		}
		response, err := next.RoundTrip(request)
		if answered != nil {
			answered()
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

func changes(request *http.Request) bool {
	return request.Method != http.MethodGet && request.Method != http.MethodHead
}

// set puts a fault before every request; nil takes it away.
func (f *faults) set(spoil fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = spoil
}

// watch calls after each answer, while there is no fault; nil stops that.
func (f *faults) watch(answered func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answered = answered
}

func (f *faults) count() (requests, writes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests, f.writes
}

// onWrites lets reads through.
func onWrites(spoil fault) fault {
	return func(next http.RoundTripper, request *http.Request) (*http.Response, error) {
		if !changes(request) {
			return next.RoundTrip(request)
		}
		return spoil(next, request)
	}
}

// reset breaks the connection before anything is sent.
func reset(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, errReset }

// lose lets the server answer and breaks the connection then.
func lose(next http.RoundTripper, request *http.Request) (*http.Response, error) {
	response, err := next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return nil, errReset
}

// truncate cuts the body of an answer in the middle: with an error as of a connection that broke, or without.
func truncate(err error) fault {
	return func(next http.RoundTripper, request *http.Request) (*http.Response, error) {
		response, failed := next.RoundTrip(request)
		if failed != nil {
			return nil, failed
		}
		defer func() { _ = response.Body.Close() }()
		body, failed := io.ReadAll(response.Body)
		response.Body = io.NopCloser(&ending{Reader: bytes.NewReader(body[:len(body)/2]), err: err})
		return response, failed
	}
}

// ending ends with an error instead of io.EOF, if it has one.
type ending struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (e *ending) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if errors.Is(err, io.EOF) && e.err != nil {
		err = e.err
	}
	return n, err
}

// answer answers in the server's place.
func answer(status int, contentType, body string, headers ...string) fault {
	return func(_ http.RoundTripper, request *http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {contentType}}
		for i := 0; i+1 < len(headers); i += 2 {
			header.Set(headers[i], headers[i+1])
		}
		return respond(request, status, header, strings.NewReader(body)), nil
	}
}

func respond(request *http.Request, status int, header http.Header, body io.Reader) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(body), ContentLength: -1, Request: request,
	}
}

// drip answers one byte and then nothing until the caller gives up.
func drip(_ http.RoundTripper, request *http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader("{"), stuck{request.Context()})
	return respond(request, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, body), nil
}

type stuck struct{ ctx context.Context }

// Read implements io.Reader.
func (s stuck) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// endless answers JSON without an end, and counts what was read of it.
func endless(status int, read *int) fault {
	return func(_ http.RoundTripper, request *http.Request) (*http.Response, error) {
		body := io.MultiReader(strings.NewReader(`{"items":["`), &zeros{read})
		return respond(request, status, http.Header{"Content-Type": {"application/json"}}, body), nil
	}
}

// filler is what an answer without an end consists of.
var filler = bytes.Repeat([]byte{'0'}, 64<<10)

type zeros struct{ read *int }

// Read implements io.Reader.
func (z *zeros) Read(p []byte) (int, error) {
	n := copy(p, filler)
	*z.read += n
	return n, nil
}

// stall returns what makes calls wait until stop, and tells of each that does.
func (f *fixture) stall() (arrived <-chan struct{}, stop func()) {
	if !f.h.HTTP {
		return f.server.Faults.Stall()
	}
	told := make(chan struct{}, 64)
	f.faults.set(func(_ http.RoundTripper, request *http.Request) (*http.Response, error) {
		told <- struct{}{}
		<-request.Context().Done()
		return nil, request.Context().Err()
	})
	return told, func() { f.faults.set(nil) }
}

// lose lets writes be done and loses their answers until stop.
func (f *fixture) lose() (stop func()) {
	if !f.h.HTTP {
		return f.server.Faults.Lose()
	}
	f.faults.set(onWrites(lose))
	return func() { f.faults.set(nil) }
}

// writes counts the writes so far.
func (f *fixture) writes() int {
	if !f.h.HTTP {
		return f.server.Faults.Writes()
	}
	_, writes := f.faults.count()
	return writes
}
