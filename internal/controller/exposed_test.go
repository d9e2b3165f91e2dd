package controller_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// holey opens drivers of a server with a hole that they keep shut by something that they made there.
type holey struct {
	store *memory.Store

	mu sync.Mutex
	// exposed are the accounts to which the hole is open, amiss is what was spoiled.
	exposed map[media.AccountID]bool
	amiss   []string
	guards  []string
	told    []string
	mended  int
	warns   []string
}

type holeyDriver struct {
	media.Driver
	of *holey
}

func (h *holey) open(config media.Config) (media.Driver, error) {
	driver, err := h.store.Open(config)
	return holeyDriver{driver, h}, err
}

func (h *holey) set(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
}

func (h *holey) mark(account media.Account) media.Account {
	h.mu.Lock()
	defer h.mu.Unlock()
	account.Exposed = h.exposed[account.ID]
	return account
}

func (d holeyDriver) Probe(ctx context.Context) (media.Probe, error) {
	probe, err := d.Driver.Probe(ctx)
	d.of.set(func() { probe.Warnings = slices.Clone(d.of.warns) })
	return probe, err
}

func (d holeyDriver) List(ctx context.Context) (media.Listing, error) {
	listing, err := d.Driver.List(ctx)
	for i := range listing.Accounts {
		listing.Accounts[i] = d.of.mark(listing.Accounts[i])
	}
	return listing, err
}

func (d holeyDriver) Account(ctx context.Context, id media.AccountID) (media.Account, error) {
	account, err := d.Driver.Account(ctx, id)
	return d.of.mark(account), err
}

func (d holeyDriver) SetAccess(ctx context.Context, account media.Account, want media.Access) (media.Account, error) {
	after, err := d.Driver.SetAccess(ctx, account, want)
	d.of.set(func() { delete(d.of.exposed, account.ID) })
	return after, err
}

func (d holeyDriver) Guards() (guards []string) {
	d.of.set(func() { guards = d.of.guards })
	return guards
}

func (d holeyDriver) KnowGuards(guards []string) { d.of.set(func() { d.of.told = guards }) }

func (d holeyDriver) Amiss() (amiss []string) {
	d.of.set(func() { amiss = d.of.amiss })
	return amiss
}

func (d holeyDriver) Mend(context.Context) error {
	d.of.set(func() { d.of.amiss, d.of.mended = nil, d.of.mended+1 })
	return nil
}

func TestAnOpenHoleIsShutForWhomItIsOpen(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	h := &holey{store: w.store, exposed: map[media.AccountID]bool{}, guards: []string{"a guard"}}
	w.openAs(h.open)
	w.create(w.mediaServer(), w.library("movies"), w.user("ann"), w.user("bob"), w.grant("g", "*", "ann"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.eventually("the guards are recorded", func() bool {
		return strings.Contains(get(w, w.mediaServer(), serverName).Annotations[v1alpha1.AnnotationOwned], "a guard")
	})
	ann, bob := media.AccountID(ownedID(get(w, w.user("ann"), "ann"))), media.AccountID(ownedID(get(w, w.user("bob"), "bob")))
	w.store.ResetCalls()
	w.sync()
	w.ready(&v1alpha1.User{}, "ann", "bob")
	if n := w.store.WriteCount(); n > 0 {
		t.Errorf("%d writes while the hole was shut", n)
	}
	h.set(func() { h.exposed[ann], h.exposed[bob] = true, true })
	w.sync()
	w.eventually("the hole is shut for both", func() bool { var open int; h.set(func() { open = len(h.exposed) }); return open == 0 })
	w.seesExactly("ann", "movies")
	w.seesExactly("bob")

	h.set(func() { h.amiss, h.warns = []string{"somebody spoiled it"}, []string{"somebody should mend that"} })
	w.sync()
	w.eventually("it is mended", func() bool { var n int; h.set(func() { n = h.mended }); return n == 1 })
	w.eventually("the warning is in the status", func() bool {
		c := w.condition(w.mediaServer(), serverName, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
		return strings.Contains(c.Message, "somebody should mend that")
	})
	w.eventually("events say both", func() bool {
		return slices.Contains(w.eventsOf(serverName), "somebody spoiled it") && slices.Contains(w.eventsOf(serverName), "somebody should mend that")
	})
	events := w.events()
	w.sync()
	w.sync()
	if more := w.events() - events; more > 0 {
		t.Errorf("%d events about what was said", more)
	}
	w.stop()
	w.openAs(h.open)
	w.eventually("the next driver is told", func() bool {
		var told []string
		h.set(func() { told = h.told })
		return slices.Equal(told, []string{"a guard"})
	})
}

func TestAModeThatOnlyObservesMendsNothing(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	h := &holey{store: w.store, amiss: []string{"somebody spoiled it"}}
	w.openAs(h.open)
	server := w.mediaServer()
	server.Spec.Mode = v1alpha1.ModeObserve
	w.create(server)
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.sync()
	w.ready(&v1alpha1.MediaServer{}, serverName)
	if h.set(func() {}); h.mended > 0 {
		t.Error("mended in mode Observe")
	}
}

// TestALibraryMadeByHandIsNotMadeAgain: it was made since the last look, and names are not unique.
func TestALibraryMadeByHandIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	for _, policy := range []v1alpha1.LibraryAdoptionPolicy{v1alpha1.LibraryAdoptionIfUnique, v1alpha1.LibraryAdoptionNever} {
		t.Run(string(policy), func(t *testing.T) {
			w := newWorld(t, memory.Options{Traits: func(traits *media.Traits) { counted(traits); quick(traits) }})
			byHand := w.store.AddLibrary(media.Library{Name: "Movies", MediaType: "Movies", Paths: []string{"/media/movies"}})
			library := w.library("movies")
			library.Spec.AdoptionPolicy = policy
			w.create(library)
			if policy == v1alpha1.LibraryAdoptionNever {
				w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
			} else if id := w.libraryID("movies"); id != byHand {
				t.Errorf("recorded %s, want the one made by hand, %s", id, byHand)
			}
			if n := len(w.store.Libraries()); n != 1 || w.store.Count(memory.CreateLibrary) > 0 {
				t.Errorf("the server has %d libraries", n)
			}
		})
	}
}

// TestWhatTheServerWouldRefuseIsSaidBeforeAnythingIsMade: names and passwords that are too short.
func TestWhatTheServerWouldRefuseIsSaidBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: func(traits *media.Traits) {
		traits.MinUsername, traits.MaxUsername, traits.MinPasswordCharacters = 3, 5, 8
	}})
	ann := w.user("ann")
	ann.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
	w.create(w.secret("ann-password", map[string]string{"password": "éééée"}), ann, w.user("al"), w.user("robert"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPasswordUnacceptable)
	for _, name := range []string{"al", "robert"} {
		user := &v1alpha1.User{}
		c := w.condition(user, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec)
		if !strings.Contains(c.Message, "3 to 5 characters") || len(user.Finalizers) > 0 || user.Annotations[v1alpha1.AnnotationOwned] != "" {
			t.Errorf("%s: %s (finalizers %v)", name, c.Message, user.Finalizers)
		}
	}
	if n := w.store.Count(memory.CreateAccount); n > 0 {
		t.Errorf("%d accounts were asked for", n)
	}
}
