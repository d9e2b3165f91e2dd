package api

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/usher-media/usher/internal/testenv"
)

// TestEveryRuleIsTried walks the schemas of the specs and finds, for each rule and bound, a refusal or a change in this
// package's tables that meets it.
func TestEveryRuleIsTried(t *testing.T) {
	env := testenv.Get(t)
	for kind, says := range tables() {
		spec := specSchema(t, env.Root, kind)
		said := append(errorsOf(t, env, kind), says...)
		walk("spec", spec, func(path string, schema apiextensionsv1.JSONSchemaProps) {
			for _, rule := range schema.XValidations {
				expect(t, kind, path, said, rule.Message)
			}
			for _, phrase := range phrases(schema) {
				expect(t, kind, path, said, path+phrase, path+" in body "+strings.TrimPrefix(phrase, ": "))
			}
		})
	}
}

// tables returns what the changes of each kind must say; what the refusals say is asked of the API server.
func tables() map[string][]string {
	out := map[string][]string{}
	for kind, changes := range map[string][]change{
		"MediaServer": mediaServerChanges, "Library": libraryChanges, "User": userChanges, "LibraryGrant": libraryGrantChanges,
		"Invite": inviteChanges, "Redemption": redemptionChanges,
	} {
		for _, change := range changes {
			out[kind] = append(out[kind], change.says)
		}
	}
	return out
}

// allRefusals returns the refusals of each kind.
func allRefusals() map[string][]refusal {
	return map[string][]refusal{
		"MediaServer": badMediaServers, "Library": badLibraries, "User": badUsers, "LibraryGrant": badLibraryGrants(),
		"Invite": badInvites(), "Redemption": badRedemptions,
	}
}

func errorsOf(t *testing.T, env *testenv.Environment, kind string) []string {
	t.Helper()
	refusals := allRefusals()
	namespace := env.Namespace(t)
	var said []string
	for _, refusal := range refusals[kind] {
		if err := tryCreate(t.Context(), env.Client(), manifest(t, kind, namespace, "x", refusal.spec)); err != nil {
			said = append(said, err.Error())
		}
	}
	return said
}

func specSchema(t *testing.T, root, kind string) apiextensionsv1.JSONSchemaProps {
	t.Helper()
	objects, err := testenv.Objects(filepath.Join(root, "config", "crd", "bases"))
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		var crd apiextensionsv1.CustomResourceDefinition
		if object.GetKind() != "CustomResourceDefinition" {
			continue
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &crd); err != nil {
			t.Fatal(err)
		}
		if crd.Spec.Names.Kind == kind {
			return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
		}
	}
	t.Fatalf("config/crd has no kind %s", kind)
	return apiextensionsv1.JSONSchemaProps{}
}

// walk visits a schema and all schemas below it. A list's path ends with [0], that of a map with .a: so the tables write them.
func walk(path string, schema apiextensionsv1.JSONSchemaProps, visit func(string, apiextensionsv1.JSONSchemaProps)) {
	visit(path, schema)
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		walk(path+"."+name, schema.Properties[name], visit)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		walk(path+"[0]", *schema.Items.Schema, visit)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		walk(path+".a", *schema.AdditionalProperties.Schema, visit)
	}
}

// phrases returns how the API server words a breach of each bound of a schema, after the path.
func phrases(schema apiextensionsv1.JSONSchemaProps) []string {
	var out []string
	add := func(bounded bool, phrase string) {
		if bounded {
			out = append(out, phrase)
		}
	}
	add(schema.MaxLength != nil, ": Too long")
	add(schema.MinLength != nil, ": should be at least")
	add(schema.MaxItems != nil, ": Too many")
	add(schema.MaxProperties != nil, ": Too many")
	add(len(schema.Enum) > 0, ": Unsupported value")
	add(schema.Pattern != "", ": should match")
	add(schema.Minimum != nil, ": should be greater than or equal to")
	add(schema.Maximum != nil, ": should be less than or equal to")
	return out
}

func expect(t *testing.T, kind, path string, said []string, wanted ...string) {
	t.Helper()
	found := slices.ContainsFunc(said, func(text string) bool {
		return slices.ContainsFunc(wanted, func(want string) bool { return strings.Contains(text, want) })
	})
	if !found {
		t.Errorf("%s, %s: no test meets %q", kind, path, wanted[0])
	}
}
