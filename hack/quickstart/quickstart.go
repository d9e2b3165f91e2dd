package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/usher-media/usher/hack/internal/process"
	"github.com/usher-media/usher/internal/testenv"
)

// quickstart is one run.
type quickstart struct {
	out *report
	// root of the repository; dir is .quickstart within it.
	root, dir, logs string
	// assets is the folder of the control plane's programs.
	assets string
	// link is the path that the samples' library paths begin with; empty when it was not to be had.
	link string
	// serverURL of the media server.
	serverURL string

	lock *os.File
	env  *testenv.Environment
	// processes in the order of their start; stopped tells the name of one that ended by itself.
	processes []*process.Process
	stopped   chan string
}

// prepare makes an empty .quickstart and makes sure that no other run uses it.
func prepare(out *report) (*quickstart, error) {
	root, err := testenv.Root()
	if err != nil {
		return nil, err
	}
	q := &quickstart{out: out, root: root, dir: filepath.Join(root, ".quickstart"), stopped: make(chan string, 8)}
	q.logs = filepath.Join(q.dir, "logs")
	if err := os.MkdirAll(q.dir, 0o755); err != nil {
		return nil, err
	}
	if q.lock, err = os.OpenFile(filepath.Join(q.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(q.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.New("another quickstart runs here: stop it first (Ctrl-C in its terminal)")
	}
	entries, err := os.ReadDir(q.dir)
	for _, entry := range entries {
		if entry.Name() != "lock" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(q.dir, entry.Name())))
		}
	}
	return q, errors.Join(err, os.MkdirAll(q.logs, 0o755))
}

// show goes through everything up to the end of the proof.
func (q *quickstart) show(ctx context.Context) error {
	for _, part := range []struct {
		heading string
		do      func(context.Context) error
	}{
		{"Get the programs", q.programs},
		{"Make a small media folder", q.makeMedia},
		{"Start everything on loopback", q.startAll},
		{"Apply config/samples", q.applySamples},
		{"Wait until every object is Ready", q.awaitReady},
		{"What an admin sees", q.tables},
		{"Proof: who sees what, asked of the media server itself", q.prove},
		{"Invites: exactly as often as they say", q.proveInvites},
	} {
		q.out.heading(part.heading)
		if err := part.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop ends everything that was started, the last first.
func (q *quickstart) stop() error {
	var errs []error
	for i := len(q.processes) - 1; i >= 0; i-- {
		errs = append(errs, q.processes[i].Stop())
	}
	if q.env != nil {
		errs = append(errs, q.env.Stop())
	}
	if q.link != "" {
		errs = append(errs, os.Remove(q.link))
	}
	return errors.Join(append(errs, q.lock.Close())...)
}

// relative returns a path as somebody in the repository would type it.
func (q *quickstart) relative(path string) string {
	if short, err := filepath.Rel(q.root, path); err == nil {
		return short
	}
	return path
}

// logFile opens the log of a program.
func (q *quickstart) logFile(name string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(q.logs, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	return file, nil
}
