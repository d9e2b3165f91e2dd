package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/testenv"
)

// programs gets the control plane and builds the operator and the media server.
func (q *quickstart) programs(ctx context.Context) (err error) {
	if q.assets, err = testenv.Assets(ctx, q.root, q.out.out); err != nil {
		return err
	}
	q.out.ok("kube-apiserver, etcd, kubectl")
	for _, name := range []string{"usher", "mediaserver"} {
		if err := q.build(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (q *quickstart) bin(name string) string { return filepath.Join(q.root, "bin", name) }

// build compiles one program and says how far it is, since the first time takes minutes.
func (q *quickstart) build(ctx context.Context, name string) error {
	began := time.Now()
	q.out.wait("building bin/%s (the first time: about a minute)", name)
	command := exec.CommandContext(ctx, "go", "build", "-v", "-o", q.bin(name), "./cmd/"+name)
	command.Dir = q.root
	output, err := command.StderrPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("run go: %w", err)
	}
	problems := q.follow(output, name)
	if err := command.Wait(); err != nil {
		return explain(fmt.Errorf("building bin/%s failed: %w", name, err), "%s", indented(problems))
	}
	q.out.ok("bin/%s (%.0f s)", name, time.Since(began).Seconds())
	return nil
}

// follow reads what the compiler says: names of packages that it is done with, and problems, which it returns.
func (q *quickstart) follow(output io.Reader, name string) (problems string) {
	var other strings.Builder
	packages := 0
	for lines := bufio.NewScanner(output); lines.Scan(); {
		line := lines.Text()
		if strings.ContainsAny(line, " \t") || strings.HasPrefix(line, "#") {
			if !strings.HasPrefix(line, "go: downloading") {
				other.WriteString(line + "\n")
			}
			continue
		}
		if packages++; packages%100 == 0 {
			q.out.wait("bin/%s: %d packages compiled", name, packages)
		}
	}
	return other.String()
}
