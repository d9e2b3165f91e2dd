package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver"
)

// TestTheFirstStepsOfThePage runs the curl commands of docs/mediaserver.md as they are written: the owner registers, makes a
// library, and gets the code of an invite to it.
func TestTheFirstStepsOfThePage(t *testing.T) {
	for _, program := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "mediaserver.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Run it\n")
	section, _, _ = strings.Cut(section, "\n## ")
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "movies"), 0o755); err != nil {
		t.Fatal(err)
	}
	server, err := mediaserver.New(t.Context(), mediaserver.Config{DataDir: t.TempDir(), MediaRoots: []string{root}, CheapPasswordHashing: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	out := ""
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1) {
		if !strings.Contains(block[1], "curl") {
			continue
		}
		script := strings.NewReplacer("http://127.0.0.1:3000", web.URL, `"/media/`, `"`+root+"/").Replace(block[1])
		text, err := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script).Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, script)
		}
		out = string(text)
	}
	if !regexp.MustCompile(`"code":"[^"]{20,}"`).MatchString(out) {
		t.Errorf("the last answer holds no code of an invite: %s", out)
	}
}
