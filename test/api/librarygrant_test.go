package api

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/usher-media/usher/internal/testenv"
)

var goodLibraryGrants = map[string]string{
	"the smallest":    `{}`,
	"by label":        `{users: {all: null, selector: {matchLabels: {group: family}}}}`,
	"by expression":   `{users: {all: null, selector: {matchExpressions: [{key: example.org/group, operator: In, values: [kids, parents]}, {key: guest, operator: DoesNotExist}]}}}`,
	"refs and label":  `{libraries: {selector: {matchLabels: {audience: kids, empty: ""}}}}`,
	"everything":      `{libraries: {refs: null, all: true}, role: Admin, notBefore: "2026-12-24T00:00:00Z", notAfter: "2027-01-07T00:00:00Z", disabled: true}`,
	"an end long ago": `{notAfter: "2001-01-01T00:00:00Z"}`,
	"256 refs":        `{libraries: {refs: [` + refs(256) + `]}}`,
	"256 values":      `{users: {all: null, selector: {matchLabels: {` + labels(32) + `}, matchExpressions: [` + expressions(4, 64) + `]}}}`,
	"32 expressions":  `{users: {all: null, selector: {matchExpressions: [` + expressions(32, 8) + `]}}}`,
}

func badLibraryGrants() []refusal {
	bad := []refusal{
		{"no libraries", `{libraries: null}`, "spec.libraries: Required value"},
		{"no users", `{users: null}`, "spec.users: Required value"},
		{"an unknown role", `{role: Editor}`, `spec.role: Unsupported value: "Editor": supported values: "Viewer", "Admin"`},
		{"a beginning that is no date", `{notBefore: christmas}`, "spec.notBefore"},
		{"an end that is no date", `{notAfter: christmas}`, "spec.notAfter"},
		{"an end before the beginning", `{notBefore: "2027-01-07T00:00:00Z", notAfter: "2026-12-24T00:00:00Z"}`, "notBefore must be earlier than notAfter"},
		{"an end at the beginning", `{notBefore: "2027-01-07T00:00:00Z", notAfter: "2027-01-07T00:00:00Z"}`, "notBefore must be earlier than notAfter"},
		{"an unknown field", `{library: movies}`, `unknown field "spec.library"`},
	}
	return slices.Concat(bad, badTargets("libraries", `{libraries: {refs: null, %s}}`), badTargets("users", `{users: {all: null, %s}}`),
		badDates("notBefore"), badDates("notAfter"))
}

var libraryGrantChanges = []change{
	{"to other users", `{}`, `{users: {all: null, refs: [{name: mia}]}}`, ""},
	{"to a window", `{}`, `{notBefore: "2026-12-24T00:00:00Z"}`, ""},
	{"to an empty selector", `{}`, `{users: {all: null, selector: {}}}`, emptySelector},
}

func TestLibraryGrant(t *testing.T) {
	testKind(t, "LibraryGrant", goodLibraryGrants, badLibraryGrants(), libraryGrantChanges)
}

// TestALargeSelectorOfBeforeShrinks: one that is stored, and larger than what is taken today, may lose values one by one. Each is
// somebody's access.
func TestALargeSelectorOfBeforeShrinks(t *testing.T) {
	t.Parallel()
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	grant := manifest(t, "LibraryGrant", namespace, "large", `{users: {all: null, selector: {matchExpressions: [`+expressions(6, 64)+`]}}}`)
	spec := grant.Object["spec"]
	grant.Object["spec"] = manifest(t, "LibraryGrant", namespace, "small", `{}`).Object["spec"]
	if err := env.Client().Create(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
	env.Rewrite(t, grant, func(stored map[string]any) { stored["spec"] = spec })
	c := strict(env.Client())
	change := func(edit func(values []any) []any) error {
		current := grant.DeepCopy()
		if err := c.Get(t.Context(), keyOf(grant), current); err != nil {
			t.Fatal(err)
		}
		expressions, _, _ := unstructured.NestedSlice(current.Object, "spec", "users", "selector", "matchExpressions")
		first := expressions[0].(map[string]any)
		first["values"] = edit(first["values"].([]any))
		if err := unstructured.SetNestedSlice(current.Object, expressions, "spec", "users", "selector", "matchExpressions"); err != nil {
			t.Fatal(err)
		}
		return c.Update(t.Context(), current)
	}
	mustSay(t, change(func(values []any) []any { return values[1:] }), "")
	mustSay(t, change(func(values []any) []any { return append(values, "another") }), manyValues)
}
