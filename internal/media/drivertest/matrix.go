package drivertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

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

// spoilCall spoils each request of one call in turn, each on a server of its own: on one that filled up with what the
// requests before had left, every list would grow, and with it every call. A live server is only one. How many requests
// there are is counted while the first is spoiled: later there may be more pages.
func spoilCall(f *fixture, name string) {
	s := &spoiling{name: name, requests: 1}
	for k := 1; k <= s.requests && f.lacking == ""; k++ {
		t, able := f.TB.(*testing.T)
		if k == 1 || f.h.Live || !able {
			s.request(f, k)
			continue
		}
		t.Run(fmt.Sprintf("request_%d", k), func(t *testing.T) {
			s.last = nil
			s.request(f.h.fixture(t, f.h.Start), k)
		})
	}
}

// spoiling is one call that is spoiled.
type spoiling struct {
	name     string
	requests int
	// last is the attempt before, on the same server.
	last *attempt
}

func (s *spoiling) count(k, seen int) {
	if k == 1 {
		s.requests = max(s.requests, seen)
	}
}

// request spoils the k-th request in every way. What never reaches the server is done to one subject after the other, for
// as long as nothing has happened to it: a call that wrote with another request has a new subject each time. They share
// their libraries, since there are drivers whose calls have a request for each library.
func (s *spoiling) request(f *fixture, k int) {
	var untouched *attempt
	for _, way := range f.h.ways() {
		try := untouched
		if try == nil || way.passes && try.op.write {
			if try = f.attempt(s.name, fmt.Sprintf("-%d-%s", k, way.name), s.last); try == nil {
				f.lacks(s.name)
				return
			}
		}
		s.last = try
		nth := f.spoilOnce(way, try.op, try.on, k)
		s.count(k, nth.seen)
		switch {
		case !try.op.write || !way.passes && !nth.wrote:
			untouched = try
		default:
			s.count(k, f.makeAgain(try, try.op.again))
			if try == untouched {
				untouched = nil
			}
		}
	}
	if untouched != nil {
		s.count(k, f.makeAgain(untouched, nil))
	}
}

// attempt is one call on a subject of its own.
type attempt struct {
	on   subject
	op   operation
	what string
}

// attempt makes a subject for a call, with the libraries of the last one where the call leaves those alone; nil when the
// server lacks the call.
func (f *fixture) attempt(name, label string, last *attempt) *attempt {
	f.Helper()
	var on subject
	switch {
	case last == nil, name == "UpdateLibrary", name == "DeleteLibrary":
		on = f.subject(label)
	case name == "SetRegistration": // concerns nobody's account, and where it is closed there may be no other
		on = last.on
	default:
		on = f.subjectOf(label, last.on.first, last.on.second)
	}
	op, able := f.operationNamed(name, on)
	if !able {
		return nil
	}
	return &attempt{on, op, name + label}
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
	for _, s := range f.h.ways() {
		for n := range 2 {
			for k, requests := 1, 1; k <= requests; k++ {
				op := f.reads(f.open(), on)[n]
				if requests = max(requests, f.spoilOnce(s, op, on, k).seen); k == 1 {
					requests = max(requests, f.makeAgain(&attempt{on, op, op.name + " after " + s.name}, nil))
				}
			}
		}
	}
}

// spoilOnce makes a call with its k-th request spoiled and looks at who sees what then.
func (f *fixture) spoilOnce(s spoiled, op operation, on subject, k int) *nthRequest {
	f.Helper()
	what := fmt.Sprintf("%s, request %d, %s", op.name, k, s.name)
	holder := f.holder(op, on)
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
	f.nobodyWithMore(holder, op, on, what)
	return nth
}

// makeAgain makes the call without a fault, after which what it wants is so. Of the classes, an error says truly that the
// call before did it, which whoever called resolves by reading. It returns how many requests the call took.
func (f *fixture) makeAgain(try *attempt, classes []media.Code) int {
	f.Helper()
	holder := f.holder(try.op, try.on)
	counter := &nthRequest{}
	f.faults.set(counter.spoil)
	err := try.op.run(f.ctx())
	f.faults.set(nil)
	f.nobodyWithMore(holder, try.op, try.on, try.what)
	switch {
	case err != nil && !slices.Contains(classes, media.CodeOf(err)):
		f.Errorf("%s: made again: %v (%s)", try.what, err, media.CodeOf(err))
	case err != nil && try.op.resolve != nil:
		if err := try.op.resolve(); err != nil {
			f.Errorf("%s: made again: %v", try.what, err)
		}
	}
	f.wantSettled(try.op, try.what)
	return counter.seen
}

// holder signs in who holds the account of a subject; nil when that is not possible, or not of interest.
func (f *fixture) holder(op operation, on subject) Person {
	f.Helper()
	if !op.write {
		return nil
	}
	person, err := f.server.SignIn(f.ctx(), on.account.Username, password)
	if err != nil {
		return nil
	}
	return person
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
	if nth.hit && op.write && nth.wroteBefore {
		// What the requests before did is done.
		expected = append(expected, media.Ambiguous, media.Unavailable)
		if op.settled != nil { // Then the call may only have tidied up since.
			expected = append(expected, "")
		}
	}
	if op.tidies && nth.k > 1 {
		expected = append(expected, "")
	}
	f.Logf("%s: %v", what, err)
	if goesOn := f.h.GoesOn; nth.hit && !nth.writes && goesOn != nil && goesOn(s.name, nth.request) {
		expected = append(expected, "", media.Invalid, media.Conflict, media.NotFound, media.Ambiguous)
	}
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

// nobodyWithMore fails when the holder of the subject's account, or who may have come into being, sees more than before
// or wanted.
func (f *fixture) nobodyWithMore(holder Person, op operation, on subject, what string) {
	f.Helper()
	if holder != nil {
		f.noMoreThan(holder, what, append(slices.Clone(op.gives), on.account.Access.IDs()...)...)
	}
	if op.newcomer == "" {
		return
	}
	if person, err := f.server.SignIn(f.ctx(), op.newcomer, password); err == nil {
		f.noMoreThan(person, what, on.first.ID)
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
	request     *http.Request
	// wrote says that the server got another request that writes; wroteBefore, that it did before the k-th.
	wrote, wroteBefore bool
}

func (n *nthRequest) spoil(next http.RoundTripper, request *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.seen++
	due := n.seen == n.k
	if due {
		n.hit, n.writes, n.request = true, changes(request), request
	} else if changes(request) {
		n.wrote, n.wroteBefore = true, n.wroteBefore || !n.hit
	}
	n.mu.Unlock()
	if !due {
		return next.RoundTrip(request)
	}
	response, err := n.fault(next, request)
	n.reached()
	return response, err
}
