package controller_test

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// newChoosingWorld has a server whose accounts take the id that Usher announced.
func newChoosingWorld(t *testing.T) *world {
	return newWorld(t, memory.Options{Traits: quick, Capabilities: chosenIDs})
}

// An account whose answer was lost is known by its id, without a password being tried.
func TestAnAnnouncedIDProvesWhoseAnAccountIs(t *testing.T) {
	t.Parallel()
	w := newChoosingWorld(t)
	w.store.Lose(memory.CreateAccount, 1)
	w.create(w.library("movies"), w.grant("g", "*", "*"), w.user("ann"))
	user := &v1alpha1.User{}
	w.ready(user, "ann")
	account, _ := w.store.Account("ann")
	if id := ownedID(user); id != string(account.ID) || user.Status.ExternalID != id || user.Status.Origin != v1alpha1.OriginCreated {
		t.Errorf("recorded as %q, status %q %s, made as %q", id, user.Status.ExternalID, user.Status.Origin, account.ID)
	}
	if made, tried := w.store.Count(memory.CreateAccount), w.store.Count(memory.Authenticate); made != 1 || tried != 0 {
		t.Errorf("%d creations and %d passwords tried, want 1 and 0", made, tried)
	}
	w.seesExactly("ann", "movies")
	if !w.store.CheckPassword("ann", w.password("ann-credentials")) {
		t.Error("the kept password does not work")
	}
}

// A password that a person chose is set after the account is made, and recorded then.
func TestAnAnnouncedIDWithAChosenPassword(t *testing.T) {
	t.Parallel()
	w := newChoosingWorld(t)
	w.store.Lose(memory.CreateAccount, 1)
	user := w.user("ann")
	user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
	w.create(w.secret("ann-password", map[string]string{"password": "correct horse"}), user)
	w.ready(&v1alpha1.User{}, "ann")
	if !w.store.CheckPassword("ann", "correct horse") {
		t.Error("the password does not work")
	}
}

// Somebody else who takes the name meanwhile has another id: nothing is tried, nothing is touched.
func TestAStrangerHasAnotherID(t *testing.T) {
	t.Parallel()
	w := newChoosingWorld(t)
	w.store.Hook(func(_ context.Context, moment memory.Moment, call memory.Call) error {
		if call.Op != memory.CreateAccount || moment != memory.Before {
			return nil
		}
		w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember}, "the stranger's password")
		return media.Errorf(media.Ambiguous, "no answer")
	})
	w.create(w.library("movies"), w.grant("g", "*", "*"), w.user("ann"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.seesExactly("ann")
	if !w.store.CheckPassword("ann", "the stranger's password") || w.store.Count(memory.Authenticate) > 0 {
		t.Error("the stranger's account was tried or changed")
	}
}

// What the server refused was not made: no id is recorded, and the next one is another.
func TestARefusedCreationLeavesNoID(t *testing.T) {
	t.Parallel()
	w := newChoosingWorld(t)
	w.store.Fail(memory.CreateAccount, 1, media.Errorf(media.Invalid, "the server does not like the name"))
	w.create(w.user("ann"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, "")
	if id := ownedID(get(w, &v1alpha1.User{}, "ann")); id != "" {
		t.Errorf("recorded as %q", id)
	}
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.DisplayName = "Ann" })
	w.ready(&v1alpha1.User{}, "ann")
}

// A User that is deleted while its account is being made takes the account with it.
func TestDeletedWhileAnAnnouncedAccountIsMade(t *testing.T) {
	t.Parallel()
	w := newChoosingWorld(t)
	user := w.user("ann")
	user.Spec.DeletionPolicy = v1alpha1.UserDeletionDelete
	w.store.Hook(func(ctx context.Context, moment memory.Moment, call memory.Call) error {
		if call.Op != memory.CreateAccount || moment != memory.After {
			return nil
		}
		if err := w.client.Delete(ctx, w.user("ann")); err != nil {
			t.Error(err)
		}
		return media.Errorf(media.Ambiguous, "the answer was lost")
	})
	w.create(user)
	w.gone(w.user("ann"))
	if _, there := w.store.Account("ann"); there {
		t.Error("the account was left behind")
	}
}
