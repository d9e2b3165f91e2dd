package controller_test

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

const formerPassword = "password of the former person"

// fromSecret makes a User's password that of a Secret, which it makes, too.
func (w *world) fromSecret(user *v1alpha1.User, password string) *v1alpha1.User {
	w.t.Helper()
	w.create(w.secret(user.Name+"-new", map[string]string{"password": password}))
	user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: user.Name + "-new"}}
	return user
}

// neverOpenWith fails the test when an account that has the password can be used: it looks after each write.
func (w *world) neverOpenWith(username, password string) {
	remove := w.store.Hook(func(_ context.Context, moment memory.Moment, call memory.Call) error {
		account, found := w.store.Account(username)
		if moment == memory.After && found && !account.Disabled && w.store.CheckPassword(username, password) {
			w.t.Errorf("after %s the account is open, with the password that its former holder knows", call.Op)
		}
		return nil
	})
	w.t.Cleanup(remove)
}

// TestTheNextPersonOfAUsernameGetsTheManifestsPassword (cases/16): an account that was taken over while it was shut first
// gets the password of the manifest, and is opened then; whatever fails in between.
func TestTheNextPersonOfAUsernameGetsTheManifestsPassword(t *testing.T) {
	t.Parallel()
	faults := map[string]func(*memory.Store) func(){
		"no fault": func(*memory.Store) func() { return func() {} },
		"the password is refused once": func(s *memory.Store) func() {
			return s.Fail(memory.SetPassword, 1, media.Errorf(media.Unavailable, "down"))
		},
		"the password's answer is lost": func(s *memory.Store) func() { return s.Lose(memory.SetPassword, 1) },
		"the switch fails once": func(s *memory.Store) func() {
			return s.Fail(memory.SetDisabled, 1, media.Errorf(media.Unavailable, "down"))
		},
		"the answer of the switch is lost": func(s *memory.Store) func() { return s.Lose(memory.SetDisabled, 1) },
	}
	for fault, inject := range faults {
		for _, from := range []string{"a Secret", "nowhere"} {
			t.Run(fault+", password from "+from, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, memory.Options{Traits: quick})
				w.create(w.library("movies"), w.grant("g", "*", "*"), w.user("rex"))
				w.seesExactly("rex", "movies")
				w.ready(&v1alpha1.User{}, "rex")
				w.store.ChangePassword("rex", formerPassword)
				w.delete(w.user("rex"))
				w.gone(w.user("rex"))

				w.neverOpenWith("rex", formerPassword)
				defer inject(w.store)()
				next := w.user("rex")
				if from == "a Secret" {
					w.fromSecret(next, "password of the new person")
				}
				w.create(next)
				w.state("rex", v1alpha1.UserActive)
				w.seesExactly("rex", "movies")
				if w.store.CheckPassword("rex", formerPassword) {
					t.Error("the former person's password lets in")
				}
				password := w.passwordOrNone("rex-new")
				if from == "nowhere" {
					password = w.passwordOrNone("rex-credentials")
				}
				if !w.store.CheckPassword("rex", password) {
					t.Error("the manifest's password does not let in")
				}
			})
		}
	}
}

// TestTakenOverWhileShutAndOpenedLater: the account has the manifest's password before it is opened, be that in a year.
func TestTakenOverWhileShutAndOpenedLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.store.AddAccount(media.Account{Username: "rex", Role: media.RoleMember, Disabled: true}, formerPassword)
	w.sync()
	w.neverOpenWith("rex", formerPassword)
	user := w.fromSecret(w.user("rex"), "the first password")
	user.Spec.Disabled = true
	w.create(user)
	w.state("rex", v1alpha1.UserDisabled)
	if account, _ := w.store.Account("rex"); !account.Disabled {
		t.Error("opened, though the manifest says disabled")
	}
	w.stop()
	w.start()
	w.delete(&corev1.Secret{ObjectMeta: w.meta("rex-new")})
	w.setDisabled("rex", false)
	w.condition(&v1alpha1.User{}, "rex", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	w.create(w.secret("rex-new", map[string]string{"password": "the second password"}))
	w.state("rex", v1alpha1.UserActive)
	if !w.store.CheckPassword("rex", "the second password") {
		t.Error("the manifest's password does not let in")
	}
}

// TestTakenOverWhileShutWithAPasswordThatOnlyItsHolderKnows: nobody can tell whose the password is, so a person decides.
func TestTakenOverWhileShutWithAPasswordThatOnlyItsHolderKnows(t *testing.T) {
	t.Parallel()
	taken := func(t *testing.T) *world {
		w := newWorld(t, memory.Options{})
		w.store.AddAccount(media.Account{Username: "rex", Role: media.RoleMember, Disabled: true}, formerPassword)
		w.sync()
		user := w.user("rex")
		user.Spec.Password = &v1alpha1.Password{ChosenByHolder: true}
		w.create(user, w.library("movies"), w.grant("g", "*", "*"))
		said := w.condition(&v1alpha1.User{}, "rex", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPasswordUnknown)
		for _, way := range []string{"chosenByHolder", "enable the account on the server"} {
			if !strings.Contains(said.Message, way) {
				t.Errorf("the message does not name %q: %s", way, said.Message)
			}
		}
		w.sync()
		if account, _ := w.store.Account("rex"); !account.Disabled {
			t.Fatal("opened with a password that its former holder knows")
		}
		return w
	}
	t.Run("the manifest gives one", func(t *testing.T) {
		t.Parallel()
		w := taken(t)
		w.neverOpenWith("rex", formerPassword)
		edit(w, w.user("rex"), func(u *v1alpha1.User) { u.Spec.Password = nil })
		w.state("rex", v1alpha1.UserActive)
		w.seesExactly("rex", "movies")
		if !w.store.CheckPassword("rex", w.password("rex-credentials")) {
			t.Error("the kept password does not let in")
		}
	})
	t.Run("a person opens it", func(t *testing.T) {
		t.Parallel()
		w := taken(t)
		w.store.EditAccount("rex", func(a *media.Account) { a.Disabled = false })
		w.look()
		w.state("rex", v1alpha1.UserActive)
		w.seesExactly("rex", "movies")
		if !w.store.CheckPassword("rex", formerPassword) || w.store.Count(memory.SetPassword) > 0 {
			t.Error("a password was set that only its holder may choose")
		}
		w.setDisabled("rex", true)
		w.state("rex", v1alpha1.UserDisabled)
		w.setDisabled("rex", false)
		w.state("rex", v1alpha1.UserActive)
	})
}

// TestWhoIsLetInAgainKeepsTheirPassword: what this same User shut is opened with the password that it has.
func TestWhoIsLetInAgainKeepsTheirPassword(t *testing.T) {
	t.Parallel()
	passwords := map[string]*v1alpha1.Password{
		"generated": nil, "secret": {SecretRef: &v1alpha1.SecretKeyReference{Name: "first"}}, "chosen": {ChosenByHolder: true},
	}
	w := newWorld(t, memory.Options{})
	w.create(w.secret("first", map[string]string{"password": "the first password"}))
	for name, password := range passwords {
		user := w.user(name)
		user.Spec.Password = password
		w.create(user)
		w.ready(&v1alpha1.User{}, name)
		w.store.ChangePassword(name, "own choice of "+name)
		expired := v1alpha1.NewTime(time.Now().Add(-time.Hour))
		edit(w, user, func(u *v1alpha1.User) { u.Spec.ExpiresAt = &expired })
		w.state(name, v1alpha1.UserExpired)
	}
	w.stop()
	w.start()
	for name := range passwords {
		edit(w, w.user(name), func(u *v1alpha1.User) { u.Spec.ExpiresAt = nil })
		w.state(name, v1alpha1.UserActive)
		if !w.store.CheckPassword(name, "own choice of "+name) {
			t.Errorf("%s: let in again, and the own password does not work any more", name)
		}
	}
}

// TestAnAdministratorsAccountIsTakenOverByAlwaysAlone: neither because somebody, nor because another User disabled it.
func TestAnAdministratorsAccountIsTakenOverByAlwaysAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: func(c *media.Capabilities) {
		c.Roles["Operator"] = media.RoleInfo{Administers: true, Assignable: true}
	}})
	w.store.AddAccount(media.Account{Username: "operator", Role: "Operator", Disabled: true}, formerPassword)
	w.sync()
	admin := w.user("admin")
	admin.Spec.Role = v1alpha1.AccountRoleAdmin
	w.create(admin)
	w.ready(&v1alpha1.User{}, "admin")
	w.delete(admin)
	w.gone(admin)
	for _, role := range []v1alpha1.AccountRole{v1alpha1.AccountRoleMember, v1alpha1.AccountRoleAdmin} {
		for _, name := range []string{"admin", "operator"} {
			next := w.user(name)
			next.Spec.Role = role
			w.create(next)
			said := w.condition(&v1alpha1.User{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
			if !strings.Contains(said.Message, "administers") || !strings.Contains(said.Message, "Always") {
				t.Errorf("the message names neither cause nor way out: %s", said.Message)
			}
			if account, _ := w.store.Account(name); !account.Disabled || account.Role == media.RoleMember {
				t.Errorf("%s became %+v", name, account)
			}
			w.delete(next)
			w.gone(next)
		}
	}
	next := w.user("admin")
	next.Spec.Role, next.Spec.AdoptionPolicy = v1alpha1.AccountRoleAdmin, v1alpha1.AccountAdoptionAlways
	w.create(next)
	w.state("admin", v1alpha1.UserActive)
}

// TestTakenOverWhileShutByALowerRung: an account without a switch is shut by a password that nobody knows, or by seeing
// nothing. The next person does not get it with the former one's password either.
func TestTakenOverWhileShutByALowerRung(t *testing.T) {
	t.Parallel()
	for method, capabilities := range map[v1alpha1.DisableMethod]func(*media.Capabilities){
		v1alpha1.DisableLockOut: withoutSwitch, v1alpha1.DisableNoAccess: withoutLockOut,
	} {
		for _, from := range []string{"a Secret", "nowhere", "its holder", "its holder, and a person opens it"} {
			t.Run(string(method)+", password from "+from, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, memory.Options{Capabilities: capabilities})
				w.create(w.library("movies"), w.grant("g", "*", "*"), w.user("rex"))
				w.seesExactly("rex", "movies")
				w.ready(&v1alpha1.User{}, "rex")
				w.store.ChangePassword("rex", formerPassword)
				w.delete(w.user("rex"))
				w.gone(w.user("rex"))
				remove := w.store.Hook(func(_ context.Context, moment memory.Moment, call memory.Call) error {
					if moment == memory.After && w.store.CheckPassword("rex", formerPassword) && len(w.sees("rex")) > 0 {
						t.Errorf("after %s the former person sees %v", call.Op, w.sees("rex"))
					}
					return nil
				})
				defer remove()

				next := w.user("rex")
				next.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways
				if from == "a Secret" {
					w.fromSecret(next, "password of the new person")
				}
				if strings.HasPrefix(from, "its holder") {
					next.Spec.Password = &v1alpha1.Password{ChosenByHolder: true}
				}
				w.create(next)
				if strings.HasPrefix(from, "its holder") {
					w.condition(&v1alpha1.User{}, "rex", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPasswordUnknown)
					w.sync()
					if state := get(w, &v1alpha1.User{}, "rex").Status.State; state != v1alpha1.UserDisabledOnServer {
						t.Errorf("the account is shut, and its User says %s", state)
					}
				}
				switch from {
				case "its holder":
					edit(w, w.user("rex"), func(u *v1alpha1.User) { u.Spec.Password = nil })
				case "its holder, and a person opens it":
					remove()
					w.store.ChangePassword("rex", "a password given by hand")
					movies := w.store.Libraries()[0].ID
					w.store.EditAccount("rex", func(a *media.Account) { a.Access.Libraries[movies] = media.LibraryViewer })
					w.look()
					w.state("rex", v1alpha1.UserActive)
					w.seesExactly("rex", "movies")
					if !w.store.CheckPassword("rex", "a password given by hand") {
						t.Error("a password was set that only its holder may choose")
					}
					return
				}
				w.state("rex", v1alpha1.UserActive)
				w.seesExactly("rex", "movies")
				password := w.passwordOrNone("rex-new")
				if password == "" {
					password = w.passwordOrNone("rex-credentials")
				}
				if !w.store.CheckPassword("rex", password) {
					t.Error("the manifest's password does not let in")
				}
			})
		}
	}
}

// TestWhoTheServerLockedOutIsInUse: anybody can lock an account out who types wrong passwords. That makes it nobody's to take over,
// and an administrator's takeover does not end it.
func TestWhoTheServerLockedOutIsInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.store.AddAccount(media.Account{Username: "bob", Role: media.RoleMember, Disabled: true, LockedOut: true}, "bob's own password")
	w.sync()
	bob := w.user("bob")
	bob.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionIfDisabled
	w.create(bob)
	w.condition(&v1alpha1.User{}, "bob", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.sync()
	if writes := w.store.Writes(); len(writes) > 0 {
		t.Errorf("%v was done to an account in use", writes)
	}
	edit(w, bob, func(u *v1alpha1.User) { u.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways })
	w.state("bob", v1alpha1.UserDisabledOnServer)
	if account, _ := w.store.Account("bob"); !account.Disabled {
		t.Error("what the server locked out was opened")
	}
}
