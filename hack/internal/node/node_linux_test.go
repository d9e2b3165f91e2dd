package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNew: each component has a token of its own, which only root may read.
func TestNew(t *testing.T) {
	n, err := New(t.TempDir(), t.TempDir(), "registry.example/pause:1")
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(n.path("pki", "tokens.csv"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		token, rest, _ := strings.Cut(line, ",")
		_, name, _ := strings.Cut(rest, ",")
		name, _, _ = strings.Cut(name, ",")
		if len(token) < 20 || seen[token] {
			t.Errorf("the token of %s is %q", name, token)
		}
		seen[token] = true
		config, err := os.ReadFile(n.path("kubeconfig", name))
		if err != nil || !strings.Contains(string(config), token) {
			t.Errorf("the kubeconfig of %s does not hold its token: %v", name, err)
		}
	}
	if len(seen) != 5 {
		t.Errorf("there are %d tokens", len(seen))
	}
	for _, pattern := range []string{"kubeconfig/*", "pki/*"} {
		files, err := filepath.Glob(n.path(pattern))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", file, info.Mode(), err)
			}
		}
	}
}
