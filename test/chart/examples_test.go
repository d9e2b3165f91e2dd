package chart

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// manifests are the examples' files of objects.
func manifests(t *testing.T) (files []string) {
	t.Helper()
	found, err := filepath.Glob(in(t, "examples", "*", "[a-z]*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		if name := filepath.Base(file); name != "kustomization.yaml" && name != "values.yaml" {
			files = append(files, file)
		}
	}
	if len(files) < 8 {
		t.Fatalf("only %v", files)
	}
	return files
}

// TestExamples: the API server takes every object of every example, with the kinds of the projects that they are for.
func TestExamples(t *testing.T) {
	env := environment(t)
	for _, file := range manifests(t) {
		if out, err := kubectl(t, env, "", "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", file); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
	for _, folder := range []string{"household", "argocd"} {
		if out, err := kubectl(t, env, "", "apply", "--server-side", "--dry-run=server", "--validate=strict", "-k", in(t, "examples", folder)); err != nil {
			t.Errorf("%s: %v\n%s", folder, err, out)
		}
	}
}

// TestExampleValues: the chart takes the values that the examples give it, and the media server that it makes is where the household
// looks for it.
func TestExampleValues(t *testing.T) {
	given := map[string]any{}
	var values map[string]any
	if err := yaml.UnmarshalStrict([]byte(file(t, "examples", "helm", "values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	given["helm"] = values
	given["flux"], _, _ = unstructured.NestedMap(ofKind(objects(t, file(t, "examples", "flux", "usher.yaml")), "HelmRelease")[0].Object, "spec", "values")
	given["argocd"], _, _ = unstructured.NestedMap(ofKind(objects(t, file(t, "examples", "argocd", "usher.yaml")), "Application")[0].Object, "spec", "source", "helm", "valuesObject")
	server := objects(t, file(t, "examples", "household", "mediaserver.yaml"))[0]
	url, _, _ := unstructured.NestedString(server.Object, "spec", "url")
	for name, values := range given {
		text, err := yaml.Marshal(values)
		if err != nil || len(text) < 20 {
			t.Fatalf("%s gives the values %s (%v)", name, text, err)
		}
		path := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, service := range ofKind(render(t, "--values", path), "Service") {
			found = found || url == "http://"+service.GetName()+"."+service.GetNamespace()+".svc:3000"
		}
		if !found {
			t.Errorf("%s makes no Service at %s", name, url)
		}
	}
}

// TestSOPSRuleFits: the rule of the example encrypts the file beside it, its values and nothing else.
func TestSOPSRuleFits(t *testing.T) {
	var rules struct {
		CreationRules []struct {
			PathRegex      string `json:"path_regex"`
			EncryptedRegex string `json:"encrypted_regex"`
			Age            string `json:"age"`
		} `json:"creation_rules"`
	}
	if err := yaml.UnmarshalStrict([]byte(file(t, "examples", "sops", ".sops.yaml")), &rules); err != nil || len(rules.CreationRules) != 1 {
		t.Fatal(err, rules)
	}
	rule := rules.CreationRules[0]
	if !regexp.MustCompile(rule.PathRegex).MatchString("secret.yaml") || regexp.MustCompile(rule.PathRegex).MatchString("people.yaml") {
		t.Errorf("the rule takes the files %s", rule.PathRegex)
	}
	encrypted := regexp.MustCompile(rule.EncryptedRegex)
	for key, want := range map[string]bool{"stringData": true, "data": true, "metadata": false, "kind": false} {
		if encrypted.MatchString(key) != want {
			t.Errorf("%s is encrypted: %t", key, !want)
		}
	}
	if objects(t, file(t, "examples", "sops", "secret.yaml"))[0].Object["stringData"] == nil {
		t.Error("the example has nothing to encrypt")
	}
}

// TestArgoCDConfigMap: every kind that people write has the health check under the key by which Argo CD looks for it.
func TestArgoCDConfigMap(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), environment(t).Kubectl(), "kustomize", in(t, "examples", "argocd")).Output()
	if err != nil {
		t.Fatal(err)
	}
	data, _, _ := unstructured.NestedStringMap(ofKind(objects(t, string(out)), "ConfigMap")[0].Object, "data")
	script := file(t, "examples", "argocd", "health.lua")
	for _, kind := range []string{"MediaServer", "Library", "User", "LibraryGrant", "Invite"} {
		if got := data["resource.customizations.health.usher.media_"+kind]; strings.TrimSpace(got) != strings.TrimSpace(script) {
			t.Errorf("%s has the check %q", kind, got)
		}
		delete(data, "resource.customizations.health.usher.media_"+kind)
	}
	if len(data) > 0 {
		t.Errorf("there is more: %v", data)
	}
}
