package controller_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/mediaserver"
)

// oddProxy stands before a media server and answers in its place as it is told to.
type oddProxy struct {
	good   http.Handler
	answer atomic.Pointer[http.HandlerFunc]

	mu sync.Mutex
	// writes are the requests that change something, sign-ins aside.
	writes []string
}

// since returns the writes after the first n.
func (p *oddProxy) since(n int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.writes[n:])
}

func (p *oddProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/auth/") {
		p.mu.Lock()
		p.writes = append(p.writes, r.Method+" "+r.URL.Path)
		p.mu.Unlock()
	}
	if answer := p.answer.Load(); answer != nil {
		(*answer)(w, r)
		return
	}
	p.good.ServeHTTP(w, r)
}

// lists says whether a request is for a list of accounts or libraries.
func lists(r *http.Request) bool {
	return r.Method == http.MethodGet && (r.URL.Path == "/v1/users" || r.URL.Path == "/v1/libraries")
}

// newEmbedded starts a media server of its own, with media below a directory, and returns its address.
func newEmbedded(t *testing.T, root string) string {
	t.Helper()
	server, err := mediaserver.New(t.Context(), mediaserver.Config{DataDir: t.TempDir(), MediaRoots: []string{root}, CheapPasswordHashing: true})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		listener.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return listener.URL
}

// foreignLists is another media server, whose own account carries the same name and password.
func foreignLists(t *testing.T) http.Handler {
	t.Helper()
	address := newEmbedded(t, t.TempDir())
	body, _ := json.Marshal(map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword})
	response, err := http.Post(address+"/v1/auth/register", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var registered struct{ Token string }
	if err := json.NewDecoder(response.Body).Decode(&registered); err != nil || registered.Token == "" {
		t.Fatalf("no token of the other server: %v", err)
	}
	target, _ := url.Parse(address)
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header.Set("Authorization", "Bearer "+registered.Token)
	}}
}

// TestOddAnswersDestroyNothing: whatever a server or what stands before it answers, nothing is written on its word,
// and the status says why.
func TestOddAnswersDestroyNothing(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	target, _ := url.Parse(w.url)
	proxy := &oddProxy{good: httputil.NewSingleHostReverseProxy(target)}
	listener := httptest.NewServer(proxy)
	t.Cleanup(listener.Close)
	edit(w.world, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.URL = listener.URL })
	w.create(w.user("ann"), w.user("bob"), w.grant("g", "*", "*"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionTrue, "")

	foreign := foreignLists(t)
	onLists := func(instead http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if lists(r) {
				instead(w, r)
				return
			}
			proxy.good.ServeHTTP(w, r)
		}
	}
	write := func(contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write([]byte(body))
		}
	}
	for i, odd := range []struct {
		name    string
		answer  http.HandlerFunc
		message string
	}{
		{"a login page with 200 for everything", write("text/html; charset=utf-8", "<!doctype html><title>Sign in</title>"), "is the url right?"},
		{"a login page with 200 for the lists", onLists(write("text/html; charset=utf-8", "<!doctype html><title>Sign in</title>")), "is the url right?"},
		{"empty lists", onLists(write("application/json", `{"items":[],"nextCursor":null}`)), "lacks the account that Usher uses"},
		{"an empty object", onLists(write("application/json", `{}`)), "is the url right?"},
		{"half a document", onLists(write("application/json", `{"items":[{"id":"a1","userna`)), "is the url right?"},
		{"the lists of another server", onLists(foreign.ServeHTTP), "lacks the account that Usher uses"},
	} {
		t.Run(odd.name, func(t *testing.T) {
			writes, late := len(proxy.since(0)), fmt.Sprintf("late-%d", i)
			proxy.answer.Store(&odd.answer)
			w.look()
			condition := w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
			if !strings.Contains(condition.Message, odd.message) {
				t.Errorf("message %q, want it to say %q", condition.Message, odd.message)
			}
			w.create(w.user(late))
			w.condition(&v1alpha1.User{}, late, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
			if made := proxy.since(writes); len(made) > 0 {
				t.Errorf("written on the word of an odd answer: %v", made)
			}
			proxy.answer.Store(nil)
			w.look()
			w.ready(&v1alpha1.MediaServer{}, serverName)
			w.ready(&v1alpha1.User{}, "ann", "bob", late)
			if made := proxy.since(writes); len(made) != 1 {
				t.Errorf("written afterwards: %v, want what makes the late account", made)
			}
		})
	}
}
