package controller_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// quick makes calls short, so that what may still be under way is soon known to be over.
func quick(traits *media.Traits) { traits.LongestCall = 200 * time.Millisecond }

func TestLostAnswersMakeNoTwin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.store.Lose(memory.CreateLibrary, 1)
	w.store.Lose(memory.CreateAccount, 1)
	w.store.Lose(memory.SetAccess, 1)
	w.create(w.library("movies"), w.user("ann"))
	w.ready(&v1alpha1.Library{}, "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.create(w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	if libraries, accounts := len(w.store.Libraries()), len(w.store.Accounts()); libraries != 1 || accounts != 2 {
		t.Errorf("%d libraries and %d accounts, want 1 and 2 (the owner and ann)", libraries, accounts)
	}
	if creates := w.store.Count(memory.CreateLibrary) + w.store.Count(memory.CreateAccount); creates != 2 {
		t.Errorf("%d creations, want 2", creates)
	}
	library, user := get(w, &v1alpha1.Library{}, "movies"), get(w, &v1alpha1.User{}, "ann")
	if library.Status.Origin != v1alpha1.OriginCreated || user.Status.Origin != v1alpha1.OriginCreated {
		t.Errorf("origins %s and %s, want Created", library.Status.Origin, user.Status.Origin)
	}
	if !w.store.CheckPassword("ann", w.password("ann-credentials")) {
		t.Error("the kept password does not work")
	}
}

func TestLostAnswersOfManyLibrariesMakeNoTwin(t *testing.T) {
	t.Parallel()
	const libraries = 8
	w := newWorld(t, memory.Options{Traits: quick})
	w.store.Lose(memory.CreateLibrary, libraries)
	for i := range libraries {
		w.create(w.library(fmt.Sprintf("l%d", i)))
	}
	for i := range libraries {
		w.ready(&v1alpha1.Library{}, fmt.Sprintf("l%d", i))
	}
	if n := len(w.store.Libraries()); n != libraries {
		t.Errorf("the server has %d libraries, want %d", n, libraries)
	}
}

func TestAStrangerWhoTookTheNameFirstIsNotOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	remove := w.store.Hook(func(_ context.Context, moment memory.Moment, call memory.Call) error {
		if call.Op != memory.CreateAccount || moment != memory.Before {
			return nil
		}
		w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember}, "the stranger's password")
		return media.Errorf(media.Ambiguous, "no answer")
	})
	w.create(w.library("movies"), w.grant("g", "*", "*"), w.user("ann"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	remove()
	w.sync()
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.seesExactly("ann")
	if !w.store.CheckPassword("ann", "the stranger's password") {
		t.Error("the stranger's password was changed")
	}
	tried := w.store.Count(memory.Authenticate)
	w.sync()
	w.sync()
	if now := w.store.Count(memory.Authenticate); now != tried || tried != 1 {
		t.Errorf("a stranger's account was tried with a password %d times, and %d times more at the next looks, want once", tried, now-tried)
	}
}

func TestAnAccountDeletedByHandIsMadeAgainOnlyBeyondDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.library("movies"), w.grant("g", "*", "*"), w.user("ann"))
	w.seesExactly("ann", "movies")
	user := &v1alpha1.User{}
	w.ready(user, "ann")
	first, lists := ownedID(user), w.store.Count(memory.List)
	w.store.RemoveAccount("ann")
	w.look()
	w.eventually("ann has another account", func() bool { id := ownedID(get(w, user, "ann")); return id != "" && id != first })
	w.seesExactly("ann", "movies")
	if listed := w.store.Count(memory.List) - lists; listed < 2 {
		t.Errorf("the account was made again after %d listings, want 2 at least", listed)
	}
	if !w.store.CheckPassword("ann", w.password("ann-credentials")) {
		t.Error("the kept password does not work")
	}
}

func TestAnEmptyOrForeignListIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.library("movies"), w.grant("g", "*", "*"), w.user("ann"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.stop()
	w.store.ResetCalls()
	blank := &blankLists{store: w.store}
	w.openAs(blank.open)
	w.look()
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
	if writes := w.store.WriteCount(); writes > 0 {
		t.Errorf("wrote on the word of an empty list: %v", w.store.Counts())
	}
	w.seesExactly("ann", "movies")
}

// blankLists opens drivers whose lists are empty.
type blankLists struct{ store *memory.Store }

type blankDriver struct{ media.Driver }

func (b *blankLists) open(config media.Config) (media.Driver, error) {
	driver, err := b.store.Open(config)
	return blankDriver{driver}, err
}

func (blankDriver) List(context.Context) (media.Listing, error) { return media.Listing{}, nil }

// halfDriver lists without bob and without libraries, and says so of each when asked.
type halfDriver struct{ media.Driver }

func (d halfDriver) List(ctx context.Context) (media.Listing, error) {
	listing, err := d.Driver.List(ctx)
	var half media.Listing
	for _, account := range listing.Accounts {
		if account.Username != "bob" {
			half.Accounts = append(half.Accounts, account)
		}
	}
	return half, err
}

// TestWhatWasNeverSentIsMadeAsSoonAsTheServerIsBack: a connection that was refused leaves nothing to be looked for.
func TestWhatWasNeverSentIsMadeAsSoonAsTheServerIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: func(traits *media.Traits) { traits.LongestCall = time.Hour }})
	refused := media.Errorf(media.Unavailable, "the connection was refused")
	refused.Unsent = true
	w.store.Fail(memory.CreateLibrary, 1, refused)
	w.store.Fail(memory.CreateAccount, 1, refused)
	w.create(w.library("movies"), w.user("ann"))
	w.ready(&v1alpha1.Library{}, "movies")
	w.ready(&v1alpha1.User{}, "ann")
	if creates := w.store.Count(memory.CreateLibrary) + w.store.Count(memory.CreateAccount); creates != 4 {
		t.Errorf("%d creations, want 4", creates)
	}
}
