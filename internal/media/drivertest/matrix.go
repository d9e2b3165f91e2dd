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

// slowBody is the fault whose calls are cancelled once it has begun.
const slowBody = "slow_body"

// spoiled is one way in which a request can go wrong.
type spoiled struct {
	name  string
	fault fault
	// passes says that the server gets the request, and so may do what it asks for.
	passes bool
	// read and write are the classes that a call may end with when a request that reads, or one that writes, is spoiled.
	read, write []media.Code
	// after is the RetryAfter that a RateLimited error must have.
	after time.Duration
}

// matrixCases: R2, R4, R6, R12. Each call is made with each of its requests spoiled in every way: the error has its
// class, nobody has more access than before or wanted, and the call made again comes to what was wanted.
func matrixCases() []testCase {
	cases := []testCase{{"signed_out", spoilSignedOut}}
	for _, name := range []string{
		"Probe", "List", "Account", "Library", "Authenticate", "CreateAccount", "UpdateAccount", "SetAccess", "SetPassword",
		"CreateLibrary", "UpdateLibrary", "ListInvites", "InviteUses", "CreateInvite", "SetInvite", "DeleteInvite",
		"SetRegistration", "SetDisabled", "DeleteAccount", "DeleteLibrary",
	} {
		cases = append(cases, testCase{name, func(f *fixture) { spoilCall(f, name) }})
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
		{"refused", refused, false, down, down, 0},
		{"reset_before", reset, false, down, down, 0},
		{"reset_after_sent", sentOnly, false, down, lost, 0},
		{"answer_lost", lose, true, down, lost, 0},
		{"page_200", answer(200, "text/html; charset=utf-8", page), false, down, down, 0},
		{"page_404", answer(404, "text/html", page), false, down, down, 0},
		{"plain_404", answer(404, "text/plain", "404 page not found"), false, down, down, 0},
		{"page_409", answer(409, "text/html", page), false, down, down, 0},
		{"page_502", answer(502, "text/html", page), false, down, lost, 0},
		{"text_200", answer(200, "text/plain", "OK"), false, down, either, 0},
		{"other_json_200", answer(200, form, `{"hello":"world"}`), false, down, either, 0},
		{"list_json_200", answer(200, form, `[]`), false, down, either, 0},
		{"null_200", answer(200, form, `null`), false, down, either, 0},
		{"empty_items_200", answer(200, form, `{"items":[]}`), false, down, either, 0},
		{"empty_200", answer(200, form, ""), false, down, either, 0},
		{"wrong_content_type", relabelled, true, down, maybe, 0},
		{"truncated_with_reset", truncate(io.ErrUnexpectedEOF), true, down, maybe, 0},
		{"truncated_quietly", truncate(nil), true, down, maybe, 0},
		{"redirect_302", answer(302, "text/html", "", "Location", "http://169.254.169.254/latest"), false, down, down, 0},
		{"redirect_308", answer(308, "text/html", "", "Location", "/elsewhere"), false, down, down, 0},
		{"limit_429", answer(429, form, "{}", "Retry-After", "7"), false, limited, limited, 7 * time.Second},
		{"limit_429_x", answer(429, form, "{}", "X-Retry-After", "9"), false, limited, limited, 9 * time.Second},
		{"limit_503", answer(503, "text/plain", "", "Retry-After", "86400"), false, limited, limited, time.Hour},
		{"failed_500", answer(500, form, "{}"), false, down, lost, 0},
		{"failed_503", answer(503, "text/plain", ""), false, down, lost, 0},
		{slowBody, drip, false, down, lost, 0},
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

// spoilCall spoils each request of one call in turn. What never reaches the server is done to one subject after the
// other, since nothing has happened to it then.
func spoilCall(f *fixture, name string) {
	for k, requests := 1, 1; k <= requests; k++ {
		on := f.subject(fmt.Sprintf("-%d", k))
		op, able := f.operationNamed(name, on)
		if !able {
			f.lacks(name)
			return
		}
		for _, s := range matrix() {
			if !s.passes {
				f.spoilOnce(s, op, on, k)
			}
		}
		requests = max(requests, f.makeAgain(op, fmt.Sprintf("%s, request %d", name, k)))
		for _, s := range matrix() {
			if s.passes {
				on := f.subject(fmt.Sprintf("-%d-%s", k, s.name))
				op, _ := f.operationNamed(name, on)
				requests = max(requests, f.spoilOnce(s, op, on, k))
				f.makeAgain(op, fmt.Sprintf("%s, request %d, %s", name, k, s.name))
			}
		}
	}
}

func (f *fixture) operationNamed(name string, on subject) (operation, bool) {
	for _, op := range f.operationsOn(f.driver, on) {
		if op.name == name {
			return op, true
		}
	}
	return operation{}, false
}

// spoilSignedOut spoils the requests of a driver that has not signed in yet.
func spoilSignedOut(f *fixture) {
	on := f.subject("")
	for _, s := range matrix() {
		for n := range 2 {
			for k, requests := 1, 1; k <= requests; k++ {
				op := f.reads(f.open(), on)[n]
				if requests = max(requests, f.spoilOnce(s, op, on, k)); k == 1 {
					requests = max(requests, f.makeAgain(op, op.name+" after "+s.name))
				}
			}
		}
	}
}

// spoilOnce makes a call with its k-th request spoiled and looks at who sees what. It returns how many requests there
// were.
func (f *fixture) spoilOnce(s spoiled, op operation, on subject, k int) int {
	f.Helper()
	what := fmt.Sprintf("%s, request %d, %s", op.name, k, s.name)
	var person Person
	signedIn := errNotSo
	if op.write {
		person, signedIn = f.server.SignIn(f.ctx(), on.account.Username, password)
	}
	ctx, cancel := context.WithCancel(f.ctx())
	defer cancel()
	nth := &nthRequest{k: k, fault: s.fault, reached: func() {
		if s.name == slowBody {
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
	return nth.seen
}

// makeAgain makes the call without a fault, after which what it wants is so. It returns how many requests that took.
func (f *fixture) makeAgain(op operation, what string) int {
	f.Helper()
	counter := &nthRequest{}
	f.faults.set(counter.spoil)
	err := op.run(f.ctx())
	f.faults.set(nil)
	if err != nil && !slices.Contains(op.again, media.CodeOf(err)) {
		f.Errorf("%s: made again: %v (%s)", what, err, media.CodeOf(err))
	}
	f.wantSettled(op, what)
	return counter.seen
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
	if op.tidies && nth.k > 1 {
		expected = append(expected, "")
	}
	f.Logf("%s: %v", what, err)
	f.wantCode(err, expected...)
	switch code := media.CodeOf(err); {
	case err == nil:
		f.wantSettled(op, what)
	case code == media.RateLimited && media.RetryAfter(err) != s.after:
		f.Errorf("%s: asked to wait %s, want %s", what, media.RetryAfter(err), s.after)
	case s.name == slowBody && nth.hit && !errors.Is(err, context.Canceled):
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
