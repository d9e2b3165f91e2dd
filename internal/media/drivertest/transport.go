package drivertest

import (
	"net/http"
	"strconv"

	"github.com/usher-media/usher/internal/media"
)

// httpCases: R2, the table of errors, and what is never dialled (design D6).
var httpCases = []testCase{
	{"statuses", statuses},
	{"addresses", addresses},
}

func codes(codes ...media.Code) []media.Code { return codes }

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
