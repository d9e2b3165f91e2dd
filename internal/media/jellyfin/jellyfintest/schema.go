package jellyfintest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// object is a JSON object with its fields' values in the forms that schemas.read makes: bool, int64, float64, string,
// []any and object. A field without a value is not in it: the server leaves nulls out of its answers.
type object map[string]any

// field is one field of a schema.
type field struct {
	name string
	// kind is bool, int, number, text, guid, time, any, or the name of an enum or of a schema.
	kind     string
	list     bool
	nullable bool
	required bool
	// fallback is what a field that is left out becomes; nil for none.
	fallback any
	// since and until are the releases that have the field: from since on, and before until.
	since, until Version
}

// schemas are the forms of request bodies and of the parts of answers, by their names in the server's OpenAPI document.
type schemas struct {
	version Version
	objects map[string][]field
	enums   map[string][]string
}

// newSchemas reads the tables of shapes.go. newer are fields of the policy that only a later release has, with defaults.
func newSchemas(version Version, newer map[string]any) *schemas {
	s := &schemas{version: version, objects: map[string][]field{}, enums: enums}
	for name, lines := range shapes {
		for _, line := range lines {
			for _, text := range strings.Fields(line) {
				s.objects[name] = append(s.objects[name], parseField(text))
			}
		}
	}
	for name, fallback := range newer {
		s.objects["UserPolicy"] = append(s.objects["UserPolicy"], field{name: name, kind: "any", fallback: fallback})
	}
	return s
}

// parseField reads "Name:kind", "Name:[kind]" with ? for nullable, ! for required, =default, @since and <until behind.
func parseField(text string) field {
	name, rest, _ := strings.Cut(text, ":")
	f := field{name: name}
	rest, until, _ := strings.Cut(rest, "<")
	rest, since, _ := strings.Cut(rest, "@")
	f.until, f.since = Version(until), Version(since)
	rest, fallback, hasFallback := strings.Cut(rest, "=")
	if hasFallback {
		if err := json.Unmarshal([]byte(fallback), &f.fallback); err != nil {
			panic(fmt.Sprintf("the default of %s: %v", text, err))
		}
	}
	for {
		var cut bool
		if rest, cut = strings.CutSuffix(rest, "?"); cut {
			f.nullable = true
			continue
		}
		if rest, cut = strings.CutSuffix(rest, "!"); cut {
			f.required = true
			continue
		}
		break
	}
	f.kind, f.list = strings.Trim(rest, "[]"), strings.HasPrefix(rest, "[")
	if f.fallback == nil && !f.nullable && !f.required && !f.list {
		f.fallback = map[string]any{"bool": false, "int": 0.0, "number": 0.0}[f.kind]
	}
	return f
}

// fields are those that the server's release has.
func (s *schemas) fields(schema string) []field {
	return slices.DeleteFunc(slices.Clone(s.objects[schema]), func(f field) bool {
		return !s.version.atLeast(f.since) || f.until != "" && s.version.atLeast(f.until)
	})
}

// reading collects what is wrong with a body.
type reading struct {
	*schemas
	// wrong are the fields that have a wrong type or are missing: such a body is refused as a whole.
	wrong []string
	// unknown are those that the schema does not have: the server ignores them (section 4, /Users/New).
	unknown []string
}

// read reads a body by its schema. Fields that are left out get their defaults.
func (s *schemas) read(schema string, raw []byte) (object, *reading) {
	r := &reading{schemas: s}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		r.wrong = append(r.wrong, "$")
		return nil, r
	}
	read, _ := r.object(schema, value, "").(object)
	return read, r
}

// empty is what a body without any field becomes.
func (s *schemas) empty(schema string) object {
	r := &reading{schemas: s}
	return r.object(schema, map[string]any{}, "").(object)
}

func (r *reading) refuse(at string) any {
	r.wrong = append(r.wrong, at)
	return nil
}

func (r *reading) object(schema string, value any, at string) any {
	given, ok := value.(map[string]any)
	if !ok {
		return r.refuse(at + "$")
	}
	made := object{}
	known := map[string]bool{}
	for _, f := range r.fields(schema) {
		known[f.name] = true
		raw, there := given[f.name]
		switch {
		case !there && f.fallback != nil:
			made[f.name] = r.value(f, f.fallback, at+f.name)
		case there && raw == nil && !f.nullable && !f.required:
			r.refuse(at + f.name)
		case f.required && (raw == nil || raw == ""):
			r.refuse(at + f.name)
		case raw == nil:
		default:
			if v := r.value(f, raw, at+f.name); v != nil {
				made[f.name] = v
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !known[name] {
			r.unknown = append(r.unknown, at+name)
		}
	}
	return made
}

func (r *reading) value(f field, raw any, at string) any {
	if !f.list {
		return r.single(f.kind, raw, at)
	}
	given, ok := raw.([]any)
	if !ok {
		return r.refuse(at)
	}
	made := make([]any, 0, len(given))
	for _, one := range given {
		if v := r.single(f.kind, one, at+"."); v != nil {
			made = append(made, v)
		}
	}
	return made
}

func (r *reading) single(kind string, raw any, at string) any {
	switch kind {
	case "any":
		return raw
	case "bool":
		if v, ok := raw.(bool); ok {
			return v
		}
	case "int":
		if v, ok := raw.(float64); ok && v == math.Trunc(v) && math.Abs(v) <= math.MaxInt32 {
			return int64(v)
		}
	case "number":
		if v, ok := raw.(float64); ok {
			return v
		}
	case "text", "time":
		if v, ok := raw.(string); ok {
			return v
		}
	case "guid":
		if v, ok := raw.(string); ok {
			if id, ok := parseID(v); ok {
				return id
			}
		}
	default:
		if words, isEnum := r.enums[kind]; isEnum {
			if v, ok := raw.(string); ok && slices.Contains(words, v) {
				return v
			}
			break
		}
		return r.object(kind, raw, at+".")
	}
	return r.refuse(at)
}

// clone copies an object with all that is in it.
func (o object) clone() object {
	copied := maps.Clone(o)
	for name, value := range copied {
		copied[name] = cloneValue(value)
	}
	return copied
}

func cloneValue(value any) any {
	switch v := value.(type) {
	case object:
		return v.clone()
	case []any:
		copied := make([]any, 0, len(v))
		for _, one := range v {
			copied = append(copied, cloneValue(one))
		}
		return copied
	}
	return value
}

func (o object) flag(name string) bool { return o[name] == true }

func (o object) number(name string) int64 {
	n, _ := o[name].(int64)
	return n
}

func (o object) text(name string) string {
	t, _ := o[name].(string)
	return t
}

// texts is a list of strings.
func (o object) texts(name string) []string {
	list, _ := o[name].([]any)
	texts := make([]string, 0, len(list))
	for _, one := range list {
		if text, ok := one.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

func listOf(texts []string) []any {
	list := make([]any, 0, len(texts))
	for _, text := range texts {
		list = append(list, text)
	}
	return list
}
