package controller_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// replaceByManifest sends the manifest again as `kubectl replace` does: annotations and finalizers that it does not name go.
func (w *world) replaceByManifest(user *v1alpha1.User) {
	w.t.Helper()
	replace(w, w.user(user.Name), func(now *v1alpha1.User) {
		version, uid := now.ResourceVersion, now.UID
		user.DeepCopyInto(now)
		now.ResourceVersion, now.UID, now.Annotations, now.Finalizers = version, uid, nil, nil
	})
}

// loseRecord loses the record in one of the ways in which that happens.
var loseRecord = map[string]func(w *world, user *v1alpha1.User){
	"replaced by its manifest": (*world).replaceByManifest,
	"the annotation removed": func(w *world, user *v1alpha1.User) {
		edit(w, user, func(u *v1alpha1.User) { delete(u.Annotations, v1alpha1.AnnotationOwned) })
	},
	"the annotation spoiled": func(w *world, user *v1alpha1.User) {
		edit(w, user, func(u *v1alpha1.User) { u.Annotations[v1alpha1.AnnotationOwned] = `{"id": "` })
	},
}

// TestALostRecordIsMadeAgain of what the status remembers, without a write to the server, and the account goes on as before.
func TestALostRecordIsMadeAgain(t *testing.T) {
	t.Parallel()
	for name, lose := range loseRecord {
		for _, password := range []string{"generated", "from a Secret"} {
			t.Run(fmt.Sprintf("%s, password %s", name, password), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, memory.Options{Traits: reusing})
				user := w.user("ann", "group=home")
				if password != "generated" {
					w.create(w.secret("ann-password", map[string]string{"password": "ann's own password"}))
					user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
				}
				manifest := user.DeepCopy()
				w.create(w.library("movies"), w.grant("g", "movies", "group=home"), user)
				w.seesExactly("ann", "movies")
				w.ready(user, "ann")
				id := ownedID(user)
				w.store.ChangePassword("ann", "what ann chose herself")
				w.store.ResetCalls()

				lose(w, manifest)
				w.eventually("the record is there again", func() bool { return ownedID(get(w, user, "ann")) == id })
				w.sync()
				w.ready(user, "ann")
				w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionTrue, "")
				if writes := w.store.WriteCount(); writes > 0 || !w.store.CheckPassword("ann", "what ann chose herself") {
					t.Errorf("written: %v", w.store.Counts())
				}
				w.goesOn(user, id)
			})
		}
	}
}

// goesOn takes away what ann has, piece by piece, and at last ann.
func (w *world) goesOn(user *v1alpha1.User, id string) {
	w.t.Helper()
	edit(w, user, func(u *v1alpha1.User) { u.Labels = nil })
	w.seesExactly("ann")
	edit(w, user, func(u *v1alpha1.User) { u.Spec.Disabled = true })
	w.state("ann", v1alpha1.UserDisabled)
	edit(w, user, func(u *v1alpha1.User) { u.Spec.Disabled = false })
	w.state("ann", v1alpha1.UserActive)
	if account, _ := w.store.Account("ann"); string(account.ID) != id || account.Disabled {
		w.t.Errorf("the account is %+v", account)
	}
	edit(w, user, func(u *v1alpha1.User) { u.Spec.DeletionPolicy = v1alpha1.UserDeletionDelete })
	w.ready(user, "ann")
	w.delete(user)
	w.gone(user)
	if _, found := w.store.Account("ann"); found {
		w.t.Error("the account is still there")
	}
}

// TestALostRecordIsNoMoreThanAWitness: where the name is another, it is as with the record.
func TestALostRecordIsNoMoreThanAWitness(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		traits func(*media.Traits)
		reason string
	}{
		"ids are never given out again": {quick, v1alpha1.ReasonConflict},
		"ids are given out again":       {reusing, v1alpha1.ReasonInDoubt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Traits: c.traits})
			user := w.user("ann")
			manifest := user.DeepCopy()
			w.create(w.library("movies"), w.grant("g", "movies", "ann"), user)
			w.seesExactly("ann", "movies")
			w.ready(user, "ann")
			w.stop()
			stranger := w.replaceAccount("ann", media.Account{Username: "zed"})
			w.replaceByManifest(manifest)
			w.store.ResetCalls()
			w.start()
			w.condition(user, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, c.reason)
			w.delete(w.grant("g", "", ""))
			if c.reason == v1alpha1.ReasonConflict {
				w.seesExactly("zed")
			} else {
				w.sync()
				w.untouched(stranger)
			}
			w.delete(user)
			w.gone(user)
			w.eventually("an event says what is left behind", func() bool { return w.warnings("ann", "LeftBehind") > 0 })
		})
	}
}

// TestALostRecordOfADisabledAccount: that Usher disabled it is remembered, so that Usher may enable it.
func TestALostRecordOfADisabledAccount(t *testing.T) {
	t.Parallel()
	for name, capabilities := range map[string]func(*media.Capabilities){
		"Switch":   nil,
		"LockOut":  func(c *media.Capabilities) { c.Disable = false },
		"NoAccess": func(c *media.Capabilities) { c.Disable, c.LockOut = false, false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Traits: quick, Capabilities: capabilities})
			user := w.user("ann")
			manifest := user.DeepCopy()
			manifest.Spec.Disabled = true
			w.create(w.library("movies"), w.grant("g", "movies", "ann"), user)
			w.seesExactly("ann", "movies")
			w.ready(user, "ann")
			edit(w, user, func(u *v1alpha1.User) { u.Spec.Disabled = true })
			w.state("ann", v1alpha1.UserDisabled)
			w.store.ResetCalls()
			w.replaceByManifest(manifest)
			w.eventually("the record is there again", func() bool { return ownedID(get(w, user, "ann")) != "" })
			w.sync()
			w.state("ann", v1alpha1.UserDisabled)
			if writes := w.store.WriteCount(); writes > 0 {
				t.Errorf("written: %v", w.store.Counts())
			}
			edit(w, user, func(u *v1alpha1.User) { u.Spec.Disabled = false })
			w.state("ann", v1alpha1.UserActive)
			w.seesExactly("ann", "movies")
			if account, _ := w.store.Account("ann"); account.Disabled || !w.store.CheckPassword("ann", w.password("ann-credentials")) {
				t.Errorf("the account is %+v, or its password is not in the Secret", account)
			}
		})
	}
}

// TestALostRecordOfAMediaServer: another server that answers at the URL is not taken for the one that was there.
func TestALostRecordOfAMediaServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: reusing})
	manifest := w.mediaServer()
	w.create(w.library("movies"), w.grant("g", "movies", "ann"), w.user("ann"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.store.ResetCalls()
	w.store.SetIdentity("another server")
	replace(w, w.mediaServer(), func(now *v1alpha1.MediaServer) {
		version, uid := now.ResourceVersion, now.UID
		manifest.DeepCopyInto(now)
		now.ResourceVersion, now.UID = version, uid
	})
	w.look()
	w.condition(manifest, serverName, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonIdentityChanged)
	if writes := w.store.WriteCount(); writes > 0 {
		t.Errorf("written: %v", w.store.Counts())
	}
}

// TestADeletionSaysWhatItLeaves, also where the User was paused when it lost record and finalizer, so that it goes at once.
func TestADeletionSaysWhatItLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.user("ann"), w.user("bob"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.decide("ann", v1alpha1.AnnotationPaused, "true")
	user := &v1alpha1.User{}
	w.condition(user, "ann", v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPaused)
	edit(w, user, func(u *v1alpha1.User) {
		delete(u.Annotations, v1alpha1.AnnotationOwned)
		u.Finalizers = nil
	})
	w.delete(user, w.user("bob"))
	w.gone(user)
	w.gone(w.user("bob"))
	w.eventually("an event says what is left behind", func() bool { return w.warnings("ann", "LeftBehind") > 0 })
	if n := w.warnings("bob", "LeftBehind"); n > 0 {
		t.Errorf("%d events about what bob left behind", n)
	}
}

// recordedAs is a User that has an account of the server on record, as one who came by an invite.
func (w *world) recordedAs(name, username string, id media.AccountID) *v1alpha1.User {
	w.t.Helper()
	user := w.user(name)
	user.Spec.Username = username
	identity := get(w, &v1alpha1.MediaServer{}, serverName).Status.Identity
	user.Annotations = map[string]string{v1alpha1.AnnotationOwned: fmt.Sprintf(`{"id":%q,"origin":"Adopted","server":%q}`, id, identity)}
	user.Finalizers = []string{v1alpha1.Finalizer}
	return user
}

// TestALostRecordOfARenamedAccountWhoseNameAGuestHas: the record is made again before anybody asks whose the name is, and the
// renamed account is shut out.
func TestALostRecordOfARenamedAccountWhoseNameAGuestHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	user := w.user("ann")
	manifest := user.DeepCopy()
	manifest.Spec.Disabled = true
	w.create(w.library("movies"), w.grant("g", "movies", "ann"), user)
	w.seesExactly("ann", "movies")
	w.ready(user, "ann")
	id := ownedID(user)
	w.rename("ann", "anna")
	w.sync()
	w.condition(user, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	guest := w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember}, strangersPassword)
	w.create(w.recordedAs("guest", "ann", guest))
	w.sync()
	w.replaceByManifest(manifest)
	w.eventually("the renamed account is disabled", func() bool { account, _ := w.store.Account("anna"); return account.Disabled })
	w.eventually("the record is there again", func() bool { return ownedID(get(w, user, "ann")) == id })
	if account, _ := w.store.Account("ann"); account.Disabled {
		t.Error("the guest's account was disabled")
	}
}

// TestWhoLosesTheNameStillLosesTheAccess: the account that is named otherwise now is this User's, whoever has the name.
func TestWhoLosesTheNameStillLosesTheAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	zed := w.store.AddAccount(media.Account{Username: "zed", Role: media.RoleMember}, strangersPassword)
	w.sync()
	guest := w.recordedAs("guest", "ann", zed)
	first := get(w, &v1alpha1.User{}, "ann").CreationTimestamp
	w.eventually("it is younger", func() bool { return time.Since(first.Time) > time.Second })
	w.create(guest)
	w.condition(&v1alpha1.User{}, "guest", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonDuplicateClaim)
	w.setDisabled("guest", true)
	w.eventually("zed is disabled", func() bool { account, _ := w.store.Account("zed"); return account.Disabled })
	if account, _ := w.store.Account("ann"); account.Disabled {
		t.Error("the account of the User that has the name was disabled")
	}
}

// TestADeletionAfterCascadeSaysNothingMore: what becomes of the account was decided with the MediaServer.
func TestADeletionAfterCascadeSaysNothingMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.user("ann"), w.user("bob"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.DeletionPolicy = v1alpha1.MediaServerDeletionCascade })
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.delete(w.mediaServer())
	w.gone(w.mediaServer())
	w.delete(w.user("ann"))
	w.gone(w.user("ann"))
	edit(w, w.user("bob"), func(u *v1alpha1.User) { delete(u.Annotations, v1alpha1.AnnotationOwned) })
	w.delete(w.user("bob"))
	w.gone(w.user("bob"))
	w.eventually("an event says what the User left behind that had lost its record", func() bool { return w.warnings("bob", "LeftBehind") > 0 })
	if n := w.warnings("ann", "LeftBehind"); n > 0 {
		t.Errorf("%d events about what ann left behind", n)
	}
}

// TestNobodyIsSaidToBeActiveOnceTheMediaServerIsGone; who was shut out is remembered.
func TestNobodyIsSaidToBeActiveOnceTheMediaServerIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.user("ann"), w.user("bob"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.setDisabled("bob", true)
	w.state("bob", v1alpha1.UserDisabled)
	w.delete(w.mediaServer())
	w.gone(w.mediaServer())
	for name, state := range map[string]v1alpha1.UserState{"ann": v1alpha1.UserPending, "bob": v1alpha1.UserDisabled} {
		user := &v1alpha1.User{}
		w.condition(user, name, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerNotFound)
		if user.Status.State != state {
			t.Errorf("%s is %s, want %s", name, user.Status.State, state)
		}
	}
	w.create(w.mediaServer())
	w.state("ann", v1alpha1.UserActive)
}
