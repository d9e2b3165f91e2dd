package controller_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// crowd makes Users, and returns their names.
func (w *world) crowd(n int) (names []string) {
	w.t.Helper()
	for i := range n {
		names = append(names, fmt.Sprintf("u%d", i))
		w.create(w.user(names[i]))
	}
	w.ready(&v1alpha1.User{}, names...)
	return names
}

// touchSecrets gives the credentials Secrets another version, as a restore of the cluster does.
func (w *world) touchSecrets(users ...string) {
	w.t.Helper()
	for _, name := range users {
		edit(w, &corev1.Secret{ObjectMeta: w.meta(name + "-credentials")}, func(s *corev1.Secret) {
			metav1.SetMetaDataAnnotation(&s.ObjectMeta, "example.org/touched", "true")
		})
	}
}

// readySince is since when an object has been Ready; it fails for one that is not.
func (w *world) readySince(object withStatus, name string) metav1.Time {
	w.t.Helper()
	ready := meta.FindStatusCondition(*get(w, object, name).StatusConditions(), v1alpha1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionTrue {
		w.t.Errorf("%s is not Ready: %+v", name, ready)
		return metav1.Time{}
	}
	return ready.LastTransitionTime
}

// fewAtATime fails when more passwords were tried since a moment than one that is careful tries.
func (w *world) fewAtATime(since time.Time) {
	w.t.Helper()
	tries := w.store.Count(memory.Authenticate)
	if most := 5 + int(time.Since(since)/(10*time.Second)); tries > most {
		w.t.Errorf("%d passwords were tried, want %d at the most", tries, most)
	}
}

// TestUnderAnotherKeyPasswordsAreTriedAFewAtATime: the cluster came back, and the key did not. Who waits for a turn stays as it was.
func TestUnderAnotherKeyPasswordsAreTriedAFewAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	names, since := w.crowd(8), map[string]metav1.Time{}
	w.loseKey()
	w.touchSecrets(names...)
	for _, name := range names {
		since[name] = w.readySince(&v1alpha1.User{}, name)
	}
	w.store.ResetCalls()
	begun := time.Now()
	w.start()
	w.eventually("some are tried", func() bool { return w.store.Count(memory.Authenticate) >= 5 })
	for _, name := range names {
		w.eventually(name+" says so", func() bool { return strings.Contains(readyMessage(get(w, &v1alpha1.User{}, name)), "another key") })
	}
	w.sync()
	w.sync()
	w.fewAtATime(begun)
	for _, name := range names {
		user := get(w, &v1alpha1.User{}, name)
		if now := w.readySince(user, name); !now.Equal(new(since[name])) || user.Status.CredentialsSecret != name+"-credentials" {
			t.Errorf("%s was not Ready for a while, or does not name its Secret: %+v", name, user.Status)
		}
	}
	w.eventually("the others have their turn", func() bool { return w.store.Count(memory.Authenticate) >= 6 })
	w.fewAtATime(begun)
}

// TestUnderAnotherKeyAnAddressIsNoReasonToTry: a Secret of the same version holds the same password.
func TestUnderAnotherKeyAnAddressIsNoReasonToTry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.crowd(2)
	w.loseKey()
	w.store.ResetCalls()
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.PublicURL = "https://watch.example.org" })
	w.start()
	for _, name := range []string{"u0", "u1"} {
		w.eventually(name+" says so", func() bool { return strings.Contains(readyMessage(get(w, &v1alpha1.User{}, name)), "another key") })
	}
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.sync()
	w.ready(&v1alpha1.User{}, "u0", "u1")
	if tries := w.store.Count(memory.Authenticate); tries > 0 {
		t.Errorf("%d passwords were tried", tries)
	}
}

// TestALimitOfSignInsHoldsNothingElseBack: nobody can be tried for now, and people are shut out as ever.
func TestALimitOfSignInsHoldsNothingElseBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	names := w.crowd(3)
	w.loseKey()
	w.touchSecrets(names...)
	server, user := w.readySince(w.mediaServer(), serverName), w.readySince(&v1alpha1.User{}, "u0")
	w.store.ResetCalls()
	w.store.Fail(memory.Authenticate, -1, media.Errorf(media.RateLimited, "too many sign-ins"))
	w.start()
	w.eventually("they are tried", func() bool { return w.store.Count(memory.Authenticate) >= 3 })
	w.setDisabled("u2", true)
	w.state("u2", v1alpha1.UserDisabled)
	w.sync()
	if account, _ := w.store.Account("u2"); !account.Disabled {
		t.Error("u2 is not shut out")
	}
	w.ready(&v1alpha1.User{}, names...)
	if now := w.readySince(w.mediaServer(), serverName); !now.Equal(&server) {
		t.Error("the MediaServer was not Ready for a while")
	}
	if now := w.readySince(&v1alpha1.User{}, "u0"); !now.Equal(&user) {
		t.Error("u0 was not Ready for a while")
	}
	if events := strings.Join(w.eventsOf(serverName), "\n"); strings.Contains(events, v1alpha1.ReasonRateLimited) {
		t.Errorf("events of the MediaServer: %s", events)
	}
}

// TestOnlyARefusedPasswordIsSaidNotToWork: a server that answers anything else says nothing of it, and is asked again later.
func TestOnlyARefusedPasswordIsSaidNotToWork(t *testing.T) {
	t.Parallel()
	for _, code := range []media.Code{media.PermissionDenied, media.Unsupported, media.Invalid} {
		for _, keyLost := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, key lost=%t", code, keyLost), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, memory.Options{})
				w.crowd(1)
				if keyLost {
					w.loseKey()
					w.touchSecrets("u0")
				} else {
					w.restoreFrom([]client.Object{get(w, w.user("u0"), "u0").DeepCopy()})
				}
				w.store.ResetCalls()
				stop := w.store.Fail(memory.Authenticate, -1, media.Errorf(code, "not today"))
				w.start()
				w.eventually("it is tried", func() bool { return w.store.Count(memory.Authenticate) == 1 })
				w.sync()
				w.sync()
				w.ready(&v1alpha1.User{}, "u0")
				w.saysOutdated("u0", false)
				if tries := w.store.Count(memory.Authenticate); tries != 1 {
					t.Errorf("%d tries, want one for now", tries)
				}
				if record := get(w, w.user("u0"), "u0").Annotations[v1alpha1.AnnotationOwned]; strings.Contains(record, "provenUID") {
					t.Errorf("the password counts as proven: %s", record)
				}
				w.stop()
				stop()
				w.start()
				w.eventually("it is tried again", func() bool { return w.store.Count(memory.Authenticate) == 2 })
				w.sync()
				w.ready(&v1alpha1.User{}, "u0")
				w.saysOutdated("u0", false)
			})
		}
	}
}

// TestWhyAPasswordDoesNotWorkIsSaidAsFarAsItIsKnown: the Secret was changed, or the account's password was.
func TestWhyAPasswordDoesNotWorkIsSaidAsFarAsItIsKnown(t *testing.T) {
	t.Parallel()
	const secret, account = "the Secret was changed", "its holder chose"
	for name, c := range map[string]struct {
		tells   bool
		changed string
		says    []string
		not     string
	}{
		"the server tells, the Secret":      {true, "Secret", []string{"does not hold it"}, account},
		"the server tells, the account":     {true, "account", []string{"another one was set ("}, secret},
		"the server tells not, the Secret":  {false, "Secret", []string{secret, account}, "does not hold it"},
		"the server tells not, the account": {false, "account", []string{secret, account}, "does not hold it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := memory.Options{Traits: quick}
			if c.tells {
				options.Created = secondsApart(120)
			}
			w := newWorld(t, options)
			w.create(w.user("ann"))
			w.ready(&v1alpha1.User{}, "ann")
			w.rotateAnew(w.password("ann-credentials"))
			recorded := map[bool]string{true: "passwordTold", false: "passwordAt"}[c.tells]
			w.eventually("when it was set is recorded", func() bool {
				w.look()
				return strings.Contains(get(w, w.user("ann"), "ann").Annotations[v1alpha1.AnnotationOwned], recorded)
			})
			w.ready(&v1alpha1.User{}, "ann")
			w.loseKey()
			w.touchSecrets("ann")
			if c.changed == "Secret" {
				edit(w, &corev1.Secret{ObjectMeta: w.meta("ann-credentials")}, func(s *corev1.Secret) { s.Data["password"] = []byte("changed by hand") })
			} else {
				w.store.ChangePassword("ann", "own choice of ann")
			}
			w.start()
			said := w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonKeyChanged)
			for _, part := range append(c.says, "ann-credentials", v1alpha1.AnnotationRotatePassword) {
				if !strings.Contains(said.Message, part) {
					t.Errorf("the message does not say %q: %s", part, said.Message)
				}
			}
			if strings.Contains(said.Message, c.not) {
				t.Errorf("the message says %q: %s", c.not, said.Message)
			}
		})
	}
}

// TestWhatIsOutdatedStaysSo, while its account is disabled, and while the operator that has just started tries others first.
// Nothing is written then.
func TestWhatIsOutdatedStaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	names := w.crowd(6)
	var backup []client.Object
	for _, name := range names {
		backup = append(backup, get(w, w.user(name), name).DeepCopy(), get(w, &corev1.Secret{}, name+"-credentials").DeepCopy())
		w.store.ChangePassword(name, "set since by "+name)
	}
	w.restoreFrom(backup)
	w.start()
	w.ready(&v1alpha1.User{}, names...)
	outdated := func() {
		t.Helper()
		for _, name := range names {
			w.saysOutdated(name, true)
		}
	}
	outdated()

	w.setDisabled("u0", true)
	w.state("u0", v1alpha1.UserDisabled)
	w.sync()
	w.saysOutdated("u0", true)
	w.setDisabled("u0", false)
	w.state("u0", v1alpha1.UserActive)

	since := map[string]metav1.Time{}
	for _, name := range names {
		since[name] = w.readySince(&v1alpha1.User{}, name)
	}
	w.stop()
	w.counting.take()
	w.store.ResetCalls()
	begun := time.Now()
	w.start()
	w.eventually("some are tried again", func() bool { return w.store.Count(memory.Authenticate) >= 5 })
	w.sync()
	w.sync()
	outdated()
	w.fewAtATime(begun)
	for _, name := range names {
		if now := w.readySince(&v1alpha1.User{}, name); !now.Equal(new(since[name])) {
			t.Errorf("%s was not Ready for a while", name)
		}
	}
	for kind, n := range w.counting.take() {
		if strings.Contains(kind, "User") || strings.Contains(kind, "Secret") {
			t.Errorf("%d writes: %s", n, kind)
		}
	}
}
