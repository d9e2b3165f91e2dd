package mediaserver_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver"
)

func TestTwoServersShareNothing(t *testing.T) {
	one, two := start(t), start(t)
	owner := one.owner()
	one.library(owner, "Films", "films")
	two.says(401, "Unauthorized", "GET", "/v1/libraries", owner, "")
	if got := two.want(200, "GET", "/v1/server", "", ""); got["setupRequired"] != true {
		t.Errorf("got %v", got)
	}
	other := two.owner()
	if got := two.names("/v1/libraries", other, "name"); len(got) != 0 {
		t.Errorf("the second server has libraries %v", got)
	}
	one.want(422, "POST", "/v1/libraries", owner, `{"name":"X","type":"movies","paths":["`+two.root+`"]}`)
	if one.want(200, "GET", "/v1/server", "", "")["id"] == two.want(200, "GET", "/v1/server", "", "")["id"] {
		t.Error("two servers have one id")
	}
}

func TestAServerComesBackAsItWas(t *testing.T) {
	data := t.TempDir()
	first := start(t, func(c *mediaserver.Config) { c.DataDir = data })
	owner := first.owner()
	id := first.want(200, "GET", "/v1/server", "", "")["id"]
	if err := first.server.Close(); err != nil {
		t.Fatal(err)
	}
	second := start(t, func(c *mediaserver.Config) { c.DataDir = data })
	if got := second.want(200, "GET", "/v1/server", "", ""); got["id"] != id || got["setupRequired"] != false {
		t.Errorf("got %v", got)
	}
	second.want(200, "GET", "/v1/auth/session", owner, "")
}

// Nothing secret is in any answer but the sign-in's own token, nor in any line of the log, whatever goes wrong.
func TestSecretsStaySecret(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id, token := w.user(owner, "mia", "")
	answers := []answer{
		w.send("GET", "/v1/users", owner, ""), w.send("GET", "/v1/auth/session", token, ""),
		w.send("PUT", "/v1/users/"+id+"/password", owner, `{"password":["`+password+`"]}`),
		w.send("PUT", "/v1/users/"+id+"/password", owner, `{"password":"`+password+`","`+password+`x":1`),
		w.send("POST", "/v1/auth/register", "", `{"username":1,"password":"`+password+`"}`),
		w.send("POST", "/v1/auth/sign-in", "", `{"login":"mia","password":"`+password+`x"}`),
		w.send("POST", "/v1/auth/sign-in", "", `"`+password+`"`),
		w.send("GET", "/v1/search?q="+token, token, ""), w.send("GET", "/v1/items/"+token, owner, ""),
		w.send("GET", "/"+token, token, ""), w.metrics(),
	}
	if err := w.server.Close(); err != nil {
		t.Fatal(err)
	}
	answers = append(answers, w.send("GET", "/v1/libraries", token, ""),
		w.send("POST", "/v1/auth/sign-in", "", `{"login":"mia","password":"`+password+`"}`))
	for i, got := range answers {
		answers[i].header.Del("Date")
		leaks(t, got.String(), owner, token)
	}
	if got := answers[len(answers)-1]; got.String() != `500 {"error":"Internal error"}` {
		t.Errorf("without a database: %v", got)
	}
	leaks(t, w.log.String(), owner, token)
	if !strings.Contains(w.log.String(), `"route":"GET /v1/users"`) {
		t.Error("requests are not logged")
	}
}

func leaks(t *testing.T, text string, tokens ...string) {
	t.Helper()
	for _, secret := range append(tokens, password, "canary", "argon2") {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in: %s", secret, text)
		}
	}
}

func TestTheDatabaseHoldsNoToken(t *testing.T) {
	sqliteOnly(t)
	data := t.TempDir()
	w := start(t, func(c *mediaserver.Config) { c.DataDir = data })
	owner := w.owner()
	files, err := filepath.Glob(filepath.Join(data, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no database", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), owner) || strings.Contains(string(content), password) {
			t.Errorf("%s holds a token or a password", filepath.Base(file))
		}
	}
}

func TestBadRequests(t *testing.T) {
	w := start(t)
	owner := w.owner()
	big := `{"username":"` + strings.Repeat("x", 1<<20) + `"}`
	w.says(413, "Request body is larger than 1 MB", "POST", "/v1/users", owner, big)
	w.says(401, "Unauthorized", "POST", "/v1/users", "", `{}`)
	fits := `{"username":"` + strings.Repeat("x", 1<<20-15) + `"}`
	if got := w.send("POST", "/v1/users", owner, fits); len(fits) != 1<<20 || got.status != 422 {
		t.Errorf("a body of exactly 1 MB: %v", got)
	}
	if got := w.send("POST", "/v1/users", owner, `{}`, "Content-Type", "text/plain"); got.status != 415 {
		t.Errorf("text that is no JSON: %v", got)
	}
	w.says(404, "Not found", "GET", "/v1/nothing", owner, "")
	got := w.send("PATCH", "/v1/server", owner, `{"name":"","extra":1}`)
	var problem struct {
		Error   string
		Details []struct{ Path, Message string }
	}
	if err := json.Unmarshal([]byte(got.body), &problem); err != nil || got.status != 422 || problem.Error != "Validation error" || len(problem.Details) != 2 {
		t.Errorf("got %v", got)
	}
	for _, d := range problem.Details {
		if !slices.Contains([]string{"name", "extra"}, d.Path) || d.Message == "" {
			t.Errorf("detail %+v", d)
		}
	}
}

func TestDocumentsAndHealth(t *testing.T) {
	w := start(t)
	document := w.want(200, "GET", "/v1/openapi.json", "", "")
	if !strings.HasPrefix(document["openapi"].(string), "3.1") {
		t.Errorf("openapi %v", document["openapi"])
	}
	page := w.send("GET", "/docs", "", "").body
	for path := range document["paths"].(map[string]any) {
		if !strings.Contains(page, path) {
			t.Errorf("the page does not show %s", path)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "//") && strings.Contains(page, "src=") {
		t.Error("the page loads something")
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok"} {
		if got := w.send("GET", path, "", ""); got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %v", path, got)
		}
	}
	// What is counted is none of the guests' business.
	if got := w.send("GET", "/metrics", w.owner(), ""); got.status != 404 {
		t.Errorf("/metrics for everybody: %v", got)
	}
	for _, name := range []string{"mediaserver_http_requests_total", "mediaserver_password_hashes_refused_total"} {
		if got := w.metrics(); got.status != 200 || !strings.Contains(got.body, name) {
			t.Errorf("no %s: %v", name, got)
		}
	}
	if err := w.server.Close(); err != nil {
		t.Fatal(err)
	}
	if got := w.send("GET", "/readyz", "", ""); got.status != 503 {
		t.Errorf("ready without a database: %v", got)
	}
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	for name, config := range map[string]mediaserver.Config{
		"no directory":  {},
		"relative root": {DataDir: t.TempDir(), MediaRoots: []string{"media"}},
		"missing place": {Database: filepath.Join(t.TempDir(), "none", "x.db")},
	} {
		if server, err := mediaserver.New(t.Context(), config); err == nil {
			t.Errorf("%s starts", name)
			_ = server.Close()
		}
	}
	server, err := mediaserver.New(t.Context(), mediaserver.Config{Database: filepath.Join(t.TempDir(), "x.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		server, err := mediaserver.New(b.Context(), mediaserver.Config{DataDir: b.TempDir(), CheapPasswordHashing: true})
		if err != nil {
			b.Fatal(err)
		}
		if err := server.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
