// Command quickstart shows Usher at work on this machine: it starts a real control plane, the embedded media server and
// the operator on loopback, applies the household of config/samples, and proves on the running media server that each
// person sees the libraries that they were granted, and no others.
//
// Everything it makes is below .quickstart/ in the repository, but for the link /tmp/usher-quickstart, which the
// samples' paths go through.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func main() {
	once := flag.Bool("once", false, "prove it, stop everything and exit: 0 only if every line of the proof holds")
	flag.Parse()
	log.SetLogger(logr.Discard()) // of the libraries that start the control plane: what goes wrong comes as an error
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx, *once))
}

// run does everything and returns the exit code.
func run(ctx context.Context, once bool) (code int) {
	out := newReport(os.Stdout)
	q, err := prepare(out)
	if err != nil {
		out.failed("%v", err)
		return 1
	}
	defer func() {
		if err := q.stop(); err != nil {
			out.failed("stop: %v", err)
			code = max(code, 1)
		}
	}()
	err = q.show(ctx)
	switch {
	case ctx.Err() != nil:
		out.say("\nStopping.")
		return 130
	case err != nil:
		out.failed("%v", err)
		var told explained
		if errors.As(err, &told) {
			out.say("%s", told.explanation)
		}
		out.say("%s", q.complaints())
		return 1
	case once:
		out.say("\nEvery line of the proof holds.")
		return 0
	}
	q.farewell(ctx)
	return q.stay(ctx)
}

// stay waits for Ctrl-C, or for a program that stops by itself.
func (q *quickstart) stay(ctx context.Context) int {
	select {
	case <-ctx.Done():
		q.out.say("\nStopping.")
		return 0
	case name := <-q.stopped:
		q.out.failed("%s stopped by itself; see %s", name, q.relative(q.logs))
		return 1
	}
}

// explained is an error with more to say than a line.
type explained struct {
	error
	explanation string
}

func explain(err error, format string, args ...any) error {
	return explained{error: err, explanation: fmt.Sprintf(format, args...)}
}
