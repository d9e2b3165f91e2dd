package controller_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// telling is a server that tells when things were made and set, each at another second.
func telling() func() time.Time { return secondsApart(1) }

// renewing are the ways in which a manifest asks for another password.
var renewing = map[string]func(w *world) (password string){
	"rotated": func(w *world) string {
		first := w.password("ann-credentials")
		edit(w, w.user("ann"), func(u *v1alpha1.User) {
			metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
		})
		w.eventually("the password is rotated", func() bool { return w.password("ann-credentials") != first })
		return w.password("ann-credentials")
	},
	"changed in its Secret": func(w *world) string {
		w.create(w.secret("ann-password", map[string]string{"password": "ann's next password"}))
		edit(w, w.user("ann"), func(u *v1alpha1.User) {
			u.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
		})
		return "ann's next password"
	},
}

// restoredWorld has a User ann whose password is another since a backup was made. restore brings that back, and with it a sign
// of it: the server tells when passwords were set, or several accounts are gone.
func restoredWorld(t *testing.T, tells bool, renew string, options memory.Options) (w *world, password string, restore func()) {
	t.Helper()
	options.Traits = quick
	if tells {
		options.Created = telling()
	}
	w = newWorld(t, options)
	w.create(w.user("ann"), w.user("bob"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	restore = w.store.Backup()
	password = renewing[renew](w)
	w.eventually("the next password works", func() bool { return w.store.CheckPassword("ann", password) })
	w.ready(&v1alpha1.User{}, "ann")
	if !tells {
		w.create(w.user("cleo"), w.user("dora"))
		w.ready(&v1alpha1.User{}, "cleo", "dora")
		return w, password, restore
	}
	w.look()
	w.eventually("when it was set is recorded", func() bool {
		return strings.Contains(get(w, &v1alpha1.User{}, "ann").Annotations[v1alpha1.AnnotationOwned], "passwordTold")
	})
	return w, password, restore
}

// TestAPasswordThatARestoreUndidIsSetAgain, and no password is tried again and again.
func TestAPasswordThatARestoreUndidIsSetAgain(t *testing.T) {
	t.Parallel()
	for renew := range renewing {
		for _, tells := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, told=%t", renew, tells), func(t *testing.T) {
				t.Parallel()
				w, password, restore := restoredWorld(t, tells, renew, memory.Options{})
				w.store.ResetCalls()
				restore()
				w.look()
				w.eventually("the password that the manifest asks for works again", func() bool { return w.store.CheckPassword("ann", password) })
				w.ready(&v1alpha1.User{}, "ann")
				w.sync()
				w.ready(&v1alpha1.User{}, "ann", "bob")
				tried, set := w.store.Count(memory.Authenticate), w.store.Count(memory.SetPassword)
				w.sync()
				w.sync()
				if now := w.store.Count(memory.Authenticate); now != tried || tried > 1 || set != 1 {
					t.Errorf("%d tries, then %d, and %d passwords set: want one at the most, no more, and one", tried, now, set)
				}
			})
		}
	}
}

// TestAPasswordThatItsHolderChoseSinceStays, whatever else the restore brought back.
func TestAPasswordThatItsHolderChoseSinceStays(t *testing.T) {
	t.Parallel()
	const own = "what ann chose herself"
	for _, tells := range []bool{true, false} {
		t.Run(fmt.Sprintf("told=%t", tells), func(t *testing.T) {
			t.Parallel()
			w, _, _ := restoredWorld(t, tells, "rotated", memory.Options{})
			w.store.ChangePassword("ann", own)
			w.store.EditAccount("ann", func(a *media.Account) { a.PasswordChosen = true })
			w.saysOutdated("ann", true)
			w.store.ResetCalls()
			for _, name := range []string{"cleo", "dora"} { // who came after the backup, if they are Users
				w.store.RemoveAccount(name)
			}
			w.sync()
			w.sync()
			w.sync()
			w.saysOutdated("ann", true)
			if sets := w.store.Count(memory.SetPassword); sets > 0 || !w.store.CheckPassword("ann", own) {
				t.Errorf("%d passwords were set", sets)
			}
		})
	}
}

// TestAPasswordThatIsNotUshersToSetStaysAfterARestore: its holder alone chooses it, or Usher only observes.
func TestAPasswordThatIsNotUshersToSetStaysAfterARestore(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"chosenByHolder": func(w *world) {
			edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.Password = &v1alpha1.Password{ChosenByHolder: true} })
			w.ready(&v1alpha1.User{}, "ann")
		},
		"mode Observe": func(w *world) {
			edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeObserve })
			w.ready(&v1alpha1.MediaServer{}, serverName)
		},
	} {
		for _, tells := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, told=%t", name, tells), func(t *testing.T) {
				t.Parallel()
				w, _, restore := restoredWorld(t, tells, "rotated", memory.Options{})
				change(w)
				w.store.ResetCalls()
				restore()
				w.sync()
				w.sync()
				w.sync()
				w.ready(&v1alpha1.User{}, "ann", "bob")
				if sets, tries := w.store.Count(memory.SetPassword), w.store.Count(memory.Authenticate); sets+tries > 0 {
					t.Errorf("%d passwords were set, and %d tried", sets, tries)
				}
			})
		}
	}
}

// TestThePasswordThatAnAccountWasMadeWithIsNotSetAgain: no backup has another one, so that its holder has chosen what works.
func TestThePasswordThatAnAccountWasMadeWithIsNotSetAgain(t *testing.T) {
	t.Parallel()
	w, password, restore := restoredWorld(t, false, "rotated", memory.Options{})
	w.store.ResetCalls()
	restore()
	w.store.ChangePassword("bob", "what bob chose himself")
	w.look()
	w.eventually("ann's password works again", func() bool { return w.store.CheckPassword("ann", password) })
	w.sync()
	w.ready(&v1alpha1.User{}, "bob")
	if !w.store.CheckPassword("bob", "what bob chose himself") || w.store.Count(memory.SetPassword) != 1 {
		t.Errorf("bob's own choice was overwritten: %v", w.store.Counts())
	}
}

// TestWhoWasLockedOutIsLockedOutAgain: the password from before lets nobody in.
func TestWhoWasLockedOutIsLockedOutAgain(t *testing.T) {
	t.Parallel()
	w, password, _ := restoredWorld(t, false, "rotated", memory.Options{Capabilities: withoutSwitch})
	restore := w.store.Backup()
	w.create(w.user("eve"), w.user("fay"))
	w.ready(&v1alpha1.User{}, "eve", "fay")
	w.setDisabled("ann", true)
	w.shutOutBy("ann", v1alpha1.DisableLockOut)
	restore()
	w.look()
	w.eventually("the password from before does not work", func() bool { return !w.store.CheckPassword("ann", password) })
	w.state("ann", v1alpha1.UserDisabled)
	sets := w.store.Count(memory.SetPassword)
	for _, message := range []string{"one", "another"} { // each has the User looked at again
		edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.DisplayName = message })
		w.eventually("it is applied", func() bool { account, _ := w.store.Account("ann"); return account.DisplayName == message })
		w.ready(&v1alpha1.User{}, "ann")
	}
	if now := w.store.Count(memory.SetPassword); now != sets {
		t.Errorf("it was locked out again %d times more", now-sets)
	}
	w.setDisabled("ann", false)
	w.state("ann", v1alpha1.UserActive)
	w.eventually("the kept password works", func() bool { return w.store.CheckPassword("ann", w.password("ann-credentials")) })
}

// TestAPasswordIsTriedOnceTheAccountIsEnabled, where that cannot be done before.
func TestAPasswordIsTriedOnceTheAccountIsEnabled(t *testing.T) {
	t.Parallel()
	for _, restarted := range []bool{false, true} {
		t.Run(fmt.Sprintf("restarted=%t", restarted), func(t *testing.T) {
			t.Parallel()
			w, password, restore := restoredWorld(t, false, "rotated", memory.Options{})
			w.setDisabled("ann", true)
			w.state("ann", v1alpha1.UserDisabled)
			restore()
			w.look()
			w.eventually("it is recorded that the password is to be tried", func() bool {
				return strings.Contains(get(w, &v1alpha1.User{}, "ann").Annotations[v1alpha1.AnnotationOwned], "unproven")
			})
			for _, name := range []string{"cleo", "dora"} {
				w.decide(name, v1alpha1.AnnotationForgetID, ownedID(get(w, &v1alpha1.User{}, name)))
				w.ready(&v1alpha1.User{}, name)
			}
			if restarted {
				w.stop()
				w.start()
				w.sync()
			}
			w.setDisabled("ann", false)
			w.eventually("the password works again", func() bool { return w.store.CheckPassword("ann", password) })
			w.state("ann", v1alpha1.UserActive)
		})
	}
}

// TestADisablingThatARestoreBroughtBackIsUshersOwn, where the record proves it; else the status says what to do.
func TestADisablingThatARestoreBroughtBackIsUshersOwn(t *testing.T) {
	t.Parallel()
	for _, proven := range []bool{true, false} {
		t.Run(fmt.Sprintf("proven=%t", proven), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Traits: quick})
			w.create(w.user("ann"))
			w.ready(&v1alpha1.User{}, "ann")
			w.setDisabled("ann", true)
			w.state("ann", v1alpha1.UserDisabled)
			restore := w.store.Backup()
			w.setDisabled("ann", false)
			w.state("ann", v1alpha1.UserActive)
			if proven {
				w.create(w.user("cleo"), w.user("dora"))
				w.ready(&v1alpha1.User{}, "cleo", "dora")
			}
			w.sync()
			restore()
			w.look()
			if proven {
				w.eventually("the account is enabled again", func() bool { account, _ := w.store.Account("ann"); return !account.Disabled })
				w.state("ann", v1alpha1.UserActive)
				return
			}
			w.state("ann", v1alpha1.UserDisabledOnServer)
			if message := readyMessage(get(w, &v1alpha1.User{}, "ann")); !strings.Contains(message, "restored backup") {
				t.Errorf("the message does not name a restore: %s", message)
			}
			w.store.EditAccount("ann", func(a *media.Account) { a.Disabled = false })
			w.look()
			w.state("ann", v1alpha1.UserActive)
		})
	}
}

// TestTheEmbeddedServerTellsThatARestoreUndidAPassword, also where nothing else is different, and the server was only started
// again.
func TestTheEmbeddedServerTellsThatARestoreUndidAPassword(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	on := newRestorable(t, root)
	w := newInviteWorldOf(t, root, on.url)
	w.create(w.user("ann"))
	user := &v1alpha1.User{}
	w.ready(user, "ann")
	made, first := time.Now(), w.password("ann-credentials")
	backup := on.backup()
	w.eventually("another second begins", func() bool { return time.Now().Truncate(time.Second).After(made) })
	rotated := renewing["rotated"](w.world)
	told := func() string {
		w.look()
		var record struct{ PasswordTold string }
		_ = json.Unmarshal([]byte(get(w.world, user, "ann").Annotations[v1alpha1.AnnotationOwned]), &record)
		return record.PasswordTold
	}
	before := ""
	w.eventually("when it was set is recorded", func() bool { before = told(); return before != "" })
	w.eventually("another second begins", func() bool { return time.Now().Truncate(time.Second).After(made.Add(2 * time.Second)) })
	on.putBack(backup)
	w.eventually("it was set again", func() bool { now := told(); return now != "" && now != before })
	w.ready(user, "ann")
	for password, works := range map[string]bool{first: false, rotated: true} {
		body, _ := json.Marshal(map[string]string{"login": "ann", "password": password})
		response, err := http.Post(w.url+"/v1/auth/sign-in", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if accepted := response.StatusCode < 300; accepted != works {
			t.Errorf("accepted %t, want %t", accepted, works)
		}
	}
}

// TestAPasswordThatNeedNotWorkAnyMoreIsSaid, where nothing proves a restore: the one that was set last is tried once when the
// operator starts, and none is set, since its holder may have chosen another.
func TestAPasswordThatNeedNotWorkAnyMoreIsSaid(t *testing.T) {
	t.Parallel()
	for _, works := range []bool{true, false} {
		t.Run(fmt.Sprintf("works=%t", works), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Traits: quick})
			w.create(w.user("ann"), w.user("bob"))
			w.ready(&v1alpha1.User{}, "ann", "bob")
			password := renewing["rotated"](w)
			w.eventually("the next password works", func() bool { return w.store.CheckPassword("ann", password) })
			w.ready(&v1alpha1.User{}, "ann")
			w.stop()
			if !works {
				w.store.ChangePassword("ann", "another password")
			}
			w.store.ResetCalls()
			w.start()
			w.eventually("the password is tried", func() bool { return w.store.Count(memory.Authenticate) == 1 })
			says := func() bool {
				return strings.Contains(readyMessage(get(w, &v1alpha1.User{}, "ann")), "set last does not work any more")
			}
			w.eventually("the User says what is known", func() bool { return says() != works })
			w.sync()
			w.sync()
			w.ready(&v1alpha1.User{}, "ann")
			if tries, sets := w.store.Count(memory.Authenticate), w.store.Count(memory.SetPassword); tries != 1 || sets > 0 || says() == works {
				t.Errorf("%d tries and %d passwords set, want 1 and 0; it says so: %t", tries, sets, says())
			}
		})
	}
}
