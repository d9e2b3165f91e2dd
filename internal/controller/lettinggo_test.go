package controller_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// trouble is what can happen around a server while things are let go, in any order.
var troubles = map[string]func(w *world, up *func()){
	"secret": func(w *world, _ *func()) { w.delete(&corev1.Secret{ObjectMeta: w.meta("home-admin")}) },
	"down":   func(w *world, up *func()) { *up = w.store.Down(); w.look() },
	"server": func(w *world, _ *func()) { w.delete(w.mediaServer()) },
	"user":   func(w *world, _ *func()) { w.delete(w.user("ann")) },
}

var troubleOrders = [][]string{
	{"secret", "down", "user"}, {"down", "secret", "user"}, {"down", "user", "secret"},
	{"down", "secret", "server", "user"}, {"down", "user", "server", "secret"}, {"down", "server", "user"},
}

// troubled plays an order of troubles; the MediaServer's policy is Cascade.
func troubled(t *testing.T, order []string, releaseAfter time.Duration) (w *world, up func()) {
	t.Helper()
	w = newIdleWorld(t, memory.Options{})
	w.releaseAfter = releaseAfter
	w.start()
	w.create(w.mediaServer(), w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.cascade()
	for _, trouble := range order {
		troubles[trouble](w, &up)
		if trouble == "down" {
			w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, "")
		}
	}
	return w, up
}

// TestNothingWaitsForever: whatever is gone and down, in whatever order, the wait ends, and an event says what stays.
func TestNothingWaitsForever(t *testing.T) {
	t.Parallel()
	for _, order := range troubleOrders {
		t.Run(strings.Join(order, ","), func(t *testing.T) {
			t.Parallel()
			w, _ := troubled(t, order, 3*time.Second)
			w.gone(w.user("ann"))
			w.eventually("an event says what stays behind", func() bool {
				return strings.Contains(strings.Join(w.eventsOf("ann"), "\n"), "the account stays on the server as it is")
			})
			if account, _ := w.store.Account("ann"); account.Disabled {
				t.Error("the account was changed on a server that is down")
			}
			if strings.Contains(strings.Join(order, ","), "server") {
				w.gone(w.mediaServer())
			}
		})
	}
}

// TestWhatWaitsIsDoneSecondsAfterTheServerIsBack, with credentials that are remembered where their Secret is gone.
func TestWhatWaitsIsDoneSecondsAfterTheServerIsBack(t *testing.T) {
	t.Parallel()
	for _, order := range troubleOrders {
		t.Run(strings.Join(order, ","), func(t *testing.T) {
			t.Parallel()
			w, up := troubled(t, order, 10*time.Minute)
			w.passes(5 * time.Second) // the looks at the server have become rare
			up()
			began := time.Now()
			w.gone(w.user("ann"))
			if took := time.Since(began); took > 12*time.Second {
				t.Errorf("ann was shut out %s after the server was back", took)
			}
			if account, _ := w.store.Account("ann"); !account.Disabled || len(account.Access.Libraries) > 0 {
				t.Errorf("ann was left with %+v", account)
			}
		})
	}
}

// TestAfterARestartTheCredentialsAreGone, and the event says so.
func TestAfterARestartTheCredentialsAreGone(t *testing.T) {
	t.Parallel()
	w, up := troubled(t, []string{"down", "secret"}, 3*time.Second)
	w.stop()
	w.start()
	up()
	w.delete(w.user("ann"), w.mediaServer())
	w.gone(w.user("ann"))
	w.gone(w.mediaServer())
	w.eventually("an event says why", func() bool {
		return strings.Contains(strings.Join(w.eventsOf("ann"), "\n"), "its credentials, since Usher was started after that")
	})
}

// TestTheCredentialsOfASecretThatIsGoneAreUsedForWhatIsLetGoAlone: whoever deleted the Secret has taken them away.
func TestTheCredentialsOfASecretThatIsGoneAreUsedForWhatIsLetGoAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	w.delete(&corev1.Secret{ObjectMeta: w.meta("home-admin")})
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	w.store.ResetCalls()
	looks := w.ofController("controller_runtime_reconcile_total", "mediaserver")
	w.look()
	w.eventually("it is looked at again", func() bool {
		return w.ofController("controller_runtime_reconcile_total", "mediaserver") > looks && w.ofController("controller_runtime_active_workers", "mediaserver") == 0
	})
	if w.store.Count(memory.Any) > 0 {
		t.Errorf("the server was asked %v", w.store.Counts())
	}
	w.delete(w.user("ann"))
	w.gone(w.user("ann"))
	if account, _ := w.store.Account("ann"); !account.Disabled {
		t.Error("ann was let go, and not shut out")
	}
}

// TestNothingIsLetGoOnAnotherServer that answers, when its Secret is gone: it waits for the one that the credentials are of.
func TestNothingIsLetGoOnAnotherServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Proxied: true})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	first := get(w, w.mediaServer(), serverName).Status.Identity
	w.delete(&corev1.Secret{ObjectMeta: w.meta("home-admin")})
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	w.store.SetIdentity("another")
	w.store.ResetCalls()
	w.delete(w.user("ann"))
	w.eventually("the MediaServer says that another server answers", func() bool {
		said := w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		return strings.Contains(said.Message, "with the credentials from before: another server answers at this URL (another, was "+first)
	})
	if user := get(w, &v1alpha1.User{}, "ann"); len(user.Finalizers) == 0 || w.store.WriteCount() > 0 {
		t.Errorf("let go with %v, and wrote %v", user.Finalizers, w.store.Counts())
	}
	w.store.SetIdentity(first)
	w.look()
	w.gone(w.user("ann"))
	if account, _ := w.store.Account("ann"); !account.Disabled || len(account.Access.Libraries) > 0 {
		t.Errorf("ann was left with %+v", account)
	}
}

// TestADeletionPolicyThatTheServerCannotCarryOut takes nothing away, and holds nothing up.
func TestADeletionPolicyThatTheServerCannotCarryOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: func(c *media.Capabilities) { c.DeleteAccount = false }})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	deletes := func(u *v1alpha1.User) { u.Spec.DeletionPolicy = v1alpha1.UserDeletionDelete }
	fresh := w.user("new")
	deletes(fresh)
	w.create(fresh)
	w.condition(&v1alpha1.User{}, "new", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	if _, made := w.store.Account("new"); made {
		t.Error("an account was made that cannot end as its manifest says")
	}
	edit(w, w.user("ann"), deletes)
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	edit(w, w.grant("g", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Disabled = true })
	w.seesExactly("ann")
	edit(w, w.grant("g", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Disabled = false })
	w.seesExactly("ann", "movies")

	w.cascade()
	w.delete(w.user("ann"), w.user("new"), w.library("movies"), w.mediaServer())
	for _, object := range []client.Object{w.user("ann"), w.user("new"), w.library("movies"), w.mediaServer()} {
		w.gone(object)
	}
	if account, there := w.store.Account("ann"); !there || !account.Disabled || len(account.Access.Libraries) > 0 {
		t.Errorf("ann was left with %+v", account)
	}
	w.eventually("a Warning says that the account is there", func() bool {
		return strings.Contains(strings.Join(w.eventsOf("ann"), "\n"), "is not deleted as deletionPolicy says")
	})
}

// TestAnAccountThatTheServerRefusesToDelete is shut out instead, whatever its reason.
func TestAnAccountThatTheServerRefusesToDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	ann := w.user("ann")
	ann.Spec.DeletionPolicy = v1alpha1.UserDeletionDelete
	w.create(ann)
	w.ready(&v1alpha1.User{}, "ann")
	w.store.Fail(memory.DeleteAccount, 1000, media.Errorf(media.Conflict, "the account owns something"))
	w.delete(ann)
	w.gone(ann)
	if account, there := w.store.Account("ann"); !there || !account.Disabled {
		t.Errorf("ann was left with %+v", account)
	}
}

// TestInATerminatingNamespaceNothingIsMade: no account, no Secret that is gone; and no event is refused.
func TestInATerminatingNamespaceNothingIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	password := w.user("bob") // is made only once its Secret is there
	password.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "home-admin", Key: "later"}}
	w.create(password)
	w.condition(&v1alpha1.User{}, "bob", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	logged := len(w.logged.text())
	w.delete(w.prunes()["namespace"]...)
	if err := w.client.Create(t.Context(), w.user("late")); !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		t.Fatalf("the namespace takes a User: %v", err)
	}
	w.store.ResetCalls()
	w.counting.take()
	w.passes(time.Second)
	edit(w, &corev1.Secret{ObjectMeta: w.meta("home-admin")}, func(s *corev1.Secret) { s.Data["later"] = []byte("correct horse battery") })
	w.delete(&corev1.Secret{ObjectMeta: w.meta("ann-credentials")})
	w.sync()
	w.sync()
	w.delete(w.user("ann"), w.mediaServer())
	w.gone(w.user("ann"))
	w.gone(w.mediaServer())
	for what, n := range w.counting.take() {
		if strings.HasPrefix(what, "create") {
			t.Errorf("%s was tried %d times", what, n)
		}
	}
	if w.store.WriteCount() > 0 {
		t.Errorf("wrote to the server: %v", w.store.Counts())
	}
	for line := range strings.SplitSeq(w.logged.text()[logged:], "\n") {
		if strings.Contains(line, `"error"=`) {
			t.Errorf("logged as an error, which comes with a stack trace: %s", line)
		}
	}
}

// TestNothingIsDoneOnTheWordOfAnOldCache: the cache says that the User is being deleted, and that was another one.
func TestNothingIsDoneOnTheWordOfAnOldCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.counting.onLiveGet(func(object client.Object) {
		if user, is := object.(*v1alpha1.User); is {
			user.UID = "another, which was made under the same name"
		}
	})
	w.store.ResetCalls()
	w.delete(w.user("ann"))
	condition := w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRetrying)
	if !strings.Contains(condition.Message, "the cache is behind") || w.store.WriteCount() > 0 {
		t.Errorf("wrote %v, and says %s", w.store.Counts(), condition.Message)
	}
	w.counting.onLiveGet(nil)
	w.gone(w.user("ann"))
}

// TestNobodyIsShutOutBeforeTheServerIsLookedAtAgain: it was down, and may be another one when it is back.
func TestNobodyIsShutOutBeforeTheServerIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	up := w.store.Down()
	w.look()
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
	w.store.ResetCalls()
	w.delete(w.user("ann"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
	for _, op := range []memory.Op{memory.SetDisabled, memory.SetAccess, memory.Account} {
		if n := w.store.Count(op); n > 0 {
			t.Errorf("%s was tried %d times before the server had been looked at", op, n)
		}
	}
	up()
	w.gone(w.user("ann"))
}

// TestLinksAreClosedWithTheirMediaServer, and work again, and go on counting, when it is made again.
func TestLinksAreClosedWithTheirMediaServer(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("cousins", nil)
	code := w.code("cousins")
	if status, text := w.register("joe", code); status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	server := get(w.world, &v1alpha1.MediaServer{}, serverName)
	w.delete(server)
	w.gone(server)
	if status, _ := w.register("kim", code); status != http.StatusGone {
		t.Errorf("the link of a server that nobody manages answers %d", status)
	}
	if n := w.users(v1alpha1.LabelInvite, "cousins"); n != 1 {
		t.Errorf("%d people who came are Users, want 1", n)
	}
	again := w.mediaServer()
	again.Spec.URL = w.url
	w.create(again)
	w.ready(&v1alpha1.Invite{}, "cousins")
	if w.code("cousins") != code {
		t.Error("the link is another one")
	}
	if status, text := w.register("kim", code); status != http.StatusCreated {
		t.Errorf("the link does not work again: %d %s", status, text)
	}
	w.state("cousins", v1alpha1.InvitePending, 2)
}

// TestALinkThatCannotBeClosedIsNamed after the grace.
func TestALinkThatCannotBeClosedIsNamed(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("cousins", nil)
	w.stop()
	w.releaseAfter = 3 * time.Second
	w.start() // with drivers of a server that does not answer
	w.store.Down()
	server := get(w.world, &v1alpha1.MediaServer{}, serverName)
	w.delete(server)
	w.gone(server)
	w.eventually("an event names the link", func() bool {
		return strings.Contains(strings.Join(w.eventsOf("cousins"), "\n"), "the link of Invite cousins")
	})
}
