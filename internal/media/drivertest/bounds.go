package drivertest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// boundCases: D6, what is read of an answer is bounded, in bytes, in depth and in time.
var boundCases = []testCase{
	{"slow_answer", slowDrip},
	{"endless_answer", func(f *fixture) { endlessAnswer(f, http.StatusOK) }},
	{"endless_refusal", func(f *fixture) { endlessAnswer(f, http.StatusConflict) }},
	{"deep_json", deepJSON},
	{"huge_header", hugeHeader},
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
