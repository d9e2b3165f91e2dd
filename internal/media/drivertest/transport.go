package drivertest

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// spoiled is one way in which an answer can go wrong.
type spoiled struct {
	name  string
	fault fault
	// passes says that the server gets the request.
	passes bool
	// read and write are the classes that the calls may end with.
	read, write []media.Code
	// after is the RetryAfter that the error must have.
	after time.Duration
}

func codes(codes ...media.Code) []media.Code { return codes }

// matrix is the fault matrix of the transport (R2, R4, R12).
func matrix() []spoiled {
	const page = "<!doctype html><title>hello</title>"
	down, either := codes(media.Unavailable), codes(media.Ambiguous, media.Unavailable)
	limited := codes(media.RateLimited)
	// A call whose good answer has no body cannot have that cut.
	cut := codes(media.Ambiguous, "")
	return []spoiled{
		{"reset_before", reset, false, down, down, 0},
		{"reset_after", lose, true, down, codes(media.Ambiguous), 0},
		{"page_200", answer(200, "text/html; charset=utf-8", page), false, down, down, 0},
		{"page_404", answer(404, "text/html", page), false, down, down, 0},
		{"plain_404", answer(404, "text/plain", "404 page not found"), false, down, down, 0},
		{"page_409", answer(409, "text/html", page), false, down, down, 0},
		{"page_502", answer(502, "text/html", page), false, down, codes(media.Ambiguous), 0},
		{"text_200", answer(200, "text/plain", "OK"), false, down, either, 0},
		{"other_json_200", answer(200, "application/json", `{"hello":"world"}`), false, down, either, 0},
		{"list_json_200", answer(200, "application/json", `[]`), false, down, either, 0},
		{"null_200", answer(200, "application/json", `null`), false, down, either, 0},
		{"empty_items_200", answer(200, "application/json", `{"items":[]}`), false, down, either, 0},
		{"empty_200", answer(200, "application/json", ""), false, down, either, 0},
		{"truncated_with_reset", truncate(io.ErrUnexpectedEOF), true, down, cut, 0},
		{"truncated_quietly", truncate(nil), true, down, cut, 0},
		{"redirect_302", answer(302, "text/html", "", "Location", "http://169.254.169.254/latest"), false, down, down, 0},
		{"redirect_308", answer(308, "text/html", "", "Location", "/elsewhere"), false, down, down, 0},
		{"limit_429", answer(429, "application/json", "{}", "Retry-After", "7"), false, limited, limited, 7 * time.Second},
		{"limit_429_x", answer(429, "application/json", "{}", "X-Retry-After", "9"), false, limited, limited, 9 * time.Second},
		{"limit_503", answer(503, "text/plain", "", "Retry-After", "86400"), false, limited, limited, time.Hour},
		{"failed_500", answer(500, "application/json", "{}"), false, down, codes(media.Ambiguous), 0},
		{"failed_503", answer(503, "text/plain", ""), false, down, codes(media.Ambiguous), 0},
	}
}

func runTransport(t *testing.T, h Harness) {
	for _, s := range matrix() {
		t.Run(s.name, func(t *testing.T) { spoil(h.fixture(t, h.Start), s) })
	}
	t.Run("statuses", func(t *testing.T) { statuses(h.fixture(t, h.Start)) })
	t.Run("slow_drip", func(t *testing.T) { slowDrip(h.fixture(t, h.Start)) })
	t.Run("endless_answer", func(t *testing.T) { endlessAnswer(h.fixture(t, h.Start)) })
	t.Run("addresses", func(t *testing.T) { addresses(h.fixture(t, h.Start)) })
	t.Run("nobody_there", func(t *testing.T) { nobodyThere(h.fixture(t, h.Start)) })
}

// spoil runs every call under the fault, reads under it whole and writes with good reads.
func spoil(f *fixture, s spoiled) {
	operations := f.operations(f.driver)
	check := f.unchanged()
	for _, op := range operations {
		expected := s.read
		f.faults.set(s.fault)
		if op.write {
			expected = s.write
			f.faults.set(onWrites(s.fault))
		}
		err := op.run(f.ctx())
		f.Logf("%s: %v", op.name, err)
		f.wantCode(err, expected...)
		if s.after != 0 && media.RetryAfter(err) != s.after {
			f.Errorf("%s: asked to wait %s, want %s", op.name, media.RetryAfter(err), s.after)
		}
	}
	f.faults.set(nil)
	f.reprobe()
	if !s.passes {
		check()
	}
}

// statuses is the table of errors: refusals in the server's own envelope.
func statuses(f *fixture) {
	operations := f.operations(f.driver)
	for status, expected := range map[int][]media.Code{
		http.StatusBadRequest: codes(media.Invalid), http.StatusUnprocessableEntity: codes(media.Invalid),
		http.StatusRequestEntityTooLarge: codes(media.Invalid), http.StatusUnauthorized: codes(media.Unauthenticated),
		http.StatusForbidden: codes(media.PermissionDenied),
		// A place where there must be something is not "not found" when it is empty: the url is wrong.
		http.StatusNotFound: codes(media.NotFound, media.Unavailable), http.StatusGone: codes(media.NotFound, media.Unavailable),
		http.StatusConflict: codes(media.Conflict, media.AlreadyExists), http.StatusTooManyRequests: codes(media.RateLimited),
		http.StatusInternalServerError: codes(media.Unavailable, media.Ambiguous),
		http.StatusBadGateway:          codes(media.Unavailable, media.Ambiguous),
		http.StatusGatewayTimeout:      codes(media.Unavailable, media.Ambiguous),
	} {
		contentType, body := f.h.Refusal(status)
		f.faults.set(answer(status, contentType, body))
		for _, op := range operations {
			f.Logf("%s: %s", op.name, strconv.Itoa(status))
			f.wantCode(op.run(f.ctx()), expected...)
		}
	}
	f.faults.set(nil)
	f.reprobe()
}

func slowDrip(f *fixture) {
	operations := f.operations(f.driver)
	check := f.unchanged()
	f.faults.set(drip)
	for _, op := range operations {
		ctx, cancel := context.WithTimeout(f.ctx(), soon)
		began := time.Now()
		err := op.run(ctx)
		if took := time.Since(began); took > 2*soon+slack {
			f.Errorf("%s returned after %s", op.name, took)
		}
		f.wantCode(err, media.Unavailable, media.Ambiguous)
		cancel()
	}
	f.faults.set(nil)
	check()
}

// endlessAnswer: bodies are bounded.
func endlessAnswer(f *fixture) {
	const most = 64 << 20
	operations := f.operations(f.driver)
	for _, op := range operations {
		read := 0
		f.faults.set(endless(&read))
		f.wantCode(op.run(f.ctx()), media.Unavailable, media.Ambiguous)
		if read > most {
			f.Errorf("%s: %d bytes were read", op.name, read)
		}
	}
	f.faults.set(nil)
}

// addresses: what only this process can reach is not dialled.
func addresses(f *fixture) {
	for _, url := range []string{
		"http://169.254.169.254", "http://[fe80::1]", "http://[::ffff:169.254.169.254]", "http://0.0.0.0:80", "http://[::]",
		"http://224.0.0.1",
	} {
		config := f.server.Config
		config.URL = url
		driver, err := f.server.Open(config)
		if err == nil {
			_, err = driver.Probe(f.ctx())
			_ = driver.Close()
		}
		f.wantCode(err, media.Invalid, media.Unavailable)
	}
}

// nobodyThere: nothing is sent, so writes are Unavailable, too.
func nobodyThere(f *fixture) {
	operations := f.operations(f.driver)
	f.faults.set(func(next http.RoundTripper, request *http.Request) (*http.Response, error) {
		elsewhere := request.Clone(request.Context())
		// Port 1 of loopback: nobody listens there.
		elsewhere.URL.Scheme, elsewhere.URL.Host = "http", "127.0.0.1:1"
		return next.RoundTrip(elsewhere)
	})
	for _, op := range operations {
		f.wantCode(op.run(f.ctx()), media.Unavailable)
	}
	f.faults.set(nil)
}
