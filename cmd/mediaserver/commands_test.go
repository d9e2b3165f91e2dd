package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver"
	"github.com/usher-media/usher/internal/testpg"
)

// The steps of docs/mediaserver.md: back up while the server runs, then move to PostgreSQL, which the server starts on.
func TestBackingUpAndMoving(t *testing.T) {
	data, dsn := t.TempDir(), testpg.Database(t)
	server, err := mediaserver.New(t.Context(), mediaserver.Config{DataDir: data, CheapPasswordHashing: true})
	if err != nil {
		t.Fatal(err)
	}
	command := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if code := run(t.Context(), append([]string{"--data", data}, args...), noEnv, &out); code != want {
			t.Errorf("%v: exit code %d: %s", args, code, out.String())
		}
		return out.String()
	}
	copied := filepath.Join(t.TempDir(), "backup.db")
	command(0, "backup", copied)
	if info, err := os.Stat(copied); err != nil || info.Size() == 0 {
		t.Errorf("the backup: %v %v", info, err)
	}
	if out := command(exitFailure, "backup", copied); !strings.Contains(out, "exists already") {
		t.Error(out)
	}
	if out := command(exitFailure, "--database", dsn, "backup", copied+"2"); !strings.Contains(out, "pg_dump") {
		t.Error(out)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	command(exitFailure, "copy-to", copied)
	command(0, "copy-to", dsn)
	moved, err := mediaserver.New(t.Context(), mediaserver.Config{DataDir: data, Database: dsn})
	if err != nil {
		t.Fatal(err)
	}
	if err := moved.Close(); err != nil {
		t.Error(err)
	}
}
