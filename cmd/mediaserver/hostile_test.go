package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
)

// memoryLimit is what the whole server may allocate while it scans hostile files, in KiB.
const memoryLimit = "524288"

// Files that claim gigabytes, or would take hours, cost their own metadata and a moment. The server that scans them stays
// within its memory, goes on to the files that are whole, and says which could not be read.
func TestHostileFilesAreScanned(t *testing.T) {
	program := buildServer(t)
	media, data := t.TempDir(), t.TempDir()
	files := mediafiletest.Hostile()
	files["zz-good.mp3"] = mediafiletest.MP3("Good Song", "Somebody", "Album", 1)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(media, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := startLimited(t, program, data, media)
	token := server.token("/v1/auth/register", object{"username": "owner", "password": somePassword})
	status, text := server.post("/v1/libraries", token, object{"name": "All", "type": "mixed", "paths": []string{media}})
	var library struct{ ID string }
	if err := json.Unmarshal([]byte(text), &library); err != nil || library.ID == "" {
		t.Fatalf("create a library: %d %s", status, text)
	}
	message := server.scanned(token, library.ID)
	if !strings.Contains(message, "could not be read") {
		t.Errorf("the scan does not say what could not be read: %q", message)
	}
	items := server.get("/v1/libraries/"+library.ID+"/items?limit=100", token)
	for _, want := range []string{"Good Song", "picture-type", "frames", "series"} {
		if !strings.Contains(items, want) {
			t.Errorf("%s is not among the items", want)
		}
	}
}

// startLimited starts the program with a limit on its memory, and waits until it listens.
func startLimited(t *testing.T, program, data, media string) *replica {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	child := exec.CommandContext(ctx, "sh", "-c", `ulimit -d `+memoryLimit+` && exec "$0" "$@"`, program, "--listen", "127.0.0.1:0",
		"--data", data, "--media-root", media, "--log-format", "json", "--password-hashing", "cheap")
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	child.WaitDelay = 30 * time.Second
	out := urls{make(chan string, 1)}
	child.Stderr = out
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the server ended with %v", err)
		}
	})
	select {
	case url := <-out.found:
		return &replica{T: t, url: url, media: media, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	case err := <-ended:
		ended <- err
		t.Fatalf("the server ended: %v", err)
	}
	return nil
}

// scanned waits until a library's scan is over, and returns what it says.
func (r *replica) scanned(token, library string) string {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		var view struct {
			Scan struct{ State, Message string }
		}
		text := r.get("/v1/libraries/"+library, token)
		if err := json.Unmarshal([]byte(text), &view); err != nil {
			r.Fatalf("%v: %s", err, text)
		}
		if view.Scan.State == "idle" || view.Scan.State == "failed" {
			return view.Scan.Message
		}
		select {
		case <-ctx.Done():
			r.Fatalf("the scan goes on: %s", text)
		case <-ticker.C:
		}
	}
}

func (r *replica) get(path, token string) string {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		r.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := r.client.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}
