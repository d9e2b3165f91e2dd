package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/hack/internal/process"
	"github.com/usher-media/usher/internal/testenv"
)

// bench is one run.
type bench struct {
	options
	began time.Time
	// root of the repository; dir is temporary, logs within it.
	root, dir, logs string
	env             *testenv.Environment
	client          client.WithWatch
	audit           *audit
	media           *mediaServer
	operator        *operator
	processes       []*process.Process
	stopped         chan string

	loaded loaded
	table  table
}

func prepare(o options) (*bench, error) {
	b := &bench{options: o, began: time.Now(), stopped: make(chan string, 8)}
	var err error
	if b.root, err = testenv.Root(); err != nil {
		return nil, err
	}
	if b.profile != "" {
		if b.profile, err = filepath.Abs(b.profile); err == nil {
			err = os.MkdirAll(b.profile, 0o755)
		}
		if err != nil {
			return nil, err
		}
	}
	if b.dir, err = os.MkdirTemp("", "usher-bench-"); err != nil {
		return nil, err
	}
	b.logs = filepath.Join(b.dir, "logs")
	return b, os.MkdirAll(b.logs, 0o755)
}

// stop ends everything that was started, the last first. After a failure the logs stay.
func (b *bench) stop(failed bool) error {
	var errs []error
	for i := len(b.processes) - 1; i >= 0; i-- {
		errs = append(errs, b.processes[i].Stop())
	}
	if b.env != nil {
		errs = append(errs, b.env.Stop())
	}
	if !failed {
		return errors.Join(append(errs, os.RemoveAll(b.dir))...)
	}
	entries, err := os.ReadDir(b.dir)
	for _, entry := range entries {
		if path := filepath.Join(b.dir, entry.Name()); path != b.logs {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	b.say("the logs are in %s", b.logs)
	return errors.Join(append(errs, err)...)
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// run starts a program that ends with this run. It logs below logs.
func (b *bench) run(name, path string, args ...string) (*process.Process, error) {
	log, err := os.OpenFile(filepath.Join(b.logs, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	p, err := process.Start(name, b.dir, log, b.stopped, path, args...)
	if err == nil {
		b.processes = append(b.processes, p)
	}
	return p, err
}

// end stops one program before its time.
func (b *bench) end(p *process.Process) error {
	for i, one := range b.processes {
		if one == p {
			b.processes = append(b.processes[:i], b.processes[i+1:]...)
			return p.Stop()
		}
	}
	return nil
}

// awaitAnswer waits until a URL answers 200.
func (b *bench) awaitAnswer(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !process.Answers(ctx, url) {
		if err := b.pause(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("no answer from %s: %w", url, err)
		}
	}
	return nil
}

// pause waits a moment. It fails when there is nothing to wait for any more.
func (b *bench) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case name := <-b.stopped:
		return errors.New(name + " stopped by itself")
	case <-time.After(d):
		return nil
	}
}
