package api

import (
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/usher-media/usher/internal/testenv"
)

// TestRatcheting: when a later version of Usher refuses what an earlier one took, the objects of that time still live:
// finalizers, status and other fields can be written, so that a person can let go of them and mend them. A copy of the
// kind in a group of its own stands for the two versions.
func TestRatcheting(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	now := copyOf(t, filepath.Join(env.Root, "config", "crd", "bases"), "users", "ratcheting.example.org")
	install(t, env, loosened(now))
	old := manifest(t, "User", namespace, "mia", `{username: " mia ", displayName: "Mi\ta", role: admin}`)
	old.SetAPIVersion(now.Spec.Group + "/v1alpha1")
	if err := env.Client().Create(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	install(t, env, now)

	fresh := old.DeepCopy()
	fresh.SetResourceVersion("")
	mustSay(t, tryCreate(t.Context(), env.Client(), fresh), "username must not begin or end with a space")

	old.SetFinalizers([]string{"example.org/hold"})
	mustSay(t, env.Client().Update(t.Context(), old), "")
	old.Object["status"] = map[string]any{"state": "Active"}
	mustSay(t, env.Client().Status().Update(t.Context(), old), "")
	spec(old)["email"] = "mia@example.org"
	mustSay(t, env.Client().Update(t.Context(), old), "")
	spec(old)["displayName"] = "Mi\tb"
	mustSay(t, env.Client().Update(t.Context(), old), "displayName must not hold control characters")
	spec(old)["displayName"] = "Mia"
	mustSay(t, env.Client().Update(t.Context(), old), "")
	old.SetFinalizers(nil)
	mustSay(t, env.Client().Update(t.Context(), old), "")
}

// copyOf returns a CRD of a folder under another group.
func copyOf(t *testing.T, dir, plural, group string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	objects, err := testenv.Objects(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		if object.GetName() != plural+".usher.media" {
			continue
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, crd); err != nil {
			t.Fatal(err)
		}
		crd.Spec.Group = group
		crd.Name = plural + "." + crd.Spec.Group
		crd.Spec.Names.Categories, crd.Spec.Names.ShortNames = nil, nil
		return crd
	}
	t.Fatalf("%s has no %s", dir, plural)
	return nil
}

// loosened returns the CRD without the rules over the fields of the spec, as an earlier version may have had it.
func loosened(crd *apiextensionsv1.CustomResourceDefinition) *apiextensionsv1.CustomResourceDefinition {
	out := crd.DeepCopy()
	fields := out.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties
	for name, field := range fields {
		field.XValidations = nil
		fields[name] = field
	}
	return out
}

// install brings a CRD in and waits until the API server enforces it: a dry run tells.
func install(t *testing.T, env *testenv.Environment, crd *apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	var current apiextensionsv1.CustomResourceDefinition
	if err := env.Client().Get(t.Context(), client.ObjectKeyFromObject(crd), &current); err == nil {
		update(t, env, crd)
		awaitStrict(t, env, crd)
		return
	}
	options := envtest.CRDInstallOptions{CRDs: []*apiextensionsv1.CustomResourceDefinition{crd.DeepCopy()}}
	if _, err := envtest.InstallCRDs(env.Config(), options); err != nil {
		t.Fatal(err)
	}
}

// update replaces a CRD by another version.
func update(t *testing.T, env *testenv.Environment, crd *apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	var current apiextensionsv1.CustomResourceDefinition
	if err := env.Client().Get(t.Context(), client.ObjectKeyFromObject(crd), &current); err != nil {
		t.Fatal(err)
	}
	crd.ResourceVersion = current.ResourceVersion
	if err := env.Client().Update(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
}

func awaitStrict(t *testing.T, env *testenv.Environment, crd *apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	probe := &unstructured.Unstructured{Object: map[string]any{"spec": parse(t, `{serverRef: {name: home}, username: " x "}`)}}
	probe.SetAPIVersion(crd.Spec.Group + "/v1alpha1")
	probe.SetKind(crd.Spec.Names.Kind)
	probe.SetNamespace(metav1.NamespaceDefault)
	probe.SetName("probe")
	testenv.Eventually(t, "the stricter kind is in force", func() bool {
		return tryCreate(t.Context(), env.Client(), probe.DeepCopy()) != nil
	})
}
