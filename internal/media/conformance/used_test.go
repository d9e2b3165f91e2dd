package conformance

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/embedded/embeddedtest"
	"github.com/usher-media/usher/internal/mediaserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ownerPassword = "canary-of-the-owner's-password"

// startUsed starts an embedded server on loopback that has people and libraries.
func startUsed(t *testing.T, people int) (Settings, embeddedtest.Hand) {
	t.Helper()
	root := t.TempDir()
	server, err := mediaserver.New(context.Background(), mediaserver.Config{
		DataDir: t.TempDir(), MediaRoots: []string{root}, CheapPasswordHashing: true, Version: "1.2.3",
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		web.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	visitors := embeddedtest.Server{URL: web.URL}
	var in struct{ Token string }
	status, err := visitors.Call(t.Context(), "", "POST", "/v1/auth/register", embeddedtest.Object{"username": "owner", "password": ownerPassword}, &in)
	if err != nil || status != http.StatusCreated {
		t.Fatalf("register: %d %v", status, err)
	}
	hand := embeddedtest.Hand{Server: visitors, T: t, Token: in.Token}
	for i := range people {
		hand.Do("POST", "/v1/users", embeddedtest.Object{"username": fmt.Sprintf("mia%d", i), "password": "a password"})
		path := filepath.Join(root, fmt.Sprintf("Movies%d", i))
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		hand.Do("POST", "/v1/libraries", embeddedtest.Object{"name": "Movies", "type": "movies", "paths": []string{path}})
	}
	return Settings{
		Driver: "embedded", MediaRoot: root,
		Config: media.Config{Allowed: media.Loopback(), URL: web.URL, Credentials: media.Credentials{Username: "owner", Password: ownerPassword}},
	}, hand
}

func listing(t *testing.T, settings Settings) string {
	t.Helper()
	driver, err := drivers[settings.Driver].Open(settings.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = driver.Close() }()
	all, err := driver.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v", all)
}

// The suite on a server that others use: it passes, and leaves everything as it was.
func TestAUsedServer(t *testing.T) {
	settings, _ := startUsed(t, 3)
	before := listing(t, settings)
	settings.Only = []string{"R5", "R6", "R7", "R11", "accounts", "invites", "libraries"}
	results := run(t, settings)
	if after := listing(t, settings); after != before {
		t.Errorf("the suite changed what was there:\n%s\n%s", before, after)
	}
	if left, err := os.ReadDir(settings.MediaRoot); err != nil || len(left) != 3 {
		t.Errorf("directories left behind: %v %v", left, err)
	}
	var out bytes.Buffer
	results.write(&out)
	for _, words := range []string{"RULE", "NOT LIVE", "R6", "accounts/owner_never: "} {
		if !strings.Contains(out.String(), words) {
			t.Errorf("the table lacks %q:\n%s", words, &out)
		}
	}
	for _, r := range results.results {
		if r.Outcome == drivertest.Failed || r.Outcome == drivertest.LeftBehind {
			t.Errorf("%+v", r)
		}
	}
}

// Settings that cannot work say what to do.
func TestSettings(t *testing.T) {
	env := map[string]string{}
	get := func(name string) string { return env[name] }
	for _, c := range []struct{ name, value, says string }{
		{envDriver, "Embedded", "make conformance DRIVER="}, {envURL, "http://127.0.0.1:1/", envUsername},
		{envToken, "x", ""}, {envDriver, "betamax", "embedded"},
	} {
		env[c.name] = c.value
		if _, err := settingsFrom(get); (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s=%s: %v, want %q", c.name, c.value, err, c.says)
		}
	}
}
