package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestItSaysWhatItIs(t *testing.T) {
	for args, words := range map[string][]string{
		"version": {"mediaserver ", " go1."}, "--version": {"mediaserver ", " go1."},
		"help":   {"--media-root", "mediaserver backup FILE", "mediaserver version", "--log-level"},
		"--help": {"--media-root"}, "-h": {"--media-root"},
	} {
		for _, word := range words {
			if text := about(strings.Fields(args)); !strings.Contains(text, word) {
				t.Errorf("%s does not say %q: %s", args, word, text)
			}
		}
	}
	for _, args := range []string{"", "serve", "backup version", "--data version"} {
		if text := about(strings.Fields(args)); text != "" {
			t.Errorf("%q is taken for a question: %s", args, text)
		}
	}
}

func TestItWarnsWhereThereCanBeNoLibrary(t *testing.T) {
	for _, args := range [][]string{nil, {"--media-root", t.TempDir()}} {
		var out bytes.Buffer
		ended, stop := context.WithCancel(t.Context())
		stop()
		run(ended, append(args, "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--password-hashing", "cheap"), noEnv, &out)
		if warned := strings.Contains(out.String(), "no --media-root is given"); warned != (args == nil) {
			t.Errorf("%v: warned %t: %s", args, warned, out.String())
		}
	}
}
