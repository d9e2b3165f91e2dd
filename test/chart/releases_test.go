package chart

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/admission"
	"github.com/usher-media/usher/internal/testenv"
)

// cluster is a control plane without anything of Usher's, and Helm that installs into it.
type cluster struct {
	t          *testing.T
	env        *testenv.Environment
	kubeconfig string
}

func newCluster(t *testing.T, flags map[string]string) *cluster {
	t.Helper()
	env, err := testenv.Start(t.Context(), testenv.Options{Bare: true, APIServerFlags: flags})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	c := &cluster{t: t, env: env, kubeconfig: env.Kubeconfig(t)}
	for _, name := range []string{"media", "books"} {
		if err := env.Client().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// helm runs Helm on the cluster; says is what its error says, or empty where it must succeed.
func (c *cluster) helm(says string, args ...string) {
	c.t.Helper()
	out, err := helm(c.t, append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
	if (says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), says) {
		c.t.Fatalf("helm %s: %v, want %q\n%s", strings.Join(args, " "), err, says, out)
	}
}

func (c *cluster) install(says, name, in string, args ...string) {
	c.t.Helper()
	folder, err := root()
	if err != nil {
		c.t.Fatal(err)
	}
	c.helm(says, append([]string{"install", name, filepath.Join(folder, "charts", "usher"), "--namespace", in, "--create-namespace"}, args...)...)
}

// there says how many kinds, policies and operators the cluster has.
func (c *cluster) there(kinds, policies, operators int) {
	c.t.Helper()
	var k apiextensionsv1.CustomResourceDefinitionList
	var p admissionv1.ValidatingAdmissionPolicyList
	var b admissionv1.ValidatingAdmissionPolicyBindingList
	var o appsv1.DeploymentList
	for _, list := range []client.ObjectList{&k, &p, &b, &o} {
		if err := c.env.Client().List(c.t.Context(), list); err != nil {
			c.t.Fatal(err)
		}
	}
	gone := slices.DeleteFunc(k.Items, func(crd apiextensionsv1.CustomResourceDefinition) bool { return crd.DeletionTimestamp != nil })
	if len(gone) != kinds || len(p.Items) != policies || len(b.Items) != policies || len(o.Items) != operators {
		c.t.Errorf("there are %d kinds, %d policies with %d bindings and %d operators; want %d, %d and %d",
			len(gone), len(p.Items), len(b.Items), len(o.Items), kinds, policies, operators)
	}
}

// TestReleasesBesideEachOther: two live in one cluster where each has its namespaces, and what would undo another one is refused
// with the way out.
func TestReleasesBesideEachOther(t *testing.T) {
	t.Parallel()
	c := newCluster(t, nil)
	c.install("", "one", "first", "--set", "watchNamespaces={media}")
	c.there(6, 8, 1)
	for says, set := range map[string]string{
		"the kinds of Usher in this cluster belong to release one in namespace first: set crds.enabled=false":                 "crds.enabled=true",
		"the objects of namespace media are reconciled by release one in namespace first: set watchNamespaces":                "crds.enabled=false",
		"the objects of namespace media are reconciled by release one in namespace first: leave it out of watchNamespaces":    "crds.enabled=false,watchNamespaces={books,media}",
		"in namespace first there is an operator already, of release one in namespace first: install this release in another": "crds.enabled=false,watchNamespaces={books}",
	} {
		in := "second"
		if strings.HasPrefix(says, "in namespace first") {
			in = "first"
		}
		c.install(says, "two", in, "--set", set)
	}
	c.there(6, 8, 1)
	c.install("", "two", "second", "--set", "crds.enabled=false,watchNamespaces={books}")
	c.install("", "server", "second", "--set", "crds.enabled=false,operator.enabled=false,mediaserver.enabled=true")
	c.there(6, 8, 2)
	c.helm("", "upgrade", "two", filepath.Join(c.env.Root, "charts", "usher"), "--namespace", "second", "--reuse-values", "--set", "replicas=2")
	c.helm("", "uninstall", "one", "--namespace", "first")
	c.there(6, 8, 1)

	// Who has all namespaces has no other beside it.
	c.helm("", "uninstall", "two", "--namespace", "second")
	c.install("", "one", "first")
	c.install("release one in namespace first reconciles the objects of all namespaces", "two", "second", "--set", "crds.enabled=false,watchNamespaces={books}")
	c.there(6, 8, 1)

	// Without the question, the names that all releases share still refuse a second one.
	c.install("usher-manager", "two", "second", "--set", "crds.enabled=false,checkConflicts=false")
}

// TestKindsOutliveTheRelease: an uninstall keeps the kinds with their objects and policies, a new install takes them over, an
// upgrade upgrades them, and where they are not to be kept, kinds and policies go together.
func TestKindsOutliveTheRelease(t *testing.T) {
	t.Parallel()
	c := newCluster(t, nil)
	old := filepath.Join(t.TempDir(), "usher")
	if err := os.CopyFS(old, os.DirFS(filepath.Join(c.env.Root, "charts", "usher"))); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(old, "files", "crds")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(old, "files", "crds"), os.DirFS(filepath.Join(c.env.Root, "test", "api", "testdata", "crds", "0bfab46"))); err != nil {
		t.Fatal(err)
	}
	now := filepath.Join(c.env.Root, "charts", "usher")
	c.helm("", "install", "usher", old, "--namespace", namespace, "--create-namespace")
	user := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "mia"}, Spec: v1alpha1.UserSpec{ServerRef: v1alpha1.LocalReference{Name: "home"}, Username: "mia"}}
	testenv.Eventually(t, "a User is taken", func() bool { return c.env.Client().Create(t.Context(), user.DeepCopy()) == nil })

	// includeInvited is younger than the kinds of 0bfab46.
	c.knows("librarygrants", "includeInvited", false)
	c.helm("", "upgrade", "usher", now, "--namespace", namespace)
	c.knows("librarygrants", "includeInvited", true)
	c.helm("", "uninstall", "usher", "--namespace", namespace)
	c.there(6, 8, 0)
	c.install("belong to release usher in namespace "+namespace, "other", namespace)
	c.install("", "usher", namespace)
	if err := c.env.Client().Get(t.Context(), client.ObjectKeyFromObject(user), user); err != nil || user.Spec.Username != "mia" {
		t.Errorf("after the uninstall and the install: %v, %+v", err, user.Spec)
	}
	testenv.Eventually(t, "the policies bind", func() bool {
		return admission.Prove(t.Context(), c.env.Client(), metav1.NamespaceDefault) == nil
	})
	c.helm("", "upgrade", "usher", now, "--namespace", namespace, "--set", "crds.keep=false")
	c.helm("", "uninstall", "usher", "--namespace", namespace)
	c.there(0, 0, 0)
}

// knows says whether the schema of a kind has a field of the spec.
func (c *cluster) knows(plural, field string, want bool) {
	c.t.Helper()
	var crd apiextensionsv1.CustomResourceDefinition
	if err := c.env.Client().Get(c.t.Context(), client.ObjectKey{Name: plural + ".usher.media"}, &crd); err != nil {
		c.t.Fatal(err)
	}
	if _, got := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties[field]; got != want {
		c.t.Errorf("%s have the field %s: %t, want %t", plural, field, got, want)
	}
}

// oldest is the oldest Kubernetes that the API server of the tests stands in for.
const oldest = "1.34"

// TestOlderKubernetes: an API server that offers what an older version does takes the chart, and its policies bind.
func TestOlderKubernetes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, map[string]string{"emulated-version": oldest})
	c.install("", "usher", namespace, "--set", "mediaserver.enabled=true,networkPolicy.enabled=true,podDisruptionBudget.enabled=true")
	c.there(6, 8, 1)
	out, err := kubectl(t, c.env, "", "version", "--output=json")
	if err != nil || !strings.Contains(out, `"emulationMinor": "`+strings.TrimPrefix(oldest, "1.")+`"`) {
		t.Errorf("the API server says that it is\n%s", out)
	}
	testenv.Eventually(t, "the policies bind", func() bool {
		return admission.Prove(t.Context(), c.env.Client(), metav1.NamespaceDefault) == nil
	})
	if out, err := kubectl(t, c.env, "", "get", "users", "--all-namespaces", "--field-selector", "spec.serverRef.name=home"); err != nil {
		t.Errorf("selectable fields: %v: %s", err, out)
	}
}
