package api

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/internal/admission"
	"github.com/usher-media/usher/internal/testenv"
)

// TestPoliciesLiveWithTheKinds: on a cluster that has neither, one command brings kinds and policies, which bind within
// moments, and one command takes both away. What is in config/admission is what the operator proves.
func TestPoliciesLiveWithTheKinds(t *testing.T) {
	env, err := testenv.Start(t.Context(), testenv.Options{Bare: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	kubeconfig := env.Kubeconfig(t)
	kubectl := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), env.Kubectl(), append([]string{"--kubeconfig", kubeconfig}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("kubectl %v: %v\n%s", args, err, out)
		}
	}
	kinds := filepath.Join(env.Root, "config", "crd")
	kubectl("apply", "-k", kinds)
	kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
	server := manifest(t, "MediaServer", metav1.NamespaceDefault, "home", `{}`)
	if err := env.Client().Create(t.Context(), server); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	testenv.Eventually(t, "all policies bind", func() bool {
		return admission.Prove(t.Context(), env.Client(), metav1.NamespaceDefault) == nil
	})
	t.Logf("bound after %s", time.Since(began))

	var policies admissionv1.ValidatingAdmissionPolicyList
	if err := env.Client().List(t.Context(), &policies); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, policy := range policies.Items {
		names = append(names, policy.Name)
	}
	sameSet(t, "policies", names, append(admission.Policies(), admission.PoliciesOfServers()...))

	kubectl("delete", "-k", kinds, "--wait=false")
	if err := env.Client().List(t.Context(), &policies); err != nil || len(policies.Items) > 0 {
		t.Errorf("without the kinds, there are still %d policies (%v)", len(policies.Items), err)
	}
}

// TestTheDefaultHoldsThePolicies: what the README applies has them once.
func TestTheDefaultHoldsThePolicies(t *testing.T) {
	env := testenv.Get(t)
	out, err := exec.CommandContext(t.Context(), env.Kubectl(), "kustomize", filepath.Join(env.Root, "config", "default")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, policy := range append(admission.Policies(), admission.PoliciesOfServers()...) {
		if n := strings.Count(string(out), "policyName: "+policy+"\n"); n != 1 {
			t.Errorf("config/default holds the binding of %s %d times", policy, n)
		}
	}
}
