package controller_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// TestSeveralThatChangeAtOneLookAreInDoubt, as after a restore of an older backup: also where an id names one account for
// ever, and also after the operator was started again.
func TestSeveralThatChangeAtOneLookAreInDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.library("movies"), w.grant("g", "movies", "*"), w.user("ann"), w.user("bob"), w.user("cat"))
	for _, name := range []string{"ann", "bob", "cat"} {
		w.seesExactly(name, "movies")
		w.ready(&v1alpha1.User{}, name)
	}
	ids := map[string]string{}
	for _, name := range []string{"ann", "bob"} {
		ids[name] = ownedID(get(w, &v1alpha1.User{}, name))
		w.rename(name, name+"by")
	}
	w.store.RemoveAccount("cat")
	w.store.ResetCalls()
	w.look()
	doubted := func(names ...string) {
		t.Helper()
		for _, name := range names {
			w.condition(&v1alpha1.User{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
		}
	}
	doubted("ann", "bob", "cat")
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = true })
	w.delete(w.grant("g", "", ""))
	w.sync()
	doubted("ann", "bob", "cat")
	w.stop()
	w.start()
	w.sync()
	doubted("ann", "bob", "cat")
	if writes := w.store.WriteCount(); writes > 0 {
		t.Errorf("written: %v", w.store.Counts())
	}

	// One by one: what was found together stays in doubt though the others have been decided on.
	w.decide("ann", v1alpha1.AnnotationConfirmID, ids["ann"])
	w.seesExactly("annby")
	w.eventually("the one who is confirmed is disabled", func() bool { account, _ := w.store.Account("annby"); return account.Disabled })
	w.decide("cat", v1alpha1.AnnotationForgetID, ownedID(get(w, &v1alpha1.User{}, "cat")))
	w.ready(&v1alpha1.User{}, "cat")
	w.sync()
	doubted("bob")
	if seen := w.sees("bobby"); len(seen) != 1 {
		t.Errorf("bobby sees %v", seen)
	}

	// The newer database comes back.
	w.rename("bobby", "bob")
	w.sync()
	w.ready(&v1alpha1.User{}, "bob")
	w.seesExactly("bob")
}

// TestAnAccountInDoubtIsLeftBehind: a deletion releases, and says so.
func TestAnAccountInDoubtIsLeftBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: reusing, Capabilities: func(c *media.Capabilities) { c.Authenticate = false }})
	w.create(w.library("movies"), w.grant("g", "movies", "*"), w.user("ann"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	stranger := w.replaceAccount("ann", media.Account{Username: "zed"})
	w.store.ResetCalls()
	w.sync()
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
	w.delete(w.user("ann"))
	w.gone(w.user("ann"))
	w.untouched(stranger)
	w.eventually("an event says what is left behind", func() bool { return w.warnings("ann", "LeftBehind") > 0 })

	// Nor does the library of the account wait for it.
	w.delete(w.grant("g", "", ""), w.library("movies"))
	w.gone(w.library("movies"))
	w.untouched(stranger)
}

// TestALibraryDoesNotWaitForAnAccountInDoubt, from which nothing is taken.
func TestALibraryDoesNotWaitForAnAccountInDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: reusing, Capabilities: func(c *media.Capabilities) { c.Authenticate = false }})
	w.create(w.library("movies"), w.grant("g", "movies", "*"), w.user("ann"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	stranger := w.replaceAccount("ann", media.Account{Username: "zed"})
	w.store.ResetCalls()
	w.sync()
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
	w.condition(&v1alpha1.LibraryGrant{}, "g", v1alpha1.ConditionApplied, metav1.ConditionFalse, "")
	w.delete(w.library("movies"))
	w.gone(w.library("movies"))
	w.untouched(stranger)
}

// TestAReadThatFailsIsSaid, and not taken for an account that is still looked for.
func TestAReadThatFailsIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	w.store.RemoveAccount("ann")
	stop := w.store.Fail(memory.Account, -1, media.Errorf(media.RateLimited, "slowly"))
	w.look()
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRateLimited)
	stop()
}
