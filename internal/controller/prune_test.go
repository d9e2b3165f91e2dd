package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// cascade sets the deletion policy of the MediaServer, and waits until the operator has seen it.
func (w *world) cascade() {
	w.t.Helper()
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.DeletionPolicy = v1alpha1.MediaServerDeletionCascade })
	w.ready(&v1alpha1.MediaServer{}, serverName)
}

// household is two people who see what a grant each gives them.
func (w *world) household() {
	w.t.Helper()
	w.create(w.library("movies"), w.library("tv"), w.user("ann"), w.user("bob", "group=kids"), w.grant("all", "movies", "*"), w.grant("kids", "tv", "group=kids"))
	w.seesExactly("ann", "movies")
	w.seesExactly("bob", "movies", "tv")
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.ready(&v1alpha1.Library{}, "movies", "tv")
}

// prunes are the kinds of things that a prune deletes.
func (w *world) prunes() map[string][]client.Object {
	return map[string][]client.Object{
		"namespace": {&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}},
		"server":    {w.mediaServer()},
		"secret":    {&corev1.Secret{ObjectMeta: w.meta("home-admin")}},
		"users":     {w.user("ann"), w.user("bob")},
		"libraries": {w.library("movies"), w.library("tv")},
		"grants":    {w.grant("all", "*", "*"), w.grant("kids", "*", "*")},
	}
}

// passes waits until some time has passed in which the operator could have done harm.
func (w *world) passes(d time.Duration) {
	w.t.Helper()
	over := time.Now().Add(d)
	w.eventually("some time has passed", func() bool { return time.Now().After(over) })
}

// TestAPruneInAnyOrderShutsNobodyOut: whatever goes first, and however slowly the rest follows.
func TestAPruneInAnyOrderShutsNobodyOut(t *testing.T) {
	t.Parallel()
	kinds := []string{"namespace", "server", "secret", "users", "libraries", "grants"}
	var orders [][]string
	for i := range kinds {
		order := slices.Concat(kinds[i:], kinds[:i])
		if i%2 == 1 {
			slices.Reverse(order[1:])
		}
		orders = append(orders, order)
	}
	orders = append(orders, []string{"grants", "libraries", "users", "secret", "server"}, []string{"users", "grants", "server", "libraries", "secret"})
	for _, order := range orders {
		t.Run(strings.Join(order, ","), func(t *testing.T) {
			t.Parallel()
			w := newIdleWorld(t, memory.Options{})
			w.pruneWait = -1
			w.start()
			w.create(w.mediaServer())
			w.household()
			before := fmt.Sprint(w.store.Accounts(), w.store.Libraries())
			w.store.ResetCalls()
			for _, kind := range order {
				w.delete(w.prunes()[kind]...)
				w.passes(300 * time.Millisecond)
			}
			for kind, objects := range w.prunes() {
				for _, object := range objects {
					if kind != "namespace" { // nobody finalizes it here
						w.gone(object)
					}
				}
			}
			if after := fmt.Sprint(w.store.Accounts(), w.store.Libraries()); after != before || w.store.WriteCount() > 0 {
				t.Errorf("the prune changed the server by %v:\n%s\n%s", w.store.Counts(), before, after)
			}
		})
	}
}

// TestADeletionIsFollowedAfterAWhile: a deletion that stands for itself takes what it takes, a moment later.
func TestADeletionIsFollowedAfterAWhile(t *testing.T) {
	t.Parallel()
	const wait = 3 * time.Second
	w := newIdleWorld(t, memory.Options{})
	w.pruneWait = wait
	w.start()
	w.create(w.mediaServer())
	w.household()
	for _, one := range []struct {
		name   string
		object client.Object
		taken  func() bool
	}{
		{"a grant", w.grant("kids", "*", "*"), func() bool { return len(w.sees("bob")) == 1 }},
		{"a User", w.user("bob"), func() bool { account, _ := w.store.Account("bob"); return account.Disabled }},
		{"a Library", w.library("movies"), func() bool { return len(w.sees("ann")) == 0 }},
	} {
		began := time.Now()
		w.delete(one.object)
		w.eventually(one.name+" is followed", one.taken)
		if took := time.Since(began); took < wait {
			t.Errorf("the deletion of %s was followed after %s", one.name, took)
		}
	}
	w.create(w.library("more"), w.grant("more", "more", "*"))
	w.seesExactly("ann", "more")
	w.ready(&v1alpha1.User{}, "ann")
	began := time.Now()
	edit(w, w.grant("more", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Disabled = true })
	w.seesExactly("ann")
	if took := time.Since(began); took >= wait {
		t.Errorf("a grant that is disabled was withdrawn after %s: that waits for nothing", took)
	}
}

// TestADeletedMediaServerLeavesItsUsersAsTheyAre: also their records, so that it goes on when it is made again.
func TestADeletedMediaServerLeavesItsUsersAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.household()
	end := v1alpha1.NewTime(time.Now().Add(time.Hour))
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.ExpiresAt = &end })
	w.ready(&v1alpha1.User{}, "ann")
	before, password := get(w, &v1alpha1.User{}, "ann"), w.password("ann-credentials")
	w.store.ResetCalls()
	w.delete(w.mediaServer())
	w.gone(w.mediaServer())
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerNotFound)
	after := get(w, &v1alpha1.User{}, "ann")
	if after.Annotations[v1alpha1.AnnotationOwned] != before.Annotations[v1alpha1.AnnotationOwned] || after.Status.ExternalID != before.Status.ExternalID ||
		fmt.Sprint(after.Status.Access) != fmt.Sprint(before.Status.Access) || after.Status.State != v1alpha1.UserPending || len(after.Finalizers) != 1 {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	w.eventually("an event counts who was to end", func() bool {
		return strings.Contains(strings.Join(w.eventsOf(serverName), "\n"), "1 of these accounts have an end date")
	})
	w.create(w.mediaServer())
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.ready(&v1alpha1.User{}, "ann", "bob")
	if w.store.WriteCount() > 0 || w.password("ann-credentials") != password {
		t.Errorf("leaving and coming back wrote to the server, or changed a password: %v", w.store.Counts())
	}

	w.delete(w.mediaServer())
	w.gone(w.mediaServer())
	w.delete(w.user("ann"), w.library("movies"))
	w.gone(w.user("ann"))
	w.gone(w.library("movies"))
	w.eventually("an event says that nothing ends the account now", func() bool {
		return strings.Contains(strings.Join(w.eventsOf("ann"), "\n"), "nothing ends it now")
	})
	if w.passwordOrNone("ann-credentials") != "" {
		t.Error("the password of a User that is deleted is kept")
	}
	if w.store.WriteCount() > 0 {
		t.Errorf("a deletion after that of the MediaServer wrote to the server: %v", w.store.Counts())
	}
}

// TestCascadeDoesWhatEachPolicySays, for what is deleted and for what is not, and undoes it when the server is made again.
func TestCascadeDoesWhatEachPolicySays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.household()
	keeps, deletes := w.user("kim"), w.user("leo")
	keeps.Spec.DeletionPolicy, deletes.Spec.DeletionPolicy = v1alpha1.UserDeletionRetain, v1alpha1.UserDeletionDelete
	w.create(keeps, deletes)
	w.ready(&v1alpha1.User{}, "kim", "leo")
	w.seesExactly("kim", "movies")
	w.cascade()
	w.delete(w.user("bob"), w.mediaServer())
	w.gone(w.mediaServer())
	w.gone(w.user("bob"))
	for name, disabled := range map[string]bool{"ann": true, "bob": true, "kim": false} {
		if account, there := w.store.Account(name); !there || account.Disabled != disabled || (len(account.Access.Libraries) > 0) == disabled {
			t.Errorf("%s was left with %+v", name, account)
		}
	}
	if _, there := w.store.Account("leo"); there {
		t.Error("the account that was to be deleted is there")
	}
	if user := get(w, &v1alpha1.User{}, "ann"); ownedID(user) == "" || user.Status.State != v1alpha1.UserDisabled {
		t.Errorf("ann has the record %q and is %s", user.Annotations[v1alpha1.AnnotationOwned], user.Status.State)
	}
	w.create(w.mediaServer())
	w.ready(&v1alpha1.User{}, "ann", "kim", "leo")
	for _, name := range []string{"ann", "kim", "leo"} {
		w.seesExactly(name, "movies")
		if account, _ := w.store.Account(name); account.Disabled {
			t.Errorf("%s was not let in again", name)
		}
	}
}

// TestTheBrakeIsOnWhenEverythingIsTakenBack, and what the MediaServer's message advises is possible and harmless.
func TestTheBrakeIsOnWhenEverythingIsTakenBack(t *testing.T) {
	t.Parallel()
	const users = 12
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.grant("all", "*", "*"))
	var people []client.Object
	for i := range users {
		people = append(people, w.user(fmt.Sprintf("u%02d", i)))
	}
	w.create(people...)
	w.allReady(users)
	w.cascade()
	w.delete(people...)
	w.delete(w.mediaServer())
	disabled := func() (n int) {
		for _, account := range w.store.Accounts() {
			if account.Disabled {
				n++
			}
		}
		return n
	}
	w.eventually("five are shut out, and the others wait to be told", func() bool {
		var waiting v1alpha1.UserList
		_ = w.client.List(t.Context(), &waiting, client.InNamespace(w.namespace))
		return disabled() == 5 && len(waiting.Items) == users-5 && !slices.ContainsFunc(waiting.Items, func(u v1alpha1.User) bool {
			ready := meta.FindStatusCondition(u.Status.Conditions, v1alpha1.ConditionReady)
			return ready == nil || ready.Reason != v1alpha1.ReasonDisruptionLimit
		})
	})
	condition := w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInUse)
	w.run(condition.Message)
	for _, person := range people {
		w.gone(person)
	}
	w.gone(w.mediaServer())
	if n := disabled(); n != 5 {
		t.Errorf("%d are shut out after the policy became Retain, want 5", n)
	}

	// The brake counts by MediaServer, not by its name: one that is applied again begins anew.
	w.create(w.mediaServer(), w.user("new"))
	w.ready(&v1alpha1.User{}, "new")
	w.delete(w.user("new"))
	w.gone(w.user("new"))
	if n := disabled(); n != 6 {
		t.Errorf("%d are shut out, want 6", n)
	}
}

func TestALibraryThatIsNotEmptyIsTakenFromNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	library := w.library("movies")
	library.Spec.DeletionPolicy = v1alpha1.LibraryDeletionDelete
	w.create(library, w.user("ann"), w.grant("all", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.store.EditLibrary(media.LibraryID(ownedID(get(w, library, "movies"))), func(l *media.Library) { l.Items = 3 })
	w.store.ResetCalls()
	w.delete(library)
	w.condition(&v1alpha1.Library{}, "movies", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonLibraryNotEmpty)
	w.sync()
	if n := w.store.Count(memory.SetAccess); n > 0 || len(w.sees("ann")) != 1 {
		t.Errorf("access was written %d times for a library that stays, and ann sees %v", n, w.sees("ann"))
	}
}
