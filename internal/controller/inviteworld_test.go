package controller_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/embedded"
	"github.com/usher-media/usher/internal/media/memory"
)

// inviteWorld is a world whose MediaServer is the embedded one, over HTTP.
type inviteWorld struct {
	*world
	url string
	// root is a directory that Libraries may have.
	root string
}

func newInviteWorld(t *testing.T) *inviteWorld {
	t.Helper()
	root := t.TempDir()
	return newInviteWorldOf(t, root, newEmbedded(t, root))
}

// newInviteWorldOf is one whose media server is at an address, with libraries over root.
func newInviteWorldOf(t *testing.T, root, address string) *inviteWorld {
	t.Helper()
	w := &inviteWorld{world: newIdleWorld(t, memory.Options{}), url: address, root: root}
	w.openEmbedded()
	ms := w.mediaServer()
	ms.Spec.URL, ms.Spec.Bootstrap = address, true
	w.create(ms)
	for _, name := range []string{"movies", "kids"} {
		library := w.library(name)
		library.Spec.Paths = []v1alpha1.LibraryPath{v1alpha1.LibraryPath(root)}
		w.create(library)
		w.ready(&v1alpha1.Library{}, name)
	}
	return w
}

// openEmbedded starts an operator that speaks to the embedded media server.
func (w *inviteWorld) openEmbedded() { w.t.Helper(); w.openAs(embedded.Open) }

func (w *inviteWorld) invite(name string, change func(*v1alpha1.InviteSpec)) *v1alpha1.Invite {
	w.t.Helper()
	invite := &v1alpha1.Invite{ObjectMeta: w.meta(name), Spec: v1alpha1.InviteSpec{Offers: offering(serverName)}}
	libraries := targets("movies")
	invite.Spec.Offers[0].Libraries = &libraries
	if change != nil {
		change(&invite.Spec)
	}
	w.create(invite)
	w.ready(&v1alpha1.Invite{}, name)
	return invite
}

// code is the code in an invite's Secret.
func (w *inviteWorld) code(invite string) string {
	w.t.Helper()
	return string(get(w.world, &corev1.Secret{}, invite+"-invite").Data["code"])
}

// register signs a person up by a code, and returns status and error text.
func (w *inviteWorld) register(username, code string) (int, string) {
	w.t.Helper()
	body, _ := json.Marshal(map[string]string{"username": username, "password": "password of " + username, "inviteCode": code})
	response, err := http.Post(w.url+"/v1/auth/register", "application/json", bytes.NewReader(body))
	if err != nil {
		w.t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	var answer struct{ Error string }
	text, _ := io.ReadAll(response.Body)
	_ = json.Unmarshal(text, &answer)
	return response.StatusCode, answer.Error
}

func (w *inviteWorld) state(name string, state v1alpha1.InviteState, uses int32) *v1alpha1.Invite {
	w.t.Helper()
	invite := &v1alpha1.Invite{}
	w.eventually(fmt.Sprintf("%s is %s with %d uses", name, state, uses), func() bool {
		get(w.world, invite, name)
		return invite.Status.State == state && invite.Status.Uses != nil && invite.Status.Uses.Total == uses
	})
	return invite
}

// tellsNobody looks for a secret where none may be: objects, events, logs and metrics.
func (w *inviteWorld) tellsNobody(secret string) {
	w.t.Helper()
	var events eventsv1.EventList
	var users v1alpha1.UserList
	var redemptions v1alpha1.RedemptionList
	var invites v1alpha1.InviteList
	for _, list := range []client.ObjectList{&events, &users, &redemptions, &invites} {
		if err := w.client.List(w.t.Context(), list, client.InNamespace(w.namespace)); err != nil {
			w.t.Fatal(err)
		}
	}
	gathered, err := prometheus.Gatherers{metrics.Registry, w.metrics}.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	objects, _ := json.Marshal([]any{events, users, redemptions, invites})
	for where, text := range map[string]string{"objects and events": string(objects), "the log": w.logged.text(), "the metrics": fmt.Sprint(gathered)} {
		if len(text) < 100 {
			w.t.Errorf("%s: next to nothing to look through: %q", where, text)
		}
		if strings.Contains(text, secret) {
			w.t.Errorf("%s: hold the secret", where)
		}
	}
}

// users counts the Users with a label.
func (w *inviteWorld) users(label, value string) int {
	var users v1alpha1.UserList
	_ = w.client.List(w.t.Context(), &users, client.InNamespace(w.namespace), client.MatchingLabels{label: value})
	return len(users.Items)
}

// asOwner calls the media server by hand, as its owner, and returns its answer.
func (w *inviteWorld) asOwner(method, path string) string {
	w.t.Helper()
	var signedIn struct{ Token string }
	_ = json.Unmarshal([]byte(w.signIn(memory.DefaultOwner, memory.DefaultPassword)), &signedIn)
	request, _ := http.NewRequestWithContext(w.t.Context(), method, w.url+path, nil)
	request.Header.Set("Authorization", "Bearer "+signedIn.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode >= 300 {
		w.t.Fatalf("%s %s: %v %v", method, path, response, err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

// signIn signs a person in by hand, and returns the server's answer.
func (w *inviteWorld) signIn(username, password string) string {
	w.t.Helper()
	body, _ := json.Marshal(map[string]string{"login": username, "password": password})
	response, err := http.Post(w.url+"/v1/auth/sign-in", "application/json", bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

// usernames are those of all accounts on the media server.
func (w *inviteWorld) usernames() string {
	w.t.Helper()
	var users struct{ Items []struct{ Username string } }
	_ = json.Unmarshal([]byte(w.asOwner("GET", "/v1/users")), &users)
	return fmt.Sprint(users.Items)
}

// linkState is what the link says of itself to who opens it.
func (w *inviteWorld) linkState(code string) string {
	w.t.Helper()
	response, err := http.Get(w.url + "/v1/invitations/" + code)
	if err != nil {
		w.t.Error(err)
		return ""
	}
	defer response.Body.Close()
	var answer struct{ Status string }
	_ = json.NewDecoder(response.Body).Decode(&answer)
	return answer.Status
}

// offering is one offer on a server, of no libraries.
func offering(server string) []v1alpha1.InviteOffer {
	return []v1alpha1.InviteOffer{{ServerRef: v1alpha1.LocalReference{Name: server}}}
}
