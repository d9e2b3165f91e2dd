package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/usher-media/usher/hack/internal/process"
	"github.com/usher-media/usher/internal/testenv"
)

const (
	// samplesAddress is where config/samples looks for the media server.
	samplesAddress = "127.0.0.1:3000"
	// answersWithin is how long a program may take until it answers.
	answersWithin = time.Minute
	// operator is the user that the operator is in the cluster.
	operator = "usher-quickstart"
)

// startAll starts the control plane, the media server and the operator.
func (q *quickstart) startAll(ctx context.Context) error {
	for _, start := range []func(context.Context) error{q.startControlPlane, q.startMediaServer, q.install, q.startOperator} {
		if err := start(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (q *quickstart) startControlPlane(ctx context.Context) error {
	log, err := q.logFile("control-plane")
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	dir := filepath.Join(q.dir, "control-plane")
	if q.env, err = testenv.Start(ctx, testenv.Options{Assets: q.assets, Dir: dir, Log: log, Bare: true}); err != nil {
		return err
	}
	q.out.ok("kube-apiserver and etcd: %s", q.env.Config().Host)
	return q.env.WriteKubeconfig(q.kubeconfig())
}

func (q *quickstart) kubeconfig() string { return filepath.Join(q.dir, "kubeconfig") }

func (q *quickstart) startMediaServer(ctx context.Context) error {
	address := samplesAddress
	if !free(address) {
		other, err := process.FreeAddress()
		if err != nil {
			return err
		}
		q.out.say("    %s is taken: the media server listens on %s instead", address, other)
		address = other
	}
	q.serverURL = "http://" + address
	err := q.start("media server", q.bin("mediaserver"), []string{
		"--listen", address, "--data", filepath.Join(q.dir, "mediaserver"), "--media-root", q.media(),
	})
	if err == nil {
		err = q.awaitAnswer(ctx, q.serverURL+"/v1/server")
	}
	if err != nil {
		return fmt.Errorf("media server: %w", err)
	}
	q.out.ok("media server, brand-new and empty: %s", q.serverURL)
	return nil
}

// startOperator starts Usher as a user who has the roles that its manifests give it, and no more.
func (q *quickstart) startOperator(ctx context.Context) error {
	user, err := q.env.AddUser(operator)
	if err != nil {
		return err
	}
	kubeconfig := filepath.Join(q.dir, "operator.kubeconfig")
	if err := user.WriteKubeconfig(kubeconfig); err != nil {
		return err
	}
	probe, err := process.FreeAddress()
	if err != nil {
		return err
	}
	err = q.start("operator", q.bin("usher"), []string{
		"--kubeconfig", kubeconfig, "--leader-elect=false", "--metrics-bind-address", "0", "--health-probe-bind-address", probe,
		"--allow-server-addresses", "127.0.0.0/8,::1",
	})
	if err == nil {
		err = q.awaitAnswer(ctx, "http://"+probe+"/readyz")
	}
	if err != nil {
		return fmt.Errorf("operator: %w", err)
	}
	q.out.ok("operator, with the role usher-manager and no more")
	return nil
}

// awaitAnswer waits until a URL answers 200, or a program stops.
func (q *quickstart) awaitAnswer(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	for {
		if process.Answers(ctx, url) {
			return nil
		}
		if err := q.pause(ctx); err != nil {
			return fmt.Errorf("no answer from %s: %w", url, err)
		}
	}
}

// pause waits a moment. It fails when there is nothing to wait for any more.
func (q *quickstart) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case name := <-q.stopped:
		return errors.New(name + " stopped by itself")
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}

func free(address string) bool {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
