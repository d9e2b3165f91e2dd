package chart

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/usher-media/usher/internal/testenv"
)

// TestKustomizeMakesTheSame: config/default and the chart's defaults are one installation, and so are config/namespaced and the
// chart with watchNamespaces, object by object, as the API server completes them. Besides, only Kustomize makes the namespace.
func TestKustomizeMakesTheSame(t *testing.T) {
	env := environment(t)
	for folder, values := range map[string]string{
		"default": "image.tag=latest", "namespaced": "image.tag=latest,watchNamespaces={media},crds.enabled=false",
	} {
		t.Run(folder, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), env.Kubectl(), "kustomize", in(t, "config", folder)).Output()
			if err != nil {
				t.Fatal(err)
			}
			byKustomize, byHelm := completed(t, env, objects(t, string(out))), completed(t, env, render(t, "--set", values))
			if delete(byKustomize, "Namespace "+namespace); len(byKustomize) < 7 {
				t.Fatalf("only %d objects", len(byKustomize))
			}
			for name, want := range byKustomize {
				if got := byHelm[name]; got != want {
					t.Errorf("%s: Kustomize makes\n%s\nand Helm\n%s", name, want, got)
				}
			}
			for name := range byHelm {
				if byKustomize[name] == "" {
					t.Errorf("only Helm makes %s", name)
				}
			}
		})
	}
}

// completed returns the objects as the API server would keep them, less what says by whom and when.
func completed(t *testing.T, env *testenv.Environment, made []*unstructured.Unstructured) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, object := range made {
		name := key(object)
		if object.GetKind() == "Deployment" || object.GetKind() == "Service" {
			if err := client.NewDryRunClient(env.Client()).Create(t.Context(), object); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, path := range [][]string{
			{"metadata", "uid"}, {"metadata", "creationTimestamp"}, {"metadata", "managedFields"}, {"metadata", "generation"}, {"metadata", "annotations", "helm.sh/resource-policy"},
			{"metadata", "labels", "app.kubernetes.io/component"}, {"metadata", "labels", "app.kubernetes.io/part-of"}, // of what belongs to the cluster
			{"spec", "clusterIP"}, {"spec", "clusterIPs"}, {"spec", "revisionHistoryLimit"}, {"status"},
		} {
			unstructured.RemoveNestedField(object.Object, path...)
		}
		withoutManager(object.Object)
		text, err := json.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		// Kustomize writes an empty line into folded texts where a line is further in, which CEL does not mind. That the chart has the
		// expressions of config/ to the letter is another test's.
		text = bytes.ReplaceAll(text, []byte(`\n\n`), []byte(`\n`))
		readable, err := yaml.JSONToYAML(text)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(readable)
	}
	return all
}

// withoutManager takes away the labels that say which release an object is of, and what is empty then.
func withoutManager(value map[string]any) {
	for key, below := range value {
		switch {
		case key == "app.kubernetes.io/instance", key == "app.kubernetes.io/version", key == "app.kubernetes.io/managed-by", key == "helm.sh/chart":
			delete(value, key)
			continue
		}
		if below, isMap := below.(map[string]any); isMap {
			withoutManager(below)
			if len(below) == 0 && (key == "labels" || key == "annotations") {
				delete(value, key)
			}
		}
	}
	if name, isName := value["app.kubernetes.io/name"]; isName && name == "usher" && len(value) == 1 {
		delete(value, "app.kubernetes.io/name") // the label that only some objects of config/ have
	}
}

// TestNamesAreOfTheRelease: but for what one operator alone may have.
func TestNamesAreOfTheRelease(t *testing.T) {
	for _, object := range render(t, "--set", "crds.enabled=false,fullnameOverride=other,mediaserver.enabled=true,podDisruptionBudget.enabled=true,networkPolicy.enabled=true") {
		if name := object.GetName(); !strings.HasPrefix(name, "other") && name != "usher-manager" && name != "usher-operator" {
			t.Errorf("%s is not named by the release", key(object))
		}
	}
}
