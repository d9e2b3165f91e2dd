package jellyfintest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// call is one request under way.
type call struct {
	*http.Request
	server  *Server
	schemas *schemas
	route   *route
	// params are the values in the path.
	params map[string]string
	// client is what the Authorization header tells of the program that asks.
	client client
	caller caller
	body   object
}

// caller is who asks.
type caller struct {
	// token that was sent; empty for none.
	token string
	// key: an API key, which administers and is no user (section 1).
	key bool
	// user who is signed in; nil for a key and for nobody.
	user *user
}

func (c caller) admin() bool { return c.key || c.user != nil && c.user.admin() }

// answer is what goes back.
type answer struct {
	status int
	kind   string
	text   string
	header http.Header
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.kind != "" {
		w.Header().Set("Content-Type", a.kind)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.text)
}

const (
	kindJSON    = "application/json; charset=utf-8"
	kindProblem = "application/problem+json; charset=utf-8"
	kindText    = "text/plain"
)

func ok(body any) answer {
	text, err := json.Marshal(body)
	if err != nil {
		return failed(http.StatusInternalServerError)
	}
	return answer{status: http.StatusOK, kind: kindJSON, text: string(text)}
}

func noContent() answer { return answer{status: http.StatusNoContent} }

// bare is an answer without a body: what authorization refuses.
func bare(status int) answer { return answer{status: status} }

// failed is an exception: the text is the same for all of them (section 8).
func failed(status int) answer {
	return answer{status: status, kind: kindText, text: "Error processing request."}
}

// stated is a refusal that a controller words itself: a JSON string (section 8).
func stated(status int, words string) answer {
	text, _ := json.Marshal(words)
	return answer{status: status, kind: kindJSON, text: string(text)}
}

// invalid is what model validation refuses: ProblemDetails (section 8).
func invalid(fields ...string) answer {
	errors := map[string][]string{}
	for _, field := range fields {
		errors[field] = []string{"The value is not valid."}
	}
	text, _ := json.Marshal(map[string]any{
		"type": "https://tools.ietf.org/html/rfc9110#section-15.5.1", "title": "One or more validation errors occurred.",
		"status": http.StatusBadRequest, "errors": errors,
	})
	return answer{status: http.StatusBadRequest, kind: kindProblem, text: string(text)}
}

// read reads the body by the route's schema. What is of a wrong type or missing is refused; what is unknown is ignored
// and noted.
func (c *call) read() (refused answer, read bool) {
	if c.route.body == "" {
		return answer{}, true
	}
	raw, err := io.ReadAll(io.LimitReader(c.Body, 8<<20))
	if err != nil {
		return failed(http.StatusBadRequest), false
	}
	if len(raw) == 0 {
		if c.route.optional {
			c.body = c.schemas.empty(c.route.body)
			return answer{}, true
		}
		return invalid(""), false
	}
	if kind, _, _ := mime.ParseMediaType(c.Header.Get("Content-Type")); kind != "application/json" && kind != "text/json" {
		return bare(http.StatusUnsupportedMediaType), false
	}
	body, reading := c.schemas.read(c.route.body, raw)
	if len(reading.wrong) > 0 {
		return invalid(reading.wrong...), false
	}
	for _, name := range reading.unknown {
		c.server.note(c.Method + " " + c.route.path + " has no field " + name)
	}
	c.body = body
	return answer{}, true
}

// param is a query parameter, whatever the letter case of its name.
func (c *call) param(name string) string {
	values := c.values(name)
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func (c *call) values(name string) []string {
	var values []string
	for given, all := range c.URL.Query() {
		if strings.EqualFold(given, name) {
			values = append(values, all...)
		}
	}
	return values
}

// flag is a boolean parameter; there is false where it is missing.
func (c *call) flag(name string) (value, there bool) {
	value, err := strconv.ParseBool(c.param(name))
	return value, err == nil
}

// whole is a number.
func (c *call) whole(name string, fallback int) int {
	if n, err := strconv.Atoi(c.param(name)); err == nil {
		return n
	}
	return fallback
}

// id reads an id in the path; a text that is none is refused before anything is looked for (section 8).
func (c *call) id() (string, bool) { return parseID(c.params["id"]) }

// noteParameters notes the parameters that the route does not have.
func (c *call) noteParameters() {
	if c.route.anyQuery {
		return
	}
	for name := range c.URL.Query() {
		known := slices.ContainsFunc(c.route.query, func(k string) bool { return strings.EqualFold(k, name) })
		if !known && !strings.EqualFold(name, "ApiKey") && !strings.EqualFold(name, "api_key") {
			c.server.note(c.Method + " " + c.route.path + " has no parameter " + name)
		}
	}
}

// client is what a program tells of itself.
type client struct{ app, device, deviceID, version string }

func (c client) complete() bool {
	return c.app != "" && c.device != "" && c.deviceID != "" && c.version != ""
}

// moment is how the server writes a time.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// page is a list with its length, as the server wraps some of them.
func page[T any](items []T, total, start int) object {
	if items == nil {
		items = []T{}
	}
	return object{"Items": items, "TotalRecordCount": total, "StartIndex": start}
}

func unescape(segment string) string {
	if text, err := url.PathUnescape(segment); err == nil {
		return text
	}
	return segment
}
