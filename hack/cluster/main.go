//go:build linux

// Command cluster proves Usher on a real Kubernetes: `make e2e-cluster`. It builds a node's programs once, runs the node in
// namespaces of its own, installs Usher from the chart and the image of this checkout, and ends it all.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/usher-media/usher/hack/internal/node"
	"github.com/usher-media/usher/internal/testenv"
)

// plan is what the part outside of the namespaces hands to the part inside.
type plan struct {
	// Root of the repository, Dir of the run, Programs of the node.
	Root, Dir, Programs string
	// Kit of this checkout, and of the earlier one, which may be missing.
	Kit, Earlier *kit
	// Keep leaves the node running until it is interrupted.
	Keep bool
}

const planFile = "plan.json"

func main() {
	var probe, keep bool
	var from string
	pflag.BoolVar(&probe, "probe", false, "only say whether this machine can run a node")
	pflag.BoolVar(&keep, "keep", false, "leave the node running until Ctrl-C")
	pflag.StringVar(&from, "from", "", "the commit to upgrade from (default: the first one with a chart)")
	pflag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch pflag.Arg(0) {
	case "": // as people call it
		err = outside(ctx, probe, keep, from)
	case "init": // process 1 of the namespaces
		var code int
		if code, err = node.Init(pflag.Arg(1), pflag.Args()[2:]...); err == nil {
			os.Exit(code)
		}
	case "probed":
	case "inside":
		err = inside(ctx, pflag.Arg(1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// outside prepares everything that needs the machine: what can be downloaded is not to be had in the node's network.
func outside(ctx context.Context, probe, keep bool, from string) (err error) {
	root, err := testenv.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "usher-cluster-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := node.Enter(ctx, "init", dir, "probed"); err != nil {
		return fmt.Errorf("this machine cannot run a node of Kubernetes (root, namespaces, cgroups version 1, overlay mounts, ip and iptables): %w", err)
	}
	say("✓ this machine allows what a node needs: namespaces, cgroups, mounts, a network of its own")
	if probe {
		return nil
	}
	p, err := prepare(ctx, root, dir, from)
	if err != nil {
		return err
	}
	p.Keep = keep
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, planFile), text, 0o600); err != nil {
		return err
	}
	return node.Enter(ctx, "init", filepath.Join(dir, "node"), "inside", dir)
}

// say prints a line.
func say(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }

// output runs a program in a folder and returns what it prints; what it says goes on to whoever watches.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir, command.Stderr = dir, os.Stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
