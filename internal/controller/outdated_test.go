package controller_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// saysOutdated waits until a User says that its holder has chosen another password, or does not say so, and its Secret does.
func (w *world) saysOutdated(user string, outdated bool) {
	w.t.Helper()
	w.eventually("the Secret of "+user+" is marked as it should be", func() bool {
		w.look()
		said := strings.Contains(readyMessage(get(w, &v1alpha1.User{}, user)), user+"-credentials does not work")
		marked := get(w, &corev1.Secret{}, user+"-credentials").Labels[v1alpha1.LabelOutdated] == "true"
		return said == outdated && marked == outdated
	})
}

// TestAPasswordThatItsHolderReplacedIsSaidToBeOutdated: the Secret that holds the old one says so, and so does the User.
func TestAPasswordThatItsHolderReplacedIsSaidToBeOutdated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	must := w.user("ann")
	must.Spec.Password = &v1alpha1.Password{RequireChange: true}
	w.create(must, w.user("bob"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.sync()
	w.saysOutdated("ann", false)
	w.saysOutdated("bob", false)
	kept := w.password("ann-credentials")
	w.store.EditAccount("ann", func(a *media.Account) { a.MustChangePassword = false })
	w.store.EditAccount("bob", func(a *media.Account) { a.PasswordChosen = true })
	w.saysOutdated("ann", true)
	w.saysOutdated("bob", true)
	if w.password("ann-credentials") != kept || w.store.Count(memory.SetPassword) > 0 {
		t.Error("a password was changed")
	}
	w.stop()
	w.start()
	w.sync()
	w.saysOutdated("ann", true)
	w.counting.take()
	w.sync()
	if writes := w.counting.take(); len(writes) > 0 {
		t.Errorf("at rest, there were writes: %v", writes)
	}
	for _, name := range []string{"ann", "bob"} {
		edit(w, w.user(name), func(u *v1alpha1.User) {
			metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
		})
		w.saysOutdated(name, false)
		if !w.store.CheckPassword(name, w.password(name+"-credentials")) {
			t.Errorf("the kept password of %s does not work", name)
		}
	}
}

// TestTheEmbeddedServerTellsWhoChoseAPassword: whoever is signed in changes it, and the User says so.
func TestTheEmbeddedServerTellsWhoChoseAPassword(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	w.saysOutdated("ann", false)
	post := func(path, token string, body map[string]string) []byte {
		text, _ := json.Marshal(body)
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, bytes.NewReader(text))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var answer bytes.Buffer
		_, _ = answer.ReadFrom(response.Body)
		if response.StatusCode >= 300 {
			t.Fatalf("%s: %d %s", path, response.StatusCode, answer.String())
		}
		return answer.Bytes()
	}
	first := w.password("ann-credentials")
	var signedIn struct{ Token string }
	_ = json.Unmarshal(post("/v1/auth/sign-in", "", map[string]string{"login": "ann", "password": first}), &signedIn)
	post("/v1/auth/password", signedIn.Token, map[string]string{"currentPassword": first, "newPassword": "a password that ann chose"})
	w.saysOutdated("ann", true)
	edit(w.world, w.user("ann"), func(u *v1alpha1.User) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
	})
	w.saysOutdated("ann", false)
}
