package admission_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/admission"
)

// server answers probes as an API server does with these policies; fail, where it is set, comes first.
type server struct {
	policies []string
	fail     error
	dry      bool
	asked    int
}

func (s *server) client(t *testing.T) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	beside := &v1alpha1.MediaServer{}
	beside.Name, beside.Namespace = "home", "media"
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(beside).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(_ context.Context, _ client.WithWatch, object client.Object, options ...client.CreateOption) error {
			applied := (&client.CreateOptions{}).ApplyOptions(options)
			s.asked++
			s.dry = len(applied.DryRun) > 0
			policy := object.GetAnnotations()[v1alpha1.AnnotationAdmissionProbe]
			if s.fail != nil {
				return s.fail
			}
			if slices.Contains(s.policies, policy) {
				return forbidden(fmt.Sprintf("ValidatingAdmissionPolicy '%s' denied request: %s is in force", policy, policy))
			}
			return nil
		},
	}).Build()
}

func forbidden(why string) error {
	return apierrors.NewForbidden(schema.GroupResource{Group: "usher.media", Resource: "redemptions"}, "x", errors.New(why))
}

func all() []string { return append(admission.Policies(), admission.PoliciesOfServers()...) }

// TestEachPolicyIsProven: the lack of any one is seen, and a real object is never made.
func TestEachPolicyIsProven(t *testing.T) {
	for _, missing := range all() {
		s := &server{policies: slices.DeleteFunc(all(), func(p string) bool { return p == missing })}
		var unbound *admission.Unbound
		if err := admission.Prove(t.Context(), s.client(t), "media"); !errors.As(err, &unbound) || unbound.Policy != missing {
			t.Errorf("without %s: %v", missing, err)
		}
		if !s.dry {
			t.Error("a probe was no dry run")
		}
	}
	if err := admission.Prove(t.Context(), (&server{policies: all()}).client(t), "media"); err != nil {
		t.Error(err)
	}
}

// TestGuard: a policy that is gone counts at once; an answer that does not tell counts after a while, and never as a proof.
func TestGuard(t *testing.T) {
	s := &server{policies: all(), fail: forbidden("RBAC says no")}
	changes := 0
	g := &admission.Guard{Client: s.client(t), Namespaces: []string{"media"}, Everywhere: true, Changed: func() { changes++ }, Logger: logr.Discard()}
	expect := func(what string, bound bool, after int) {
		t.Helper()
		if g.Bound() != bound || (g.Ready(nil) == nil) != bound || changes != after {
			t.Errorf("%s: bound %t, ready %v, %d changes; want %t and %d", what, g.Bound(), g.Ready(nil), changes, bound, after)
		}
	}
	expect("not tried", false, 0)
	g.Prove(t.Context())
	expect("nobody can tell", false, 0)
	s.fail = nil
	g.Prove(t.Context())
	expect("they bind", true, 1)
	s.fail = forbidden("RBAC says no")
	g.Prove(t.Context())
	g.Prove(t.Context())
	expect("nobody can tell for a moment", true, 1)
	g.Prove(t.Context())
	expect("nobody can tell for long", false, 2)
	s.fail = nil
	g.Prove(t.Context())
	expect("they bind again", true, 3)
	s.policies = s.policies[1:]
	g.Prove(t.Context())
	expect("one is gone", false, 4)
	if (*admission.Guard)(nil).Bound() {
		t.Error("no guard at all is a proof")
	}
}

// TestBoundNow: what is about to be given is given by a proof of this moment, and a series of it costs one.
func TestBoundNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{policies: all()}
		g := &admission.Guard{Client: s.client(t), Namespaces: []string{"media"}, Logger: logr.Discard()}
		if g.BoundNow(t.Context()) || s.asked > 0 {
			t.Errorf("without a proof: asked %d times", s.asked)
		}
		g.Prove(t.Context())
		once := s.asked
		for range 10 {
			if !g.BoundNow(t.Context()) || s.asked != once {
				t.Fatalf("right after a proof: asked %d times, not %d", s.asked, once)
			}
		}
		s.policies = nil
		time.Sleep(6 * time.Second) // of the test's own clock
		if !g.Bound() || g.BoundNow(t.Context()) {
			t.Error("a proof of six seconds ago gave something")
		}
	})
}

// TestGuardWithoutNamespace: where there is nothing to try them in, there is no proof, and one that was stays.
func TestGuardWithoutNamespace(t *testing.T) {
	s := &server{policies: all(), fail: apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "media")}
	g := &admission.Guard{Client: s.client(t), Namespaces: []string{"media"}, Logger: logr.Discard()}
	if g.Prove(t.Context()); g.Bound() {
		t.Error("a namespace that is not there proves them")
	}
	s.fail = nil
	g.Prove(t.Context())
	s.fail = apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "media")
	for range 5 {
		g.Prove(t.Context())
	}
	if !g.Bound() {
		t.Error("a namespace that is gone takes the proof away")
	}
}
