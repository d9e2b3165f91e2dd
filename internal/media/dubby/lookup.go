package dubby

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// operation is a wish that the server's document fulfils.
type operation struct {
	method, path string
	// request and answer say what the server calls each field.
	request, answer map[key]string
	// words are the only values of a request's field, where the document lists them.
	words map[key][]string
	// statuses are those of success.
	statuses []int
	// silent: success has no body.
	silent bool
}

// takes says whether the operation's request has the field.
func (o *operation) takes(k key) bool { return o != nil && o.request[k] != "" }

// plan is what was found in the server's document.
type plan struct {
	version string
	found   map[string]*operation
	// why says, for an operation that was not found, what is the matter.
	why map[string]string
}

// newPlan looks every wish up. What the document says and Usher does not understand is as if it were not there.
func newPlan(d *document) *plan {
	p := &plan{version: d.version, found: map[string]*operation{}, why: map[string]string{}}
	for name, w := range wishes {
		p.found[name], p.why[name] = d.look(w)
	}
	return p
}

// need returns an operation, or says plainly what the server lacks.
func (p *plan) need(name string) (*operation, error) {
	if o := p.found[name]; o != nil {
		return o, nil
	}
	return nil, media.Errorf(media.Unsupported, "this Dubby server shows no way to %s: %s", wishes[name].words, p.why[name])
}

// look finds the one route that does what is wished. Two that do are one too many: which of them is meant is a guess.
func (d *document) look(w wish) (*operation, string) {
	var fits []*operation
	seen := ""
	for _, candidate := range w.routes {
		for _, path := range d.templates[candidate.path] {
			item := d.paths[path]
			raw := d.methodOf(item, candidate.method)
			if raw == nil {
				continue
			}
			seen = candidate.method + " " + candidate.path
			if o, err := d.fit(w, item, raw); err == nil {
				o.method, o.path = candidate.method, path
				fits = append(fits, o)
			}
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0], ""
	case len(fits) > 1:
		return nil, "its OpenAPI document (/v1/openapi.json) shows several, and which one is meant is not for Usher to guess"
	case seen != "":
		return nil, "its OpenAPI document (/v1/openapi.json) describes " + strings.ReplaceAll(seen, "{}", "{id}") +
			" with other fields than Usher knows, or in a way that Usher does not understand"
	}
	return nil, "its OpenAPI document (/v1/openapi.json) has none of the operations that Usher knows for it"
}

var parameter = regexp.MustCompile(`\{[^{}/]*\}`)

// template forgets the names of a path's parameters.
func template(path string) string { return parameter.ReplaceAllString(path, "{}") }

// methodOf returns the operation of a path, or nil.
func (d *document) methodOf(item json.RawMessage, method string) json.RawMessage {
	raw, err := d.follow(item)
	if err != nil {
		return nil
	}
	var methods map[string]json.RawMessage
	if d.decode(raw, &methods) != nil {
		return nil
	}
	return methods[strings.ToLower(method)]
}
