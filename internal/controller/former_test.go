package controller_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// madeAgain waits until a User has another account than the one with an id, and is Ready.
func (w *world) madeAgain(name, than string) string {
	w.t.Helper()
	id := ""
	w.eventually("another account is made for "+name, func() bool {
		id = ownedID(get(w, &v1alpha1.User{}, name))
		return id != "" && id != than
	})
	w.ready(&v1alpha1.User{}, name)
	return id
}

// hadAnother has the account of a User deleted on the server and waits until another is made. It returns the former one, and the
// id of the other.
func (w *world) hadAnother(name string) (former media.Account, second string) {
	w.t.Helper()
	former, _ = w.store.Account(name)
	w.store.RemoveAccount(name)
	w.look()
	return former, w.madeAgain(name, string(former.ID))
}

// restoreBeside puts a former account back beside the one that was made in its place, under another name.
func (w *world) restoreBeside(former media.Account) {
	former.Username += " (restored)"
	w.store.AddAccount(former, "a password of former times")
}

// accountWithID is the account that has an id.
func (w *world) accountWithID(id string) (media.Account, bool) {
	for _, account := range w.store.Accounts() {
		if string(account.ID) == id {
			return account, true
		}
	}
	return media.Account{}, false
}

// shuttings are the ways in which a manifest shuts an account out, or has it deleted.
var shuttings = map[string]struct {
	policy v1alpha1.UserDeletionPolicy
	do     func(w *world)
}{
	"disabled": {do: func(w *world) { w.setDisabled("ann", true) }},
	"deleted with policy Disable": {policy: v1alpha1.UserDeletionDisable, do: func(w *world) {
		w.delete(w.user("ann"))
		w.gone(w.user("ann"))
	}},
	"deleted with policy Delete": {policy: v1alpha1.UserDeletionDelete, do: func(w *world) {
		w.delete(w.user("ann"))
		w.gone(w.user("ann"))
	}},
}

// TestAnOlderBackupAndThenTheNewerOne: in between the account is made again; the first one, which comes back, is this User's.
func TestAnOlderBackupAndThenTheNewerOne(t *testing.T) {
	t.Parallel()
	for way, shutting := range shuttings {
		for _, restarted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarted=%t", way, restarted), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, memory.Options{Traits: quick})
				w.create(w.library("movies"), w.grant("g", "movies", "*"))
				w.ready(&v1alpha1.Library{}, "movies")
				older := w.store.Backup()
				user := w.user("ann")
				user.Spec.DeletionPolicy = shutting.policy
				w.create(user)
				w.seesExactly("ann", "movies")
				w.ready(user, "ann")
				first, newer := ownedID(user), w.store.Backup()
				older()
				w.look()
				w.madeAgain("ann", first)
				if restarted {
					w.stop()
				}
				newer()
				if restarted {
					w.start()
				}
				w.look()
				shutting.do(w)
				w.eventually("the first account is shut out", func() bool {
					account, found := w.accountWithID(first)
					return account.Disabled || (!found && shutting.policy == v1alpha1.UserDeletionDelete)
				})
			})
		}
	}
}

// TestAFormerAccountGoesOn: with the newer backup back, its access is repaired, and the password that is kept works.
func TestAFormerAccountGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.library("movies"), w.library("tv"), w.grant("g", "movies", "*"))
	w.ready(&v1alpha1.Library{}, "movies", "tv")
	older := w.store.Backup()
	w.create(w.user("ann"), w.user("bob"))
	ids := map[string]string{}
	for _, name := range []string{"ann", "bob"} {
		w.seesExactly(name, "movies")
		w.ready(&v1alpha1.User{}, name)
		ids[name] = ownedID(get(w, &v1alpha1.User{}, name))
	}
	newer, seconds := w.store.Backup(), map[string]string{}
	older()
	w.look()
	for _, name := range []string{"ann", "bob"} { // both went at one look: a person says that both are gone
		w.condition(&v1alpha1.User{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
		w.decide(name, v1alpha1.AnnotationForgetID, ids[name])
		seconds[name] = w.madeAgain(name, ids[name])
	}
	w.create(w.grant("more", "tv", "ann"))
	w.seesExactly("ann", "movies", "tv")
	newer()
	w.look()
	for _, name := range []string{"ann", "bob"} {
		w.eventually(name+" has the first account again", func() bool { return ownedID(get(w, &v1alpha1.User{}, name)) == ids[name] })
		w.eventually("an event names both accounts", func() bool {
			return w.warned(name, "account "+ids[name]+", which was this User's before, is on the server again, and account "+seconds[name]+" is not:")
		})
		w.ready(&v1alpha1.User{}, name)
		if !w.store.CheckPassword(name, w.password(name+"-credentials")) {
			t.Errorf("the kept password of %s does not work", name)
		}
	}
	w.seesExactly("ann", "movies", "tv")
	w.seesExactly("bob", "movies")
}

// TestAFormerAccountComesBackToAUserThatHasNone: the event names no other account.
func TestAFormerAccountComesBackToAUserThatHasNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.user("ann"), w.user("bob"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	first, newer := ownedID(get(w, &v1alpha1.User{}, "ann")), w.store.Backup()
	w.stop()
	w.store.RemoveAccount("ann")
	w.store.RemoveAccount("bob")
	w.store.AddAccount(media.Account{Username: "ann"}, strangersPassword)
	w.start()
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
	w.decide("ann", v1alpha1.AnnotationForgetID, first)
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	newer()
	w.look()
	w.eventually("ann has the first account again", func() bool { return ownedID(get(w, &v1alpha1.User{}, "ann")) == first })
	w.eventually("an event says so", func() bool { return w.warned("ann", "is on the server again: it is this User's again") })
	w.ready(&v1alpha1.User{}, "ann", "bob")
}

// warned says whether an event of an object holds a text.
func (w *world) warned(name, text string) bool {
	return strings.Contains(strings.Join(w.eventsOf(name), "\n"), text)
}

// TestAFormerAccountBesideTheRecordedOneIsShutOutToo, and is not deleted.
func TestAFormerAccountBesideTheRecordedOneIsShutOutToo(t *testing.T) {
	t.Parallel()
	for way, shutting := range shuttings {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Traits: quick})
			user := w.user("ann")
			user.Spec.DeletionPolicy = shutting.policy
			w.create(w.library("movies"), w.grant("g", "movies", "*"), user)
			w.seesExactly("ann", "movies")
			w.ready(user, "ann")
			former, second := w.hadAnother("ann")
			w.restoreBeside(former)
			w.sync()
			shutting.do(w)
			w.eventually("both accounts are shut out", func() bool {
				first, _ := w.accountWithID(string(former.ID))
				present, found := w.accountWithID(second)
				return first.Disabled && len(first.Access.Libraries) == 0 && (present.Disabled || (!found && shutting.policy == v1alpha1.UserDeletionDelete))
			})
		})
	}
}

// strangersWithAFormerID are accounts that have the id of one which a User had, by what else they have of it.
var strangersWithAFormerID = map[string]struct {
	name, email string
	// later: the server tells that the account was made later than the former one; password: it has the same as that.
	later, password bool
}{
	"the name":                            {name: "ann", email: "zed@example.org"},
	"nothing":                             {name: "zed", email: "zed@example.org"},
	"the address, and made later":         {name: "ann", email: "ann@example.org", later: true},
	"the User's password, and made later": {name: "zed", email: "zed@example.org", later: true, password: true},
}

// TestAStrangerWhoHasAFormerIDKeepsEverything, whatever else it has.
func TestAStrangerWhoHasAFormerIDKeepsEverything(t *testing.T) {
	t.Parallel()
	for way, shutting := range shuttings {
		for has, stranger := range strangersWithAFormerID {
			t.Run(way+", with "+has, func(t *testing.T) {
				t.Parallel()
				options := memory.Options{Traits: reusing}
				if stranger.later {
					options.Created = time.Now
				}
				w := newWorld(t, options)
				user := w.user("ann")
				user.Spec.DeletionPolicy, user.Spec.Email = shutting.policy, "ann@example.org"
				if stranger.password {
					w.fromSecret(user, strangersPassword)
				}
				w.create(w.library("movies"), w.grant("g", "movies", "ann"), user)
				w.seesExactly("ann", "movies")
				w.ready(user, "ann")
				former, _ := w.hadAnother("ann")
				w.store.RemoveAccount("ann")
				former.Username, former.Email = stranger.name, stranger.email
				if stranger.later {
					former.Created = former.Created.Add(time.Hour)
				}
				w.store.AddAccount(former, strangersPassword)
				before, _ := w.store.Account(stranger.name)
				w.sync()
				if stranger.name != "ann" { // the name is free: another account is made, which is this User's
					w.eventually("ann has an account", func() bool { _, found := w.store.Account("ann"); return found })
					w.ready(user, "ann")
				} else {
					w.condition(user, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
				}
				shutting.do(w)
				w.sync()
				if now, _ := w.accountWithID(string(former.ID)); fmt.Sprint(now) != fmt.Sprint(before) || !w.store.CheckPassword(stranger.name, strangersPassword) {
					t.Errorf("the stranger's account is %+v, was %+v", now, before)
				}
			})
		}
	}
}

// TestAnAccountOfTheNameWithThePasswordOnRecordIsShutOut: nobody else has that password.
func TestAnAccountOfTheNameWithThePasswordOnRecordIsShutOut(t *testing.T) {
	t.Parallel()
	for way, shutting := range shuttings {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Traits: quick})
			user := w.user("ann")
			user.Spec.DeletionPolicy = shutting.policy
			w.create(user)
			w.ready(user, "ann")
			w.stop()
			w.store.RemoveAccount("ann")
			w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember}, w.password("ann-credentials"))
			w.start()
			w.condition(user, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
			shutting.do(w)
			w.eventually("the account is shut out", func() bool {
				account, found := w.store.Account("ann")
				return account.Disabled || (!found && shutting.policy == v1alpha1.UserDeletionDelete)
			})
		})
	}
}

// TestAnAccountThatAnotherUserStandsForIsNoFormerOne, though it has the name, and the password on record.
func TestAnAccountThatAnotherUserStandsForIsNoFormerOne(t *testing.T) {
	t.Parallel()
	const household = "the household's password"
	claims := map[string]func(w *world){
		"by its name": func(w *world) {
			w.store.AddAccount(media.Account{Username: "ann"}, household)
			other := w.user("other")
			other.Spec.Username = "ann"
			w.create(other)
		},
		"by its record": func(w *world) { w.rename("zed", "ann") },
	}
	for way, shutting := range shuttings {
		for claim, stands := range claims {
			t.Run(way+", "+claim, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, memory.Options{Traits: quick})
				user := w.fromSecret(w.user("ann"), household)
				user.Spec.DeletionPolicy = shutting.policy
				w.create(w.library("movies"), w.grant("g", "movies", "*"), user, w.fromSecret(w.user("zed"), household))
				for _, name := range []string{"ann", "zed"} {
					w.seesExactly(name, "movies")
					w.ready(&v1alpha1.User{}, name)
				}
				w.stop()
				w.store.RemoveAccount("ann")
				stands(w)
				before, _ := w.store.Account("ann")
				w.start()
				w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, "")
				shutting.do(w)
				if way == "disabled" {
					w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, "")
				}
				if now, _ := w.accountWithID(string(before.ID)); fmt.Sprint(now) != fmt.Sprint(before) || !w.store.CheckPassword("ann", household) {
					t.Errorf("the account of another User is %+v, was %+v", now, before)
				}
			})
		}
	}
}

// TestAFormerAccountIsShutOutOnNoWordOfAnOldCache: the cache says that its User is disabled, and that was another one.
func TestAFormerAccountIsShutOutOnNoWordOfAnOldCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.library("movies"), w.grant("g", "movies", "*"), w.user("ann"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	former, _ := w.hadAnother("ann")
	w.setDisabled("ann", true)
	w.state("ann", v1alpha1.UserDisabled)
	var reads atomic.Int32
	w.counting.onLiveGet(func(object client.Object) {
		if user, is := object.(*v1alpha1.User); is {
			user.UID = "another, which was made under the same name"
			reads.Add(1)
		}
	})
	w.restoreBeside(former)
	w.store.ResetCalls()
	w.look()
	w.eventually("the User is read live, and once more", func() bool { return reads.Load() > 1 || w.store.WriteCount() > 0 })
	if w.store.WriteCount() > 0 {
		t.Errorf("wrote %v", w.store.Counts())
	}
	w.counting.onLiveGet(nil)
	w.eventually("the former account is shut out", func() bool { account, _ := w.accountWithID(string(former.ID)); return account.Disabled })
}

// TestTheBrakeHoldsFormerAccountsToo, be they disabled or, where the server cannot do that, left without libraries.
func TestTheBrakeHoldsFormerAccountsToo(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]memory.Options{
		"disabled":               {Traits: quick},
		"left without libraries": {Traits: quick, Capabilities: func(c *media.Capabilities) { c.Disable = false }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, options)
			w.create(w.library("movies"), w.grant("g", "movies", "*"))
			names, formers := []string{}, []media.Account{}
			for i := range 7 { // five may always be shut out
				names = append(names, fmt.Sprintf("u%d", i))
				w.create(w.user(names[i]))
			}
			w.allReady(7)
			for _, name := range names {
				w.seesExactly(name, "movies")
				former, _ := w.store.Account(name)
				formers = append(formers, former)
			}
			for _, name := range names {
				w.store.RemoveAccount(name)
			}
			w.look()
			for _, name := range names {
				w.condition(&v1alpha1.User{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
			}
			for i, name := range names {
				w.decide(name, v1alpha1.AnnotationForgetID, string(formers[i].ID))
			}
			for i, name := range names {
				w.madeAgain(name, string(formers[i].ID))
				w.restoreBeside(formers[i])
			}
			w.sync()
			for _, name := range names {
				w.setDisabled(name, true)
			}
			w.eventually("five Users are disabled, and two held", func() bool {
				return w.countReason(names, v1alpha1.ReasonSynced) == 5 && w.countReason(names, v1alpha1.ReasonDisruptionLimit) == 2
			})
			shut := func() (n int) {
				for i := range formers {
					if now, _ := w.accountWithID(string(formers[i].ID)); now.Disabled || len(now.Access.Libraries) == 0 {
						n++
					}
				}
				return n
			}
			if n := shut(); n != 5 {
				t.Errorf("%d former accounts are shut out, and five Users", n)
			}
			w.proceed()
			w.eventually("all are shut out", func() bool { return shut() == 7 && w.countReason(names, v1alpha1.ReasonSynced) == 7 })
		})
	}
}

// countReason counts the Users whose present generation is Ready, or not, for a reason.
func (w *world) countReason(names []string, reason string) (n int) {
	w.t.Helper()
	for _, name := range names {
		user := get(w, &v1alpha1.User{}, name)
		if ready := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ConditionReady); ready != nil && ready.Reason == reason && ready.ObservedGeneration == user.Generation {
			n++
		}
	}
	return n
}
