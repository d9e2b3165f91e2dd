package faults

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// heldFor is how long events are kept back: long enough for the operator to act on what it knows.
const heldFor = 2 * time.Second

// TestEventsHeldBack: the operator acts on an old view of one kind, or of all, while people go on changing manifests.
func TestEventsHeldBack(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios {
		if s.finally != nil || s.waits || (!full() && !s.quick) {
			continue
		}
		t.Run(name(s.name), func(t *testing.T) {
			t.Parallel()
			reference := play(t, newMemory(s.without), s, 0, "", "").snapshot
			for _, held := range [][]string{{"User"}, {"Library"}, {"LibraryGrant"}, nil} {
				for _, stale := range []bool{false, true} {
					t.Run(name(fmt.Sprintf("%v stale=%t", held, stale)), func(t *testing.T) {
						t.Parallel()
						playHeld(t, s, held, stale, reference)
						covered.points.Add(1)
					})
				}
			}
		})
	}
}

// playHeld runs a scenario with events held back from its act on. stale takes away the cache's own protection, by
// which it waits until it has seen what its client wrote.
func playHeld(t *testing.T, s scenario, held []string, stale bool, want string) {
	t.Helper()
	h := s.house(t, newMemory(s.without))
	h.informers, h.stale = &informers{}, stale
	h.start()
	h.quiet()
	if s.before != nil {
		s.before(h)
		h.quiet()
	}
	h.followed()
	h.informers.hold(held...)
	s.act(h)
	h.look()
	over := time.Now().Add(heldFor)
	h.eventually("the operator has had time to act on what it knows", func() bool { return time.Now().After(over) })
	h.informers.release()
	h.endsAs(want)
	covered.moments.Add(int64(h.oracle.verdict()))
	if len(h.objects()) > 0 {
		h.oracle.settled()
		h.rest()
	}
}

// pasts are old views of the world, and what has become of it since.
var pasts = []struct {
	name string
	// past is what the old view shows, present what has become of it since.
	past, present func(h *house)
	// mayTake: access may be taken for a Library that seems to go, and comes back. Whether any is given, the oracle says.
	mayTake bool
}{
	{
		"a user was being deleted, and was made again",
		func(h *house) { h.kill(); h.delete(h.user("ann")) },
		func(h *house) {
			edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Finalizers = nil })
			h.gone(h.user("ann"))
			again := h.user("ann")
			again.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways
			h.create(again)
			h.start()
		},
		false,
	},
	{
		"a grant gave what it does not give any more",
		func(h *house) { h.create(h.grant("old", "shows", "*")); h.quiet(); h.followed() },
		func(h *house) { h.delete(h.grant("old", "", "")) },
		false,
	},
	{
		"a user was disabled, and is not any more",
		func(h *house) { disableAnn(h); h.quiet(); h.followed() },
		func(h *house) {
			edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = false })
		},
		false,
	},
	{
		"a user was not disabled yet",
		func(*house) {},
		disableAnn,
		false,
	},
	{
		"a library was being deleted, and was made again",
		func(h *house) {
			edit(h, h.library("movies"), func(l *v1alpha1.Library) { l.Spec.DeletionPolicy = v1alpha1.LibraryDeletionDelete })
			h.quiet()
			h.kill()
			h.delete(h.library("movies"))
		},
		func(h *house) {
			edit(h, h.library("movies"), func(l *v1alpha1.Library) { l.Finalizers = nil })
			h.gone(h.library("movies"))
			h.create(h.library("movies"))
			h.start()
		},
		true,
	},
}

// TestAnOldCacheAtTheStart: an operator begins with a view of the past, as behind an API server that is behind. Nothing
// is done on its word that takes from somebody what is theirs, or gives what was taken.
func TestAnOldCacheAtTheStart(t *testing.T) {
	t.Parallel()
	for _, c := range pasts {
		// The cache's own protection holds an operator back that has written something. Both must do without harm.
		for _, stale := range []bool{false, true} {
			t.Run(name(fmt.Sprintf("%s stale=%t", c.name, stale)), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, newMemory(nil))
				h.start()
				household(h)
				h.quiet()
				h.followed()
				c.past(h)
				past := h.version()
				c.present(h)
				h.beginWith(past, stale, c.mayTake)
			})
		}
	}
}

// beginWith kills the operator and starts one whose caches begin with a view of the past.
func (h *house) beginWith(past string, stale, mayTake bool) {
	h.t.Helper()
	h.quiet()
	h.followed()
	want := h.snapshot()
	h.oracle.settled()
	h.kill()

	h.informers, h.stale = &informers{from: past}, stale
	h.informers.hold()
	h.start()
	over := time.Now().Add(heldFor)
	h.eventually("the operator has looked, and acted on its old view", func() bool { return h.process.Lists() > 0 && time.Now().After(over) })
	for write := range h.process.Counts() {
		if strings.HasPrefix(write, "media: ") && !(mayTake && strings.HasPrefix(write, "media: SetAccess ")) {
			h.t.Errorf("on the word of an old cache: %s", write)
		}
	}
	h.informers.release()
	h.endsAs(want)
	covered.points.Add(1)
	covered.moments.Add(int64(h.oracle.verdict()))
	h.rest()
}

// TestMadeAgainUnseen: while events are held, objects change and change back, or are deleted and made again under the
// same name; then the watch ends with 410, so that the operator never hears of what was in between.
func TestMadeAgainUnseen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		act  func(h *house)
	}{
		{"a grant goes and comes back", func(h *house) { h.delete(h.grant("all", "", "")); h.create(h.grant("all", "movies", "*")) }},
		{"a user is disabled and enabled", func(h *house) {
			disableAnn(h)
			edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = false })
		}},
		{"a user is deleted and made again", func(h *house) {
			h.delete(h.user("ann"))
			edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Finalizers = nil })
			h.gone(h.user("ann"))
			again := h.user("ann", "group=adults")
			again.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways
			h.create(again)
		}},
	} {
		t.Run(name(c.name), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, newMemory(nil))
			h.informers = &informers{}
			h.start()
			household(h)
			h.quiet()
			h.followed()
			accounts := h.process.Counts()["media: CreateAccount ann"]
			h.informers.hold()
			c.act(h)
			h.informers.expire()
			h.quiet()
			covered.points.Add(1)
			covered.moments.Add(int64(h.oracle.verdict()))
			if made := h.process.Counts()["media: CreateAccount ann"]; made != accounts {
				t.Errorf("the account was made %d times more", made-accounts)
			}
			h.rest()
		})
	}
}

// version is the present resource version of the API server.
func (h *house) version() string {
	h.t.Helper()
	var users v1alpha1.UserList
	if err := h.client.List(context.Background(), &users, client.InNamespace(h.namespace)); err != nil {
		h.t.Fatal(err)
	}
	return users.ResourceVersion
}
