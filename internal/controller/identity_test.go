package controller_test

import (
	"encoding/json"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func appliedWrites(store *memory.Store) (applied []memory.Call) {
	for _, call := range store.Writes() {
		if call.Applied {
			applied = append(applied, call)
		}
	}
	return applied
}

// rotate asks for another generated password.
func (w *world) rotate(user, value string) {
	edit(w, w.user(user), func(u *v1alpha1.User) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, value)
	})
}

// passwordIsTrue says whether the password in the User's Secret is the account's.
func (w *world) passwordIsTrue(user string) bool {
	secret := get(w, &corev1.Secret{}, user+"-credentials")
	return w.store.CheckPassword(user, string(secret.Data["password"]))
}

// Another server comes to the URL long before the next look: whatever is asked for then reaches it not, and the
// MediaServer says so at once.
func TestAnotherServerBetweenTwoLooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: func(traits *media.Traits) { traits.LongestCall = 2 * time.Second }})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "movies", "ann"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	first := get(w, w.mediaServer(), serverName).Status.Identity
	w.store.SetIdentity("another")
	w.store.ResetCalls()
	w.rotate("ann", "1")
	w.create(w.user("bob"), w.library("shows"))
	w.delete(w.grant("g", "movies", "ann"))
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonIdentityChanged)
	for _, name := range []string{"ann", "bob"} {
		w.condition(&v1alpha1.User{}, name, v1alpha1.ConditionReady, metav1.ConditionFalse, "")
	}
	if writes := appliedWrites(w.store); len(writes) > 0 {
		t.Errorf("wrote to another server: %v", writes)
	}
	w.store.SetIdentity(first)
	w.look()
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.seesExactly("ann")
	if !w.passwordIsTrue("ann") {
		t.Error("Ready with a password in the Secret that does not work")
	}
}

// Behind a proxy the other server gets what is written in the first moments. What it got does not count: once the first
// is back, the password in the Secret is its password.
func TestPasswordThatAnotherServerGot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Proxied: true})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	first := get(w, w.mediaServer(), serverName).Status.Identity
	before := get(w, &corev1.Secret{}, "ann-credentials").Data["password"]
	w.sync()
	w.store.ResetCalls()
	w.store.SetIdentity("another")
	w.rotate("ann", "1")
	w.eventually("the other server gets the password, or is noticed", func() bool {
		return w.store.Count(memory.SetPassword) > 0 || get(w, w.mediaServer(), serverName).Status.State == v1alpha1.MediaServerRefused
	})
	w.look()
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonIdentityChanged)
	w.store.ChangePassword("ann", string(before)) // the first server never got the new one
	w.store.SetIdentity(first)
	w.look()
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.eventually("the password in the Secret works", func() bool { return w.passwordIsTrue("ann") })
	w.ready(&v1alpha1.User{}, "ann")
}

// ownedID is the id in an object's record.
func ownedID(object client.Object) string {
	var record struct{ ID string }
	_ = json.Unmarshal([]byte(object.GetAnnotations()[v1alpha1.AnnotationOwned]), &record)
	return record.ID
}
