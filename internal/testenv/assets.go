package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const module = "module github.com/usher-media/usher\n"

// Root returns the root of the repository that holds the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(text, []byte(module)) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the working directory is not within Usher's repository")
		}
		dir = parent
	}
}

// Assets returns the folder with kube-apiserver, etcd and kubectl. Where they are not there yet, they are fetched or
// built, which takes minutes; progress goes to the given writer.
func Assets(ctx context.Context, root string, progress io.Writer) (string, error) {
	command := exec.CommandContext(ctx, "bash", filepath.Join(root, "hack", "controlplane.sh"))
	command.Stderr = progress
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("get the control plane (hack/controlplane.sh): %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// shim writes a script that runs a binary so that it ends with its parent, however that one ends: envtest stops its
// processes only when it is asked to, and a killed test run would leave them behind. Only Linux has a way to say so.
func shim(dir, binary string) (string, error) {
	script := fmt.Sprintf(`#!/bin/sh
if [ "$(uname)" = Linux ] && command -v setpriv >/dev/null 2>&1; then
  exec setpriv --pdeathsig KILL -- '%[1]s' "$@"
fi
exec '%[1]s' "$@"
`, strings.ReplaceAll(binary, `'`, `'\''`))
	path := filepath.Join(dir, filepath.Base(binary))
	return path, os.WriteFile(path, []byte(script), 0o700)
}
