package controller_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// TestASecretFromBeforeARotationIsSaidToBeOutdated: a cluster comes back as it was before a rotation, and the server tells that the
// password was set later, or it does not work. No password is set, the Secret is marked, and the User says so, until it is rotated again.
func TestASecretFromBeforeARotationIsSaidToBeOutdated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tells     func() time.Time
		rotations int
	}{
		"the first one": {secondsApart(120), 0}, "not the first one": {secondsApart(120), 1}, "nothing tells when": {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Traits: quick, Created: c.tells})
			w.create(w.user("ann"), w.user("bob"))
			w.ready(&v1alpha1.User{}, "ann", "bob")
			for range c.rotations {
				renewing["rotated"](w)
				w.saysOutdated("ann", false)
			}
			user, secret := w.user("ann"), &corev1.Secret{ObjectMeta: w.meta("ann-credentials")}
			backup := []client.Object{get(w, user, "ann").DeepCopy(), get(w, secret, "ann-credentials").DeepCopy()}
			kept := w.password("ann-credentials")
			w.rotateAnew(kept)
			w.saysOutdated("ann", false)

			w.restoreFrom(backup)
			w.store.ResetCalls()
			w.start()
			w.ready(&v1alpha1.User{}, "ann")
			w.saysOutdated("ann", true)
			w.saysOutdated("bob", false)
			w.sync()
			w.ready(&v1alpha1.User{}, "ann", "bob")
			if tries, sets := w.store.Count(memory.Authenticate), w.store.Count(memory.SetPassword); tries > 1 || sets > 0 {
				t.Errorf("%d tries and %d passwords set, want one at the most, and none", tries, sets)
			}
			if w.password("ann-credentials") != kept {
				t.Error("the Secret was changed")
			}
			w.rotateAnew(kept)
			w.saysOutdated("ann", false)
			if !w.store.CheckPassword("ann", w.password("ann-credentials")) {
				t.Error("the kept password does not work")
			}
		})
	}
}

// TestAPasswordThatWasSetByHandIsSaidOnlyWhereItIsAnother: that the server says it was set later proves nothing by itself.
func TestAPasswordThatWasSetByHandIsSaidOnlyWhereItIsAnother(t *testing.T) {
	t.Parallel()
	for _, same := range []bool{true, false} {
		t.Run(fmt.Sprintf("the same one=%t", same), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Traits: quick, Created: secondsApart(120)})
			w.create(w.user("ann"))
			w.ready(&v1alpha1.User{}, "ann")
			password := w.password("ann-credentials")
			if !same {
				password = "what somebody set by hand"
			}
			w.store.ResetCalls()
			w.store.ChangePassword("ann", password)
			w.sync()
			w.eventually("it is tried", func() bool { return w.store.Count(memory.Authenticate) == 1 })
			w.saysOutdated("ann", !same)
			w.sync()
			if tries, sets := w.store.Count(memory.Authenticate), w.store.Count(memory.SetPassword); tries != 1 || sets > 0 || !w.store.CheckPassword("ann", password) {
				t.Errorf("%d tries and %d passwords set", tries, sets)
			}
		})
	}
}

// TestAPasswordThatCannotBeTriedIsSaid: the server says that another was set, and not whether the one on record works.
func TestAPasswordThatCannotBeTriedIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick, Created: secondsApart(120)})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	w.store.Fail(memory.Authenticate, -1, media.Errorf(media.Invalid, "not today"))
	w.store.ChangePassword("ann", "what somebody set by hand")
	w.sync()
	w.eventually("it is said", func() bool {
		return strings.Contains(readyMessage(get(w, &v1alpha1.User{}, "ann")), "another password was set on the server since")
	})
	w.saysOutdated("ann", false)
}

// secondsApart is a server that tells when things were made and set, each so many seconds after the one before.
func secondsApart(seconds int) func() time.Time {
	var n atomic.Int64
	now := time.Now().Truncate(time.Second)
	return func() time.Time { return now.Add(time.Duration(n.Add(1)) * time.Duration(seconds) * time.Second) }
}

// rotateAnew rotates ann's password, and waits until the Secret holds another one than before.
func (w *world) rotateAnew(before string) {
	w.t.Helper()
	edit(w, w.user("ann"), func(u *v1alpha1.User) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, time.Now().Format(time.RFC3339Nano))
	})
	w.eventually("the password is rotated", func() bool { return w.password("ann-credentials") != before })
}

// restoreFrom stops the operator, and makes objects what they were when a backup of the cluster was made.
func (w *world) restoreFrom(backup []client.Object) {
	w.t.Helper()
	w.stop()
	for _, object := range backup {
		edit(w, object.DeepCopyObject().(client.Object), func(o client.Object) { o.SetFinalizers(nil) })
		w.delete(object.DeepCopyObject().(client.Object))
		w.gone(object.DeepCopyObject().(client.Object))
		object.SetUID("")
		object.SetResourceVersion("")
		object.SetGeneration(0)
		object.SetCreationTimestamp(metav1.Time{})
		object.SetManagedFields(nil)
		w.create(object)
	}
}

// TestUnderAnotherKeyAnotherPasswordIsSaid: the operator's key is lost, and an older database comes back. Nothing is set, and the
// User does not say that its password stayed.
func TestUnderAnotherKeyAnotherPasswordIsSaid(t *testing.T) {
	t.Parallel()
	w, _, restore := restoredWorld(t, true, "rotated", memory.Options{})
	w.stop()
	w.loseKey()
	restore()
	w.store.ResetCalls()
	w.start()
	w.ready(&v1alpha1.User{}, "ann", "bob")
	says := func(name string) bool {
		return strings.Contains(readyMessage(get(w, &v1alpha1.User{}, name)), "another password was set")
	}
	w.eventually("ann's User says so", func() bool { return says("ann") })
	if sets := w.store.Count(memory.SetPassword); sets > 0 || says("bob") {
		t.Errorf("%d passwords were set; bob's User says so: %t", sets, says("bob"))
	}
}
