package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func TestBootstrap(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{SetupRequired: true})
	w.start()
	w.create(w.mediaServer(), w.user("ann"))
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSetupRequired)
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerNotReady)
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Bootstrap = true })
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.ready(&v1alpha1.User{}, "ann")

	w.store.Wipe()
	w.look()
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonIdentityChanged)
	if n := w.store.Count(memory.Bootstrap); n != 1 {
		t.Errorf("a server that was seen before was bootstrapped again (%d times in all)", n)
	}
}

func TestServerDownWaitsAndRecovers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")

	up := w.store.Down()
	w.look()
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
	w.create(w.user("bob"))
	w.condition(&v1alpha1.User{}, "bob", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)
	w.delete(w.grant("g", "*", "*"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerUnavailable)

	up()
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.seesExactly("ann")
}

func TestWrongCredentialIsSaidOnceAndItsObjectsWait(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	secret := get(w, &corev1.Secret{}, "home-admin")
	secret.Data["password"] = []byte("wrong canary-secret")
	if err := w.client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.create(w.mediaServer(), w.user("ann"))
	condition := w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonCredentialsRefused)
	if strings.Contains(condition.Message, "canary") {
		t.Errorf("the message shows the password: %s", condition.Message)
	}
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerNotReady)
	edit(w, secret, func(s *corev1.Secret) { s.Data["password"] = []byte(memory.DefaultPassword) })
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.ready(&v1alpha1.User{}, "ann")
}

// TestCredentialsThatEndWithALineBreakAreSaid (cases/06): files end with one, and Secrets that are made of files.
func TestCredentialsThatEndWithALineBreakAreSaid(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.start()
	secret := w.secret("newline", map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword + "\n"})
	server := w.mediaServer()
	server.Spec.Credentials.SecretRef.Name = "newline"
	w.create(secret, server)
	for _, trial := range []struct{ key, value, says string }{
		{"password", "canary-secret\n", "ends with a line break"},
		{"password", "canary-secret\r\n", "ends with a line break"},
		{"password", "canary\nsecret", "holds a line break"},
		{"username", memory.DefaultOwner + "\n", "ends with a line break"},
		{"token", "canary-secret\n", "ends with a line break"},
	} {
		edit(w, secret, func(s *corev1.Secret) {
			s.Data = map[string][]byte{"username": []byte(memory.DefaultOwner), "password": []byte(memory.DefaultPassword)}
			s.Data[trial.key] = []byte(trial.value)
		})
		w.eventually(fmt.Sprintf("%q as %s is said", trial.value, trial.key), func() bool {
			said := meta.FindStatusCondition(get(w, &v1alpha1.MediaServer{}, serverName).Status.Conditions, v1alpha1.ConditionStalled)
			return said != nil && said.Reason == v1alpha1.ReasonPasswordUnacceptable && !strings.Contains(said.Message, "canary") &&
				strings.Contains(said.Message, "the "+trial.key+" in Secret newline "+trial.says)
		})
	}
	if calls := len(w.store.Counts()); calls > 0 {
		t.Errorf("the server was called with credentials that cannot be meant: %v", w.store.Counts())
	}
	edit(w, secret, func(s *corev1.Secret) {
		s.Data = map[string][]byte{"username": []byte(memory.DefaultOwner), "password": []byte(memory.DefaultPassword)}
	})
	w.ready(&v1alpha1.MediaServer{}, serverName)
}

func TestMissingSecretAndUnsupportedType(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.start()
	missing := w.mediaServer()
	missing.Spec.Credentials.SecretRef.Name = "nope"
	other := w.mediaServer()
	other.Name, other.Spec.Type = "other", v1alpha1.MediaServerDubby
	w.create(missing, other)
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	w.condition(&v1alpha1.MediaServer{}, "other", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupportedType)
	w.create(w.secret("nope", map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword}))
	w.ready(&v1alpha1.MediaServer{}, serverName)
}

func TestAnotherServerBehindTheURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	w.store.SetIdentity("another")
	w.store.RemoveAccount("ann")
	w.store.ResetCalls()
	w.look()
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonIdentityChanged)
	w.create(w.user("bob"))
	w.condition(&v1alpha1.User{}, "bob", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerNotReady)
	if writes := w.store.WriteCount(); writes > 0 {
		t.Errorf("wrote to a server that is another one: %v", w.store.Counts())
	}
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationAcceptServerIdentity, "another")
	})
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.ready(&v1alpha1.User{}, "ann", "bob")
}

func TestObserveWritesNothing(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	movies := w.store.AddLibrary(media.Library{Name: "Movies", MediaType: "Movies", Paths: []string{"/other"}})
	w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember, Disabled: true}, "ann's own password")
	w.start()
	server, adopted := w.mediaServer(), w.library("movies")
	server.Spec.Mode, adopted.Spec.AdoptionPolicy = v1alpha1.ModeObserve, v1alpha1.LibraryAdoptionIfUnique
	w.create(server, adopted, w.library("tv"), w.user("ann"), w.user("bob"), w.grant("g", "*", "*"))
	w.ready(&v1alpha1.MediaServer{}, serverName)
	for _, name := range []string{"movies", "tv"} {
		w.condition(&v1alpha1.Library{}, name, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonObserving)
		w.condition(&v1alpha1.Library{}, name, v1alpha1.ConditionInSync, metav1.ConditionFalse, v1alpha1.ReasonObserving)
	}
	w.eventually("the plan for ann names the library", func() bool {
		return strings.Contains(strings.Join(get(w, &v1alpha1.User{}, "ann").Status.Plan, "; "), "access to movies given")
	})
	w.condition(&v1alpha1.User{}, "bob", v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonObserving)
	w.condition(&v1alpha1.User{}, "bob", v1alpha1.ConditionInSync, metav1.ConditionFalse, v1alpha1.ReasonObserving)
	w.eventually("the MediaServer counts what its objects plan", func() bool {
		ready := meta.FindStatusCondition(get(w, &v1alpha1.MediaServer{}, serverName).Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == v1alpha1.ReasonObserving && strings.Contains(ready.Message, "2 Libraries, 2 Users;")
	})
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionInSync, metav1.ConditionFalse, v1alpha1.ReasonObserving)
	if writes := w.store.WriteCount(); writes > 0 {
		t.Errorf("mode Observe wrote to the server: %v", w.store.Counts())
	}
	for _, object := range []withStatus{get(w, &v1alpha1.User{}, "ann"), get(w, &v1alpha1.Library{}, "movies"), get(w, &v1alpha1.MediaServer{}, serverName)} {
		if len(object.GetFinalizers()) > 0 || len(object.GetAnnotations()[v1alpha1.AnnotationOwned]) > 0 {
			t.Errorf("mode Observe wrote metadata of %T", object)
		}
	}
	if id := get(w, &v1alpha1.Library{}, "movies").Status.ExternalID; id != string(movies) {
		t.Errorf("status.externalID %q, want the library that would be taken over", id)
	}
}

func TestPaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	user := w.user("ann")
	user.Annotations = map[string]string{v1alpha1.AnnotationPaused: "true"}
	w.create(user)
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPaused)
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionInSync, metav1.ConditionUnknown, v1alpha1.ReasonPaused)
	if _, made := w.store.Account("ann"); made {
		t.Error("a paused User was acted on")
	}
	edit(w, user, func(u *v1alpha1.User) { delete(u.Annotations, v1alpha1.AnnotationPaused) })
	w.ready(&v1alpha1.User{}, "ann")
}

// Nothing is left to do for the objects of a MediaServer that a person holds as it is, and nobody knows whether they agree.
func TestObjectsOfAPausedServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationPaused, "true")
	})
	w.condition(&v1alpha1.MediaServer{}, serverName, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPaused)
	w.create(w.user("ann"), w.library("movies"))
	for _, object := range []withStatus{&v1alpha1.User{}, &v1alpha1.Library{}} {
		name := map[bool]string{true: "ann", false: "movies"}[isUser(object)]
		w.condition(object, name, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPaused)
		w.condition(object, name, v1alpha1.ConditionInSync, metav1.ConditionUnknown, v1alpha1.ReasonPaused)
	}
	if _, made := w.store.Account("ann"); made {
		t.Error("an account was made on a server that is paused")
	}
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { delete(s.Annotations, v1alpha1.AnnotationPaused) })
	w.ready(&v1alpha1.User{}, "ann")
	w.ready(&v1alpha1.Library{}, "movies")
}

func isUser(object withStatus) bool {
	_, is := object.(*v1alpha1.User)
	return is
}

// Who came before a rebuild, or was made by hand, is seen: by count, and the first by name as a terminal can show it.
func TestUndeclared(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.store.AddLibrary(media.Library{Name: "Horror", MediaType: "Movies", Paths: []string{"/horror"}})
	w.store.AddLibrary(media.Library{Name: "Nobody else's", MediaType: "Movies", Personal: true})
	w.store.AddAccount(media.Account{Username: "a\x1b[31mred\u202eder", Role: media.RoleMember}, "a password of theirs")
	w.store.AddAccount(media.Account{Username: strings.Repeat("ä", 70), Role: media.RoleMember}, "a password of theirs")
	w.store.AddAccount(media.Account{Username: "taken", Role: media.RoleMember}, "a password of theirs")
	for i := range 10 {
		w.store.AddAccount(media.Account{Username: fmt.Sprintf("guest-%02d", i), Role: media.RoleMember}, "a password of theirs")
	}
	w.start()
	w.create(w.mediaServer(), w.user("ann"), w.user("taken"), w.library("movies"))
	w.ready(&v1alpha1.User{}, "ann")
	w.ready(&v1alpha1.Library{}, "movies")
	w.condition(&v1alpha1.User{}, "taken", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.look()
	undeclared := func() v1alpha1.Undeclared {
		found := get(w, &v1alpha1.MediaServer{}, serverName).Status.Undeclared
		if found == nil {
			return v1alpha1.Undeclared{}
		}
		return *found
	}
	w.eventually("the status counts what nobody declares, and names the first", func() bool {
		accounts := undeclared().Accounts
		return accounts.Total == 13 && len(accounts.Names) == 10 && accounts.Names[0] == "a[31mredder"
	})
	if libraries := undeclared().Libraries; libraries.Total != 1 || !slices.Equal(libraries.Names, []string{"Horror"}) {
		t.Errorf("undeclared libraries: %+v, want Horror", libraries)
	}
	for i := range 3 {
		w.store.RemoveAccount(fmt.Sprintf("guest-%02d", i))
	}
	w.look()
	w.eventually("a long name is cut", func() bool {
		accounts := undeclared().Accounts
		return accounts.Total == 10 && slices.Contains(accounts.Names, strings.Repeat("ä", 63)+"…")
	})
}

// Mode Observe shows of what may not be taken over both the conflict and what taking it over would do.
func TestObserveShowsWhatAlwaysWouldDo(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.store.AddLibrary(media.Library{Name: "Movies", MediaType: "Movies", Paths: []string{"/other"}})
	w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember}, "ann's own password")
	w.start()
	server, library := w.mediaServer(), w.library("movies")
	server.Spec.Mode, library.Spec.AdoptionPolicy = v1alpha1.ModeObserve, v1alpha1.LibraryAdoptionNever
	ann := w.user("ann")
	ann.Spec.Role = v1alpha1.AccountRoleEditor
	w.create(server, library, ann)
	w.ready(&v1alpha1.MediaServer{}, serverName)
	for object, want := range map[withStatus][]string{
		get(w, &v1alpha1.User{}, "ann"):       {`take over the account "ann"`, "role from Member to Editor"},
		get(w, &v1alpha1.Library{}, "movies"): {`take over the library "Movies"`, "paths to [/media/movies]"},
	} {
		stalled := w.condition(object, object.GetName(), v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
		for _, words := range want {
			if !strings.Contains(stalled.Message, words) {
				t.Errorf("%s: %s, want %q in it", object.GetName(), stalled.Message, words)
			}
		}
		if _, planned := planOf(object); planned < len(want) {
			t.Errorf("%s: %d planned, want %q", object.GetName(), planned, want)
		}
	}
	w.eventually("the MediaServer counts them", func() bool {
		ready := meta.FindStatusCondition(get(w, &v1alpha1.MediaServer{}, serverName).Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && strings.Contains(ready.Message, "in conflict: 1 Library, 1 User (")
	})
	if writes := w.store.WriteCount(); writes > 0 {
		t.Errorf("mode Observe wrote to the server: %v", w.store.Counts())
	}
}

func planOf(object withStatus) (plan []string, n int) {
	switch o := object.(type) {
	case *v1alpha1.User:
		plan = o.Status.Plan
	case *v1alpha1.Library:
		plan = o.Status.Plan
	}
	return plan, len(plan)
}
