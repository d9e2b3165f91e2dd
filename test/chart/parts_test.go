package chart

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/usher-media/usher/internal/admission"
	"github.com/usher-media/usher/internal/testenv"
)

var userRoles = []string{"usher-administrator", "usher-editor", "usher-viewer"}

// TestKindsAndPoliciesGoTogether: a release has all kinds, all policies that guard them and the roles for people, or none; and
// what is kept is kept whole.
func TestKindsAndPoliciesGoTogether(t *testing.T) {
	policies := append(admission.Policies(), admission.PoliciesOfServers()...)
	slices.Sort(policies)
	each(t, func(t *testing.T, name string, made []*unstructured.Unstructured) {
		want, kinds := policies, 6
		if name == "namespaced" || name == "mediaserver" {
			want, kinds = nil, 0
		}
		if got := names(made, "CustomResourceDefinition"); len(got) != kinds {
			t.Errorf("%d kinds: %v", len(got), got)
		}
		for _, kind := range []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"} {
			got := names(made, kind)
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("of %s there are %v, want %v", kind, got, want)
			}
		}
		kept := 0
		for _, object := range made {
			if object.GetAnnotations()["helm.sh/resource-policy"] == "keep" {
				kept++
			}
		}
		all := kinds + 2*len(want) + len(userRoles)
		if kinds == 0 || name == "quiet" {
			all = 0
		}
		if kept != all {
			t.Errorf("%d objects are kept, want %d", kept, all)
		}
	})
}

// TestLabels: who looks for what belongs to a release finds everything, by the labels that all charts have.
func TestLabels(t *testing.T) {
	wanted := []string{"name", "instance", "component", "part-of", "version", "managed-by"}
	each(t, func(t *testing.T, name string, made []*unstructured.Unstructured) {
		check := func(what string, labels map[string]string) {
			for _, label := range wanted {
				if labels["app.kubernetes.io/"+label] == "" {
					t.Errorf("%s has no label %s: %v", what, label, labels)
				}
			}
			if labels["helm.sh/chart"] == "" || name == "everything" && labels["team"] != "home" {
				t.Errorf("%s has the labels %v", what, labels)
			}
		}
		for _, object := range made {
			if strings.HasSuffix(object.GetName(), "-more") || object.GetName() == "as-text" {
				continue // extraObjects are as they are given
			}
			check(key(object), object.GetLabels())
		}
		for _, pod := range pods(made) {
			check("a pod of "+pod.Name, pod.Labels)
		}
		for _, object := range made {
			selected(t, object, made)
		}
	})
}

// selected: what selects pods selects those of one program.
func selected(t *testing.T, object *unstructured.Unstructured, made []*unstructured.Unstructured) {
	t.Helper()
	path := map[string][]string{
		"Service": {"spec", "selector"}, "PodDisruptionBudget": {"spec", "selector", "matchLabels"}, "NetworkPolicy": {"spec", "podSelector", "matchLabels"},
		"Deployment": {"spec", "selector", "matchLabels"}, "StatefulSet": {"spec", "selector", "matchLabels"},
	}[object.GetKind()]
	if path == nil {
		return
	}
	selector, _, _ := unstructured.NestedStringMap(object.Object, path...)
	var found []string
	for _, pod := range pods(made) {
		if matches := func(k, v string) bool { return pod.Labels[k] == v }; len(selector) > 0 && all(selector, matches) {
			found = append(found, pod.Spec.Containers[0].Name)
		}
	}
	want := "usher"
	if strings.Contains(object.GetName(), "mediaserver") {
		want = "mediaserver"
	}
	if len(found) != 1 || found[0] != want {
		t.Errorf("%s selects the pods of %v", key(object), found)
	}
}

func all(labels map[string]string, is func(k, v string) bool) bool {
	for k, v := range labels {
		if !is(k, v) {
			return false
		}
	}
	return true
}

// rulesOf are the rules of a role in a file of config.
func rulesOf(t *testing.T, kind string, file ...string) []rbacv1.PolicyRule {
	t.Helper()
	text, err := os.ReadFile(in(t, file...))
	if err != nil {
		t.Fatal(err)
	}
	return rules(t, ofKind(objects(t, string(text)), kind)[0])
}

func rules(t *testing.T, object *unstructured.Unstructured) []rbacv1.PolicyRule {
	t.Helper()
	var role rbacv1.ClusterRole
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role); err != nil {
		t.Fatal(err)
	}
	if len(role.Rules) == 0 {
		t.Fatalf("%s allows nothing", key(object))
	}
	return role.Rules
}

// TestRights: every role of every case is one of config/, which test/rights compares with what the operator uses; and every
// binding binds one of them to the operator.
func TestRights(t *testing.T) {
	asking := []rbacv1.PolicyRule{
		{APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"tokenreviews"}, Verbs: []string{"create"}},
		{APIGroups: []string{"authorization.k8s.io"}, Resources: []string{"subjectaccessreviews"}, Verbs: []string{"create"}},
	}
	known := map[string][]rbacv1.PolicyRule{
		"ClusterRole usher-manager":                            rulesOf(t, "ClusterRole", "config", "rbac", "role.yaml"),
		"Role usher-manager":                                   rulesOf(t, "Role", "config", "namespaced", "role.yaml"),
		"Role usher-operator":                                  rulesOf(t, "Role", "config", "rbac", "operator_role.yaml"),
		"ClusterRole usher-system-ours-metrics-authentication": asking,
		"ClusterRole usher-system-ours-metrics-reader":         {{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}
	for _, name := range userRoles {
		known["ClusterRole "+name] = rulesOf(t, "ClusterRole", "config", "rbac", strings.TrimPrefix(name, "usher-")+"_role.yaml")
	}
	unused := maps.Clone(known)
	each(t, func(t *testing.T, _ string, made []*unstructured.Unstructured) {
		for _, object := range append(ofKind(made, "ClusterRole"), ofKind(made, "Role")...) {
			name := object.GetKind() + " " + object.GetName()
			if got := rules(t, object); !apiequality.Semantic.DeepEqual(got, known[name]) {
				t.Errorf("%s has the rules\n%v\nand config\n%v", name, got, known[name])
			}
			delete(unused, name)
		}
		for _, object := range append(ofKind(made, "ClusterRoleBinding"), ofKind(made, "RoleBinding")...) {
			role, _, _ := unstructured.NestedString(object.Object, "roleRef", "name")
			subjects, _, _ := unstructured.NestedSlice(object.Object, "subjects")
			if len(subjects) != 1 || slices.Contains(userRoles, role) || role != object.GetName() {
				t.Errorf("%s binds %s to %v", key(object), role, subjects)
				continue
			}
			pod := ofKind(made, "Deployment")[0]
			account, _, _ := unstructured.NestedString(pod.Object, "spec", "template", "spec", "serviceAccountName")
			if to := fmt.Sprint(subjects[0]); to != fmt.Sprintf("map[kind:ServiceAccount name:%s namespace:%s]", account, namespace) {
				t.Errorf("%s binds %s to %s, and the operator is %s", key(object), role, to, account)
			}
		}
	})
	if len(unused) > 0 {
		t.Errorf("no case has %v", slices.Collect(maps.Keys(unused)))
	}
}

// TestRolesAggregate: the roles for people add to the built-in ones, unless that is turned off.
func TestRolesAggregate(t *testing.T) {
	for _, aggregate := range []string{"true", "false"} {
		for _, role := range ofKind(render(t, "--set", "userRoles.aggregate="+aggregate), "ClusterRole") {
			added := ""
			for label := range role.GetLabels() {
				if to, found := strings.CutPrefix(label, "rbac.authorization.k8s.io/aggregate-to-"); found {
					added += to
				}
			}
			want := map[string]string{"usher-viewer": "view", "usher-editor": "edit", "usher-administrator": "admin"}[role.GetName()]
			if aggregate == "false" {
				want = ""
			}
			if added != want {
				t.Errorf("aggregate=%s: %s is added to %q, want %q", aggregate, role.GetName(), added, want)
			}
		}
	}
}

// TestKindsAreThoseOfConfig: the texts are put together without reading them, so that nothing of a kind or a policy is lost.
func TestKindsAreThoseOfConfig(t *testing.T) {
	made := map[string]*unstructured.Unstructured{}
	for _, object := range render(t) {
		made[key(object)] = object
	}
	for _, folder := range [][]string{{"config", "crd", "bases"}, {"config", "admission"}} {
		wanted, err := testenv.Objects(in(t, folder...))
		if err != nil || len(wanted) < 6 {
			t.Fatal(len(wanted), err)
		}
		for _, want := range wanted {
			got := made[key(want)]
			if want.GetKind() == "Kustomization" {
				continue
			}
			if got == nil || !apiequality.Semantic.DeepEqual(got.Object["spec"], want.Object["spec"]) {
				t.Errorf("%s is not that of config", key(want))
			}
		}
	}
}
