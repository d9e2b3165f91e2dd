package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/usher-media/usher/hack/internal/process"
)

// The media server's owner, whose account the operator uses.
const owner, ownerPassword = "owner", "the benchmark's owner"

// driverConcurrency is how many calls Usher's driver makes at once; the bare client makes as many.
const driverConcurrency = 8

// mediaServer is a running media server, and a bare client of it.
type mediaServer struct {
	*process.Process
	// metrics is the address of what it counts.
	url, metrics, token, folders string
	http                         *http.Client
}

// startMediaServer starts an empty media server whose password hashing costs next to nothing.
func (b *bench) startMediaServer(ctx context.Context, name string) (*mediaServer, error) {
	var addresses [2]string
	for i := range addresses {
		var err error
		if addresses[i], err = process.FreeAddress(); err != nil {
			return nil, err
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = driverConcurrency
	m := &mediaServer{
		url: "http://" + addresses[0], metrics: "http://" + addresses[1] + "/metrics", folders: filepath.Join(b.dir, "media"),
		http: &http.Client{Timeout: time.Minute, Transport: transport},
	}
	if err := makeFolders(m.folders, b.libraries); err != nil {
		return nil, err
	}
	var err error
	m.Process, err = b.run(name, b.bin("mediaserver"), "--listen", addresses[0], "--metrics-address", addresses[1], "--data", filepath.Join(b.dir, name),
		"--media-root", m.folders, "--password-hashing", "cheap", "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	return m, b.awaitAnswer(ctx, m.url+"/readyz")
}

// do makes one call as the owner. The answer goes into into, where that is not nil.
func (m *mediaServer) do(ctx context.Context, method, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, m.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if m.token != "" {
		request.Header.Set("Authorization", "Bearer "+m.token)
	}
	response, err := m.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// enter gets a token: by the first registration or by signing in.
func (m *mediaServer) enter(ctx context.Context, path string, body map[string]string) error {
	var in struct{ Token string }
	err := m.do(ctx, http.MethodPost, path, body, &in)
	m.token = in.Token
	return err
}

// account is a user as the media server shows it.
type account struct {
	ID, Username string
	Access       struct {
		Libraries []struct {
			LibraryID string `json:"libraryId"`
		}
	}
}

// requests counts what the media server was asked, by its own metrics, without what only looks after it.
func (m *mediaServer) requests(ctx context.Context) (counts, error) {
	found, err := scrape(ctx, m.metrics)
	if err != nil {
		return nil, err
	}
	return found.by("mediaserver_http_requests_total", "route").only(func(route string) bool { return strings.Contains(route, "/v1/") }), nil
}

// changes picks the routes that change the media server. Signing in is none of them.
func changes(route string) bool {
	return !strings.HasPrefix(route, "GET ") && !strings.Contains(route, "/v1/auth/")
}
