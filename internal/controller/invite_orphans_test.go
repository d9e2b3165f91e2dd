package controller_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/controller"
	"github.com/usher-media/usher/internal/media/memory"
)

// remakeServer deletes the MediaServer with what else is named, and makes it again.
func (w *inviteWorld) remakeServer(between func()) {
	w.t.Helper()
	server := get(w.world, &v1alpha1.MediaServer{}, serverName)
	w.delete(server)
	w.gone(server)
	between()
	again := w.mediaServer()
	again.Spec.URL = w.url
	w.create(again)
}

// dropInvite deletes an Invite and waits until it is gone, also from the operator's cache: what still had it there would delete
// a link that comes back.
func (w *inviteWorld) dropInvite(name string) {
	w.t.Helper()
	invite, before := get(w.world, &v1alpha1.Invite{}, name), w.metric("usher_objects")
	w.delete(invite)
	w.gone(invite)
	w.eventually("the operator knows that it is gone", func() bool {
		return w.metric("usher_objects") < before && w.ofController("controller_runtime_active_workers", "invite") == 0
	})
}

// afterwards are the ways in which an Invite goes, and its link comes back with an older database.
var afterwards = map[string]func(w *inviteWorld, server *restorable, older string){
	"deleted": func(w *inviteWorld, server *restorable, older string) {
		w.dropInvite("party")
		server.putBack(older)
		w.look()
	},
	"deleted, and the operator restarted": func(w *inviteWorld, server *restorable, older string) {
		w.dropInvite("party")
		w.stop()
		server.putBack(older)
		w.openEmbedded()
	},
	"deleted, and the operator has another key": func(w *inviteWorld, server *restorable, older string) {
		w.dropInvite("party")
		w.stop()
		w.delete(&corev1.Secret{ObjectMeta: w.meta(controller.KeySecretName)})
		server.putBack(older)
		w.openEmbedded()
	},
	"deleted while others stand, and nobody looks": func(w *inviteWorld, server *restorable, older string) {
		w.invite("other", nil)
		w.dropInvite("party")
		server.putBack(older)
	},
	"pruned with its MediaServer": func(w *inviteWorld, server *restorable, older string) {
		w.remakeServer(func() { w.dropInvite("party") })
		w.ready(&v1alpha1.MediaServer{}, serverName)
		server.putBack(older)
		w.look()
	},
	"pruned with its MediaServer, which is made again afterwards": func(w *inviteWorld, server *restorable, older string) {
		w.remakeServer(func() {
			w.dropInvite("party")
			server.putBack(older)
		})
	},
	"let go while the server was down": func(w *inviteWorld, server *restorable, older string) {
		w.stop()
		w.releaseAfter = time.Second
		w.openEmbedded()
		w.ready(&v1alpha1.MediaServer{}, serverName)
		server.halt()
		w.look()
		w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
		w.delete(get(w.world, &v1alpha1.Invite{}, "party"))
		w.remakeServer(func() {
			w.gone(&v1alpha1.Invite{ObjectMeta: w.meta("party")})
			server.start()
		})
	},
	"deleted, and made again for another server": func(w *inviteWorld, server *restorable, older string) {
		w.dropInvite("party")
		w.create(&v1alpha1.Invite{ObjectMeta: w.meta("party"), Spec: v1alpha1.InviteSpec{Offers: offering("elsewhere")}})
		server.putBack(older)
		w.look()
	},
}

// TestALinkWhoseInviteIsGoneIsClosed: an older database comes back, and with it the link of an Invite that is gone. It is
// closed, not deleted, and an event names it.
func TestALinkWhoseInviteIsGoneIsClosed(t *testing.T) {
	t.Parallel()
	for name, goes := range afterwards {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			server := newRestorable(t, root)
			w := newInviteWorldOf(t, root, server.url)
			w.invite("party", nil)
			code := w.code("party")
			if state := w.linkState(code); state != "pending" {
				t.Fatalf("the link is %s", state)
			}
			older := server.backup()
			goes(w, server, older)
			w.eventually("the link is closed", func() bool { return w.linkState(code) == "revoked" })
			if status, text := w.register("eve", code); status != http.StatusGone {
				t.Errorf("it admits: %d %s", status, text)
			}
			w.eventually("an event names it", func() bool {
				return strings.Contains(strings.Join(w.eventsOf(serverName), "\n"), "Invite party")
			})
			w.tellsNobody(code)
		})
	}
}

// askAsOwner sends a request with a body to the media server, as its owner, and decodes the answer.
func (w *inviteWorld) askAsOwner(method, path string, body, into any) {
	w.t.Helper()
	var signedIn struct{ Token string }
	_ = json.Unmarshal([]byte(w.signIn(memory.DefaultOwner, memory.DefaultPassword)), &signedIn)
	text, _ := json.Marshal(body)
	request, _ := http.NewRequestWithContext(w.t.Context(), method, w.url+path, bytes.NewReader(text))
	request.Header.Set("Authorization", "Bearer "+signedIn.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode >= 300 {
		w.t.Fatalf("%s %s: %v %v", method, path, response, err)
	}
	defer response.Body.Close()
	_ = json.NewDecoder(response.Body).Decode(into)
}

// theirs makes a link as the operator of another cluster does, whose namespace has the same name.
func (w *inviteWorld) theirs(code string) (id string) {
	w.t.Helper()
	var made struct{ ID string }
	w.askAsOwner("POST", "/v1/invites", map[string]any{"code": code, "reference": "usher/" + w.namespace + "/theirs"}, &made)
	return made.ID
}

// TestTwoClustersOnOneServerDoNotFight: the link of another cluster, whose namespace has the same name, is closed once. When
// that cluster opens it again it stays open, and a Warning says so. A restore begins anew.
func TestTwoClustersOnOneServerDoNotFight(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	server := newRestorable(t, root)
	w := newInviteWorldOf(t, root, server.url)
	w.invite("ours", nil)
	const code = "a-code-of-another-cluster-0123456789"
	id := w.theirs(code)
	opens := func() { w.askAsOwner("PATCH", "/v1/invites/"+id, map[string]any{"revoked": false}, &struct{}{}) }
	older := server.backup()
	stays := func() {
		t.Helper()
		opens()
		before := w.warnings(serverName, "LinkLeftOpen")
		w.look()
		w.eventually("a Warning says that it stays open", func() bool { return w.warnings(serverName, "LinkLeftOpen") > before || before > 0 })
		for range 3 { // several looks, and what the Invites see
			w.lookedAgain()
			if state := w.linkState(code); state != "pending" {
				t.Errorf("the link is %s", state)
			}
		}
	}
	w.look()
	w.eventually("it is closed", func() bool { return w.linkState(code) == "revoked" })
	stays()
	server.putBack(older)
	w.look()
	w.eventually("it is closed again after a restore", func() bool { return w.linkState(code) == "revoked" })
	stays()
	if state := w.linkState(w.code("ours")); state != "pending" {
		t.Errorf("the link of an Invite that stands is %s", state)
	}
}

// lookedAgain waits until the operator has begun, and ended, another look at the server: one may be under way.
func (w *inviteWorld) lookedAgain() {
	w.t.Helper()
	for range 2 {
		before := w.reconciles("mediaserver")
		w.look()
		w.eventually("the server was looked at", func() bool { return w.reconciles("mediaserver") > before })
	}
}

// TestObservedLinksArePlannedFor: mode Observe closes no link, and says which it would close.
func TestObservedLinksArePlannedFor(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	server := newRestorable(t, root)
	w := newInviteWorldOf(t, root, server.url)
	const code = "a-code-of-an-invite-that-is-gone-0123"
	edit(w.world, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeObserve })
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.theirs(code)
	w.look()
	w.eventually("the plan names it", func() bool {
		return strings.Contains(fmt.Sprint(get(w.world, &v1alpha1.MediaServer{}, serverName).Status.Plan), "Invite theirs")
	})
	if state := w.linkState(code); state != "pending" {
		t.Errorf("the link is %s", state)
	}
}

// asked counts the requests that pass by it on their way to another address.
type asked struct {
	mu     sync.Mutex
	counts map[string]int
}

func (a *asked) before(t *testing.T, address string) string {
	target, _ := url.Parse(address)
	proxy := httputil.NewSingleHostReverseProxy(target)
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		a.mu.Lock()
		a.counts[request.Method+" "+request.URL.Path]++
		a.mu.Unlock()
		proxy.ServeHTTP(w, request)
	}))
	t.Cleanup(listener.Close)
	return listener.URL
}

func (a *asked) of(route string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.counts[route]
}

// TestALookAsksForNoLinksWhereThereAreNone: a server without open links of Usher's is not asked for its links.
func TestALookAsksForNoLinksWhereThereAreNone(t *testing.T) {
	t.Parallel()
	root, counts := t.TempDir(), &asked{counts: map[string]int{}}
	w := newInviteWorldOf(t, root, counts.before(t, newEmbedded(t, root)))
	for range 3 {
		w.lookedAgain()
	}
	if n := counts.of("GET /v1/invites"); n > 0 || counts.of("GET /v1/users") < 3 {
		t.Errorf("its links were asked for %d times, its people %d times", n, counts.of("GET /v1/users"))
	}
	w.invite("party", nil)
	w.dropInvite("party")
	before := counts.of("GET /v1/invites")
	w.lookedAgain()
	if n := counts.of("GET /v1/invites"); n != before {
		t.Errorf("the links were listed %d times after the last was gone", n-before)
	}
}
