package drivertest

import (
	"context"
	"errors"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media"
)

// cancelCases: R3, a call returns soon after its context's end.
var cancelCases = []testCase{
	{"every_call", cancelEvery},
	{"before_it_begins", cancelBefore},
	{"deadline", cancelDeadline},
}

// leakCases: R1, nothing outlives a call or Close.
var leakCases = []testCase{
	{"no_goroutine_left", leak},
	{"open_does_no_io", openQuietly},
}

const (
	// soon is R3's 100 ms.
	soon = 100 * time.Millisecond
	// slack is for a busy machine under the race detector.
	slack = 900 * time.Millisecond
)

func cancelEvery(f *fixture) {
	operations := f.operations(f.driver)
	check := f.unchanged()
	arrived, stop := f.stall()
	for _, op := range operations {
		took, err := cancelled(f.ctx(), arrived, op.run)
		if took > soon+slack {
			f.Errorf("%s returned %s after its context's end", op.name, took)
		}
		f.wantCode(err, media.Unavailable, media.Ambiguous)
		if !errors.Is(err, context.Canceled) {
			f.Errorf("%s: %v does not say that the context was cancelled", op.name, err)
		}
	}
	stop()
	check()
}

// cancelled runs a call, ends its context once the call waits, and says how long it took to return then.
func cancelled(ctx context.Context, arrived <-chan struct{}, run func(context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	select {
	case <-arrived:
	case err := <-done:
		// It ended without waiting for the server: whether that is right shows in its error.
		return 0, err
	}
	cancel()
	began := time.Now()
	err := <-done
	return time.Since(began), err
}

func cancelBefore(f *fixture) {
	operations := f.operations(f.driver)
	check := f.unchanged()
	ctx, cancel := context.WithCancel(f.ctx())
	cancel()
	for _, op := range operations {
		f.wantCode(op.run(ctx), media.Unavailable)
	}
	check()
}

func cancelDeadline(f *fixture) {
	_, stop := f.stall()
	ctx, cancel := context.WithTimeout(f.ctx(), soon)
	defer cancel()
	began := time.Now()
	_, err := f.driver.List(ctx)
	if took := time.Since(began); took > 2*soon+slack {
		f.Errorf("returned after %s", took)
	}
	stop()
	f.wantCode(err, media.Unavailable)
	if !errors.Is(err, context.DeadlineExceeded) {
		f.Errorf("%v does not say that the time was over", err)
	}
}

func leak(f *fixture) {
	before := goleak.IgnoreCurrent()
	driver := f.open()
	for _, op := range f.operations(driver) {
		f.must(op.run(f.ctx()))
	}
	arrived, stop := f.stall()
	_, _ = cancelled(f.ctx(), arrived, func(ctx context.Context) error { _, err := driver.List(ctx); return err })
	stop()
	f.must(driver.Close())
	// The fixture's own driver may hold connections that began since.
	f.must(f.driver.Close())
	f.must(goleak.Find(before))
}

func openQuietly(f *fixture) {
	requests, _ := f.faults.count()
	driver := f.open()
	if traits := driver.Traits(); traits.FoldUsername == nil || traits.FoldEmail == nil || traits.LongestCall <= 0 ||
		traits.Concurrency < 1 {
		f.Errorf("traits %v", traits)
	}
	if after, _ := f.faults.count(); after != requests {
		f.Error("Open or Traits made a request")
	}
}
