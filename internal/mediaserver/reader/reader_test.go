package reader_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
	"github.com/usher-media/usher/internal/mediaserver/reader"
)

// The test's own program is the process that reads: with a folder, as it should; else as one that ends or never answers.
const (
	serving = "serve"
	ending  = "end"
	silent  = "silent"
)

func TestMain(m *testing.M) {
	if len(os.Args) < 3 {
		os.Exit(m.Run())
	}
	switch os.Args[1] {
	case serving:
		roots, err := mediafile.NewRoots(os.Args[2:])
		if err != nil || reader.Serve(os.Stdin, os.Stdout, roots) != nil {
			os.Exit(1)
		}
	case ending:
		_ = os.WriteFile(os.Args[2], []byte(fmt.Sprintln(os.Getpid())), 0o600)
		os.Exit(1)
	case silent:
		_, _ = os.Stdin.Read(make([]byte, 1))
		_ = os.WriteFile(os.Args[2], []byte(fmt.Sprint(os.Getpid())), 0o600)
		select {}
	default:
		os.Exit(m.Run())
	}
}

func TestReadsFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.mp3"), []byte(mediafiletest.MP3("Song", "Band", "Album", 3)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := reader.New([]string{os.Args[0], serving, dir})
	defer r.Close()
	for range 3 {
		facts, err := r.Describe(t.Context(), dir, "a.mp3")
		if err != nil || facts.Title != "Song" || facts.Track != 3 || facts.Picture == nil {
			t.Fatalf("%+v, %v", facts, err)
		}
	}
	if facts, err := r.Describe(t.Context(), t.TempDir(), "a.mp3"); err != nil || facts.Problem == "" {
		t.Errorf("outside of the folders: %+v, %v", facts, err)
	}
}

// Every file that a fuzzer begins with, good or hostile, comes back from a process with limits, and no other file pays for it.
func TestEverySeedIsRead(t *testing.T) {
	dir := t.TempDir()
	r := reader.New([]string{os.Args[0], serving, dir})
	defer r.Close()
	for name, content := range mediafiletest.Seeds() {
		if len(content) > 32<<10 {
			continue // takes its time; the server's own tests scan such files
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		facts, err := r.Describe(t.Context(), dir, name)
		if good := strings.HasPrefix(name, "good."); err != nil || good && facts.Title == "" {
			t.Errorf("%s: %+v, %v", name, facts, err)
		}
	}
}

// A file that ends the process is one that cannot be read; the next one has a process again.
func TestAProcessThatEnds(t *testing.T) {
	r := reader.New([]string{os.Args[0], ending, filepath.Join(t.TempDir(), "pid")})
	defer r.Close()
	for range 3 {
		facts, err := r.Describe(t.Context(), "/", "a.mp3")
		if err != nil || facts.Problem == "" {
			t.Errorf("%+v, %v", facts, err)
		}
	}
}

// A scan that is stopped does not wait for a file, and leaves no process behind.
func TestStopping(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "pid")
	r := reader.New([]string{os.Args[0], silent, mark})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for range ticker.C {
			if info, err := os.Stat(mark); err == nil && info.Size() > 0 {
				return
			}
		}
	}()
	if _, err := r.Describe(ctx, "/", "a.mp3"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	r.Close()
	var pid int
	text, err := os.ReadFile(mark)
	if _, scanErr := fmt.Sscan(string(text), &pid); err != nil || scanErr != nil {
		t.Fatal(err, scanErr)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the process is there still: %v", err)
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	r := reader.New([]string{filepath.Join(t.TempDir(), "nothing")})
	defer r.Close()
	if _, err := r.Describe(t.Context(), "/", "a.mp3"); err == nil {
		t.Error("no error")
	}
}
