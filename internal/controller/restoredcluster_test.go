package controller_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
)

// restore does with the cluster what a backup tool does, while Usher is down: objects vanish and come back with labels and
// annotations, with new UIDs and without a status. What controlled them is kept as it was, or lost.
func (w *world) restore(keepOwners bool, objects ...client.Object) {
	w.t.Helper()
	w.stop()
	for _, object := range objects {
		get(w, object, object.GetName())
		backup := object.DeepCopyObject().(client.Object)
		if len(object.GetFinalizers()) > 0 {
			edit(w, object, func(o client.Object) { o.SetFinalizers(nil) })
		}
		w.delete(object)
		w.gone(object)
		backup.SetUID("")
		backup.SetResourceVersion("")
		backup.SetGeneration(0)
		backup.SetCreationTimestamp(metav1.Time{})
		backup.SetManagedFields(nil)
		if !keepOwners {
			backup.SetOwnerReferences(nil)
		}
		w.create(backup)
	}
	w.start()
	w.sync()
}

// family makes Users whose passwords come from everywhere, and whose holders have, or have not, chosen another since.
// It returns the passwords that work.
func (w *world) family() map[string]string {
	w.t.Helper()
	w.create(w.secret("cleo-first", map[string]string{"password": "first password of cleo"}), w.secret("dora-first", map[string]string{"password": "first password of dora"}))
	passwords := map[string]*v1alpha1.Password{
		"ann": nil, "bob": nil, "eve": {ChosenByHolder: true},
		"cleo": {SecretRef: &v1alpha1.SecretKeyReference{Name: "cleo-first"}},
		"dora": {SecretRef: &v1alpha1.SecretKeyReference{Name: "dora-first"}},
	}
	for name, password := range passwords {
		user := w.user(name)
		user.Spec.Password = password
		w.create(user)
		w.ready(&v1alpha1.User{}, name)
	}
	works := map[string]string{"bob": w.password("bob-credentials"), "dora": "first password of dora"}
	for _, name := range []string{"ann", "cleo", "eve"} {
		works[name] = "own choice of " + name
		w.store.ChangePassword(name, works[name])
	}
	w.store.ResetCalls()
	return works
}

func (w *world) nobodysPasswordWasSet(works map[string]string) {
	w.t.Helper()
	for name, password := range works {
		w.ready(&v1alpha1.User{}, name)
		if !w.store.CheckPassword(name, password) {
			w.t.Errorf("the password of %s does not work any more", name)
		}
		if events := strings.Join(w.eventsOf(name), "\n"); w.store.Count(memory.SetPassword) > 0 && strings.Contains(events, "PasswordSet") {
			w.t.Errorf("events of %s: %s", name, events)
		}
	}
	if sets := w.store.Count(memory.SetPassword); sets > 0 {
		w.t.Errorf("%d passwords were set", sets)
	}
}

func (w *world) usersOf(works map[string]string) []client.Object {
	var users []client.Object
	for name := range works {
		users = append(users, w.user(name))
	}
	return users
}

// TestARestoredClusterSetsNobodysPassword (cases/03): the objects have new UIDs, and nothing else has changed.
func TestARestoredClusterSetsNobodysPassword(t *testing.T) {
	t.Parallel()
	for _, keepOwners := range []bool{true, false} {
		t.Run(fmt.Sprintf("owners kept %t", keepOwners), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{})
			works := w.family()
			first := w.password("ann-credentials")
			secrets := []client.Object{&corev1.Secret{ObjectMeta: w.meta("ann-credentials")}, &corev1.Secret{ObjectMeta: w.meta("bob-credentials")}}
			w.restore(keepOwners, append(secrets, w.usersOf(works)...)...)
			w.nobodysPasswordWasSet(works)
			for _, name := range []string{"ann", "bob"} {
				secret, user := get(w, &corev1.Secret{}, name+"-credentials"), get(w, &v1alpha1.User{}, name)
				if !metav1.IsControlledBy(secret, user) || user.Status.CredentialsSecret != secret.Name {
					t.Errorf("the Secret of %s belongs to %v, and the User names %q", name, secret.OwnerReferences, user.Status.CredentialsSecret)
				}
			}
			if w.password("ann-credentials") != first || w.password("bob-credentials") != works["bob"] {
				t.Error("a Secret was changed")
			}

			// What a person changes from now on is applied as ever.
			edit(w, &corev1.Secret{ObjectMeta: w.meta("cleo-first")}, func(s *corev1.Secret) { s.Data["password"] = []byte("second password of cleo") })
			w.eventually("a Secret that is changed later is applied", func() bool { return w.store.CheckPassword("cleo", "second password of cleo") })
			edit(w, w.user("ann"), func(u *v1alpha1.User) {
				metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
			})
			w.eventually("a rotation is done", func() bool {
				return w.password("ann-credentials") != first && w.store.CheckPassword("ann", w.password("ann-credentials"))
			})
			w.delete(w.user("bob"))
			w.gone(w.user("bob"))
			if w.passwordOrNone("bob-credentials") != "" {
				t.Error("the Secret of a deleted User stays")
			}
		})
	}
}

// TestASecretThatTheRestoreLostIsMadeAgain: the garbage collector deletes what belonged to the UIDs from before.
func TestASecretThatTheRestoreLostIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	works := w.family()
	w.delete(&corev1.Secret{ObjectMeta: w.meta("bob-credentials")})
	w.restore(false, w.usersOf(works)...)
	w.nobodysPasswordWasSet(works)
	w.eventually("the Secret holds what works", func() bool { return w.passwordOrNone("bob-credentials") == works["bob"] })
	w.restore(false, append(w.usersOf(works), &corev1.Secret{ObjectMeta: w.meta("bob-credentials")})...)
	w.nobodysPasswordWasSet(works)
}

// TestARecordThatWasCopiedTellsNothingAndSetsNothing: what belongs to one User is not told to another.
func TestARecordThatWasCopiedTellsNothingAndSetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	password, annotations := w.password("ann-credentials"), get(w, &v1alpha1.User{}, "ann").Annotations
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.DeletionPolicy = v1alpha1.UserDeletionRetain })
	w.delete(w.user("ann"))
	w.gone(w.user("ann"))
	other := w.user("other")
	other.Spec.Username, other.Annotations = "ann", annotations
	w.store.ResetCalls()
	w.create(other)
	w.ready(&v1alpha1.User{}, "other")
	if w.passwordOrNone("other-credentials") != "" {
		t.Error("a User was told the password that another had")
	}
	if !w.store.CheckPassword("ann", password) || w.store.Count(memory.SetPassword) > 0 {
		t.Error("a password was set on the word of a record that is another's")
	}
}

// TestWhomUsherDisabledAfterTheBackup of the cluster is not said to have been disabled by somebody else.
func TestWhomUsherDisabledAfterTheBackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	then := get(w, &v1alpha1.User{}, "ann")
	backup := &v1alpha1.User{ObjectMeta: w.meta("ann"), Spec: then.Spec}
	backup.Annotations = then.Annotations
	w.setDisabled("ann", true)
	w.state("ann", v1alpha1.UserDisabled)
	w.stop()
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Finalizers = nil })
	w.delete(w.user("ann"))
	w.gone(w.user("ann"))
	w.create(backup)
	w.start()
	w.state("ann", v1alpha1.UserDisabledOnServer)
	if message := readyMessage(get(w, &v1alpha1.User{}, "ann")); !strings.Contains(message, "Usher did, before the cluster was restored") {
		t.Errorf("the message does not name a restore of the cluster: %s", message)
	}
}
