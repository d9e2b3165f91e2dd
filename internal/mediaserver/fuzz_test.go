package mediaserver_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shape is the part of an OpenAPI operation that says what a client may send.
type shape struct {
	Parameters []struct {
		Name, In string
		Required bool
		Schema   map[string]any
	}
	RequestBody struct {
		Content map[string]struct{ Schema map[string]any }
	}
}

// api is the OpenAPI document as a fuzzer reads it.
type api struct {
	Paths      map[string]map[string]shape
	Components struct{ Schemas map[string]map[string]any }
}

// fuzzer makes requests out of the document and a source of chance.
type fuzzer struct {
	*rand.Rand
	api api
	ids []string
}

// odd are values that break programs: empty, huge, of another script, of another type, half an injection.
var odd = []any{
	nil, true, false, 0, -1, 1, 1 << 53, -1.5, 1e308, "", " ", "\x00", "a\x00b", "\u202e", "\ufffd", "é", "e\u0301", "💩", "ﬁ",
	"' OR 1=1 --", "\\", "%", "_", "../../etc/passwd", "/etc", "owner", "admin", "viewer", "guest", "Custom", "2026-01-01T00:00:00Z",
	"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999-23:59", "V1StGXR8_Z5jdHi6B-myT", strings.Repeat("x", 70_000),
	strings.Repeat("\u0130", 300), []any{}, []any{nil}, map[string]any{}, map[string]any{"": nil},
}

func (f *fuzzer) pick(values []any) any { return values[f.IntN(len(values))] }

// value makes something that fits the schema, more often than not.
func (f *fuzzer) value(schema map[string]any, depth int) any {
	if ref, is := schema["$ref"].(string); is {
		schema = f.api.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
	}
	if depth > 6 || f.IntN(14) == 0 {
		return f.pick(odd)
	}
	if words, is := schema["enum"].([]any); is {
		return f.pick(words)
	}
	kind := schema["type"]
	if kinds, is := kind.([]any); is {
		kind = f.pick(kinds)
	}
	switch kind {
	case "object":
		return f.object(schema, depth)
	case "array":
		items, _ := schema["items"].(map[string]any)
		list := []any{}
		for range f.IntN(4) {
			list = append(list, f.value(items, depth+1))
		}
		return list
	case "integer", "number":
		return f.IntN(200) - 50
	case "boolean":
		return f.IntN(2) == 0
	case "string":
		if f.IntN(2) == 0 {
			return f.ids[f.IntN(len(f.ids))]
		}
		return f.pick([]any{"plain text", "mia@example.org", "long enough a password", "2030-01-02T03:04:05Z", f.pick(odd)})
	}
	return nil
}

func (f *fuzzer) object(schema map[string]any, depth int) any {
	properties, _ := schema["properties"].(map[string]any)
	made := map[string]any{}
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.Sort(names)
	required, _ := schema["required"].([]any)
	for _, name := range names {
		if slices.Contains(required, any(name)) || f.IntN(2) == 0 {
			property, _ := properties[name].(map[string]any)
			made[name] = f.value(property, depth+1)
		}
	}
	if f.IntN(25) == 0 {
		made["surprise"] = f.pick(odd)
	}
	return made
}

var pathParameter = regexp.MustCompile(`\{[a-zA-Z]+\}`)

// request makes one request for the operation.
func (f *fuzzer) request(op operation) (path, body string, headers []string) {
	s := f.api.Paths[op.path][strings.ToLower(op.method)]
	path = pathParameter.ReplaceAllStringFunc(op.path, func(string) string {
		if f.IntN(4) > 0 {
			return url.PathEscape(f.ids[f.IntN(len(f.ids))])
		}
		return url.PathEscape(fmt.Sprint(f.pick([]any{"x", "%", "\x00", "\xff", "..", "💩", "a b", "owner", strings.Repeat("y", 3000)})))
	})
	query := url.Values{}
	for _, p := range s.Parameters {
		if p.In == "query" && (p.Required || f.IntN(2) == 0) {
			query.Set(p.Name, fmt.Sprint(f.pick([]any{f.value(p.Schema, 0), "\xff\xfe", "AAAA", "MA", "LTE", "_w"})))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	for _, content := range s.RequestBody.Content {
		raw, err := json.Marshal(f.value(content.Schema, 0))
		if err == nil {
			body = string(raw)
		}
		if f.IntN(20) == 0 {
			body = body[:f.IntN(len(body)+1)]
		}
	}
	for _, name := range []string{"Range", "If-Range", "If-None-Match", "If-Modified-Since", "X-Forwarded-For", "Authorization"} {
		if f.IntN(12) == 0 && (name != "Authorization" || f.IntN(4) == 0) {
			headers = append(headers, name, fmt.Sprint(f.pick([]any{"bytes=0-", "bytes=-9999999", "bytes=5-1", "x", "\"", "*", "Bearer", "Basic eA=="})))
		}
	}
	return path, body, headers
}

// fuzzWorld is a household that a fuzzer may take apart.
func fuzzWorld(t *testing.T) (*matrix, *fuzzer) {
	m := newMatrix(t)
	f := new(fuzzer)
	if err := json.Unmarshal([]byte(m.send("GET", "/v1/openapi.json", "", "").body), &f.api); err != nil {
		t.Fatal(err)
	}
	f.ids = []string{m.library, m.item, "V1StGXR8_Z5jdHi6B-myT", "owner", "heat"}
	for _, name := range []string{"{user}", "{role}", "{invite}", "{code}", "{libraryInvite}", "{link}", "{shared}"} {
		f.ids = append(f.ids, m.fresh(name, "owner", m.owner))
	}
	return m, f
}

// storm sends n requests to each route, as somebody, and looks at every answer.
func storm(t *testing.T, seed uint64, n int) {
	m, f := fuzzWorld(t)
	f.Rand = rand.New(rand.NewPCG(seed, 1))
	tokens := map[string]string{"anonymous": "", "deactivated": m.stale}
	secrets := []string{"argon2", "SQLSTATE", "goroutine", ".go:", m.stale, m.owner}
	statuses := map[int]int{}
	for _, op := range m.operations() {
		for range n {
			path, body, headers := f.request(op)
			actor := append([]string{"owner", "owner", "owner", "owner", "owner"}, matrixActors...)[f.IntN(5+len(matrixActors))]
			if token, there := tokens[actor]; !there || (token != "" && actor != "deactivated" && m.send("GET", "/v1/auth/session", token, "").status == 401) {
				tokens[actor] = m.token(actor)
				secrets = append(secrets, tokens[actor])
			}
			got := m.send(op.method, path, tokens[actor], body, headers...)
			statuses[got.status]++
			if got.status >= 500 {
				m.Errorf("%s %s %.500s: %v", op.method, path, body, got)
			}
			if got.status >= 400 && op.method != "HEAD" && !strings.HasPrefix(got.body, `{"error":"`) {
				m.Errorf("%s %s: not the form of an error: %.300v", op.method, path, got)
			}
			for _, secret := range secrets {
				if strings.Contains(got.body, secret) {
					m.Errorf("%s %s: %q is in the answer %.300v", op.method, path, secret, got)
				}
			}
		}
	}
	m.scanned()
	// A storm that everything bounces off proves nothing.
	for _, status := range []int{200, 401, 403, 404, 422} {
		if statuses[status] == 0 && n > 5 {
			m.Errorf("no request was answered with %d: %v", status, statuses)
		}
	}
	m.Log(statuses)
	for _, word := range []string{password, "argon2"} {
		if strings.Contains(m.log.String(), word) {
			m.Errorf("%q is in the log", word)
		}
	}
	if strings.Contains(m.log.String(), "handler panicked") {
		m.Error("a handler panicked")
	}
}

// stormSeeds names how many storms there are, for who has the time: MEDIASERVER_STORMS=100 go test -run TestStorm. It is
// no fuzz test of Go's, which would steer nothing here and compile all of SQLite once more to do so.
const stormSeeds = "MEDIASERVER_STORMS"

// TestStormOnEveryRoute sends odd requests, made from the OpenAPI document, to every route: no answer is a failure of
// the server, and none leaks. The seeds are the same in every run.
func TestStormOnEveryRoute(t *testing.T) {
	seeds := uint64(3)
	if more, err := strconv.ParseUint(os.Getenv(stormSeeds), 10, 32); err == nil {
		seeds = more
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { storm(t, seed, 8) })
	}
}

// Every route that takes a body refuses one that is too large, before it does anything else with it.
func TestHugeBodiesAreRefusedEverywhere(t *testing.T) {
	m, f := fuzzWorld(t)
	huge := `{"name":"` + strings.Repeat("x", 2<<20) + `"}`
	for _, op := range m.operations() {
		if len(f.api.Paths[op.path][strings.ToLower(op.method)].RequestBody.Content) == 0 {
			continue
		}
		path := pathParameter.ReplaceAllString(op.path, m.library)
		if got := m.send(op.method, path, m.owner, huge); got.String() != `413 {"error":"Request body is larger than 1 MB"}` {
			t.Errorf("%s %s: %.200v", op.method, op.path, got)
		}
	}
}
