package drivertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// spoiled is one way in which a request can go wrong.
type spoiled struct {
	name  string
	fault fault
	// read and write are the classes that a call may end with when a request that reads, or one that writes, is spoiled.
	read, write []media.Code
	// after is the RetryAfter that a RateLimited error must have.
	after time.Duration
}

// matrixCases: R2, R4, R6, R12. Every call is made with each of its requests spoiled in every way: the error has its
// class, nobody has more access than before or wanted, and the call made again comes to what was wanted.
func matrixCases() []testCase {
	var cases []testCase
	for _, s := range matrix() {
		cases = append(cases, testCase{s.name, func(f *fixture) { everyRequest(f, s) }})
	}
	return cases
}

func matrix() []spoiled {
	const page, form = "<!doctype html><title>hello</title>", "application/json"
	down, lost := codes(media.Unavailable), codes(media.Ambiguous)
	either, limited := codes(media.Ambiguous, media.Unavailable), codes(media.RateLimited)
	// A request whose good answer has no body, or one that does not matter, may have succeeded: what it wants is so then.
	maybe := codes(media.Ambiguous, media.Unavailable, "")
	return []spoiled{
		{"refused", refused, down, down, 0},
		{"reset_before", reset, down, down, 0},
		{"reset_after_sent", sentOnly, down, lost, 0},
		{"answer_lost", lose, down, lost, 0},
		{"page_200", answer(200, "text/html; charset=utf-8", page), down, down, 0},
		{"page_404", answer(404, "text/html", page), down, down, 0},
		{"plain_404", answer(404, "text/plain", "404 page not found"), down, down, 0},
		{"page_409", answer(409, "text/html", page), down, down, 0},
		{"page_502", answer(502, "text/html", page), down, lost, 0},
		{"text_200", answer(200, "text/plain", "OK"), down, either, 0},
		{"other_json_200", answer(200, form, `{"hello":"world"}`), down, either, 0},
		{"list_json_200", answer(200, form, `[]`), down, either, 0},
		{"null_200", answer(200, form, `null`), down, either, 0},
		{"empty_items_200", answer(200, form, `{"items":[]}`), down, either, 0},
		{"empty_200", answer(200, form, ""), down, either, 0},
		{"wrong_content_type", relabelled, down, maybe, 0},
		{"truncated_with_reset", truncate(io.ErrUnexpectedEOF), down, maybe, 0},
		{"truncated_quietly", truncate(nil), down, maybe, 0},
		{"redirect_302", answer(302, "text/html", "", "Location", "http://169.254.169.254/latest"), down, down, 0},
		{"redirect_308", answer(308, "text/html", "", "Location", "/elsewhere"), down, down, 0},
		{"limit_429", answer(429, form, "{}", "Retry-After", "7"), limited, limited, 7 * time.Second},
		{"limit_429_x", answer(429, form, "{}", "X-Retry-After", "9"), limited, limited, 9 * time.Second},
		{"limit_503", answer(503, "text/plain", "", "Retry-After", "86400"), limited, limited, time.Hour},
		{"failed_500", answer(500, form, "{}"), down, lost, 0},
		{"failed_503", answer(503, "text/plain", ""), down, lost, 0},
		{"slow_body", drip, down, lost, 0},
	}
}

// refused fails as a dial does that nobody takes.
func refused(http.RoundTripper, *http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

// sentOnly breaks the connection when the request may have been sent; the server does not get it.
func sentOnly(_ http.RoundTripper, request *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(request.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	return nil, errReset
}

// relabelled passes the server's answer on as a web page.
func relabelled(next http.RoundTripper, request *http.Request) (*http.Response, error) {
	response, err := next.RoundTrip(request)
	if err == nil {
		response.Header.Set("Content-Type", "text/html")
	}
	return response, err
}

// everyRequest spoils each request of each call in turn.
func everyRequest(f *fixture, s spoiled) {
	shared := f.subject("-shared")
	for n := range f.operationsOn(f.driver, shared) {
		for k, requests := 1, 1; k <= requests; k++ {
			on := shared
			if f.operationsOn(f.driver, shared)[n].write {
				on = f.subject(fmt.Sprintf("-%d-%d", n, k))
			}
			op := f.operationsOn(f.driver, on)[n]
			requests = max(requests, f.spoilOne(s, op, on, k))
		}
	}
	// A driver that is not signed in yet.
	for n := range 2 {
		for k, requests := 1, 1; k <= requests; k++ {
			requests = max(requests, f.spoilOne(s, f.reads(f.open(), shared)[n], shared, k))
		}
	}
}

// spoilOne makes a call with its k-th request spoiled, looks at who sees what, and makes it again. It returns how many
// requests the call makes.
func (f *fixture) spoilOne(s spoiled, op operation, on subject, k int) int {
	f.Helper()
	what := fmt.Sprintf("%s, request %d", op.name, k)
	person, signedIn := f.server.SignIn(f.ctx(), on.account.Username, password)
	ctx, cancel := context.WithCancel(f.ctx())
	defer cancel()
	nth := &nthRequest{k: k, fault: s.fault, reached: func() {
		if s.name == "slow_body" {
			cancel()
		}
	}}
	f.faults.set(nth.spoil)
	err := op.run(ctx)
	f.faults.set(nil)
	f.judge(s, op, nth, err, what)
	if signedIn == nil {
		f.noMoreThan(person, what, on.first.ID, on.second.ID)
	}
	counter := &nthRequest{}
	f.faults.set(counter.spoil)
	again := op.run(f.ctx())
	f.faults.set(nil)
	if again != nil && !slices.Contains(op.again, media.CodeOf(again)) {
		f.Errorf("%s: made again: %v (%s)", what, again, media.CodeOf(again))
	}
	f.wantSettled(op, what)
	return max(nth.seen, counter.seen)
}

// judge looks at how a spoiled call ended.
func (f *fixture) judge(s spoiled, op operation, nth *nthRequest, err error, what string) {
	f.Helper()
	expected := slices.Clone(s.read)
	switch {
	case !nth.hit:
		expected = codes("")
	case op.write && nth.writes:
		expected = slices.Clone(s.write)
	}
	if nth.hit && op.write && (nth.k > 1 || !nth.writes) {
		// What the requests before did is done.
		expected = append(expected, media.Ambiguous, media.Unavailable)
	}
	f.Logf("%s: %v", what, err)
	f.wantCode(err, expected...)
	switch code := media.CodeOf(err); {
	case err == nil:
		f.wantSettled(op, what)
	case code == media.RateLimited && media.RetryAfter(err) != s.after:
		f.Errorf("%s: asked to wait %s, want %s", what, media.RetryAfter(err), s.after)
	case s.name == "slow_body" && nth.hit && !errors.Is(err, context.Canceled):
		f.Errorf("%s: %v does not say that the context was cancelled", what, err)
	}
}

func (f *fixture) wantSettled(op operation, what string) {
	f.Helper()
	if op.settled == nil {
		return
	}
	if err := op.settled(); err != nil {
		f.Errorf("%s: said to be done: %v", what, err)
	}
}

// noMoreThan fails when a person sees more than those. An ended session sees nothing.
func (f *fixture) noMoreThan(person Person, what string, most ...media.LibraryID) {
	f.Helper()
	seen, err := person.Libraries(f.ctx())
	for _, id := range seen {
		if err == nil && !slices.Contains(most, id) {
			f.Errorf("%s: the person sees %q", what, id)
		}
	}
}

// nthRequest spoils the k-th request that comes by, and counts all; k of 0 spoils none.
type nthRequest struct {
	k       int
	fault   fault
	reached func()

	mu   sync.Mutex
	seen int
	// hit says that there was a k-th request; writes, that it was one that writes.
	hit, writes bool
}

func (n *nthRequest) spoil(next http.RoundTripper, request *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.seen++
	due := n.seen == n.k
	if due {
		n.hit, n.writes = true, changes(request)
	}
	n.mu.Unlock()
	if !due {
		return next.RoundTrip(request)
	}
	response, err := n.fault(next, request)
	n.reached()
	return response, err
}
