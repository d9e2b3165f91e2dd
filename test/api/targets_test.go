package api

import (
	"fmt"
	"strings"
)

const (
	refsOrAll     = "give refs, a selector or both, or else all: true alone"
	emptySelector = "an empty selector selects nothing: give matchLabels or matchExpressions, or write all: true to mean everything"
	manyValues    = "a selector takes at most 256 values, all expressions together: give the objects a label that says what they have in common"
	badOperator   = "In and NotIn need values; Exists and DoesNotExist take none"
)

// badTargets tries everything that is wrong with targets at a field of the spec; spec holds a %s for what they hold.
func badTargets(field, spec string) []refusal {
	bad := append(badTargetRefs(), badSelectors()...)
	for i, try := range bad {
		bad[i] = refusal{field + ": " + try.name, fmt.Sprintf(spec, try.spec), strings.ReplaceAll(try.says, "SIDE", "spec."+field)}
	}
	return bad
}

func badTargetRefs() []refusal {
	return []refusal{
		{"nothing", ``, refsOrAll},
		{"all: false", `all: false`, refsOrAll},
		{"empty refs", `refs: []`, refsOrAll},
		{"refs and all", `refs: [{name: x}], all: true`, refsOrAll},
		{"selector and all", `selector: {matchLabels: {a: b}}, all: true`, refsOrAll},
		{"a ref without a name", `refs: [{}]`, "SIDE.refs[0].name: Required value"},
		{"a ref with an empty name", `refs: [{name: ""}]`, "SIDE.refs[0].name"},
		{"a ref with a long name", `refs: [{name: ` + strings.Repeat("s", 254) + `}]`, "SIDE.refs[0].name: Too long"},
		{"a ref twice", `refs: [{name: x}, {name: x}]`, "SIDE.refs[1]: Duplicate value"},
		{"257 refs", `refs: [` + refs(257) + `]`, "SIDE.refs: Too many: 257: must have at most 256 items"},
		{"an unknown field", `names: [x]`, `unknown field "SIDE.names"`},
	}
}

func badSelectors() []refusal {
	long := strings.Repeat("l", 64)
	return []refusal{
		{"an empty selector", `selector: {}`, emptySelector},
		{"a selector of empty lists", `selector: {matchLabels: {}, matchExpressions: []}`, emptySelector},
		{"33 labels", `selector: {matchLabels: {` + labels(33) + `}}`, "SIDE.selector.matchLabels: Too many: 33: must have at most 32 items"},
		{"a long label value", `selector: {matchLabels: {a: ` + long + `}}`, "SIDE.selector.matchLabels.a: Too long"},
		{"a label value with a space", `selector: {matchLabels: {a: "b c"}}`, "SIDE.selector.matchLabels.a in body should match"},
		{"33 expressions", `selector: {matchExpressions: [` + strings.Repeat(`{key: a, operator: Exists}, `, 33) + `]}`, "SIDE.selector.matchExpressions: Too many: 33: must have at most 32 items"},
		{"an expression without a key", `selector: {matchExpressions: [{operator: Exists}]}`, "SIDE.selector.matchExpressions[0].key: Required value"},
		{"an empty key", `selector: {matchExpressions: [{key: "", operator: Exists}]}`, "SIDE.selector.matchExpressions[0].key"},
		{"a long key", `selector: {matchExpressions: [{key: ` + strings.Repeat("k", 318) + `, operator: Exists}]}`, "SIDE.selector.matchExpressions[0].key: Too long"},
		{"a key with a space", `selector: {matchExpressions: [{key: "a b", operator: Exists}]}`, "SIDE.selector.matchExpressions[0].key in body should match"},
		{"no operator", `selector: {matchExpressions: [{key: a}]}`, "SIDE.selector.matchExpressions[0].operator: Required value"},
		{"an unknown operator", `selector: {matchExpressions: [{key: a, operator: Gt, values: ["1"]}]}`, `SIDE.selector.matchExpressions[0].operator: Unsupported value: "Gt"`},
		{"In without values", `selector: {matchExpressions: [{key: a, operator: In}]}`, badOperator},
		{"Exists with values", `selector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}`, badOperator},
		{"65 values", `selector: {matchExpressions: [{key: a, operator: In, values: [` + strings.Repeat("v, ", 65) + `]}]}`, "SIDE.selector.matchExpressions[0].values: Too many: 65: must have at most 64 items"},
		{"257 values, all together", `selector: {matchExpressions: [` + expressions(4, 64) + `, {key: a, operator: NotIn, values: [b]}]}`, manyValues},
		{"a long key of a label", `selector: {matchLabels: {` + strings.Repeat("k", 318) + `: b}}`, "a label's key has at most 317 characters"},
		{"a long value", `selector: {matchExpressions: [{key: a, operator: In, values: [` + long + `]}]}`, "SIDE.selector.matchExpressions[0].values[0]: Too long"},
		{"a value with a space", `selector: {matchExpressions: [{key: a, operator: In, values: ["b c"]}]}`, "SIDE.selector.matchExpressions[0].values[0] in body should match"},
	}
}

// refs returns as many references, and labels as many labels.
func refs(n int) string { return many(n, "{name: r%d}") }

func labels(n int) string { return many(n, "l%d: x") }

// expressions returns n of them with as many values each.
func expressions(n, values int) string {
	return many(n, "{key: k%d, operator: In, values: ["+strings.Repeat("v, ", values-1)+"v]}")
}

func many(n int, format string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(all, ", ")
}
