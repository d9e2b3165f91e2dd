package faults

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/controller"
	"github.com/usher-media/usher/internal/media"
)

// TestRestoredCluster: a backup tool brings all objects back with their annotations and new UIDs, and their Secrets or
// not. Nothing is written to the media server: nobody's password is set, nobody loses or gains anything.
func TestRestoredCluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		lose func(h *house)
	}{
		{"everything comes back", func(*house) {}},
		{"the credentials Secrets are lost", func(h *house) { h.deleteSecrets("-credentials") }},
	} {
		t.Run(name(c.name), func(t *testing.T) {
			t.Parallel()
			on := newMemory(nil)
			h := newHouse(t, on)
			h.start()
			household(h)
			h.create(h.secret("zoe-password", map[string]string{"password": "zoe's first password", "username": "zoe"}))
			zoe := h.user("zoe", "group=adults")
			zoe.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "zoe-password"}}
			h.create(zoe)
			h.quiet()
			h.followed()
			on.store.ChangePassword("zoe", "zoe's own choice")
			people := h.system.people()

			h.kill()
			h.comesBack(false)
			c.lose(h)
			h.start()
			h.quiet()
			h.followed()
			h.writesNothingToTheServer("for new UIDs")
			if now := h.system.people(); !samePeople(people, now) {
				t.Errorf("people are %+v, were %+v", now, people)
			}
			if !h.system.accepts("zoe", "zoe's own choice") {
				t.Error("zoe's own choice of a password was overwritten")
			}
			covered.points.Add(1)
			covered.moments.Add(int64(h.oracle.verdict()))
			h.rest()
		})
	}
}

// TestLostKey: the operator's key is gone, and another one is made. Nobody's password is reset; with the first key back,
// nothing happens either.
func TestLostKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newMemory(nil))
	h.start()
	household(h)
	h.quiet()
	h.followed()
	key := &corev1.Secret{ObjectMeta: h.meta(controller.KeySecretName)}
	if err := h.client.Get(t.Context(), client.ObjectKeyFromObject(key), key); err != nil {
		t.Fatal(err)
	}
	h.kill()
	h.delete(key)
	h.start()
	h.relook()
	h.followed()
	h.writesNothingToTheServer("under another key")

	h.kill()
	h.delete(&corev1.Secret{ObjectMeta: h.meta(controller.KeySecretName)})
	first := &corev1.Secret{ObjectMeta: h.meta(controller.KeySecretName), Data: key.Data}
	if err := h.client.Create(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.quiet()
	h.followed()
	h.writesNothingToTheServer("with the first key back")
	covered.points.Add(2)
	covered.moments.Add(int64(h.oracle.verdict()))
	h.rest()
}

// comesBack makes every object anew from what a backup has of it: spec, labels and annotations, and its status or not.
func (h *house) comesBack(statuses bool) {
	h.t.Helper()
	objects := h.objects()
	for _, object := range objects {
		base := object.DeepCopyObject().(client.Object)
		withoutFinalizers(object)
		if err := h.client.Patch(h.t.Context(), object, client.MergeFrom(base)); client.IgnoreNotFound(err) != nil {
			h.t.Fatal(err)
		}
		h.delete(object)
	}
	for _, object := range objects {
		was := object.DeepCopyObject().(client.Object)
		h.create(asNew(object))
		if statuses {
			was.SetResourceVersion(object.GetResourceVersion())
			was.SetUID(object.GetUID())
			if err := h.client.Status().Update(h.t.Context(), was); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// asNew is an object that can be made anew.
func asNew(object withStatus) withStatus {
	object.SetUID("")
	object.SetResourceVersion("")
	object.SetGeneration(0)
	object.SetManagedFields(nil)
	object.SetFinalizers(nil)
	object.SetDeletionTimestamp(nil)
	object.SetDeletionGracePeriodSeconds(nil)
	object.SetCreationTimestamp(metav1.Time{})
	return object
}

func (h *house) deleteSecrets(suffix string) {
	h.t.Helper()
	var secrets corev1.SecretList
	if err := h.client.List(h.t.Context(), &secrets, client.InNamespace(h.namespace)); err != nil {
		h.t.Fatal(err)
	}
	for i := range secrets.Items {
		if strings.HasSuffix(secrets.Items[i].Name, suffix) {
			h.delete(&secrets.Items[i])
		}
	}
}

// writesNothingToTheServer fails when the operator that runs has written to the media server.
func (h *house) writesNothingToTheServer(why string) {
	h.t.Helper()
	for write := range h.process.Counts() {
		if strings.HasPrefix(write, "media: ") {
			h.t.Errorf("%s: %s", why, write)
		}
	}
}

func samePeople(a, b map[string]person) bool {
	if len(a) != len(b) {
		return false
	}
	for name, one := range a {
		other := b[name]
		if one.Disabled != other.Disabled || one.Role != other.Role || !slices.Equal(one.Sees, other.Sees) {
			return false
		}
	}
	return true
}

// reusing is a server that gives ids out again, and so may give somebody's to a stranger after a restore.
func reusing() *memorySystem {
	return newMemoryWith(nil, func(traits *media.Traits) { traits.AccountIDsNeverReused, traits.LibraryIDsNeverReused = false, false })
}

// afterRestore is what people do once an older database has come back.
var afterRestore = []struct {
	name   string
	change func(h *house)
	// gone: the MediaServer goes, too. quick: part of every test run.
	gone, quick bool
}{
	{"nothing changes", func(*house) {}, false, false},
	{"a grant is taken away", func(h *house) { h.delete(h.grant("late", "", "")) }, false, true},
	{"a user is disabled", func(h *house) { edit(h, h.user("leo"), func(u *v1alpha1.User) { u.Spec.Disabled = true }) }, false, false},
	{"a role changes", func(h *house) {
		edit(h, h.user("leo"), func(u *v1alpha1.User) { u.Spec.Role = v1alpha1.AccountRoleGuest })
	}, false, false},
	{"a password is rotated", func(h *house) {
		edit(h, h.user("leo"), func(u *v1alpha1.User) {
			u.SetAnnotations(with(u.GetAnnotations(), v1alpha1.AnnotationRotatePassword, "1"))
		})
	}, false, false},
	{"a user is deleted", func(h *house) { h.delete(h.user("leo")) }, false, false},
	{"a user and the account are deleted", func(h *house) {
		edit(h, h.user("leo"), func(u *v1alpha1.User) { u.Spec.DeletionPolicy = v1alpha1.UserDeletionDelete })
		h.delete(h.user("leo"))
	}, false, false},
	{"a library is deleted", func(h *house) {
		edit(h, h.library("attic"), func(l *v1alpha1.Library) { l.Spec.DeletionPolicy = v1alpha1.LibraryDeletionDelete })
		h.delete(h.library("attic"))
	}, false, false},
	{"everything is deleted", func(h *house) {
		for _, object := range h.objects() {
			h.delete(object)
		}
	}, true, true},
}

// TestRestoredServer: an older database comes back, and strangers are given ids that Users and Libraries have on record.
// What the strangers have stays as it is, whatever manifests take away, and nobody gets a stranger's library.
func TestRestoredServer(t *testing.T) {
	t.Parallel()
	for _, c := range afterRestore {
		for _, restarted := range []bool{false, true} {
			if !full() && (restarted || !c.quick) {
				continue
			}
			t.Run(name(c.name+map[bool]string{true: " restarted"}[restarted]), func(t *testing.T) {
				t.Parallel()
				restoreServer(t, restarted, c.change, c.gone)
			})
		}
	}
}

// restoreServer plays one: strangers have the ids of people who came after the backup, and of their library.
func restoreServer(t *testing.T, restarted bool, change func(h *house), gone bool) {
	t.Helper()
	on := reusing()
	h := newHouse(t, on)
	h.start()
	household(h)
	h.quiet()
	restore := on.store.Backup()
	h.create(h.library("attic"), h.user("leo"), h.user("zoe"), h.grant("late", "attic", "leo,zoe"))
	h.quiet()
	h.followed()
	h.oracle.byHand(func(s system) {
		restore()
		s.addLibrary("Strange")
		s.addAccount("stranger", "a stranger's password")
		s.addAccount("another", "another's password")
		s.give("stranger", "Strange")
	})
	if restarted {
		h.restart()
	}
	h.relook()
	h.relook()
	change(h)
	if !gone {
		h.relook()
		h.relook()
	}
	h.followed()
	stranger := h.system.people()["stranger"]
	if stranger.Disabled || !slices.Equal(stranger.Sees, []string{"Strange"}) || !h.system.accepts("stranger", "a stranger's password") {
		t.Errorf("the stranger's account was touched: %+v", stranger)
	}
	for username, p := range h.system.people() {
		if username != "stranger" && slices.Contains(p.Sees, "Strange") {
			t.Errorf("%s was given a stranger's library", username)
		}
	}
	if !slices.Contains(h.system.libraries(), "Strange") {
		t.Error("a stranger's library was renamed or deleted")
	}
	covered.points.Add(1)
	covered.moments.Add(int64(h.oracle.verdict()))
}
