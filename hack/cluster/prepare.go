//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/usher-media/usher/hack/internal/image"
)

// kit is what Usher is installed from.
type kit struct {
	// Commit says which checkout it was made of.
	Commit string
	// Image is a folder with the image in the OCI layout, Chart the file of the chart, Version that of the chart.
	Image, Chart, Version string
	// Samples is a folder with the samples, which fit the kinds of the chart.
	Samples string
}

// prepare builds the node's programs, the pause image, and the kits.
func prepare(ctx context.Context, root, dir, from string) (*plan, error) {
	began := time.Now()
	programs, err := output(ctx, root, "hack/cluster/programs.sh")
	if err != nil {
		return nil, err
	}
	say("✓ the node's programs are built (%.0f s)", time.Since(began).Seconds())
	p := &plan{Root: root, Dir: dir, Programs: programs}
	if err := os.MkdirAll(filepath.Join(dir, "node"), 0o755); err != nil {
		return nil, err
	}
	if err := p.buildPause(ctx); err != nil {
		return nil, err
	}
	began = time.Now()
	if p.Kit, err = p.build(ctx, root, "this"); err != nil {
		return nil, err
	}
	say("✓ image and chart of this checkout are built (%.0f s)", time.Since(began).Seconds())
	began = time.Now()
	if p.Earlier, err = p.buildEarlier(ctx, from); err != nil {
		return nil, err
	}
	if p.Earlier != nil {
		say("✓ image and chart of %s are built (%.0f s)", p.Earlier.Commit, time.Since(began).Seconds())
	}
	return p, nil
}

// platform is that of this machine.
func platform() v1.Platform { return v1.Platform{OS: "linux", Architecture: runtime.GOARCH} }

// build makes the kit of a checkout.
func (p *plan) build(ctx context.Context, root, name string) (*kit, error) {
	dir := filepath.Join(p.Dir, name)
	k := &kit{Commit: name, Image: filepath.Join(dir, "image")}
	source := image.Source{Root: root, Version: "e2e-" + name, Platforms: []v1.Platform{platform()}, Log: os.Stderr}
	built, err := image.Build(ctx, source, filepath.Join(dir, "build"))
	if err != nil {
		return nil, err
	}
	written, err := layout.Write(k.Image, empty.Index)
	if err != nil {
		return nil, err
	}
	if err := written.AppendIndex(built.Index); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(filepath.Join(dir, "build")); err != nil {
		return nil, err
	}
	k.Samples = filepath.Join(dir, "samples")
	if err := os.CopyFS(k.Samples, os.DirFS(filepath.Join(root, "config", "samples"))); err != nil {
		return nil, err
	}
	helm := filepath.Join(p.Programs, "helm")
	// Two checkouts may name the same version: a registry would keep only one of them.
	k.Version = "0.0.1-" + name
	if _, err := output(ctx, root, helm, "package", "charts/usher", "--version", k.Version, "--destination", dir); err != nil {
		return nil, err
	}
	k.Chart = filepath.Join(dir, "usher-"+k.Version+".tgz")
	return k, nil
}

// buildEarlier makes the kit of the commit to upgrade from, in a checkout of its own. It is nil where there is none.
func (p *plan) buildEarlier(ctx context.Context, from string) (k *kit, err error) {
	if from == "" {
		if from, err = p.firstPromised(ctx); err != nil || from == "" {
			return nil, err
		}
	}
	checkout := filepath.Join(p.Dir, "checkout")
	if err := os.Mkdir(checkout, 0o755); err != nil {
		return nil, err
	}
	archive := checkout + ".tar"
	if _, err := output(ctx, p.Root, "git", "archive", "--format=tar", "--output="+archive, from); err != nil {
		return nil, err
	}
	if _, err := output(ctx, checkout, "tar", "-xf", archive); err != nil {
		return nil, err
	}
	if k, err = p.build(ctx, checkout, "earlier"); err != nil {
		return nil, fmt.Errorf("the commit to upgrade from, %s: %w", from, err)
	}
	k.Commit = from
	return k, nil
}

// firstPromised is the first commit in the history from which an upgrade is promised: docs/api-changes.md says what may change since.
func (p *plan) firstPromised(ctx context.Context) (string, error) {
	commits, err := output(ctx, p.Root, "git", "log", "--first-parent", "--reverse", "--diff-filter=A", "--format=%h", "--", "docs/api-changes.md")
	if err != nil {
		return "", err
	}
	var first string
	_, _ = fmt.Sscan(commits, &first) // nothing where the page is in no commit
	return first, nil
}

// buildPause makes the image of the container that holds a pod's namespaces.
func (p *plan) buildPause(ctx context.Context) error {
	source := image.Source{Root: p.Root, Platforms: []v1.Platform{platform()}, Log: os.Stderr}
	scratch := filepath.Join(p.Dir, "build-pause")
	built, err := image.Single(ctx, source, "./hack/cluster/pause", scratch)
	if err != nil {
		return err
	}
	written, err := layout.Write(filepath.Join(p.Dir, "pause"), empty.Index)
	if err != nil {
		return err
	}
	return errors.Join(written.AppendImage(built), os.RemoveAll(scratch))
}
