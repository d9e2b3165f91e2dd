package mediaserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver"
)

// benchItems is how many files the library of the benchmark has.
const benchItems = 20_000

// ask answers a request of somebody who is signed in by both token and cookie.
func ask(b *testing.B, handler http.Handler, method, path, token, body string) *httptest.ResponseRecorder {
	b.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	request.AddCookie(&http.Cookie{Name: "mediaserver_session", Value: token})
	got := httptest.NewRecorder()
	if handler.ServeHTTP(got, request); got.Code >= 300 {
		b.Fatalf("%s %s: %d %s", method, path, got.Code, got.Body)
	}
	return got
}

func told(b *testing.B, got *httptest.ResponseRecorder, field string) string {
	b.Helper()
	var body map[string]any
	if err := json.Unmarshal(got.Body.Bytes(), &body); err != nil {
		b.Fatal(err)
	}
	return body[field].(string)
}

// BenchmarkBrowsing is what people wait for in a library of 20,000 files, each answer whole.
func BenchmarkBrowsing(b *testing.B) {
	root := b.TempDir()
	for i := range benchItems {
		if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("%05d.mkv", i)), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	server, err := mediaserver.New(b.Context(), mediaserver.Config{DataDir: b.TempDir(), MediaRoots: []string{root}, CheapPasswordHashing: true})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	handler := server.Handler()
	token := told(b, ask(b, handler, "POST", "/v1/auth/register", "", `{"username":"olga","password":"`+password+`"}`), "token")
	library := told(b, ask(b, handler, "POST", "/v1/libraries", token, fmt.Sprintf(`{"name":"Films","type":"movies","paths":[%q]}`, root)), "id")
	if err := server.WaitForScans(b.Context()); err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{
		"list of 100": "/v1/libraries/" + library + "/items?limit=100", "library": "/v1/libraries/" + library, "libraries": "/v1/libraries",
		"library page": "/app/libraries/" + library, "first page": "/", "search": "/v1/search?q=00042",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ask(b, handler, "GET", path, token, "")
			}
		})
	}
}
