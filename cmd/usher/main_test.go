package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args           string
		code           int
		stdout, stderr []string
	}{
		{"help", 0, []string{"MediaServer, Library, User, LibraryGrant, Invite and Redemption", "--leader-elect", "--kubeconfig", "usher version"}, nil},
		{"--help", 0, []string{"Redemption", "--namespace"}, nil},
		{"-h", 0, []string{"Flags:"}, nil},
		{"version", 0, []string{"usher ", "go1."}, nil},
		{"--version", 0, []string{"usher ", "go1."}, nil},
		{"run", 2, nil, []string{`there is no command "run"`, "usher help"}},
		{"help me", 2, nil, []string{`there is no command "help me"`}},
		{"--nonsense", 2, nil, []string{"--nonsense", "usher help"}},
		{"", -1, nil, nil},
		{"--leader-elect=false", -1, nil, nil},
	} {
		var stdout, stderr bytes.Buffer
		got, code := parse(strings.Fields(c.args), &stdout, &stderr)
		if code != c.code {
			t.Errorf("usher %s: exit code %d, want %d", c.args, code, c.code)
		}
		if want := c.args != "--leader-elect=false"; code < 0 && got.options.LeaderElect != want {
			t.Errorf("usher %s: elects a leader: %t", c.args, got.options.LeaderElect)
		}
		for out, words := range map[*bytes.Buffer][]string{&stdout: c.stdout, &stderr: c.stderr} {
			if (out.Len() == 0) != (len(words) == 0) {
				t.Errorf("usher %s: said %q", c.args, out)
			}
			for _, word := range words {
				if !strings.Contains(out.String(), word) {
					t.Errorf("usher %s: %q does not say %q", c.args, out, word)
				}
			}
		}
	}
}

// TestErrorsAreLoggedWithoutStackTraces: an event that the API server rejects, as in a namespace that ends, is one line.
func TestErrorsAreLoggedWithoutStackTraces(t *testing.T) {
	c, code := parse(nil, &bytes.Buffer{}, &bytes.Buffer{})
	var out bytes.Buffer
	if code >= 0 {
		t.Fatal(code)
	}
	newLogger(c.logging, zap.WriteTo(&out)).Error(errors.New("forbidden"), "Server rejected event (will not retry!)")
	if text := out.String(); !strings.Contains(text, "rejected event") || strings.Contains(text, ".go:") || strings.Contains(text, "stacktrace") || strings.Count(text, "\n") != 1 {
		t.Errorf("logged %q", text)
	}
}
