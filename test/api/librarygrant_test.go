package api

import (
	"fmt"
	"strings"
	"testing"
)

var goodLibraryGrants = map[string]string{
	"the smallest":    `{}`,
	"by label":        `{users: {all: null, selector: {matchLabels: {group: family}}}}`,
	"by expression":   `{users: {all: null, selector: {matchExpressions: [{key: example.org/group, operator: In, values: [kids, parents]}, {key: guest, operator: DoesNotExist}]}}}`,
	"refs and label":  `{libraries: {selector: {matchLabels: {audience: kids, empty: ""}}}}`,
	"everything":      `{libraries: {refs: null, all: true}, role: Admin, notBefore: "2026-12-24T00:00:00Z", notAfter: "2027-01-07T00:00:00Z", disabled: true}`,
	"an end long ago": `{notAfter: "2001-01-01T00:00:00Z"}`,
	"256 refs":        `{libraries: {refs: [` + refs(256) + `]}}`,
}

const (
	refsOrAll     = "give refs, a selector or both, or else all: true alone"
	emptySelector = "an empty selector selects nothing: give matchLabels or matchExpressions, or write all: true to mean everything"
	badOperator   = "In and NotIn need values; Exists and DoesNotExist take none"
)

func refs(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("{name: r%d}", i)
	}
	return strings.Join(all, ", ")
}

// targets gives the same bad targets to both sides of a grant.
func targets(name, text, says string) []refusal {
	return []refusal{
		{"libraries: " + name, `{libraries: {refs: null, ` + text + `}}`, strings.ReplaceAll(says, "SIDE", "spec.libraries")},
		{"users: " + name, `{users: {all: null, ` + text + `}}`, strings.ReplaceAll(says, "SIDE", "spec.users")},
	}
}

func badLibraryGrants() []refusal {
	long := strings.Repeat("l", 64)
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
	for _, group := range [][]refusal{
		targets("nothing", ``, refsOrAll),
		targets("all: false", `all: false`, refsOrAll),
		targets("empty refs", `refs: []`, refsOrAll),
		targets("refs and all", `refs: [{name: x}], all: true`, refsOrAll),
		targets("selector and all", `selector: {matchLabels: {a: b}}, all: true`, refsOrAll),
		targets("a ref without a name", `refs: [{}]`, "SIDE.refs[0].name: Required value"),
		targets("a ref with an empty name", `refs: [{name: ""}]`, "SIDE.refs[0].name"),
		targets("a ref with a long name", `refs: [{name: `+strings.Repeat("s", 254)+`}]`, "SIDE.refs[0].name: Too long"),
		targets("a ref twice", `refs: [{name: x}, {name: x}]`, "SIDE.refs[1]: Duplicate value"),
		targets("257 refs", `refs: [`+refs(257)+`]`, "SIDE.refs: Too many: 257: must have at most 256 items"),
		targets("an empty selector", `selector: {}`, emptySelector),
		targets("a selector of empty lists", `selector: {matchLabels: {}, matchExpressions: []}`, emptySelector),
		targets("33 labels", `selector: {matchLabels: {`+labels(33)+`}}`, "SIDE.selector.matchLabels: Too many: 33: must have at most 32 items"),
		targets("a long label value", `selector: {matchLabels: {a: `+long+`}}`, "SIDE.selector.matchLabels.a: Too long"),
		targets("a label value with a space", `selector: {matchLabels: {a: "b c"}}`, "SIDE.selector.matchLabels.a in body should match"),
		targets("33 expressions", `selector: {matchExpressions: [`+strings.Repeat(`{key: a, operator: Exists}, `, 33)+`]}`, "SIDE.selector.matchExpressions: Too many: 33: must have at most 32 items"),
		targets("an expression without a key", `selector: {matchExpressions: [{operator: Exists}]}`, "SIDE.selector.matchExpressions[0].key: Required value"),
		targets("an empty key", `selector: {matchExpressions: [{key: "", operator: Exists}]}`, "SIDE.selector.matchExpressions[0].key"),
		targets("a long key", `selector: {matchExpressions: [{key: `+strings.Repeat("k", 318)+`, operator: Exists}]}`, "SIDE.selector.matchExpressions[0].key: Too long"),
		targets("a key with a space", `selector: {matchExpressions: [{key: "a b", operator: Exists}]}`, "SIDE.selector.matchExpressions[0].key in body should match"),
		targets("no operator", `selector: {matchExpressions: [{key: a}]}`, "SIDE.selector.matchExpressions[0].operator: Required value"),
		targets("an unknown operator", `selector: {matchExpressions: [{key: a, operator: Gt, values: ["1"]}]}`, `SIDE.selector.matchExpressions[0].operator: Unsupported value: "Gt"`),
		targets("In without values", `selector: {matchExpressions: [{key: a, operator: In}]}`, badOperator),
		targets("Exists with values", `selector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}`, badOperator),
		targets("65 values", `selector: {matchExpressions: [{key: a, operator: In, values: [`+strings.Repeat("v, ", 65)+`]}]}`, "SIDE.selector.matchExpressions[0].values: Too many: 65: must have at most 64 items"),
		targets("a long value", `selector: {matchExpressions: [{key: a, operator: In, values: [`+long+`]}]}`, "SIDE.selector.matchExpressions[0].values[0]: Too long"),
		targets("a value with a space", `selector: {matchExpressions: [{key: a, operator: In, values: ["b c"]}]}`, "SIDE.selector.matchExpressions[0].values[0] in body should match"),
		targets("an unknown field", `names: [x]`, `unknown field "SIDE.names"`),
	} {
		bad = append(bad, group...)
	}
	return bad
}

func labels(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("l%d: x", i)
	}
	return strings.Join(all, ", ")
}

var libraryGrantChanges = []change{
	{"to other users", `{}`, `{users: {all: null, refs: [{name: mia}]}}`, ""},
	{"to a window", `{}`, `{notBefore: "2026-12-24T00:00:00Z"}`, ""},
	{"to an empty selector", `{}`, `{users: {all: null, selector: {}}}`, emptySelector},
}

func TestLibraryGrant(t *testing.T) {
	testKind(t, "LibraryGrant", goodLibraryGrants, badLibraryGrants(), libraryGrantChanges)
}
