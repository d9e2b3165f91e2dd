package drivertest

import (
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// boundCases, design D6: what is read of an answer is bounded, in bytes and in depth.
var boundCases = []testCase{
	{"endless_answer", func(f *fixture) { endlessAnswer(f, http.StatusOK) }},
	{"endless_refusal", func(f *fixture) { endlessAnswer(f, http.StatusConflict) }},
	{"deep_json", deepJSON},
	{"huge_header", hugeHeader},
}

// endlessAnswer: bodies are bounded.
func endlessAnswer(f *fixture, status int) {
	const most = 64 << 20
	operations := f.operations(f.driver)
	for _, op := range operations {
		read := 0
		f.faults.set(endless(status, &read))
		if err := op.run(f.ctx()); err == nil {
			f.Errorf("%s succeeds", op.name)
		} else if status == http.StatusOK {
			f.wantCode(err, media.Unavailable, media.Ambiguous)
		}
		if read > most {
			f.Errorf("%s: %d bytes were read", op.name, read)
		}
	}
	f.faults.set(nil)
}

// deepJSON: a parser that recurses without a bound dies of it.
func deepJSON(f *fixture) {
	const depth = 1 << 18
	check := f.unchanged()
	for _, body := range []string{
		strings.Repeat("[", depth), strings.Repeat("[", depth) + strings.Repeat("]", depth),
		`{"items":` + strings.Repeat(`{"a":`, depth), `{"id":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}",
	} {
		f.faults.set(answer(http.StatusOK, "application/json", body))
		_, err := f.driver.List(f.ctx())
		f.wantCode(err, media.Unavailable)
		_, err = f.driver.Probe(f.ctx())
		f.wantCode(err, media.Unavailable)
	}
	f.faults.set(nil)
	check()
}

// hugeHeader lets a real connection bring a megabyte of header.
func hugeHeader(f *fixture) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 10 {
			w.Header().Add("X-Filler", strings.Repeat("x", 1<<10))
		}
		w.WriteHeader(http.StatusOK)
	}))
	f.Cleanup(server.Close)
	f.faults.set(redirected(server.URL))
	_, err := f.driver.List(f.ctx())
	f.wantCode(err, media.Unavailable)
	f.faults.set(nil)
}
