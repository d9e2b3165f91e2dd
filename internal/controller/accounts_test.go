package controller_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func TestGeneratedPasswordWorksAndIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	user := &v1alpha1.User{}
	w.ready(user, "ann")
	if user.Status.CredentialsSecret != "ann-credentials" || user.Status.State != v1alpha1.UserActive || user.Status.Origin != v1alpha1.OriginCreated {
		t.Errorf("status %+v", user.Status)
	}
	first := w.password("ann-credentials")
	if !w.store.CheckPassword("ann", first) {
		t.Fatal("the password in the Secret is not the account's")
	}

	w.delete(&corev1.Secret{ObjectMeta: w.meta("ann-credentials")})
	w.eventually("the lost Secret is made again", func() bool { return w.passwordOrNone("ann-credentials") == first })

	edit(w, w.user("ann"), func(u *v1alpha1.User) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
	})
	w.eventually("a new password is kept", func() bool { return w.passwordOrNone("ann-credentials") != first })
	w.eventually("the new password works", func() bool { return w.store.CheckPassword("ann", w.password("ann-credentials")) })
	if w.store.CheckPassword("ann", first) {
		t.Error("the old password still works")
	}
}

func TestPasswordFromSecretFollowsTheSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	user := w.user("ann")
	user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
	w.create(user)
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	if _, made := w.store.Account("ann"); made {
		t.Fatal("an account was made before its password was known")
	}

	w.create(w.secret("ann-password", map[string]string{"password": "correct horse"}))
	w.ready(&v1alpha1.User{}, "ann")
	if !w.store.CheckPassword("ann", "correct horse") {
		t.Error("the Secret's password does not work")
	}
	edit(w, &corev1.Secret{ObjectMeta: w.meta("ann-password")}, func(s *corev1.Secret) { s.Data["password"] = []byte("battery staple") })
	w.eventually("the changed password is applied", func() bool { return w.store.CheckPassword("ann", "battery staple") })

	edit(w, &corev1.Secret{ObjectMeta: w.meta("ann-password")}, func(s *corev1.Secret) { s.Data["password"] = []byte("with a line break\n") })
	condition := w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPasswordUnacceptable)
	if strings.Contains(condition.Message, "with a line") {
		t.Error("the message shows the password")
	}
	if sets := w.store.Count(memory.SetPassword); sets != 2 {
		t.Errorf("%d passwords were set, want 2", sets)
	}
}

func TestAnAccountIsMadeWithItsFinalAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.grant("g", "*", "*"))
	w.ready(&v1alpha1.Library{}, "movies")
	w.store.ResetCalls()
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	w.seesExactly("ann", "movies")
	if w.store.Count(memory.CreateAccount) != 1 || w.store.WriteCount() != 1 {
		t.Errorf("making an account took %v", w.store.Counts())
	}
}

func TestDisabledAndExpired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	user := &v1alpha1.User{}
	w.ready(user, "ann")

	expires := time.Now().Add(2 * time.Second).Truncate(time.Second)
	edit(w, user, func(u *v1alpha1.User) { u.Spec.ExpiresAt = new(v1alpha1.NewTime(expires)) })
	w.state("ann", v1alpha1.UserExpired)
	if time.Now().Before(expires) {
		t.Error("expired early")
	}
	if account, _ := w.store.Account("ann"); !account.Disabled {
		t.Error("an expired account can sign in")
	}
	later := v1alpha1.NewTime(time.Now().Add(time.Hour))
	edit(w, user, func(u *v1alpha1.User) { u.Spec.ExpiresAt = &later })
	w.state("ann", v1alpha1.UserActive)
	if account, _ := w.store.Account("ann"); account.Disabled {
		t.Error("a later date did not give the account back")
	}

	w.store.EditAccount("ann", func(a *media.Account) { a.Disabled = true })
	w.look()
	w.state("ann", v1alpha1.UserDisabledOnServer)
	w.sync()
	if account, _ := w.store.Account("ann"); !account.Disabled {
		t.Error("an account that somebody disabled by hand was enabled")
	}
	edit(w, user, func(u *v1alpha1.User) { u.Spec.Disabled = true })
	w.state("ann", v1alpha1.UserDisabled)
}

func TestAdoption(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	movies := w.store.AddLibrary(media.Library{Name: "Movies", MediaType: "Movies", Paths: []string{"/media/movies"}})
	w.store.AddAccount(media.Account{Username: "Ann", Role: media.RoleMember, Access: media.Access{Libraries: map[media.LibraryID]media.LibraryRole{movies: media.LibraryViewer}}}, "ann's own password")
	w.sync()
	library := w.library("movies")
	library.Spec.AdoptionPolicy = v1alpha1.LibraryAdoptionIfUnique
	w.create(library, w.user("ann"))
	w.ready(library, "movies")
	if library.Status.Origin != v1alpha1.OriginAdopted || library.Status.ExternalID != string(movies) {
		t.Errorf("library status %+v", library.Status)
	}
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.store.ResetCalls()

	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways })
	user := &v1alpha1.User{}
	w.ready(user, "ann")
	w.seesExactly("ann")
	if user.Status.Origin != v1alpha1.OriginAdopted || user.Status.CredentialsSecret != "" {
		t.Errorf("user status %+v", user.Status)
	}
	if !w.store.CheckPassword("ann", "ann's own password") || w.store.Count(memory.SetPassword) > 0 {
		t.Error("taking an account over changed its password")
	}
}

func TestADisabledAccountIsAdoptedAndFollowsTheManifest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember, Disabled: true}, "ann's own password")
	w.sync()
	w.create(w.user("ann"))
	w.state("ann", v1alpha1.UserActive)
}

func TestSecondClaimIsStalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	w.ready(&v1alpha1.User{}, "ann")
	second := w.user("other")
	second.Spec.Username = "ANN"
	w.create(second)
	w.condition(&v1alpha1.User{}, "other", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonDuplicateClaim)
	w.ready(&v1alpha1.User{}, "ann")

	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.DeletionPolicy = v1alpha1.UserDeletionDelete })
	w.delete(w.user("ann"))
	w.ready(&v1alpha1.User{}, "other")
}

func TestOwnerIsTakenOverAndNeverMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	nobody := w.user("nobody")
	nobody.Spec.Role = v1alpha1.AccountRoleOwner
	owner := w.user("owner")
	owner.Spec.Role, owner.Spec.AdoptionPolicy = v1alpha1.AccountRoleOwner, v1alpha1.AccountAdoptionAlways
	w.create(nobody, owner)
	w.condition(&v1alpha1.User{}, "nobody", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.ready(&v1alpha1.User{}, "owner")

	edit(w, owner, func(u *v1alpha1.User) { u.Spec.Role = v1alpha1.AccountRoleMember })
	w.condition(&v1alpha1.User{}, "owner", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonProtected)
	if account, _ := w.store.Account("owner"); account.Role != media.RoleOwner {
		t.Error("the owner was demoted")
	}
	w.delete(owner)
	w.gone(owner)
	if account, found := w.store.Account("owner"); !found || account.Disabled {
		t.Error("the owner was deleted or disabled with its manifest")
	}
}

func TestABadSpecDoesNotHoldBackARevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.Role = "Projectionist" })
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	w.delete(w.grant("g", "*", "*"))
	w.seesExactly("ann")
	if account, _ := w.store.Account("ann"); account.Role != media.RoleMember {
		t.Errorf("the role became %s", account.Role)
	}
}

func TestATakenEmailIsSaidAndNotTriedForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.store.AddAccount(media.Account{Username: "somebody", Email: "ann@example.org", Role: media.RoleMember}, "a password")
	w.sync()
	user := w.user("ann")
	user.Spec.Email = "Ann@example.org"
	w.create(user)
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	if tries := w.store.Count(memory.CreateAccount); tries != 1 {
		t.Errorf("%d creations were tried", tries)
	}
}

func TestDeletionPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.grant("g", "*", "*"))
	policies := map[string]v1alpha1.UserDeletionPolicy{
		"disable": v1alpha1.UserDeletionDisable, "delete": v1alpha1.UserDeletionDelete, "retain": v1alpha1.UserDeletionRetain,
	}
	for name, policy := range policies {
		user := w.user(name)
		user.Spec.DeletionPolicy = policy
		w.create(user)
		w.seesExactly(name, "movies")
		w.ready(&v1alpha1.User{}, name)
	}
	for name := range policies {
		w.delete(w.user(name))
		w.gone(w.user(name))
		if w.passwordOrNone(name+"-credentials") != "" {
			t.Errorf("%s: the credentials Secret stayed", name)
		}
	}
	disabled, _ := w.store.Account("disable")
	if !disabled.Disabled || len(disabled.Access.Libraries) > 0 {
		t.Errorf("Disable left %+v", disabled)
	}
	if _, found := w.store.Account("delete"); found {
		t.Error("Delete left the account")
	}
	if retained, found := w.store.Account("retain"); !found || retained.Disabled || len(retained.Access.Libraries) != 1 {
		t.Errorf("Retain left %+v", retained)
	}
}

func (w *world) state(name string, state v1alpha1.UserState) {
	w.t.Helper()
	w.eventually(name+" is "+string(state), func() bool { return get(w, &v1alpha1.User{}, name).Status.State == state })
	w.ready(&v1alpha1.User{}, name)
}

func (w *world) password(secret string) string {
	w.t.Helper()
	return string(get(w, &corev1.Secret{}, secret).Data["password"])
}

// passwordOrNone is the password in a Secret, empty when there is none.
func (w *world) passwordOrNone(secret string) string {
	var s corev1.Secret
	if err := w.client.Get(w.t.Context(), w.key(secret), &s); err != nil {
		return ""
	}
	return string(s.Data["password"])
}
