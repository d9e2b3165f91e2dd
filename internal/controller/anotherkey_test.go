package controller_test

import (
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/controller"
	"github.com/usher-media/usher/internal/media/embedded"
	"github.com/usher-media/usher/internal/media/memory"
)

// loseKey takes the operator's key away while it is down, and returns the key.
func (w *world) loseKey() *corev1.Secret {
	w.t.Helper()
	w.stop()
	key := get(w, &corev1.Secret{}, controller.KeySecretName)
	w.delete(key)
	return &corev1.Secret{ObjectMeta: w.meta(controller.KeySecretName), Data: key.Data}
}

// bringBack puts a former key into its place.
func (w *world) bringBack(key *corev1.Secret) {
	w.t.Helper()
	w.stop()
	w.delete(&corev1.Secret{ObjectMeta: w.meta(controller.KeySecretName)})
	w.create(key)
}

// presentKey is the id of the key that the operator has now.
func (w *world) presentKey() string {
	w.t.Helper()
	keyring, err := controller.NewKeyring(get(w, &corev1.Secret{}, controller.KeySecretName).Data["key"])
	if err != nil {
		w.t.Fatal(err)
	}
	return keyring.ID()
}

func (w *world) acceptKey(id string) {
	w.t.Helper()
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationAcceptedKey, id)
	})
}

func (w *world) noAnotherKey() {
	w.t.Helper()
	w.eventually("nothing was made with another key", func() bool {
		w.look()
		return meta.FindStatusCondition(get(w, w.mediaServer(), serverName).Status.Conditions, v1alpha1.ConditionAnotherKey) == nil
	})
}

// TestAnotherKeySetsNobodysPassword: it is said, and nothing else happens. When the key is brought back, all is as it was.
func TestAnotherKeySetsNobodysPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	works := w.family()
	w.noAnotherKey()
	former, id := w.presentKey(), ""
	key := w.loseKey()
	w.start()
	w.sync()
	w.nobodysPasswordWasSet(works)
	id = w.presentKey()
	said := w.condition(w.mediaServer(), serverName, v1alpha1.ConditionAnotherKey, metav1.ConditionTrue, v1alpha1.ReasonKeyChanged)
	for _, part := range []string{former, id, "4 Users", v1alpha1.AnnotationAcceptedKey} {
		if !strings.Contains(said.Message, part) {
			t.Errorf("the message does not name %q: %s", part, said.Message)
		}
	}
	w.ready(w.mediaServer(), serverName)
	for _, name := range []string{"ann", "cleo"} {
		w.eventually("the status of "+name+" says so", func() bool {
			return strings.Contains(readyMessage(get(w, &v1alpha1.User{}, name)), former)
		})
	}

	// What is made now is made with the present key, and goes on as ever. A change of a Secret waits.
	w.create(w.user("new"))
	w.ready(&v1alpha1.User{}, "new")
	edit(w, &corev1.Secret{ObjectMeta: w.meta("dora-first")}, func(s *corev1.Secret) { s.Data["password"] = []byte("second password of dora") })
	w.setDisabled("ann", true)
	w.state("ann", v1alpha1.UserDisabled)
	w.setDisabled("ann", false)
	w.state("ann", v1alpha1.UserActive)
	w.nobodysPasswordWasSet(works)

	w.bringBack(key)
	w.start()
	w.sync()
	w.eventually("the change that waited is applied", func() bool { return w.store.CheckPassword("dora", "second password of dora") })
	delete(works, "dora")
	works["new"] = w.password("new-credentials")
	for name, password := range works {
		w.ready(&v1alpha1.User{}, name)
		if !w.store.CheckPassword(name, password) {
			t.Errorf("the password of %s does not work any more", name)
		}
	}
	if sets := w.store.Count(memory.SetPassword); sets != 1 {
		t.Errorf("%d passwords were set, want that of dora", sets)
	}
}

// TestAPasswordThatItsHolderChoseIsNotSaidToBeAnother: Usher made the account, and cannot tell its password.
func TestAPasswordThatItsHolderChoseIsNotSaidToBeAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	user := w.user("eve")
	user.Spec.Password = &v1alpha1.Password{ChosenByHolder: true}
	w.create(user)
	w.ready(&v1alpha1.User{}, "eve")
	w.store.ChangePassword("eve", "own choice of eve")
	edit(w, user, func(u *v1alpha1.User) { u.Spec.Password = nil })
	w.ready(&v1alpha1.User{}, "eve")
	if w.passwordOrNone("eve-credentials") != "" || !w.store.CheckPassword("eve", "own choice of eve") {
		t.Error("a Secret holds a password that does not work, or the own one does not work any more")
	}
}

func readyMessage(user *v1alpha1.User) string {
	return meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ConditionReady).Message
}

// TestAnAcceptedKeyMakesPasswordsAnewAFewAtATime: only for the key that was named, and only what was generated.
func TestAnAcceptedKeyMakesPasswordsAnewAFewAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	works := w.family()
	var names []string
	for _, name := range []string{"u1", "u2", "u3", "u4", "u5", "u6"} {
		names = append(names, name)
		w.create(w.user(name))
		w.ready(&v1alpha1.User{}, name)
		works[name] = w.password(name + "-credentials")
	}
	former := w.presentKey()
	w.loseKey()
	w.start()
	w.acceptKey(former)
	w.sync()
	w.nobodysPasswordWasSet(works)

	w.acceptKey(w.presentKey())
	w.condition(w.mediaServer(), serverName, v1alpha1.ConditionAnotherKey, metav1.ConditionTrue, v1alpha1.ReasonKeyAccepted)
	names = append(names, "ann", "bob")
	renewed := func() (n int) {
		for _, name := range names {
			if kept := w.password(name + "-credentials"); kept != works[name] && w.store.CheckPassword(name, kept) {
				n++
			}
		}
		return n
	}
	w.eventually("five are made anew at once", func() bool { return renewed() >= 5 })
	w.sync()
	w.sync()
	if sets := w.store.Count(memory.SetPassword); sets == len(names) {
		t.Errorf("all %d passwords were set at once", sets)
	}
	w.stop()
	w.start() // whose next few may be made at once
	w.eventually("all are made anew, and work", func() bool { return renewed() == len(names) })
	if sets := w.store.Count(memory.SetPassword); sets != len(names) {
		t.Errorf("%d passwords were set for %d that were generated", sets, len(names))
	}
	for _, name := range []string{"cleo", "dora", "eve"} {
		if !w.store.CheckPassword(name, works[name]) {
			t.Errorf("a password was set that a person chose: that of %s", name)
		}
	}
	w.noAnotherKey()
	edit(w, &corev1.Secret{ObjectMeta: w.meta("cleo-first")}, func(s *corev1.Secret) { s.Data["password"] = []byte("second password of cleo") })
	w.eventually("a Secret that is changed later is applied", func() bool { return w.store.CheckPassword("cleo", "second password of cleo") })
}

// TestARotationIsDoneUnderAnotherKey: who asks for one gets one.
func TestARotationIsDoneUnderAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	first := w.password("ann-credentials")
	w.loseKey()
	w.delete(&corev1.Secret{ObjectMeta: w.meta("ann-credentials")})
	w.start()
	w.sync()
	w.eventually("the status says that the Secret is gone", func() bool {
		user := get(w, &v1alpha1.User{}, "ann")
		return strings.Contains(readyMessage(user), v1alpha1.AnnotationRotatePassword) && user.Status.CredentialsSecret == ""
	})
	if !w.store.CheckPassword("ann", first) {
		t.Error("the password was set")
	}
	edit(w, w.user("ann"), func(u *v1alpha1.User) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
	})
	w.eventually("a new password is kept and works", func() bool {
		return w.store.CheckPassword("ann", w.passwordOrNone("ann-credentials"))
	})
	w.noAnotherKey()
}

// TestNoLinkDiesUnderAnotherKey: neither by itself, nor when its Invite is changed. An accepted key gives new links.
func TestNoLinkDiesUnderAnotherKey(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", func(s *v1alpha1.InviteSpec) { s.MaxUses = new(int32(4)) })
	code := w.code("guests")
	register := func(name, code string, want int) {
		t.Helper()
		if status, _ := w.register(name, code); status != want {
			t.Errorf("%s: the link answers %d, want %d", name, status, want)
		}
	}
	register("joe", code, http.StatusCreated)
	w.state("guests", v1alpha1.InvitePending, 1)
	w.loseKey()
	w.openAs(embedded.Open)
	w.condition(w.mediaServer(), serverName, v1alpha1.ConditionAnotherKey, metav1.ConditionTrue, v1alpha1.ReasonKeyChanged)
	w.ready(&v1alpha1.Invite{}, "guests")
	register("kim", code, http.StatusCreated)
	w.state("guests", v1alpha1.InvitePending, 2)
	if w.code("guests") != code {
		t.Error("the Secret holds another code")
	}
	edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("guests")}, func(i *v1alpha1.Invite) { i.Spec.MaxUses = new(int32(9)) })
	w.ready(&v1alpha1.Invite{}, "guests")
	register("lou", code, http.StatusCreated)
	w.state("guests", v1alpha1.InvitePending, 3)

	w.eventually("the status says that the Secret cannot be made again", func() bool {
		// A reconcile that has read the code just before makes the Secret again: nothing is lost then.
		if err := w.client.Delete(t.Context(), &corev1.Secret{ObjectMeta: w.meta("guests-invite")}); client.IgnoreNotFound(err) != nil {
			t.Fatal(err)
		}
		said := meta.FindStatusCondition(get(w.world, &v1alpha1.Invite{}, "guests").Status.Conditions, v1alpha1.ConditionReady)
		return strings.Contains(said.Message, v1alpha1.AnnotationAcceptedKey)
	})
	register("mia", code, http.StatusCreated)
	w.state("guests", v1alpha1.InvitePending, 4)

	w.acceptKey(w.presentKey())
	w.eventually("there is a new link", func() bool {
		var secret corev1.Secret
		return w.client.Get(t.Context(), w.key("guests-invite"), &secret) == nil && string(secret.Data["code"]) != code
	})
	register("nina", w.code("guests"), http.StatusCreated)
	w.state("guests", v1alpha1.InvitePending, 5)
	register("omar", code, http.StatusNotFound)
	w.noAnotherKey()
}
