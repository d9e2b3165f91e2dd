package mediaserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver"
)

// Tests name the rule that they hold the server to, by the page and line of the documentation of the servers whose model
// it is: "Alcoves seed, line 42". docs/seeds.md has each.

// password is every test account's password; the canary test looks for it.
const password = "canary-pässword-1"

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// transcript keeps everything that a server logs.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// world is a running server with a root folder, seen through a real client.
type world struct {
	*testing.T
	url, root string
	server    *mediaserver.Server
	client    *http.Client
	clock     *clock
	log       *transcript
}

func start(t *testing.T, change ...func(*mediaserver.Config)) *world {
	t.Helper()
	parallel(t)
	w := &world{T: t, root: filepath.Join(t.TempDir(), "media"), log: new(transcript),
		clock: &clock{now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}}
	w.mkdir("films")
	config := mediaserver.Config{
		DataDir: t.TempDir(), MediaRoots: []string{w.root}, CheapPasswordHashing: true, Clock: w.clock.Now,
		Logger: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&config)
	}
	useDatabase(t, &config)
	server, err := mediaserver.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server.Handler())
	w.server, w.url, w.client = server, web.URL, web.Client()
	t.Cleanup(func() {
		web.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) mkdir(name string) string {
	w.Helper()
	path := filepath.Join(w.root, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		w.Fatal(err)
	}
	return path
}

func (w *world) write(name, content string) {
	w.Helper()
	w.mkdir(filepath.Dir(name))
	if err := os.WriteFile(filepath.Join(w.root, name), []byte(content), 0o600); err != nil {
		w.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprint(a.status, " ", a.body) }

// send makes one request; body is JSON text or empty.
func (w *world) send(method, path, token, body string, headers ...string) answer {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := w.client.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, strings.TrimSpace(string(data))}
}

// metrics returns what the server counts.
func (w *world) metrics() answer {
	got := httptest.NewRecorder()
	w.server.Metrics().ServeHTTP(got, httptest.NewRequest("GET", "/metrics", nil))
	return answer{got.Code, got.Header(), got.Body.String()}
}

// want makes a request, checks its status, and decodes the answer.
func (w *world) want(status int, method, path, token, body string) map[string]any {
	w.Helper()
	got := w.send(method, path, token, body)
	if got.status != status {
		w.Fatalf("%s %s: %v, want %d", method, path, got, status)
	}
	var decoded map[string]any
	if got.body != "" {
		if err := json.Unmarshal([]byte(got.body), &decoded); err != nil {
			w.Fatalf("%s %s: %v in %s", method, path, err, got.body)
		}
	}
	return decoded
}

// says makes a request and checks status and error text.
func (w *world) says(status int, text, method, path, token, body string) {
	w.Helper()
	got := w.send(method, path, token, body)
	if want := fmt.Sprintf(`{"error":%q}`, text); got.status != status || got.body != want {
		w.Errorf("%s %s: %v, want %d %s", method, path, got, status, want)
	}
}

// owner registers the first account and returns its token.
func (w *world) owner() string {
	w.Helper()
	return w.want(201, "POST", "/v1/auth/register", "", `{"username":"olga","password":"`+password+`"}`)["token"].(string)
}

// user creates an account and returns its id and a token. more is further JSON fields, each with a leading comma.
func (w *world) user(by, name, more string) (id, token string) {
	w.Helper()
	created := w.want(201, "POST", "/v1/users", by, `{"username":"`+name+`","password":"`+password+`"`+more+`}`)
	return created["id"].(string), w.signIn(name)
}

func (w *world) signIn(name string) string {
	w.Helper()
	return w.want(200, "POST", "/v1/auth/sign-in", "", `{"login":"`+name+`","password":"`+password+`"}`)["token"].(string)
}

// me returns the id of the account with that token.
func (w *world) me(token string) string {
	w.Helper()
	return w.want(200, "GET", "/v1/auth/session", token, "")["user"].(map[string]any)["id"].(string)
}

// library creates a library over a directory of the root folder and waits until it is scanned.
func (w *world) library(by, name, dir string) string {
	w.Helper()
	created := w.want(201, "POST", "/v1/libraries", by,
		fmt.Sprintf(`{"name":%q,"type":"movies","paths":[%q]}`, name, w.mkdir(dir)))
	w.scanned()
	return created["id"].(string)
}

func (w *world) scanned() {
	w.Helper()
	if err := w.server.WaitForScans(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// names lists a field of every entry of a list, page by page.
func (w *world) names(path, token, field string) []string {
	w.Helper()
	names, cursor := []string{}, ""
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	for {
		page := w.want(200, "GET", path+separator+"limit=2&cursor="+cursor, token, "")
		for _, entry := range page["items"].([]any) {
			if entry.(map[string]any)["personal"] == true {
				continue // everybody's own; the tests of personal libraries look at it
			}
			names = append(names, entry.(map[string]any)[field].(string))
		}
		next, more := page["nextCursor"].(string)
		if !more {
			return names
		}
		cursor = next
	}
}

// itemNamed returns the id of the item with that title.
func (w *world) itemNamed(token, title string) string {
	w.Helper()
	page := w.want(200, "GET", "/v1/search?q="+title, token, "")
	items := page["items"].([]any)
	if len(items) != 1 {
		w.Fatalf("%d items are called %s", len(items), title)
	}
	return items[0].(map[string]any)["id"].(string)
}

// until waits for something that a browser does in the background.
func (w *world) until(done func() bool) error {
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// item returns the id of the item whose path ends so.
func (w *world) item(token, path string) string {
	w.Helper()
	for _, item := range w.want(200, "GET", "/v1/recently-added?limit=100", token, "")["items"].([]any) {
		if item := item.(map[string]any); strings.HasSuffix(item["path"].(string), path) {
			return item["id"].(string)
		}
	}
	w.Fatalf("no item is at %s", path)
	return ""
}
