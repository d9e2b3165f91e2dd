package jellyfintest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "a first password 1"

// document is a JSON object.
type document = map[string]any

// world is a server whose wizard is completed, with a key, and a clock that only the test moves.
type world struct {
	testing.TB
	*jellyfintest.Server
	version jellyfintest.Version
	key     *jellyfintest.Visitor

	mu  sync.Mutex
	now time.Time
}

// each runs a test on every release that a driver is tested with, and on some more.
func each(t *testing.T, run func(w *world), more ...jellyfintest.Version) {
	for _, version := range append(jellyfintest.Versions(), more...) {
		t.Run(string(version), func(t *testing.T) { run(newWorld(t, jellyfintest.Options{Version: version})) })
	}
}

func newWorld(t testing.TB, options jellyfintest.Options) *world {
	// A Wednesday noon.
	w := &world{TB: t, version: options.Version, now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	options.Now = w.clock
	if options.Sees == nil {
		options.Sees = func(path string) bool { return strings.HasPrefix(path, "/media/") }
	}
	server, key := jellyfintest.StartReady(t, options)
	w.Server, w.key = server, &jellyfintest.Visitor{URL: server.URL, Token: key}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// by calls as a visitor and returns the status.
func (w *world) by(v *jellyfintest.Visitor, method, path string, body any) int {
	w.Helper()
	status, err := v.Call(w.Context(), method, path, body, nil)
	w.must(err)
	return status
}

// want calls as a visitor and fails unless the status is that.
func (w *world) want(status int, v *jellyfintest.Visitor, method, path string, body any) {
	w.Helper()
	if got := w.by(v, method, path, body); got != status {
		w.Errorf("%s %s answers %d, want %d", method, path, got, status)
	}
}

// get reads a good answer by the key.
func get[T any](w *world, path string) (into T) {
	w.Helper()
	status, err := w.key.Call(w.Context(), http.MethodGet, path, nil, &into)
	if err != nil || status != http.StatusOK {
		w.Fatalf("GET %s: %d, %v", path, status, err)
	}
	return into
}

// nobody asks without a token.
func (w *world) nobody() *jellyfintest.Visitor {
	return &jellyfintest.Visitor{URL: w.URL, Device: "nobody's"}
}

// create makes an account by the API, which sees everything, and returns its id.
func (w *world) create(name string) string {
	w.Helper()
	w.want(http.StatusOK, w.key, http.MethodPost, "/Users/New", document{"Name": name, "Password": password})
	return w.Person(name).ID
}

// person makes an account that sees those libraries.
func (w *world) person(name string, libraries ...media.LibraryID) string {
	w.Helper()
	id := w.create(name)
	w.change(id, document{"EnableAllFolders": false, "EnabledFolders": append([]media.LibraryID{}, libraries...)})
	return id
}

func (w *world) policy(id string) document {
	w.Helper()
	return get[struct{ Policy document }](w, "/Users/"+id).Policy
}

// change writes a whole policy, with some fields changed.
func (w *world) change(id string, fields document) {
	w.Helper()
	w.want(http.StatusNoContent, w.key, http.MethodPost, "/Users/"+id+"/Policy", w.changed(id, fields))
}

// changed is somebody's policy with some fields changed; nil leaves one out.
func (w *world) changed(id string, fields document) document {
	w.Helper()
	policy := w.policy(id)
	for name, value := range fields {
		if policy[name] = value; value == nil {
			delete(policy, name)
		}
	}
	return policy
}

func (w *world) enter(name string) *jellyfintest.Visitor {
	w.Helper()
	v, err := jellyfintest.Enter(w.Context(), w.URL, name, password)
	w.must(err)
	return v
}

// login tries a password and returns the status.
func (w *world) login(name, secret string) int {
	w.Helper()
	v := &jellyfintest.Visitor{URL: w.URL, Device: "another of " + name}
	return w.by(v, http.MethodPost, "/Users/AuthenticateByName", document{"Username": name, "Pw": secret})
}

// sees fails unless the person is shown exactly those libraries.
func (w *world) sees(v *jellyfintest.Visitor, want ...string) {
	w.Helper()
	views, err := v.Views(w.Context())
	w.must(err)
	names := []string{}
	for _, view := range views {
		names = append(names, view.Name)
	}
	if slices.Sort(names); !slices.Equal(names, want) && len(names)+len(want) > 0 {
		w.Errorf("the person sees %q, want %q", names, want)
	}
}

// finds fails unless the person is shown exactly those titles.
func (w *world) finds(v *jellyfintest.Visitor, want ...string) {
	w.Helper()
	items, err := v.Items(w.Context())
	w.must(err)
	names := []string{}
	for _, item := range items {
		names = append(names, item.Name)
	}
	if slices.Sort(names); !slices.Equal(names, want) && len(names)+len(want) > 0 {
		w.Errorf("the person finds %q, want %q", names, want)
	}
}

// entry is a library in the listing.
type entry struct {
	Name, ItemID, CollectionType string
	Locations                    []string
	LibraryOptions               document
}

const folders = "/Library/VirtualFolders"

func (w *world) entries() map[string]entry {
	w.Helper()
	byName := map[string]entry{}
	for _, e := range get[[]entry](w, folders) {
		byName[e.Name] = e
	}
	return byName
}

// query writes a path with parameters, which come in pairs.
func query(path string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return path + "?" + values.Encode()
}

// raw asks with a header of the test's own, and returns the status and what came.
func (w *world) raw(method, path string, header http.Header) (int, http.Header, []byte) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), method, w.URL+path, http.NoBody)
	w.must(err)
	request.Header, request.Close = header, true
	response, err := http.DefaultClient.Do(request)
	w.must(err)
	defer func() { _ = response.Body.Close() }()
	body := make([]byte, 4096)
	n, _ := response.Body.Read(body)
	return response.StatusCode, response.Header, body[:n]
}

func decoded(t testing.TB, text []byte) document {
	t.Helper()
	var into document
	if err := json.Unmarshal(text, &into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return into
}
