package dubby

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
)

var errMisfit = errors.New("the fields differ")

type described struct {
	Parameters  []json.RawMessage          `json:"parameters"`
	RequestBody json.RawMessage            `json:"requestBody"`
	Responses   map[string]json.RawMessage `json:"responses"`
}

type content struct {
	Content map[string]struct {
		Schema json.RawMessage `json:"schema"`
	} `json:"content"`
}

// fit verifies an operation field by field.
func (d *document) fit(w wish, item, raw json.RawMessage) (*operation, error) {
	var o, shared described
	if err := d.decode(raw, &o); err != nil {
		return nil, err
	}
	if resolved, err := d.follow(item); err != nil || d.decode(resolved, &shared) != nil {
		return nil, errMisfit
	}
	if err := d.parameters(append(shared.Parameters, o.Parameters...)); err != nil {
		return nil, err
	}
	found := &operation{words: map[key][]string{}}
	if err := d.fitRequest(w, o.RequestBody, found); err != nil {
		return nil, err
	}
	return found, d.fitAnswer(w, o.Responses, found)
}

// parameters refuses an operation that wants a parameter besides those in its path.
func (d *document) parameters(all []json.RawMessage) error {
	for _, raw := range all {
		raw, err := d.follow(raw)
		if err != nil {
			return err
		}
		var p struct {
			In       string `json:"in"`
			Required bool   `json:"required"`
		}
		if err := d.decode(raw, &p); err != nil {
			return err
		}
		if p.Required && p.In != "path" {
			return errMisfit
		}
	}
	return nil
}

func (d *document) fitRequest(w wish, raw json.RawMessage, found *operation) error {
	if raw == nil {
		if len(w.request) > 0 {
			return errMisfit
		}
		return nil
	}
	s, err := d.bodyShape(raw)
	if err != nil {
		return err
	}
	if found.request, err = d.fitFields(s, w.request, found.words); err != nil {
		return err
	}
	for _, name := range s.required {
		if !known(found.request, name) {
			return errMisfit // it wants something that Usher has no value for
		}
	}
	return nil
}

func known(names map[key]string, name string) bool {
	for _, other := range names {
		if other == name {
			return true
		}
	}
	return false
}

// bodyShape reads the JSON schema of a request body or a response.
func (d *document) bodyShape(raw json.RawMessage) (shape, error) {
	raw, err := d.follow(raw)
	if err != nil {
		return shape{}, err
	}
	var c content
	if err := d.decode(raw, &c); err != nil {
		return shape{}, err
	}
	for kind, body := range c.Content {
		if base, _, _ := strings.Cut(kind, ";"); strings.TrimSpace(base) == "application/json" && body.Schema != nil {
			return d.shapeOf(body.Schema, 0)
		}
	}
	return shape{}, errMisfit
}

func (d *document) fitAnswer(w wish, responses map[string]json.RawMessage, found *operation) error {
	var s shape
	var err error
	bodies := 0
	for word, raw := range responses {
		status, failed := strconv.Atoi(word)
		if failed != nil || status < 200 || status > 299 {
			continue
		}
		found.statuses = append(found.statuses, status)
		if one, misfit := d.bodyShape(raw); misfit == nil {
			s, bodies = one, bodies+1
		} else if !errors.Is(misfit, errMisfit) {
			return misfit
		}
	}
	found.silent = len(found.statuses) > 0 && bodies == 0
	if len(w.answer) == 0 {
		return nil
	}
	if bodies != 1 {
		return errMisfit
	}
	if w.list {
		if s, err = d.entryShape(s); err != nil {
			return err
		}
	}
	found.answer, err = d.fitFields(s, w.answer, map[key][]string{})
	return err
}

// entryShape finds what a list holds: the items of an array, or of the one array in an envelope.
func (d *document) entryShape(s shape) (shape, error) {
	if s.is("array") && s.items != nil {
		return d.shapeOf(s.items, 1)
	}
	var lists []json.RawMessage
	for _, raw := range s.properties {
		property, err := d.shapeOf(raw, 1)
		if err != nil {
			return shape{}, err
		}
		if property.is("array") && property.items != nil {
			lists = append(lists, property.items)
		}
	}
	if len(lists) != 1 {
		return shape{}, errMisfit
	}
	return d.shapeOf(lists[0], 2)
}

// fitFields says what the server calls each field that is wanted.
func (d *document) fitFields(s shape, wanted []field, words map[key][]string) (map[key]string, error) {
	names := map[key]string{}
	for _, f := range wanted {
		name, property, err := d.pick(s, f)
		switch {
		case err != nil:
			return nil, err
		case name != "":
			names[f.key], words[f.key] = name, property.words
		case f.must:
			return nil, errMisfit
		}
	}
	return names, nil
}

// pick finds a field under one of its names. Of several, it takes the only one that is required, or none.
func (d *document) pick(s shape, f field) (string, shape, error) {
	type candidate struct {
		name  string
		shape shape
	}
	var all, required []candidate
	for _, name := range f.names {
		raw, there := s.properties[name]
		if !there {
			continue
		}
		property, err := d.shapeOf(raw, 1)
		if err != nil {
			return "", shape{}, err
		}
		if ok, err := d.holds(property, f.kind); err != nil || !ok {
			if err == nil && f.must {
				err = errMisfit
			}
			return "", shape{}, err
		}
		all = append(all, candidate{name, property})
		if slices.Contains(s.required, name) {
			required = append(required, all[len(all)-1])
		}
	}
	switch {
	case len(all) == 1:
		return all[0].name, all[0].shape, nil
	case len(required) == 1:
		return required[0].name, required[0].shape, nil
	}
	return "", shape{}, nil
}

// holds says whether a property is of a kind.
func (d *document) holds(s shape, k kind) (bool, error) {
	switch k {
	case number:
		return s.is("number") || s.is("integer"), nil
	case texts:
		if !s.is("array") || s.items == nil {
			return false, nil
		}
		items, err := d.shapeOf(s.items, 2)
		return items.is("string"), err
	}
	return s.is(string(k)), nil
}
