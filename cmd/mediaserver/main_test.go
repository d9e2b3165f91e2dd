package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/testpg"
)

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" || slices.Contains(os.Args, commandRead) {
		main()
		return
	}
	goleak.VerifyTestMain(packageTests{m}, goleak.IgnoreAnyFunction("github.com/usher-media/usher/internal/testpg.(*server).serve.func2"))
}

type packageTests struct{ *testing.M }

func (p packageTests) Run() int { return testpg.Run(p.M) }

func noEnv(string) string { return "" }

func TestHelpExplainsItself(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, noEnv, &out); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, word := range []string{"--media-root", "127.0.0.1:3000", "MEDIASERVER_", "/docs", "tests only", "backup FILE", "copy-to URL", "--trusted-proxy"} {
		if !strings.Contains(out.String(), word) {
			t.Errorf("the help does not say %q", word)
		}
	}
}

func TestBadUsage(t *testing.T) {
	for _, args := range [][]string{
		{"serve"}, {"--nonsense"}, {"--password-hashing=none"}, {"--log-format=xml"}, {"--log-level=loud"},
		{"--sign-ins-per-client=-1"}, {"backup"}, {"backup", "a", "b"}, {"copy-to"}, {"--trusted-proxy=everybody"},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), args, noEnv, &out); code != exitUsage || !strings.Contains(out.String(), "mediaserver: ") {
			t.Errorf("%v: exit code %d: %s", args, code, out.String())
		}
	}
}

func TestTheEnvironmentFillsInAndFlagsWin(t *testing.T) {
	env := map[string]string{
		"MEDIASERVER_MEDIA_ROOT": "/a" + string(os.PathListSeparator) + "/b", "MEDIASERVER_LISTEN": "127.0.0.1:1",
		"MEDIASERVER_DATA": "/from/env",
	}
	o, err := parse([]string{"--data", "/from/flag"}, func(name string) string { return env[name] }, io.Discard)
	if err != nil || o.data != "/from/flag" || o.listen != "127.0.0.1:1" || strings.Join(o.mediaRoots, " ") != "/a /b" {
		t.Errorf("%+v, %v", o, err)
	}
	env["MEDIASERVER_SIGN_INS_PER_CLIENT"] = "many"
	if _, err := parse(nil, func(name string) string { return env[name] }, io.Discard); err == nil ||
		!strings.Contains(err.Error(), "MEDIASERVER_SIGN_INS_PER_CLIENT") {
		t.Errorf("got %v", err)
	}
}

func TestFailuresAreLogged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--data", file}, {"--data", t.TempDir(), "--listen", "nowhere:99999"},
		{"--data", t.TempDir(), "--listen", "127.0.0.1:0", "--metrics-address", "nowhere:99999"}} {
		var out bytes.Buffer
		if code := run(t.Context(), args, noEnv, &out); code != exitFailure || !strings.Contains(out.String(), "ERROR") {
			t.Errorf("%v: exit code %d: %s", args, code, out.String())
		}
	}
}

// urls passes on the addresses that the program says it listens on: for metrics, if it does, then for guests.
type urls struct{ found chan string }

func (u urls) Write(line []byte) (int, error) {
	for _, match := range regexp.MustCompile(`"(?:url|metrics)":"([^"]+)"`).FindAllSubmatch(line, -1) {
		u.found <- string(match[1])
	}
	return len(line), nil
}

// Metrics are served on an address of their own, and on no other.
func TestMetricsHaveAnAddressOfTheirOwn(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, ended := urls{make(chan string, 2)}, make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"--listen", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0", "--data", t.TempDir(), "--log-format", "json",
			"--password-hashing", "cheap"}, noEnv, out)
	}()
	metrics, guests := <-out.found, <-out.found
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for url, want := range map[string]int{metrics: 200, guests + "/metrics": 404, guests + "/healthz": 200, strings.TrimSuffix(metrics, "/metrics") + "/healthz": 404} {
		response, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != want {
			t.Errorf("%s: status %d, want %d, %v", url, response.StatusCode, want, err)
		}
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestServesUntilItIsStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, ended := urls{make(chan string, 1)}, make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-format", "json",
			"--password-hashing", "cheap"}, noEnv, out)
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(<-out.found + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("status %d, %v", response.StatusCode, err)
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
}
