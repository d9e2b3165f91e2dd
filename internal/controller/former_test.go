package controller_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	newer := w.store.Backup()
	older()
	w.look()
	for _, name := range []string{"ann", "bob"} { // both went at one look: a person says that both are gone
		w.condition(&v1alpha1.User{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
		w.decide(name, v1alpha1.AnnotationForgetID, ids[name])
		w.madeAgain(name, ids[name])
	}
	w.create(w.grant("more", "tv", "ann"))
	w.seesExactly("ann", "movies", "tv")
	newer()
	w.look()
	for _, name := range []string{"ann", "bob"} {
		w.eventually(name+" has the first account again", func() bool { return ownedID(get(w, &v1alpha1.User{}, name)) == ids[name] })
		w.ready(&v1alpha1.User{}, name)
		if !w.store.CheckPassword(name, w.password(name+"-credentials")) {
			t.Errorf("the kept password of %s does not work", name)
		}
	}
	w.seesExactly("ann", "movies", "tv")
	w.seesExactly("bob", "movies")
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
			former, _ := w.store.Account("ann")
			w.store.RemoveAccount("ann")
			w.look()
			second := w.madeAgain("ann", string(former.ID))
			former.Username = "ann (restored)"
			w.store.AddAccount(former, "a password that ann once had")
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

// TestAStrangerWhoHasAFormerIDKeepsEverything, whatever name it has.
func TestAStrangerWhoHasAFormerIDKeepsEverything(t *testing.T) {
	t.Parallel()
	for way, shutting := range shuttings {
		for _, name := range []string{"ann", "zed"} {
			t.Run(way+", named "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, memory.Options{Traits: reusing})
				user := w.user("ann")
				user.Spec.DeletionPolicy, user.Spec.Email = shutting.policy, "ann@example.org"
				w.create(w.library("movies"), w.grant("g", "movies", "ann"), user)
				w.seesExactly("ann", "movies")
				w.ready(user, "ann")
				former, _ := w.store.Account("ann")
				w.store.RemoveAccount("ann")
				w.look()
				w.madeAgain("ann", string(former.ID))
				w.store.RemoveAccount("ann")
				former.Username, former.Email = name, "zed@example.org"
				w.store.AddAccount(former, strangersPassword)
				stranger, _ := w.store.Account(name)
				w.sync()
				if name != "ann" { // the name is free: another account is made, which is this User's
					w.eventually("ann has an account", func() bool { _, found := w.store.Account("ann"); return found })
					w.ready(user, "ann")
				} else {
					w.condition(user, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
				}
				shutting.do(w)
				w.sync()
				if now, _ := w.accountWithID(string(former.ID)); fmt.Sprint(now) != fmt.Sprint(stranger) || !w.store.CheckPassword(name, strangersPassword) {
					t.Errorf("the stranger's account is %+v, was %+v", now, stranger)
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
