package mediaserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver"
)

// endless is the size of a file that nobody has read to its end by the time that a test gives up.
const endless = 1 << 40

// stream is an answer that a client is reading.
type stream struct {
	body  io.ReadCloser
	total int64
}

// stream begins to read and returns when the first bytes have arrived.
func (w *world) stream(path string, headers ...string) *stream {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), givenUp)
	w.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+path, nil)
	if err != nil {
		w.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := w.client.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = response.Body.Close() })
	s := &stream{body: response.Body}
	if err := s.read(64 << 10); err != nil || response.StatusCode != 200 {
		w.Fatalf("%s: %d, %v", path, response.StatusCode, err)
	}
	return s
}

func (s *stream) read(n int64) error {
	got, err := io.CopyN(io.Discard, s.body, n)
	s.total += got
	return err
}

// ends reads until the stream breaks off, and reports whether it did so unfinished, by the server.
func (s *stream) ends() error {
	err := s.read(endless)
	if err == nil || errors.Is(err, context.DeadlineExceeded) || s.total >= endless {
		return fmt.Errorf("the stream went on, for %d bytes: %w", s.total, err)
	}
	return nil
}

// sparse makes a file of that size that takes no space.
func (w *world) sparse(name string, size int64) {
	w.Helper()
	w.write(name, "%PDF-1.4 ")
	if err := os.Truncate(filepath.Join(w.root, name), size); err != nil {
		w.Fatal(err)
	}
}

// soon is how long a stream may go on after a change on a machine that does much else: shorter than where nobody knows. That it is
// a second is TestAStreamEndsWithinASecond's to prove.
const soon = 5 * time.Second

// house is a server with a library of one endless book, which mia sees, and ada, an admin, shares.
type house struct {
	*world
	owner, library, item, mia, miaToken, ada, adaToken, share, shareID, role string
}

func (h *house) begin() map[string]*stream {
	h.Helper()
	return map[string]*stream{
		"API":   h.stream("/v1/items/"+h.item+"/stream", "Authorization", "Bearer "+h.miaToken),
		"page":  h.stream("/app/items/"+h.item+"/file", h.cookie("mia")...),
		"OPDS":  h.stream("/opds/v1.2/items/"+h.item+"/file", basic("mia", password)...),
		"share": h.stream("/v1/shared/" + h.share + "/stream"),
	}
}

func furnish(t *testing.T, change ...func(*mediaserver.Config)) *house {
	h := &house{world: start(t, change...)}
	h.owner = h.world.owner()
	h.role = h.want(201, "POST", "/v1/roles", h.owner,
		`{"name":"reader","permissions":[{"resource":"libraries","operation":"read"},{"resource":"books","operation":"read"}]}`)["id"].(string)
	h.sparse("books/big.pdf", endless)
	h.library = h.world.library(h.owner, "Books", "books")
	h.item = h.world.item(h.owner, "big.pdf")
	h.mia, h.miaToken = h.user(h.owner, "mia", `,"role":"reader","access":{"all":false,"libraries":[{"libraryId":"`+h.library+`"}]}`)
	h.user(h.owner, "tom", `,"access":{"all":false,"libraries":[{"libraryId":"`+h.library+`"}]}`)
	h.ada, h.adaToken = h.user(h.owner, "ada", `,"role":"admin"`)
	h.want(200, "PATCH", "/v1/libraries/"+h.library, h.owner, `{"sharingEnabled":true}`)
	link := h.want(201, "POST", "/v1/items/"+h.item+"/share-links", h.adaToken, `{"expiresAt":"2026-06-03T00:00:00Z"}`)
	h.share, h.shareID = link["token"].(string), link["id"].(string)
	return h
}

// takings are the changes that take something from somebody, and which of mia's streams, and of a public link's, they end.
var takings = []struct {
	name, ends string
	take       func(h *house)
}{
	{"revoked", "API page OPDS", func(h *house) {
		h.want(204, "DELETE", "/v1/libraries/"+h.library+"/permissions/"+h.mia, h.owner, "")
	}},
	{"access replaced", "API page OPDS", func(h *house) {
		h.want(200, "PUT", "/v1/users/"+h.mia+"/access", h.owner, `{"all":false,"libraries":[]}`)
	}},
	{"member removed", "API page OPDS", func(h *house) {
		h.want(204, "DELETE", "/v1/libraries/"+h.library+"/members/"+h.mia, h.owner, "")
	}},
	{"deactivated", "API page OPDS", func(h *house) { h.want(200, "PATCH", "/v1/users/"+h.mia, h.owner, `{"disabled":true}`) }},
	{"deleted", "API page OPDS", func(h *house) { h.want(204, "DELETE", "/v1/users/"+h.mia, h.owner, "") }},
	{"another role", "API page OPDS", func(h *house) {
		h.want(201, "POST", "/v1/roles", h.owner, `{"name":"clerk","permissions":[{"resource":"libraries","operation":"read"}]}`)
		h.want(200, "PATCH", "/v1/users/"+h.mia, h.owner, `{"role":"clerk"}`)
	}},
	{"its role changed", "API page OPDS", func(h *house) {
		h.want(200, "PATCH", "/v1/roles/"+h.role, h.owner, `{"permissions":[{"resource":"libraries","operation":"read"}]}`)
	}},
	{"password reset", "API page OPDS", func(h *house) {
		h.want(204, "PUT", "/v1/users/"+h.mia+"/password", h.owner, `{"password":"another long password"}`)
	}},
	{"other sessions ended", "page", func(h *house) { h.want(204, "DELETE", "/v1/auth/sessions", h.miaToken, "") }},
	{"signed out", "API", func(h *house) { h.want(204, "POST", "/v1/auth/sign-out", h.miaToken, "") }},
	{"sessions expired", "API page share", func(h *house) { h.clock.advance(7 * 24 * time.Hour) }},
	{"item in the trash", "API page OPDS share", func(h *house) { h.want(204, "DELETE", "/v1/items/"+h.item, h.owner, "") }},
	{"library moved", "API page OPDS share", func(h *house) {
		h.want(200, "PATCH", "/v1/libraries/"+h.library, h.owner, fmt.Sprintf(`{"paths":[%q]}`, h.mkdir("empty")))
	}},
	{"file gone, and scanned", "API page OPDS share", func(h *house) {
		if err := os.Remove(filepath.Join(h.root, "books", "big.pdf")); err != nil {
			h.Fatal(err)
		}
		h.want(202, "POST", "/v1/libraries/"+h.library+"/scan", h.owner, "")
		h.scanned()
	}},
	{"library deleted", "API page OPDS share", func(h *house) {
		if err := os.Remove(filepath.Join(h.root, "books", "big.pdf")); err != nil {
			h.Fatal(err)
		}
		h.want(202, "POST", "/v1/libraries/"+h.library+"/scan", h.owner, "")
		h.scanned()
		h.want(204, "DELETE", "/v1/libraries/"+h.library, h.owner, "")
	}},
	{"sharing off", "share", func(h *house) { h.want(200, "PATCH", "/v1/libraries/"+h.library, h.owner, `{"sharingEnabled":false}`) }},
	{"link deleted", "share", func(h *house) {
		h.want(204, "DELETE", "/v1/items/"+h.item+"/share-links/"+h.shareID, h.owner, "")
	}},
	{"link expired", "share", func(h *house) { h.clock.advance(2 * 24 * time.Hour) }},
	{"who shares demoted", "share", func(h *house) { h.want(200, "PATCH", "/v1/users/"+h.ada, h.owner, `{"role":"member"}`) }},
	{"nothing taken", "", func(h *house) {
		h.user(h.owner, "ben", "")
		h.want(200, "PATCH", "/v1/libraries/"+h.library, h.owner, `{"name":"Novels"}`)
	}},
}

// Dubby access seed, line 19: "Changes take effect immediately", in what is being sent, too; what nobody took goes on.
func TestChangesEndRunningStreams(t *testing.T) {
	for _, taking := range takings {
		t.Run(taking.name, func(t *testing.T) {
			h := furnish(t)
			running := h.begin()
			h.checked() // as new streams they are checked in any case
			taking.take(h)
			began := time.Now()
			for name, stream := range running {
				if !strings.Contains(taking.ends, name) {
					continue
				}
				if err := stream.ends(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if took := time.Since(began); took > soon {
				t.Errorf("ended after %v", took)
			}
			if len(strings.Fields(taking.ends)) == len(running) {
				return
			}
			h.checked()
			for name, stream := range running {
				if strings.Contains(taking.ends, name) {
					continue
				}
				if err := stream.read(16 << 20); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// checked returns when every stream has been checked since the call: two looks after it have ended a stream each, and a look
// checks all streams before the next one begins.
func (h *house) checked() {
	h.Helper()
	for range 2 {
		token := h.signIn("tom")
		ending := h.stream("/v1/items/"+h.item+"/stream", "Authorization", "Bearer "+token)
		h.want(204, "POST", "/v1/auth/sign-out", token, "")
		if err := ending.ends(); err != nil {
			h.Error(err)
		}
	}
}

// hasEnded waits until the server has done with the one stream by the API.
func (h *house) hasEnded(do func()) {
	h.Helper()
	const done = `mediaserver_http_requests_total{code="200",route="GET /v1/items/{id}/stream"} 1`
	if strings.Contains(h.metrics().body, done) {
		h.Fatal("the stream has ended by itself")
	}
	do()
	if err := h.until(func() bool { return strings.Contains(h.metrics().body, done) }); err != nil {
		h.Error("the stream is still there: ", err)
	}
}

// A client that reads nothing holds no stream either, and no connection.
func TestAStreamThatNobodyReadsEnds(t *testing.T) {
	h := furnish(t)
	h.begin()
	h.hasEnded(func() { h.want(200, "PATCH", "/v1/users/"+h.mia, h.owner, `{"disabled":true}`) })
}

// While the database is away, nobody knows what has changed: streams end then, too.
func TestStreamsEndWithoutTheDatabase(t *testing.T) {
	h := furnish(t)
	h.begin()
	h.hasEnded(func() {
		if err := h.server.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// Whoever opens a public link as often as they may takes it from nobody who comes from elsewhere.
func TestNobodyUsesUpAPublicLink(t *testing.T) {
	h := furnish(t)
	elsewhere := &http.Client{Transport: &http.Transport{
		DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext,
	}}
	defer elsewhere.CloseIdleConnections()
	link := "/v1/shared/" + h.share + "/stream"
	for n := 0; ; n++ {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+link, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := elsewhere.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode == http.StatusTooManyRequests {
			break
		}
		if response.StatusCode != http.StatusOK || n > 1000 {
			t.Fatalf("stream %d: %d", n, response.StatusCode)
		}
	}
	h.stream(link)
}
