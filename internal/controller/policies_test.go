package controller_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/admission"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

// unguarded labels namespaces where one policy does not bind.
const unguarded = "test.usher.media/unguarded"

// unguard lets the policy usher-users bind everywhere but in namespaces with the label.
func (w *world) unguard() {
	w.t.Helper()
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: "usher-users"}}
	patch := fmt.Sprintf(`{"spec":{"matchResources":{"namespaceSelector":{"matchExpressions":[{"key":%q,"operator":"DoesNotExist"}]}}}}`, unguarded)
	if err := w.client.Patch(w.t.Context(), binding, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		w.t.Fatal(err)
	}
	w.guarded(false)
	w.eventually("the policy does not bind", func() bool {
		var unbound *admission.Unbound
		return errors.As(admission.Prove(w.t.Context(), testenv.Get(w.t).Client(), w.namespace), &unbound)
	})
}

// guarded says whether the policy is to bind in the world's namespace.
func (w *world) guarded(bound bool) {
	w.t.Helper()
	value := `"true"`
	if bound {
		value = "null"
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:%s}}}`, unguarded, value)
	if err := w.client.Patch(w.t.Context(), namespace, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		w.t.Fatal(err)
	}
}

// readyz asks the operator whether it is ready.
func (w *world) readyz() (ready bool, says string) {
	answer, err := http.Get("http://" + w.probes + "/readyz?verbose=1")
	if err != nil {
		return false, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode == http.StatusOK, string(body)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// Without the policies, whoever may write a User makes administrators. So nobody becomes one, sees all or is taken over until
// they bind; everything else goes on, and what was given before is kept and can be taken.
func TestNobodyIsGivenWhatNobodyWasAskedFor(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.unguard()
	w.probes, w.policiesEvery = freeAddress(t), 100*time.Millisecond
	w.store.AddAccount(media.Account{Username: "taken", Role: media.RoleMember}, "a password of theirs")
	w.store.AddLibrary(media.Library{Name: "Horror", MediaType: "Movies", Paths: []string{"/media/horror"}})
	w.start()
	boss, all, taken, raised := w.user("boss"), w.user("all"), w.user("taken"), w.user("raised")
	boss.Spec.Role, all.Spec.Access, taken.Spec.AdoptionPolicy = v1alpha1.AccountRoleAdmin, v1alpha1.UserAccessAll, v1alpha1.AccountAdoptionAlways
	horror := w.library("horror")
	horror.Spec.AdoptionPolicy = v1alpha1.LibraryAdoptionIfUnique
	w.create(w.mediaServer(), w.library("movies"), horror, w.grant("g", "movies", "ann,raised"), w.user("ann"), boss, all, taken, raised)

	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann", "raised")
	w.condition(&v1alpha1.Library{}, "horror", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPoliciesNotBound)
	for name, what := range map[string]string{"boss": "role Admin", "all": "access All", "taken": "adoptionPolicy Always"} {
		waits := w.condition(&v1alpha1.User{}, name, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPoliciesNotBound)
		if !strings.Contains(waits.Message, what+" needs permission to administer") || !strings.Contains(waits.Message, "kubectl apply -k config/crd") {
			t.Errorf("%s: %s", name, waits.Message)
		}
	}
	edit(w, raised, func(u *v1alpha1.User) { u.Spec.Role, u.Spec.Access = v1alpha1.AccountRoleAdmin, v1alpha1.UserAccessAll })
	w.condition(&v1alpha1.User{}, "raised", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPoliciesNotBound)
	if account, _ := w.store.Account("raised"); account.Role != media.RoleMember || account.Access.All {
		t.Errorf("an account was raised: %+v", account)
	}
	if _, made := w.store.Account("boss"); made {
		t.Error("an Admin was made")
	}
	if ready, says := w.readyz(); ready || !strings.Contains(says, "admission-policies") {
		t.Errorf("ready %t: %s", ready, says)
	}
	if got := w.metric("usher_admission_policies_bound"); got != 0 {
		t.Errorf("the metric is %v", got)
	}
	if !strings.Contains(w.logged.text(), "usher-users does not bind in namespace "+w.namespace) {
		t.Error("the log does not name the policy")
	}

	w.guarded(true)
	w.ready(&v1alpha1.User{}, "boss", "all", "taken", "raised")
	w.ready(&v1alpha1.Library{}, "horror")
	w.eventually("the operator is ready", func() bool { ready, _ := w.readyz(); return ready && w.metric("usher_admission_policies_bound") == 1 })

	w.guarded(false)
	w.eventually("the operator sees that one is gone", func() bool { ready, _ := w.readyz(); return !ready })
	w.sync()
	w.ready(&v1alpha1.User{}, "boss", "all")
	w.create(w.secret("mine", map[string]string{"password": "a password of the attacker's"}))
	edit(w, boss, func(u *v1alpha1.User) {
		u.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "mine", Key: "password"}}
	})
	w.condition(&v1alpha1.User{}, "boss", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPoliciesNotBound)
	if _, err := w.store.SignIn("boss", "a password of the attacker's"); err == nil {
		t.Error("an Admin was given a password that nobody was asked for")
	}
	edit(w, all, func(u *v1alpha1.User) { u.Spec.Disabled = true })
	w.state("all", v1alpha1.UserDisabled)
	edit(w, all, func(u *v1alpha1.User) { u.Spec.Disabled = false })
	w.condition(&v1alpha1.User{}, "all", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPoliciesNotBound)
	if account, _ := w.store.Account("all"); !account.Disabled {
		t.Error("somebody who sees all was let in")
	}
	edit(w, raised, func(u *v1alpha1.User) {
		u.Spec.Role, u.Spec.Access = v1alpha1.AccountRoleMember, v1alpha1.UserAccessGranted
	})
	w.ready(&v1alpha1.User{}, "raised")
	w.seesExactly("raised", "movies")
}
