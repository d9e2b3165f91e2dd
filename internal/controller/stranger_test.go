package controller_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// reusing is a server that gives ids out again.
func reusing(traits *media.Traits) {
	quick(traits)
	traits.AccountIDsNeverReused = false
}

const strangersPassword = "the stranger's password"

// taking is one way in which a manifest takes something from an account.
type taking struct {
	name string
	take func(w *world)
	gone bool
}

func takings() []taking {
	change := func(change func(*v1alpha1.User)) func(*world) {
		return func(w *world) { edit(w, w.user("ann"), change) }
	}
	all := []taking{
		{name: "the grant is deleted", take: func(w *world) { w.delete(w.grant("g", "", "")) }},
		{name: "disabled", take: change(func(u *v1alpha1.User) { u.Spec.Disabled = true })},
		{name: "expired", take: change(func(u *v1alpha1.User) { u.Spec.ExpiresAt = new(v1alpha1.NewTime(time.Now().Add(-time.Hour))) })},
		{name: "another role", take: change(func(u *v1alpha1.User) { u.Spec.Role = v1alpha1.AccountRoleGuest })},
		{name: "another password", take: func(w *world) {
			edit(w, &corev1.Secret{ObjectMeta: w.meta("ann-password")}, func(s *corev1.Secret) { s.Data["password"] = []byte("ann's next password") })
		}},
		{name: "a new password", take: change(func(u *v1alpha1.User) {
			metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
		})},
		{name: "another name and address", take: change(func(u *v1alpha1.User) { u.Spec.DisplayName, u.Spec.Email = "Ann", "ann@example.net" })},
		{name: "what is not declared", take: func(w *world) {
			edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.UnmanagedAccess = v1alpha1.UnmanagedAccessRemove })
		}},
	}
	for _, policy := range []v1alpha1.UserDeletionPolicy{v1alpha1.UserDeletionDisable, v1alpha1.UserDeletionDelete, v1alpha1.UserDeletionRetain} {
		all = append(all, taking{name: "deleted with policy " + string(policy), gone: true, take: func(w *world) {
			edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.DeletionPolicy = policy })
			w.delete(w.user("ann"))
		}})
	}
	return all
}

// TestAStrangerWhoHasTheIDNowKeepsEverything: whatever the manifests take, and whether the server was looked at since or not.
func TestAStrangerWhoHasTheIDNowKeepsEverything(t *testing.T) {
	t.Parallel()
	for _, taking := range takings() {
		for _, looked := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, looked=%t", taking.name, looked), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, memory.Options{Traits: reusing, Created: time.Now})
				w.create(w.library("movies"), w.library("kids"), w.grant("g", "movies", "ann"), w.secret("ann-password", map[string]string{"password": "ann's own password"}))
				user := w.user("ann")
				user.Spec.Email, user.Spec.Password = "ann@example.org", &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
				w.create(user)
				w.ready(user, "ann")
				stranger := w.replaceAccount("ann", media.Account{Username: "zed", Email: "zed@example.org", Created: time.Now().Add(time.Hour)})
				w.store.ResetCalls()
				if looked {
					w.sync()
					w.condition(user, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
				}
				taking.take(w)
				if taking.gone {
					w.gone(w.user("ann"))
				} else {
					w.sync()
					message := w.condition(user, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt).Message
					for _, word := range []string{`"ann"`, `"zed"`, string(stranger.ID), v1alpha1.AnnotationConfirmID, v1alpha1.AnnotationForgetID} {
						if !strings.Contains(message, word) {
							t.Errorf("the message does not name %s: %s", word, message)
						}
					}
				}
				w.untouched(stranger)
			})
		}
	}
}

// replaceAccount gives the id of an account to another one, which has all that it had.
func (w *world) replaceAccount(username string, by media.Account) media.Account {
	w.t.Helper()
	before, found := w.store.Account(username)
	if !found {
		w.t.Fatalf("there is no account %s", username)
	}
	w.store.RemoveAccount(username)
	by.ID, by.Access, by.Role = before.ID, before.Access, before.Role
	w.store.AddAccount(by, strangersPassword)
	after, _ := w.store.Account(by.Username)
	return after
}

// untouched fails unless an account is what it was, and nothing was written to the server.
func (w *world) untouched(was media.Account) {
	w.t.Helper()
	if now, _ := w.store.Account(was.Username); !reflect.DeepEqual(now, was) || !w.store.CheckPassword(was.Username, strangersPassword) {
		w.t.Errorf("the account is %+v now, was %+v", now, was)
	}
	for _, call := range w.store.Writes() {
		if call.Applied {
			w.t.Errorf("written: %+v", call)
		}
	}
}

// TestAStrangerOfTheSameNameIsKnownByWhenTheAccountWasMade, where the server tells it.
func TestAStrangerOfTheSameNameIsKnownByWhenTheAccountWasMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Traits: reusing, Created: time.Now})
	w.create(w.library("movies"), w.grant("g", "movies", "ann"), w.user("ann"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	stranger := w.replaceAccount("ann", media.Account{Username: "ann", Created: media.Moment(time.Now().Add(time.Hour))})
	w.store.ResetCalls()
	w.sync()
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInDoubt)
	w.delete(w.grant("g", "", ""))
	w.sync()
	w.untouched(stranger)
	w.decide("ann", v1alpha1.AnnotationConfirmID, string(stranger.ID))
	w.seesExactly("ann")
	w.ready(&v1alpha1.User{}, "ann")
}

// decide annotates a User as a message says.
func (w *world) decide(name, annotation, value string) {
	w.t.Helper()
	edit(w, w.user(name), func(u *v1alpha1.User) { metav1.SetMetaDataAnnotation(&u.ObjectMeta, annotation, value) })
}
