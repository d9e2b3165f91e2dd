package dubby

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// The document is the server's and may be hostile: what is read of it is bounded. A reader of our own does that better
// than a library here: only a dozen operations of some hundred are looked at, each part is decoded when it is reached,
// and a budget of bytes ends what refers to itself or explodes. Nothing outside of the document is ever fetched.
const (
	// maxDocument bounds the document in bytes. A real one of some hundred operations has less than a tenth of it.
	maxDocument = 4 << 20
	// maxDepth bounds how deep schemas refer to and hold each other.
	maxDepth = 24
	// maxSame bounds how many paths are looked at that differ only in the names of parameters: two are too many.
	maxSame = 3
	// maxBudget bounds how many bytes are decoded while the document is looked through, each repetition counted.
	maxBudget = 8 * maxDocument
)

var (
	errDocument = errors.New("not an OpenAPI 3 document")
	errTooDeep  = errors.New("schemas refer to each other without end")
	errBudget   = errors.New("too much to look through")
	errDangling = errors.New("a reference leads nowhere")
)

// document is an OpenAPI document whose parts are decoded when they are reached.
type document struct {
	version string
	paths   map[string]json.RawMessage
	// templates are the paths by what remains without the names of their parameters.
	templates  map[string][]string
	components map[string]map[string]json.RawMessage
	budget     int
}

// parseDocument reads the outermost layer.
func parseDocument(body []byte) (*document, error) {
	if len(body) > maxDocument {
		return nil, errBudget
	}
	var outer struct {
		OpenAPI string `json:"openapi"`
		Info    struct {
			Version string `json:"version"`
		} `json:"info"`
		Servers    []struct{ URL string }     `json:"servers"`
		Paths      map[string]json.RawMessage `json:"paths"`
		Components map[string]json.RawMessage `json:"components"`
	}
	if err := json.Unmarshal(body, &outer); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(outer.OpenAPI, "3.") || outer.Paths == nil {
		return nil, errDocument
	}
	d := &document{
		version: outer.Info.Version, paths: make(map[string]json.RawMessage, len(outer.Paths)), templates: map[string][]string{},
		components: map[string]map[string]json.RawMessage{}, budget: maxBudget,
	}
	prefix := ""
	if len(outer.Servers) == 1 {
		if base, err := url.Parse(outer.Servers[0].URL); err == nil {
			prefix = strings.TrimRight(base.Path, "/")
		}
	}
	for _, section := range []string{"schemas", "parameters", "requestBodies", "responses", "pathItems"} {
		var named map[string]json.RawMessage
		if json.Unmarshal(outer.Components[section], &named) == nil {
			d.components[section] = named
		}
	}
	for path, item := range outer.Paths {
		path = prefix + strings.TrimRight(path, "/")
		d.paths[path] = item
		if same := d.templates[template(path)]; len(same) < maxSame {
			d.templates[template(path)] = append(same, path)
		}
	}
	return d, nil
}

// decode spends the budget.
func (d *document) decode(raw json.RawMessage, into any) error {
	if d.budget -= len(raw); d.budget < 0 {
		return errBudget
	}
	return json.Unmarshal(raw, into)
}

// follow returns what a chain of references leads to.
func (d *document) follow(raw json.RawMessage) (json.RawMessage, error) {
	for range maxDepth {
		var link struct {
			Ref *string `json:"$ref"`
		}
		if err := d.decode(raw, &link); err != nil || link.Ref == nil {
			return raw, err
		}
		parts := strings.Split(*link.Ref, "/")
		if len(parts) != 4 || parts[0] != "#" || parts[1] != "components" {
			return nil, errDangling
		}
		name, err := url.PathUnescape(strings.NewReplacer("~1", "/", "~0", "~").Replace(parts[3]))
		target, there := d.components[parts[2]][name]
		if err != nil || !there {
			return nil, errDangling
		}
		raw = target
	}
	return nil, errTooDeep
}

// shape is what a schema says, as far as it matters: all of its parts merged.
type shape struct {
	// kinds are the JSON types that a value may have, null left out; empty when the schema does not say.
	kinds      []string
	properties map[string]json.RawMessage
	required   []string
	items      json.RawMessage
	// words are the only values, where the schema lists them.
	words []string
}

func (s shape) is(kind string) bool { return len(s.kinds) == 1 && s.kinds[0] == kind }

// kinds is "type": one word or a list of them.
type kinds []string

// UnmarshalJSON takes both forms.
func (k *kinds) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*k = kinds{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(k))
}

type schema struct {
	Type       kinds                      `json:"type"`
	Properties map[string]json.RawMessage `json:"properties"`
	Required   []string                   `json:"required"`
	Items      json.RawMessage            `json:"items"`
	Enum       []any                      `json:"enum"`
	Const      any                        `json:"const"`
	AllOf      []json.RawMessage          `json:"allOf"`
	AnyOf      []json.RawMessage          `json:"anyOf"`
	OneOf      []json.RawMessage          `json:"oneOf"`
}

// shapeOf resolves a schema: references, allOf, and a choice between null and one other.
func (d *document) shapeOf(raw json.RawMessage, depth int) (shape, error) {
	if depth > maxDepth {
		return shape{}, errTooDeep
	}
	raw, err := d.follow(raw)
	if err != nil {
		return shape{}, err
	}
	var s schema
	if err := d.decode(raw, &s); err != nil {
		return shape{}, err
	}
	out := s.own()
	for _, part := range s.AllOf {
		merged, err := d.shapeOf(part, depth+1)
		if err != nil {
			return shape{}, err
		}
		out.add(merged)
	}
	for _, choices := range [][]json.RawMessage{s.AnyOf, s.OneOf} {
		chosen, err := d.choice(choices, depth+1)
		if err != nil {
			return shape{}, err
		}
		out.add(chosen)
	}
	return out, nil
}

func (s schema) own() shape {
	out := shape{properties: map[string]json.RawMessage{}, required: s.Required, items: s.Items}
	for _, kind := range s.Type {
		if kind != "null" {
			out.kinds = append(out.kinds, kind)
		}
	}
	for name, property := range s.Properties {
		out.properties[name] = property
	}
	for _, value := range append(s.Enum, s.Const) {
		if word, ok := value.(string); ok {
			out.words = append(out.words, word)
		}
	}
	if len(out.kinds) == 0 && len(out.words) > 0 {
		out.kinds = []string{"string"}
	}
	return out
}

// add merges what another part of the same schema says.
func (s *shape) add(o shape) {
	for _, kind := range o.kinds {
		if !slices.Contains(s.kinds, kind) {
			s.kinds = append(s.kinds, kind)
		}
	}
	for name, property := range o.properties {
		s.properties[name] = property
	}
	s.required = append(s.required, o.required...)
	s.words = append(s.words, o.words...)
	if s.items == nil {
		s.items = o.items
	}
}

// choice takes the one schema besides null, or unites lists of words. Any other choice says nothing that can be relied on.
func (d *document) choice(choices []json.RawMessage, depth int) (shape, error) {
	var others []shape
	for _, raw := range choices {
		one, err := d.shapeOf(raw, depth)
		if err != nil {
			return shape{}, err
		}
		if isNull(raw) {
			continue
		}
		others = append(others, one)
	}
	switch {
	case len(others) == 1:
		return others[0], nil
	case slices.ContainsFunc(others, func(o shape) bool { return len(o.words) == 0 }):
		return shape{}, nil
	}
	var united shape
	for _, other := range others {
		united.words = append(united.words, other.words...)
		united.kinds = []string{"string"}
	}
	return united, nil
}

func isNull(raw json.RawMessage) bool {
	var s struct {
		Type any `json:"type"`
	}
	return json.Unmarshal(raw, &s) == nil && s.Type == "null"
}
