package drivertest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
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

// ways are those in which requests are spoiled.
func (h Harness) ways() []spoiled {
	return slices.DeleteFunc(matrix(), func(way spoiled) bool { return len(h.Ways) > 0 && !slices.Contains(h.Ways, way.name) })
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
