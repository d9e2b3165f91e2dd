package controller_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func withoutSwitch(c *media.Capabilities) { c.Disable = false }

func withoutLockOut(c *media.Capabilities) { c.Disable, c.LockOut = false, false }

func withoutAnything(c *media.Capabilities) { c.Disable, c.LockOut, c.ZeroAccess = false, false, false }

func (w *world) setDisabled(name string, disabled bool) {
	w.t.Helper()
	edit(w, w.user(name), func(u *v1alpha1.User) { u.Spec.Disabled = disabled })
}

// shutOutBy waits until a User is disabled, and wants to see by which rung.
func (w *world) shutOutBy(name string, method v1alpha1.DisableMethod) {
	w.t.Helper()
	w.state(name, v1alpha1.UserDisabled)
	if got := get(w, &v1alpha1.User{}, name).Status.DisableMethod; got != method {
		w.t.Errorf("shut out by %q, want %s", got, method)
	}
}

func TestLockedOutByThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: withoutSwitch})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	password := w.password("ann-credentials")
	session, err := w.store.SignIn("ann", password)
	if err != nil {
		t.Fatal(err)
	}

	w.setDisabled("ann", true)
	w.shutOutBy("ann", v1alpha1.DisableLockOut)
	if w.store.CheckPassword("ann", password) {
		t.Error("the password from before lets in")
	}
	if _, err := session.Libraries(); err == nil {
		t.Error("a session goes on")
	}

	sets := w.store.Count(memory.SetPassword)
	edit(w, w.user("ann"), func(u *v1alpha1.User) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
	})
	w.sync()
	w.ready(&v1alpha1.User{}, "ann")
	if now := w.store.Count(memory.SetPassword); now != sets {
		t.Errorf("a password was set on an account that is locked out, or again and again: %d more", now-sets)
	}

	w.setDisabled("ann", false)
	w.state("ann", v1alpha1.UserActive)
	w.eventually("the kept password works", func() bool { return w.store.CheckPassword("ann", w.password("ann-credentials")) })
	w.sync()
	w.ready(&v1alpha1.User{}, "ann")
	if again := w.password("ann-credentials"); again == password {
		t.Error("a rotation that was asked for while the account was locked out was forgotten")
	}
}

func TestWhoChoseAPasswordGetsANewOneAfterALockOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: withoutSwitch})
	w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember}, "ann's own password")
	w.sync()
	user := w.user("ann")
	user.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways
	w.create(user)
	w.ready(&v1alpha1.User{}, "ann")
	w.setDisabled("ann", true)
	w.shutOutBy("ann", v1alpha1.DisableLockOut)
	if w.store.CheckPassword("ann", "ann's own password") {
		t.Error("the person's own password lets in")
	}
	w.setDisabled("ann", false)
	w.state("ann", v1alpha1.UserActive)
	w.eventually("a new password is kept and works", func() bool {
		return w.store.CheckPassword("ann", w.passwordOrNone("ann-credentials"))
	})
}

// TestALostLockOutIsDoneAgain: the answer is lost, or the server fails before. Nobody gets in, and the way back works.
func TestALostLockOutIsDoneAgain(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*memory.Store) func(){
		"before": func(s *memory.Store) func() {
			return s.Fail(memory.SetPassword, 1, media.Errorf(media.Unavailable, "down"))
		},
		"after": func(s *memory.Store) func() { return s.Lose(memory.SetPassword, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Capabilities: withoutSwitch})
			w.create(w.user("ann"))
			w.ready(&v1alpha1.User{}, "ann")
			password := w.password("ann-credentials")
			defer fault(w.store)()
			w.setDisabled("ann", true)
			w.shutOutBy("ann", v1alpha1.DisableLockOut)
			if w.store.CheckPassword("ann", password) {
				t.Error("the account is said to be shut out, and its password works")
			}
			w.setDisabled("ann", false)
			w.state("ann", v1alpha1.UserActive)
			w.eventually("the kept password works", func() bool { return w.store.CheckPassword("ann", w.password("ann-credentials")) })
		})
	}
}

func TestMadeLockedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: withoutSwitch})
	w.create(w.secret("ann-password", map[string]string{"password": "correct horse"}))
	user := w.user("ann")
	user.Spec.Disabled = true
	user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
	w.create(user)
	w.shutOutBy("ann", v1alpha1.DisableLockOut)
	if w.store.CheckPassword("ann", "correct horse") {
		t.Error("made disabled, and the password lets in")
	}
	w.setDisabled("ann", false)
	w.state("ann", v1alpha1.UserActive)
	if !w.store.CheckPassword("ann", "correct horse") {
		t.Error("the Secret's password does not work")
	}
}

func TestShutOutByTakingEveryLibrary(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: withoutLockOut})
	private := w.store.AddLibrary(media.Library{Name: "Private", MediaType: "Movies", Paths: []string{"/media/private"}})
	w.sync()
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.ready(&v1alpha1.User{}, "ann")
	w.seesExactly("ann", "movies")
	w.store.EditAccount("ann", func(a *media.Account) {
		access := a.Access.Clone()
		access.Libraries[private] = media.LibraryViewer
		a.Access = access
	})
	w.sync()

	w.setDisabled("ann", true)
	w.shutOutBy("ann", v1alpha1.DisableNoAccess)
	w.seesExactly("ann")
	if user := get(w, &v1alpha1.User{}, "ann"); user.Status.Access.Total != 0 {
		t.Errorf("status says that the account sees %+v", user.Status.Access)
	}
	w.stop()
	w.start()
	w.create(w.library("shows"))
	w.ready(&v1alpha1.Library{}, "shows")
	w.sync()
	w.ready(&v1alpha1.User{}, "ann")
	w.seesExactly("ann")

	later := v1alpha1.NewTime(time.Now().Add(time.Hour))
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled, u.Spec.ExpiresAt = false, &later })
	w.state("ann", v1alpha1.UserActive)
	w.seesExactly("ann", "movies", "shows", "private")
	w.sync()
	w.ready(&v1alpha1.User{}, "ann")
	w.seesExactly("ann", "movies", "shows", "private")
}

// TestNoRungIsSaidFromTheStart: not on the day when somebody must be shut out and cannot be.
func TestNoRungIsSaidFromTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: withoutAnything})
	later := v1alpha1.NewTime(time.Now().Add(time.Hour))
	user := w.user("ann")
	user.Spec.ExpiresAt = &later
	user.Spec.Access = v1alpha1.UserAccessAll
	invite := &v1alpha1.Invite{ObjectMeta: w.meta("guests"), Spec: v1alpha1.InviteSpec{Offers: offering(serverName)}}
	invite.Spec.Account = &v1alpha1.InvitedAccount{ExpiresAfter: new(v1alpha1.NewDuration(time.Hour))}
	w.create(user, invite)
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	w.condition(&v1alpha1.Invite{}, "guests", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	if _, made := w.store.Account("ann"); made {
		t.Error("an account was made that cannot end")
	}
}

func TestDeletingAUserGoesDownTheLadder(t *testing.T) {
	t.Parallel()
	for method, capabilities := range map[v1alpha1.DisableMethod]func(*media.Capabilities){
		v1alpha1.DisableLockOut: withoutSwitch, v1alpha1.DisableNoAccess: withoutLockOut,
	} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Capabilities: capabilities})
			w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
			w.seesExactly("ann", "movies")
			w.ready(&v1alpha1.User{}, "ann")
			password := w.password("ann-credentials")
			w.delete(w.user("ann"))
			w.gone(w.user("ann"))
			w.seesExactly("ann")
			if method == v1alpha1.DisableLockOut && w.store.CheckPassword("ann", password) {
				t.Error("the deleted User's password lets in")
			}
			w.eventually("an event says how", func() bool {
				return strings.Contains(strings.Join(w.eventsOf("ann"), "\n"), string(method))
			})
		})
	}
}
