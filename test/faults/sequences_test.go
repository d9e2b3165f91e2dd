package faults

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// operations counts those of the random sequences.
var operations, sequences atomic.Int64

// TestRandomSequences does random things to a household, to its media server and to the operator, in bursts; after each
// burst, everybody must have exactly what the manifests give.
func TestRandomSequences(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		randomSequences(t, func(testing.TB, scenario) system { return newMemory(nil) }, amount{2, 2}, amount{24, 12})
	})
	t.Run("links", func(t *testing.T) {
		t.Parallel()
		randomSequences(t, func(testing.TB, scenario) system { return newLinked() }, amount{1, 2}, amount{12, 12})
	})
	t.Run("reused ids", func(t *testing.T) {
		t.Parallel()
		randomSequences(t, func(testing.TB, scenario) system { return reusing() }, amount{0, 0}, amount{12, 12})
	})
	t.Run("Shisho", func(t *testing.T) {
		t.Parallel()
		randomSequences(t, newShisho, amount{1, 1}, amount{12, 10})
	})
}

// amount is in how many households how many bursts are played.
type amount struct{ worlds, bursts int }

func randomSequences(t *testing.T, on func(testing.TB, scenario) system, quick, all amount) {
	much := quick
	if full() {
		much = all
	}
	for n := range much.worlds {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			h := lively(t, on(t, scenario{}))
			// Every burst goes on from where the last one ended: what rapid would shrink is a burst, not the way there.
			for b := range much.bursts {
				burst := rapid.Custom(func(r *rapid.T) []operation {
					return rapid.SliceOfN(rapid.Custom(anOperation), 5, 12).Draw(r, "burst")
				}).Example(1 + 100*n + b)
				sequences.Add(1)
				h.play(burst)
			}
		})
	}
}

// lively is a household with which random sequences begin.
func lively(t *testing.T, on system) *house {
	t.Helper()
	h := newHouse(t, on)
	h.informers = &informers{}
	h.start()
	household(h)
	h.oracle.byHand(func(s system) {
		s.addAccount("guest", "guest's own password")
		s.addLibrary("Private")
		s.addLibrary("Attic")
		s.give("guest", "Attic")
	})
	edit(h, h.mediaServer(), func(s *v1alpha1.MediaServer) { // the brake has tests of its own
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationProceed, time.Now().Add(2*time.Hour).UTC().Format(time.RFC3339))
	})
	h.quiet()
	return h
}

// operation is one thing that somebody does; its name says what.
type operation struct {
	name string
	do   func(h *house)
}

// play does what a burst says, heals everything, and waits until it is quiet.
func (h *house) play(burst []operation) {
	h.t.Helper()
	var done []string
	defer func() {
		if h.t.Failed() {
			h.t.Logf("%s: %q", h, done)
			h.oracle.verdict() // also where it never came to an end
		}
	}()
	for _, o := range burst {
		done = append(done, o.name)
		o.do(h)
		operations.Add(1)
	}
	h.healed()
	h.look()
	h.quiet()
	covered.moments.Add(int64(h.oracle.verdict()))
	h.rest()
}

// healed ends all troubles.
func (h *house) healed() {
	for _, heal := range h.heal {
		heal()
	}
	h.heal = nil
}

var (
	userNames    = []string{"ann", "mia", "leo", "zoe"}
	libraryNames = []string{"movies", "kids", "shows"}
	grantNames   = []string{"all", "kids", "more"}
	roles        = []v1alpha1.AccountRole{v1alpha1.AccountRoleMember, v1alpha1.AccountRoleEditor, v1alpha1.AccountRoleAdmin}
)

// anOperation draws one.
func anOperation(r *rapid.T) operation {
	user := rapid.SampledFrom(userNames).Draw(r, "user")
	library := rapid.SampledFrom(libraryNames).Draw(r, "library")
	grant := rapid.SampledFrom(grantNames).Draw(r, "grant")
	number := rapid.IntRange(0, 30).Draw(r, "number")
	libraries := rapid.SampledFrom([]string{"*", "movies", "kids", "movies,kids", "shows"}).Draw(r, "libraries")
	users := rapid.SampledFrom([]string{"*", "ann", "mia", "group=kids", "leo,zoe"}).Draw(r, "users")
	return rapid.SampledFrom(slices.Concat(
		manifestChanges(user, library, grant, number, libraries, users), byHand(user, library, number), lossesAndChanges(user, library, number), rebuilds(user, number), invitations(number),
	)).Draw(r, "operation")
}

func named(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// manifestChanges are what people do to manifests.
func manifestChanges(user, library, grant string, number int, libraries, users string) []operation {
	return []operation{
		{named("create User %s", user), func(h *house) { h.put(h.newcomer(user)) }},
		{named("delete User %s", user), func(h *house) { h.delete(h.user(user)) }},
		{named("toggle disabled of %s", user), func(h *house) {
			h.change(h.user(user), func(o client.Object) { u := o.(*v1alpha1.User); u.Spec.Disabled = !u.Spec.Disabled })
		}},
		{named("label %s %d", user, number%2), func(h *house) {
			h.change(h.user(user), func(o client.Object) {
				o.SetLabels(map[string]string{"group": []string{"kids", "adults"}[number%2]})
			})
		}},
		{named("access All for %s: %t", user, number%2 == 0), func(h *house) {
			h.change(h.user(user), func(o client.Object) {
				o.(*v1alpha1.User).Spec.Access = []v1alpha1.UserAccess{v1alpha1.UserAccessAll, v1alpha1.UserAccessGranted}[number%2]
			})
		}},
		{named("rotate the password of %s (%d)", user, number), func(h *house) {
			h.change(h.user(user), func(o client.Object) {
				o.SetAnnotations(with(o.GetAnnotations(), v1alpha1.AnnotationRotatePassword, fmt.Sprint(number)))
			})
		}},
		{named("lose the record of %s", user), func(h *house) {
			h.change(h.user(user), func(o client.Object) {
				annotations := o.GetAnnotations()
				delete(annotations, v1alpha1.AnnotationOwned)
				o.SetAnnotations(annotations)
			})
		}},
		{named("grant %s: %s to %s", grant, libraries, users), func(h *house) { h.put(h.grant(grant, libraries, users)) }},
		{named("change grant %s: %s to %s", grant, libraries, users), func(h *house) {
			h.change(h.grant(grant, "", ""), func(o client.Object) {
				o.(*v1alpha1.LibraryGrant).Spec.Libraries, o.(*v1alpha1.LibraryGrant).Spec.Users = targets(libraries), targets(users)
			})
		}},
		{named("revoke grant %s", grant), func(h *house) { h.delete(h.grant(grant, "", "")) }},
		{named("create Library %s", library), func(h *house) { h.put(h.newLibrary(library)) }},
		{named("delete Library %s", library), func(h *house) { h.delete(h.library(library)) }},
	}
}

// byHand are what people do on the server, and to the operator.
func byHand(user, library string, number int) []operation {
	return []operation{
		{named("by hand: give %s to %s", library, user), func(h *house) {
			h.oracle.byHand(func(s system) { s.give(user, displayName(library)) })
		}},
		{named("by hand: take %s from %s", library, user), func(h *house) {
			h.oracle.byHand(func(s system) { s.take(user, displayName(library)) })
		}},
		{named("by hand: disable %s", user), func(h *house) {
			h.oracle.byHand(func(s system) { s.setDisabled(user, true) })
		}},
		{"by hand: give Private to guest", func(h *house) {
			h.oracle.byHand(func(s system) { s.give("guest", "Private") })
		}},
		{"kill and start the operator", func(h *house) { h.restart() }},
		{named("odd answers %d", number), func(h *house) { h.heal = append(h.heal, h.system.odd(number)) }},
		{"the server goes down", func(h *house) { h.heal = append(h.heal, h.system.down()) }},
		{"the server comes back", func(h *house) { h.healed() }},
		{"look", func(h *house) { h.look() }},
	}
}

// lossesAndChanges are what is lost, restored or renamed behind the operator's back, and roles that change.
func lossesAndChanges(user, library string, number int) []operation {
	return []operation{
		{fmt.Sprintf("role of %s: %s", user, roles[number%len(roles)]), func(h *house) {
			h.change(h.user(user), func(o client.Object) { o.(*v1alpha1.User).Spec.Role = roles[number%len(roles)] })
		}},
		{fmt.Sprintf("strip the record of User %s", user), func(h *house) { h.change(h.user(user), withoutRecord) }},
		{fmt.Sprintf("strip the record of Library %s", library), func(h *house) { h.change(h.library(library), withoutRecord) }},
		{fmt.Sprintf("by hand: rename %s, or back", user), func(h *house) {
			if on := h.memory(); on != nil {
				to := user + "-renamed"
				_, named := on.store.Account(user)
				_, renamed := on.store.Account(to)
				switch {
				case renamed && !named:
					h.oracle.renamed(to, user)
				case named && !renamed:
					h.oracle.renamed(user, to)
				}
			}
		}},
		{"a second connection comes, or goes", func(h *house) {
			twin := h.mediaServer()
			twin.Name = "twin"
			if h.client.Get(h.t.Context(), client.ObjectKeyFromObject(twin), twin) == nil {
				h.delete(twin)
			} else {
				h.create(twin)
			}
		}},
	}
}

func with(annotations map[string]string, key, value string) map[string]string {
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	return annotations
}

// newcomer is a User that takes over its own account from before, which was disabled when the User was deleted.
func (h *house) newcomer(name string) *v1alpha1.User {
	user := h.user(name, "group=adults")
	if _, there := h.system.people()[name]; there {
		user.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways
	}
	return user
}

// newLibrary is one that is taken over only if it is there.
func (h *house) newLibrary(name string) *v1alpha1.Library {
	library := h.library(name)
	if !slices.Contains(h.system.libraries(), library.Spec.DisplayName) {
		library.Spec.AdoptionPolicy = ""
	}
	return library
}

// put creates an object, unless there is one, also one that is being deleted.
func (h *house) put(object client.Object) {
	h.t.Helper()
	if h.client.Get(h.t.Context(), client.ObjectKeyFromObject(object), object.DeepCopyObject().(client.Object)) == nil {
		return
	}
	h.create(object)
}

// change edits an object, if there is one.
func (h *house) change(object client.Object, change func(client.Object)) {
	h.t.Helper()
	if h.client.Get(h.t.Context(), client.ObjectKeyFromObject(object), object) != nil {
		return
	}
	base := object.DeepCopyObject().(client.Object)
	change(object)
	h.oracle.beforeChange(object)
	if err := h.client.Patch(h.t.Context(), object, client.MergeFrom(base)); client.IgnoreNotFound(err) != nil {
		h.t.Fatal(err)
	}
}
