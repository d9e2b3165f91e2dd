package controller_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// TestOutageIsWaitedOutTogether: a server that is down costs its probes, not a retry an object, and what changed
// meanwhile is done when it is back.
func TestOutageIsWaitedOutTogether(t *testing.T) {
	t.Parallel()
	const users = 150
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.grant("g", "*", "*"))
	for i := range users {
		w.create(w.user(fmt.Sprintf("u%03d", i)))
	}
	w.allReady(users)
	eventsBefore := w.events()
	w.proceed()

	up := w.store.Down()
	w.look()
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
	w.store.ResetCalls()
	w.delete(w.grant("g", "*", "*"))
	w.eventually("all wait for the server", func() bool { return w.countReady() == 0 })
	outage := time.Now().Add(8 * time.Second)
	w.eventually("the outage has lasted", func() bool { return time.Now().After(outage) })
	attempts := w.store.Count(memory.Any)
	t.Logf("%d objects, 8 s of outage: %d attempts %v", users, attempts, w.store.Counts())
	if attempts > 8 {
		t.Errorf("%d attempts on a server that is down, want its probes only", attempts)
	}
	up()
	w.allReady(users)
	for i := range users {
		w.seesExactly(fmt.Sprintf("u%03d", i))
	}
	if accounts := len(w.store.Accounts()); accounts != users+1 {
		t.Errorf("%d accounts after the outage, want %d", accounts, users+1)
	}
	if more := w.events() - eventsBefore; more > 5 {
		t.Errorf("%d events about one outage of %d objects", more, users)
	}
}

// TestAClusterRebuiltFromManifests: same server, no status, no annotations.
func TestAClusterRebuiltFromManifests(t *testing.T) {
	t.Parallel()
	first := newWorld(t, memory.Options{})
	manifests := func(w *world) {
		server := w.mediaServer()
		server.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways
		ann := w.user("ann", "group=adults")
		ann.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
		w.create(w.secret("ann-password", map[string]string{"password": "what ann was given"}))
		w.create(server, w.library("movies"), w.library("kids"), ann, w.user("mia", "group=kids"))
		w.create(w.grant("all", "movies", "*"), w.grant("kids", "kids", "group=kids"))
		w.accept()
	}
	first.delete(first.mediaServer())
	first.gone(first.mediaServer())
	manifests(first)
	first.seesExactly("ann", "movies")
	first.seesExactly("mia", "movies", "kids")
	first.ready(&v1alpha1.User{}, "ann", "mia")
	first.stop()
	first.store.ChangePassword("mia", "what mia chose")
	before := first.store.Accounts()

	second := newIdleWorld(t, memory.Options{})
	second.store = first.store
	second.fleet.Put(serverURL, first.store)
	second.store.ResetCalls()
	second.start()
	manifests(second)
	second.ready(&v1alpha1.Library{}, "movies", "kids")
	second.ready(&v1alpha1.User{}, "ann", "mia")
	second.condition(&v1alpha1.LibraryGrant{}, "kids", v1alpha1.ConditionApplied, metav1.ConditionTrue, "")
	if writes := second.store.WriteCount(); writes > 0 {
		t.Errorf("taking everything over wrote to the server: %v", second.store.Counts())
	}
	if after := second.store.Accounts(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("accounts changed:\n%v\n%v", before, after)
	}
	if !second.store.CheckPassword("ann", "what ann was given") || !second.store.CheckPassword("mia", "what mia chose") {
		t.Error("a password changed")
	}
}

// TestEverythingDeletedAtOnceWithCascade: everything is taken back, though the Secret with the credentials goes first.
func TestEverythingDeletedAtOnceWithCascade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.library("tv"), w.user("ann"), w.user("bob"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies", "tv")
	w.seesExactly("bob", "movies", "tv")
	w.cascade()
	w.delete(&corev1.Secret{ObjectMeta: w.meta("home-admin")}, w.mediaServer(), w.grant("g", "*", "*"),
		w.library("movies"), w.library("tv"), w.user("ann"), w.user("bob"))
	for _, object := range []client.Object{w.user("ann"), w.user("bob"), w.library("movies"), w.library("tv"), w.mediaServer()} {
		w.gone(object)
	}
	for _, name := range []string{"ann", "bob"} {
		if account, _ := w.store.Account(name); !account.Disabled || len(account.Access.Libraries) > 0 {
			t.Errorf("%s was left with %+v", name, account)
		}
	}
}

// TestHalfAListDestroysNothing: a server whose list lacks people for a while.
func TestHalfAListDestroysNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: quick})
	w.create(w.library("movies"), w.grant("g", "*", "*"), w.user("ann"), w.user("bob"))
	w.seesExactly("ann", "movies")
	w.seesExactly("bob", "movies")
	w.ready(&v1alpha1.User{}, "ann", "bob")
	record := func() string { return get(w, &v1alpha1.User{}, "bob").Annotations[v1alpha1.AnnotationOwned] }
	recorded := record()
	w.stop()
	w.store.ResetCalls()
	w.openAs(func(config media.Config) (media.Driver, error) {
		driver, err := w.store.Open(config)
		return halfDriver{driver}, err
	})
	for range 4 { // more than enough for a list to be believed
		w.sync()
	}
	w.seesExactly("ann", "movies")
	w.seesExactly("bob", "movies")
	if libraries, accounts := len(w.store.Libraries()), len(w.store.Accounts()); libraries != 1 || accounts != 3 {
		t.Errorf("%d libraries and %d accounts, want 1 and 3", libraries, accounts)
	}
	if account, _ := w.store.Account("bob"); account.Disabled {
		t.Error("bob was disabled on the word of half a list")
	}
	if tried := w.store.Count(memory.CreateAccount); tried != 0 || record() != recorded {
		t.Errorf("%d accounts were to be made, and the record of bob went from %s to %s", tried, recorded, record())
	}
}

func TestDisruptionLimit(t *testing.T) {
	t.Parallel()
	const users = 12
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.library("tv"), w.grant("all", "movies,tv", "*"))
	for i := range users {
		w.create(w.user(fmt.Sprintf("u%02d", i)))
	}
	w.allReady(users)
	sees := func(n int) (people int) {
		for i := range users {
			if len(w.sees(fmt.Sprintf("u%02d", i))) == n {
				people++
			}
		}
		return people
	}
	w.eventually("everybody sees both", func() bool { return sees(2) == users })

	edit(w, w.grant("all", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Libraries = targets("movies") })
	w.eventually("one library less for everybody shuts nobody out", func() bool { return sees(1) == users })
	w.allReady(users)
	w.delete(w.grant("all", "", ""))
	w.eventually("five are shut out, and the others wait", func() bool { return sees(0) == 5 && w.countReady() == 5 })
	w.sync()
	if n := sees(0); n != 5 {
		t.Errorf("%d are shut out, want 5 until somebody says so", n)
	}
	w.proceed()
	w.eventually("all are, now that it is said", func() bool { return sees(0) == users })
	w.allReady(users)
}

func TestTheDisruptionLimitLeavesAloneWhatEndsOnTime(t *testing.T) {
	t.Parallel()
	const users = 8
	w := newWorld(t, memory.Options{})
	ends := v1alpha1.NewTime(time.Now().Add(8 * time.Second).Truncate(time.Second))
	grant := w.grant("holidays", "*", "*")
	grant.Spec.NotAfter = &ends
	w.create(w.library("movies"), grant)
	for i := range users {
		user := w.user(fmt.Sprintf("u%d", i))
		if i == 0 {
			user.Spec.ExpiresAt = &ends
		}
		w.create(user)
	}
	for i := range users {
		w.seesExactly(fmt.Sprintf("u%d", i), "movies")
	}
	for i := range users {
		w.seesExactly(fmt.Sprintf("u%d", i))
	}
	w.state("u0", v1alpha1.UserExpired)
}

// TestJunkUsersDoNotLiftTheBrake: who writes Users that see nothing does not thereby have more of the others shut out, and who
// deletes such Users does not use up what may be taken from the others.
func TestJunkUsersDoNotLiftTheBrake(t *testing.T) {
	t.Parallel()
	const family, junk = 8, 27
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.grant("family", "movies", "of=family"))
	for i := range family {
		w.create(w.user(fmt.Sprintf("u%02d", i), "of=family"))
	}
	for i := range junk {
		w.create(w.user(fmt.Sprintf("junk%02d", i)))
	}
	w.allReady(family + junk)
	sees := func() (people int) {
		for i := range family {
			people += len(w.sees(fmt.Sprintf("u%02d", i)))
		}
		return people
	}
	w.eventually("the family sees it", func() bool { return sees() == family })
	for i := range 5 {
		w.delete(w.user(fmt.Sprintf("junk%02d", i)))
	}
	for i := range 5 {
		w.gone(w.user(fmt.Sprintf("junk%02d", i)))
	}
	w.delete(w.grant("family", "", ""))
	w.eventually("five are shut out, and the others wait", func() bool { return sees() == family-5 && w.waitForTheBrake() == family-5 })
	w.sync()
	if n := sees(); n != family-5 {
		t.Errorf("%d still see it, want %d until somebody says so", n, family-5)
	}
	w.proceed()
	w.eventually("all are, now that it is said", func() bool { return sees() == 0 })
}

// TestJunkUsersHoldNobodyBack: who gives accounts a library and takes it from them uses up nothing that may be taken from those
// who had theirs before, also where it was taken from one of these and given back.
func TestJunkUsersHoldNobodyBack(t *testing.T) {
	t.Parallel()
	for name, givenBack := range map[string]bool{"had it all along": false, "had it taken and given back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const junk = 7
			w := newWorld(t, memory.Options{})
			w.create(w.library("movies"), w.grant("all", "movies", "*"), w.user("ann"), w.user("bob"))
			w.seesExactly("ann", "movies")
			w.seesExactly("bob", "movies")
			w.ready(&v1alpha1.User{}, "ann", "bob")
			w.stop()
			w.clock.set(25 * time.Hour)
			w.start() // what they have, they have had for more than a day
			disableAnn := func(disabled bool, state v1alpha1.UserState) {
				edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = disabled })
				w.state("ann", state)
			}
			if givenBack {
				disableAnn(true, v1alpha1.UserDisabled)
				disableAnn(false, v1alpha1.UserActive)
				w.ready(&v1alpha1.User{}, "ann")
			}
			for i := range junk {
				w.create(w.user(fmt.Sprintf("junk%02d", i)))
			}
			for i := range junk {
				w.seesExactly(fmt.Sprintf("junk%02d", i), "movies")
				w.ready(&v1alpha1.User{}, fmt.Sprintf("junk%02d", i))
			}
			for i := range junk {
				w.delete(w.user(fmt.Sprintf("junk%02d", i)))
			}
			w.eventually("all that may be are shut out", func() bool { return w.waitForTheBrake() == junk-5 })
			disableAnn(true, v1alpha1.UserDisabled)
			w.delete(w.user("bob"))
			w.gone(w.user("bob"))
			if n := w.waitForTheBrake(); n != junk-5 {
				t.Errorf("%d are held, want %d: the others came too late to hold anybody", n, junk-5)
			}
		})
	}
}

// waitForTheBrake counts the Users that the disruption limit holds back.
func (w *world) waitForTheBrake() (n int) {
	var users v1alpha1.UserList
	_ = w.client.List(w.t.Context(), &users, client.InNamespace(w.namespace))
	for i := range users.Items {
		for _, condition := range users.Items[i].Status.Conditions {
			if condition.Type == v1alpha1.ConditionReady && condition.Reason == v1alpha1.ReasonDisruptionLimit {
				n++
			}
		}
	}
	return n
}

// proceed lifts the disruption limit for an hour.
func (w *world) proceed() {
	w.t.Helper()
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationProceed, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	})
}

func (w *world) allReady(users int) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("all %d users are Ready", users), func() bool { return w.countReady() == users })
}

// countReady counts the Users that are Ready.
func (w *world) countReady() (n int) {
	var users v1alpha1.UserList
	_ = w.client.List(w.t.Context(), &users, client.InNamespace(w.namespace))
	for i := range users.Items {
		if meta.IsStatusConditionTrue(users.Items[i].Status.Conditions, v1alpha1.ConditionReady) {
			n++
		}
	}
	return n
}

func (w *world) events() int {
	var events eventsv1.EventList
	_ = w.client.List(w.t.Context(), &events, client.InNamespace(w.namespace))
	return len(events.Items)
}

// eventsOf are the notes of the events about an object.
func (w *world) eventsOf(name string) (notes []string) {
	var events eventsv1.EventList
	_ = w.client.List(w.t.Context(), &events, client.InNamespace(w.namespace))
	for i := range events.Items {
		if events.Items[i].Regarding.Name == name {
			notes = append(notes, events.Items[i].Note)
		}
	}
	return notes
}

// TestAnErrorAboutOnePersonIsThatPersonsAlone: a server that answers one call with an error of its own is up.
func TestAnErrorAboutOnePersonIsThatPersonsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.user("bob"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	ann, _ := w.store.Account("ann")
	stop := w.store.Hook(func(_ context.Context, moment memory.Moment, call memory.Call) error {
		if moment == memory.Before && call.Op == memory.SetAccess && call.Account == ann.ID {
			return &media.Error{Code: media.Unavailable, Message: "the server answered 500", Answered: true}
		}
		return nil
	})
	w.create(w.grant("g", "*", "*"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRetrying)
	w.seesExactly("bob", "movies")
	w.ready(&v1alpha1.User{}, "bob")
	w.ready(&v1alpha1.MediaServer{}, serverName)
	stop()
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
}
