package controller_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/embedded"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

// poisons are what an API server took in place of a date, and what is stored since; and a date that it takes still, which is in
// the year 10000 elsewhere.
var poisons = map[string]any{"a small t": "2030-12-31t22:00:00z", "a list": []any{"2030-12-31T22:00:00Z"}, "after the last year": "9999-12-31T23:59:59-12:00"}

// poison puts a value where an earlier version of the kind took it.
func (w *world) poison(object client.Object, value any, path ...string) {
	w.t.Helper()
	testenv.Get(w.t).Rewrite(w.t, object, func(stored map[string]any) {
		at := stored
		for _, name := range path[:len(path)-1] {
			inner, isMap := at[name].(map[string]any)
			if !isMap {
				inner = map[string]any{}
				at[name] = inner
			}
			at = inner
		}
		at[path[len(path)-1]] = value
	})
}

// poisonConditions gives every condition in a status a time that cannot be read.
func (w *world) poisonConditions(object client.Object, value any) {
	w.t.Helper()
	testenv.Get(w.t).Rewrite(w.t, object, func(stored map[string]any) {
		for _, condition := range stored["status"].(map[string]any)["conditions"].([]any) {
			condition.(map[string]any)["lastTransitionTime"] = value
		}
	})
}

// unreadableSpec waits until the object alone is Stalled, and says which field nobody can read.
func (w *world) unreadableSpec(object withStatus, name, field string) {
	w.t.Helper()
	stalled := w.condition(object, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec)
	if !strings.HasPrefix(stalled.Message, field+": ") || !strings.Contains(stalled.Message, "write it like") {
		w.t.Errorf("%s: %q does not say what to do about %s", name, stalled.Message, field)
	}
}

// TestADateThatNobodyCanReadStallsItsOwnObjectAlone: others of its kind go on, by the watch that runs and by the list of
// an operator that starts; what it gave is only ever narrowed; it can be labelled, mended and deleted.
func TestADateThatNobodyCanReadStallsItsOwnObjectAlone(t *testing.T) {
	for name, value := range poisons {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{})
			w.create(w.library("movies"), w.library("tv"), w.library("anime"), w.user("zoe", "set=a"), w.user("mia", "set=a"),
				w.grant("films", "movies", "set=a"), w.grant("series", "tv", "set=a"), w.grant("cartoons", "anime", "mia"))
			w.seesExactly("zoe", "movies", "tv")
			w.seesExactly("mia", "anime", "movies", "tv")
			w.ready(&v1alpha1.User{}, "zoe", "mia")
			w.ready(&v1alpha1.LibraryGrant{}, "films", "series", "cartoons")

			w.poison(w.user("zoe"), value, "spec", "expiresAt")
			w.poison(w.grant("series", "", ""), value, "spec", "notAfter")
			w.poison(w.library("tv"), value, "status", "drift", "detectedAt")
			w.poison(w.library("tv"), value, "status", "drift", "repairedAt")
			w.poisonConditions(w.library("anime"), value)
			w.poisonConditions(w.mediaServer(), value)
			w.poisonConditions(w.grant("cartoons", "", ""), value)
			w.look()
			w.unreadableSpec(&v1alpha1.User{}, "zoe", "spec.expiresAt")
			w.unreadableSpec(&v1alpha1.LibraryGrant{}, "series", "spec.notAfter")
			w.seesExactly("mia", "anime", "movies")
			w.seesExactly("zoe", "movies")
			w.othersGoOn("newcomer")

			w.stop()
			w.start()
			w.othersGoOn("latecomer")
			w.onlyNarrowed()
			w.letGoOfPoisoned(value)
		})
	}
}

// othersGoOn creates, disables, grants and takes, beside what cannot be read.
func (w *world) othersGoOn(name string) {
	w.t.Helper()
	w.create(w.user(name), w.grant(name, "tv", name))
	w.seesExactly(name, "tv")
	w.ready(&v1alpha1.User{}, name)
	w.delete(w.grant(name, "", ""))
	w.seesExactly(name)
	edit(w, w.user(name), func(u *v1alpha1.User) { u.Spec.Disabled = true })
	w.state(name, v1alpha1.UserDisabled)
	library := w.library("of-" + name)
	w.create(library)
	w.ready(&v1alpha1.Library{}, library.Name)
	w.ready(&v1alpha1.Library{}, "tv", "anime", "movies")
	w.ready(&v1alpha1.MediaServer{}, serverName)
}

// onlyNarrowed grants zoe one library more and takes one: the one is not given, the other is taken.
func (w *world) onlyNarrowed() {
	w.t.Helper()
	w.create(w.grant("more", "anime", "zoe,mia"))
	w.ready(&v1alpha1.LibraryGrant{}, "more")
	w.delete(w.grant("films", "", ""))
	w.seesExactly("zoe")
	w.seesExactly("mia", "anime")
	w.eventually("zoe's status says what is given", func() bool {
		user := get(w, &v1alpha1.User{}, "zoe")
		return user.Status.Access != nil && user.Status.Access.Total == 0
	})
	// A new User with such a date gets no account. Only a stored one can have it: it waits, paused, until it has.
	ghost := w.user("ghost", "set=a")
	ghost.Annotations = map[string]string{v1alpha1.AnnotationPaused: "true"}
	w.create(ghost)
	w.poison(ghost, poisons["a list"], "spec", "expiresAt")
	edit(w, ghost, func(u *v1alpha1.User) { u.Annotations[v1alpha1.AnnotationPaused] = "false" })
	w.unreadableSpec(&v1alpha1.User{}, "ghost", "spec.expiresAt")
	if _, made := w.store.Account("ghost"); made {
		w.t.Error("an account was made for a User whose end cannot be read")
	}
}

// letGoOfPoisoned labels, finalizes, mends and deletes.
func (w *world) letGoOfPoisoned(value any) {
	w.t.Helper()
	zoe := w.user("zoe")
	replace(w, zoe, func(now *v1alpha1.User) {
		now.Labels["seen"] = "true"
		controllerutil.AddFinalizer(now, "example.org/hold")
	})
	raw := &unstructured.Unstructured{}
	raw.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("User"))
	if written, _, _ := unstructured.NestedFieldNoCopy(get(w, raw, "zoe").Object, "spec", "expiresAt"); fmt.Sprint(written) != fmt.Sprint(value) {
		w.t.Errorf("an update made %v of %v", written, value)
	}
	replace(w, zoe, func(now *v1alpha1.User) { controllerutil.RemoveFinalizer(now, "example.org/hold") })
	edit(w, w.user("ghost"), func(u *v1alpha1.User) { u.Spec.ExpiresAt = new(v1alpha1.NewTime(time.Now().Add(time.Hour))) })
	w.ready(&v1alpha1.User{}, "ghost")
	w.delete(w.user("zoe"), w.grant("series", "", ""))
	w.gone(w.user("zoe"))
	w.gone(w.grant("series", "", ""))
	if account, _ := w.store.Account("zoe"); !account.Disabled {
		w.t.Error("deleted, and not shut out")
	}
}

// TestAMediaServerWhoseIntervalCannotBeReadIsUsed: access is taken all the same.
func TestAMediaServerWhoseIntervalCannotBeReadIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("mia"), w.grant("films", "movies", "mia"))
	w.seesExactly("mia", "movies")
	w.poison(w.mediaServer(), "9999999999999999h", "spec", "syncInterval")
	w.look()
	w.unreadableSpec(&v1alpha1.MediaServer{}, serverName, "spec.syncInterval")
	w.delete(w.grant("films", "", ""))
	w.seesExactly("mia")
	w.ready(&v1alpha1.User{}, "mia")
	if server := get(w, &v1alpha1.MediaServer{}, serverName); server.Status.State != v1alpha1.MediaServerConnected {
		t.Errorf("the server is %s", server.Status.State)
	}
}

// TestAnInviteWhoseEndCannotBeReadIsNotOpen: its link is closed, and others are redeemed and revoked beside it. A Redemption
// that cannot be read gives nothing, and hides no other.
func TestAnInviteWhoseEndCannotBeReadIsNotOpen(t *testing.T) {
	for name, value := range poisons {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newInviteWorld(t)
			w.invite("family", nil)
			w.invite("friends", nil)
			w.invite("guests", nil)
			if status, text := w.register("joe", w.code("family")); status != http.StatusCreated {
				t.Fatal(status, text)
			}
			w.state("family", v1alpha1.InvitePending, 1)
			var redemptions v1alpha1.RedemptionList
			if err := w.client.List(t.Context(), &redemptions, client.InNamespace(w.namespace)); err != nil || len(redemptions.Items) != 1 {
				t.Fatal(err, len(redemptions.Items))
			}
			joe := redemptions.Items[0].Spec.Accounts[0].UserRef.Name
			w.poison(&redemptions.Items[0], value, "spec", "at")
			w.poison(&v1alpha1.Invite{ObjectMeta: w.meta("guests")}, value, "spec", "expiresAt")
			w.poisonConditions(&v1alpha1.Invite{ObjectMeta: w.meta("friends")}, value)
			w.unreadableSpec(&v1alpha1.Invite{}, "guests", "spec.expiresAt")
			if status, text := w.register("late", w.code("guests")); status != http.StatusGone {
				t.Errorf("the link is open: %d %s", status, text)
			}
			w.eventually("joe's use gives nothing", func() bool {
				user := get(w.world, &v1alpha1.User{}, joe)
				return user.Status.Access != nil && user.Status.Access.Total == 0
			})
			w.stop()
			w.openAs(embedded.Open)
			if status, text := w.register("ann", w.code("friends")); status != http.StatusCreated {
				t.Fatal(status, text)
			}
			w.state("friends", v1alpha1.InvitePending, 1)
			edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("friends")}, func(i *v1alpha1.Invite) { i.Spec.Revoked = true })
			w.state("friends", v1alpha1.InviteRevoked, 1)
			w.eventually("the link is dead", func() bool { status, _ := w.register("joe2", w.code("friends")); return status == http.StatusGone })
			w.delete(&v1alpha1.Invite{ObjectMeta: w.meta("guests")}, &redemptions.Items[0])
			w.gone(&v1alpha1.Invite{ObjectMeta: w.meta("guests")})
		})
	}
}
