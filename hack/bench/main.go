// Command bench measures Usher on this machine: many users, libraries and grants on a real API server and the embedded
// media server, each a process of its own, beside bare clients that do the same writes. It prints one table, with the
// budget of each number. See bench --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const usage = `bench measures Usher: from nothing to all Ready, one grant, a resync, a restart, and memory.

  make bench                    1,000 users, 50 libraries, 10,000 edges, then 10,000 users for the memory: six minutes
  make bench N=200              the quick size, without the memory
  make bench N=200 CHECK=1      the quick size; fails when a count is over its budget (never because of a time)
  make bench PROFILE=dir        also writes CPU and heap profiles of the operator into dir, and one of the API server

Everything runs on loopback in a temporary folder, and is stopped and removed at the end and on Ctrl-C.

Flags:
`

// options is what a run is asked for.
type options struct {
	users, libraries, memoryUsers, reactions int
	check                                    bool
	profile                                  string
	timeout                                  time.Duration
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	log.SetLogger(logr.Discard()) // of envtest
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.IntVar(&o.users, "users", 1000, "users, of ten libraries each")
	flags.IntVar(&o.libraries, "libraries", 50, "libraries, a multiple of ten")
	flags.IntVar(&o.memoryUsers, "memory-users", -1, "users for the memory; 0 leaves it out; -1: 10000, and 0 with fewer than 1000 users")
	flags.IntVar(&o.reactions, "reactions", 100, "grants and label changes that are timed one by one")
	flags.BoolVar(&o.check, "check", false, "fail when a count is over its budget")
	flags.StringVar(&o.profile, "profile", "", "folder for profiles of the operator and the API server")
	flags.DurationVar(&o.timeout, "timeout", 40*time.Minute, "when to give up")
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage+flags.FlagUsages()) }
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.memoryUsers < 0 {
		o.memoryUsers = 0
		if o.users >= 1000 {
			o.memoryUsers = 10_000
		}
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q: everything is said by flags, see --help", flags.Arg(0))
	case o.users < groups, o.libraries < shelves, o.libraries%shelves != 0, o.reactions < 1, o.reactions > o.users:
		return o, fmt.Errorf("at least %d users, %d libraries (and a multiple of that) and one reaction are needed, and no more reactions than users", groups, shelves)
	case o.memoryUsers != 0 && o.memoryUsers < o.users:
		return o, errors.New("--memory-users must not be less than --users")
	}
	return o, nil
}

// run measures everything and prints the table. The error says what failed, or which counts are over their budget.
func run(ctx context.Context, o options) (err error) {
	b, err := prepare(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop(err != nil)) }()
	for _, stage := range []struct {
		heading string
		do      func(context.Context) error
	}{
		{"Build the programs and start the servers", b.start},
		{"From nothing to all Ready", b.load},
		// At once, since a machine's speed changes by the minute.
		{"Bare clients, the same writes", b.yardsticks},
		{"A resync without drift", b.resync},
		{"A restart without changes", b.restart},
		{"One grant at a time", b.react},
		{"Memory", b.memory},
	} {
		b.say("\n%s (%d s)", stage.heading, int(time.Since(b.began).Seconds()))
		if err := stage.do(ctx); err != nil {
			b.print(os.Stdout)
			return fmt.Errorf("%s: %w", stage.heading, errors.Join(err, context.Cause(ctx)))
		}
	}
	b.print(os.Stdout)
	if o.check {
		return b.table.exceeded()
	}
	return nil
}
