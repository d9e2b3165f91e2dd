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

// rename gives an account of the server another name, by hand.
func (w *world) rename(from, to string) {
	w.t.Helper()
	if !w.store.EditAccount(from, func(a *media.Account) { a.Username = to }) {
		w.t.Fatalf("there is no account %s", from)
	}
}

// renamedWorld has a User ann with movies, whose account is named anna since the last look.
func renamedWorld(t *testing.T, options memory.Options, change func(*v1alpha1.User)) *world {
	t.Helper()
	w := newWorld(t, options)
	user := w.user("ann")
	if change != nil {
		change(user)
	}
	w.create(w.library("movies"), w.grant("g", "movies", "ann"), user)
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.rename("ann", "anna")
	w.store.ResetCalls()
	w.sync()
	return w
}

// TestARenamedAccountLosesWhatTheManifestsTake: what can be undone, and nothing else.
func TestARenamedAccountLosesWhatTheManifestsTake(t *testing.T) {
	t.Parallel()
	w := renamedWorld(t, memory.Options{Traits: quick}, nil)
	user := &v1alpha1.User{}
	message := w.condition(user, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict).Message
	for _, word := range []string{`"anna"`, "Retain", "Always"} {
		if !strings.Contains(message, word) {
			t.Errorf("the message does not say %s: %s", word, message)
		}
	}
	grant := &v1alpha1.LibraryGrant{}
	w.condition(grant, "g", v1alpha1.ConditionApplied, metav1.ConditionFalse, "")
	before, _ := w.store.Account("anna")

	w.create(w.library("kids"), w.grant("k", "kids", "ann"))
	w.ready(&v1alpha1.Library{}, "kids")
	w.delete(w.grant("g", "", ""))
	w.seesExactly("anna")
	edit(w, w.user("ann"), func(u *v1alpha1.User) {
		u.Spec.Disabled, u.Spec.Role, u.Spec.DisplayName, u.Spec.Email = true, v1alpha1.AccountRoleGuest, "Ann", "ann@example.org"
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
	})
	w.eventually("anna is disabled", func() bool { account, _ := w.store.Account("anna"); return account.Disabled })
	w.sync()
	w.condition(user, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	after, _ := w.store.Account("anna")
	if after.Role != before.Role || after.Email != before.Email || after.DisplayName != before.DisplayName || !w.store.CheckPassword("anna", w.password("ann-credentials")) {
		t.Errorf("more than access and sign-in was taken: %+v, was %+v", after, before)
	}
	if user.Status.State != v1alpha1.UserDisabled || user.Status.Access.Total != 0 {
		t.Errorf("status %+v", user.Status)
	}

	w.rename("anna", "ann")
	w.sync()
	w.state("ann", v1alpha1.UserDisabled)
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = false })
	w.state("ann", v1alpha1.UserActive)
	w.seesExactly("ann", "kids")
}

// TestOneMoreWitnessTellsARenamedAccount, where ids are given out again.
func TestOneMoreWitnessTellsARenamedAccount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options memory.Options
		change  func(*v1alpha1.User)
		spoil   func(*world)
		reason  string
	}{
		"the address":           {memory.Options{Traits: reusing}, func(u *v1alpha1.User) { u.Spec.Email = "ann@example.org" }, nil, v1alpha1.ReasonConflict},
		"when it was made":      {memory.Options{Traits: reusing, Created: time.Now}, nil, nil, v1alpha1.ReasonConflict},
		"the password":          {memory.Options{Traits: reusing}, nil, nil, v1alpha1.ReasonConflict},
		"none":                  {memory.Options{Traits: reusing}, nil, func(w *world) { w.store.ChangePassword("anna", "anna's own password") }, v1alpha1.ReasonInDoubt},
		"another manifest's":    {memory.Options{Traits: quick}, nil, func(w *world) { w.create(w.user("anna")) }, v1alpha1.ReasonInDoubt},
		"no password to be had": {memory.Options{Traits: reusing, Capabilities: func(c *media.Capabilities) { c.Authenticate = false }}, nil, nil, v1alpha1.ReasonInDoubt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.options)
			user := w.user("ann")
			if c.change != nil {
				c.change(user)
			}
			w.create(w.library("movies"), w.grant("g", "movies", "ann"), user)
			w.seesExactly("ann", "movies")
			w.ready(&v1alpha1.User{}, "ann")
			w.rename("ann", "anna")
			if c.spoil != nil {
				c.spoil(w)
			}
			w.sync()
			w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, c.reason)
			w.delete(w.grant("g", "", ""))
			if c.reason == v1alpha1.ReasonConflict {
				w.seesExactly("anna")
				return
			}
			w.sync()
			w.sync()
			if seen := w.sees("anna"); len(seen) != 1 {
				t.Errorf("an account in doubt sees %v now", seen)
			}
			if n := w.store.Count(memory.Authenticate); n > 1 {
				t.Errorf("an account was tried with a password %d times", n)
			}
		})
	}
}

// TestAnAccountInDoubtIsWhatAPersonSays.
func TestAnAccountInDoubtIsWhatAPersonSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: reusing, Capabilities: func(c *media.Capabilities) { c.Authenticate = false }})
	w.create(w.library("movies"), w.grant("g", "movies", "*"), w.user("ann"), w.user("bob"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.seesExactly("bob", "movies")
	for _, name := range []string{"ann", "bob"} {
		w.rename(name, name+"by")
		w.sync()
		w.condition(&v1alpha1.User{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
	}
	ann, bob := get(w, &v1alpha1.User{}, "ann"), get(w, &v1alpha1.User{}, "bob")
	first := ownedID(bob)
	w.decide("ann", v1alpha1.AnnotationConfirmID, ownedID(ann))
	w.condition(ann, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.decide("bob", v1alpha1.AnnotationForgetID, first)
	w.ready(bob, "bob")
	if id := ownedID(bob); id == first || id == "" {
		t.Errorf("bob has the account %q", id)
	}
	w.delete(w.grant("g", "", ""))
	w.seesExactly("annby")
	w.seesExactly("bob")
	if seen := w.sees("bobby"); len(seen) != 1 {
		t.Errorf("the forgotten account sees %v now", seen)
	}

	// The answer that is still there is none to the next doubt.
	w.rename("annby", "zed")
	w.sync()
	w.condition(ann, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
}

// TestAWantedRename follows the steps of the message.
func TestAWantedRename(t *testing.T) {
	t.Parallel()
	w := renamedWorld(t, memory.Options{Traits: quick}, nil)
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	id := ownedID(get(w, &v1alpha1.User{}, "ann"))
	password := w.password("ann-credentials")
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.DeletionPolicy = v1alpha1.UserDeletionRetain })
	w.delete(w.user("ann"))
	w.gone(w.user("ann"))
	edit(w, w.grant("g", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Users = targets("anna") })
	anna := w.user("anna")
	anna.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways
	w.create(anna)
	w.ready(anna, "anna")
	w.seesExactly("anna", "movies")
	if ownedID(anna) != id || !w.store.CheckPassword("anna", password) || len(w.store.Accounts()) != 2 {
		t.Errorf("anna has the account %s, want %s with its password", ownedID(anna), id)
	}
	for _, call := range w.store.Writes() {
		if call.Op != memory.SetAccess {
			t.Errorf("written: %+v", call)
		}
	}
}

// TestARenamedAccountIsNotDeleted, whatever the policy says; what can be undone is taken, and an event says what is left.
func TestARenamedAccountIsNotDeleted(t *testing.T) {
	t.Parallel()
	for _, policy := range []v1alpha1.UserDeletionPolicy{v1alpha1.UserDeletionDelete, v1alpha1.UserDeletionDisable} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			w := renamedWorld(t, memory.Options{Traits: quick}, func(u *v1alpha1.User) { u.Spec.DeletionPolicy = policy })
			w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
			w.delete(w.user("ann"))
			w.gone(w.user("ann"))
			account, found := w.store.Account("anna")
			if !found || !account.Disabled || len(account.Access.Libraries) > 0 || w.store.Count(memory.SetPassword) > 0 {
				t.Errorf("left %+v", account)
			}
			w.eventually("an event says what is left behind", func() bool { return w.warnings("ann", "LeftBehind") > 0 })
		})
	}
}
