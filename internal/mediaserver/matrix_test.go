package mediaserver_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// matrixActors are the columns, from nobody to the most powerful.
var matrixActors = []string{"anonymous", "deactivated", "guest", "viewer", "libadmin", "editor", "admin", "owner"}

// matrixGuide is what a reviewer needs to read the table.
const matrixGuide = `What each kind of caller is answered on each route: the HTTP status.

  anonymous    sends no token, and signs in as somebody whom nobody knows
  deactivated  sends the token of an account that was deactivated since, or its right password
  guest        a guest without any grant
  viewer       a member, viewer in the library
  libadmin     a member, admin in the library
  editor       an editor, viewer in the library
  admin, owner of the server

The library and its item are granted to viewer, libadmin and editor. 404 for guest means that the answer was, byte for
byte, the one for an id that does not exist. Users, roles and invites that a route names exist; sessions are the
caller's own. Made by: go test ./internal/mediaserver -run TestRouteMatrix -update

`

// trailing is what an empty last column leaves.
var trailing = regexp.MustCompile(` +\n`)

// operation is one route of the OpenAPI document.
type operation struct{ method, path, id string }

func (w *world) operations() []operation {
	w.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(w.send("GET", "/v1/openapi.json", "", "").body), &document); err != nil {
		w.Fatal(err)
	}
	var operations []operation
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, method := range []string{"get", "head", "post", "put", "patch", "delete"} {
			var found struct {
				OperationID string `json:"operationId"`
			}
			raw, there := document.Paths[path][method]
			if !there {
				continue
			}
			if err := json.Unmarshal(raw, &found); err != nil || found.OperationID == "" {
				w.Fatalf("%s %s: no operation id: %v", method, path, err)
			}
			operations = append(operations, operation{strings.ToUpper(method), path, found.OperationID})
		}
	}
	return operations
}

// ask makes the row's request as the actor.
func (m *matrix) ask(row matrixRow, op operation, actor string) answer {
	m.Helper()
	token := m.token(actor)
	path, body := row.path, row.body
	if path == "" {
		path = op.path
	}
	for strings.Contains(path+body, "{") {
		start := strings.Index(path, "{")
		text := path
		if start < 0 {
			if start = placeholder(body); start < 0 {
				break
			}
			text = body
		}
		name := text[start : start+strings.Index(text[start:], "}")+1]
		value := m.fresh(name, actor, token)
		path, body = strings.ReplaceAll(path, name, value), strings.ReplaceAll(body, name, value)
	}
	got := m.send(op.method, path, token, body, row.headers(actor)...)
	m.scanned()
	return got
}

// placeholder finds a placeholder among the braces of JSON.
func placeholder(body string) int {
	for i := range body {
		if body[i] == '{' && i+1 < len(body) && body[i+1] >= 'a' && body[i+1] <= 'z' {
			return i
		}
	}
	return -1
}

func (m *matrix) lastAudit() string {
	m.Helper()
	return m.want(200, "GET", "/v1/audit-log?limit=1", m.owner, "")["items"].([]any)[0].(map[string]any)["id"].(string)
}

// TestRouteMatrix walks every route of the OpenAPI document as every kind of caller. A route without a row fails.
// Dubby access seed, lines 10, 11 and 45; Dubby roles seed, lines 18 to 36; Alcoves seed, lines 25 and 74; Shisho seed,
// lines 7 to 21 and 37.
func TestRouteMatrix(t *testing.T) {
	m := newMatrix(t)
	var table strings.Builder
	fmt.Fprintf(&table, "%-62s", "")
	for _, actor := range matrixActors {
		fmt.Fprintf(&table, " %-11s", actor)
	}
	rows := maps.Clone(matrixRows)
	for _, op := range m.operations() {
		row, known := rows[op.id]
		if !known {
			t.Errorf("%s %s (%s) has no row in the matrix", op.method, op.path, op.id)
			continue
		}
		delete(rows, op.id)
		fmt.Fprintf(&table, "\n%-6s %-55s", op.method, op.path)
		for _, actor := range matrixActors {
			fmt.Fprintf(&table, " %-11d", m.cell(row, op, actor))
		}
	}
	for id := range rows {
		t.Errorf("the matrix has a row for %s, which is no route", id)
	}
	golden(t, filepath.Join("testdata", "matrix.txt"), matrixGuide+trailing.ReplaceAllString(table.String()+"\n", "\n"))
}

// cell asks as the actor, and checks what holds for every route.
func (m *matrix) cell(row matrixRow, op operation, actor string) int {
	m.Helper()
	before := ""
	changes := op.method != "GET" && op.method != "HEAD" && !row.quiet
	if actor == "owner" {
		m.owner = m.token(actor)
		before = m.lastAudit()
	}
	got := m.ask(row, op, actor)
	if got.status >= 500 {
		m.Errorf("%s %s as %s: %v", op.method, op.path, actor, got)
	}
	m.owner = m.token("owner")
	if row.after != "" {
		m.send("POST", strings.ReplaceAll(row.after, "{item}", m.item), m.owner, "")
	}
	if actor == "owner" && changes && got.status < 300 {
		m.audited(op, before)
	}
	if actor == "guest" && got.status == 404 {
		m.likeNothing(row, op, got)
	}
	return got.status
}

// audited fails unless the audit log tells of what the owner has just done, beyond the sign-ins of this test.
func (m *matrix) audited(op operation, before string) {
	m.Helper()
	for _, entry := range m.want(200, "GET", "/v1/audit-log?limit=100", m.owner, "")["items"].([]any) {
		entry := entry.(map[string]any)
		if entry["id"] == before {
			break
		}
		if entry["action"] != "session.start" || strings.Contains(op.path, "sign-in") {
			return
		}
	}
	m.Errorf("%s %s left nothing in the audit log", op.method, op.path)
}

// likeNothing asks for ids that do not exist, and wants the same answer to the byte, headers included.
func (m *matrix) likeNothing(row matrixRow, op operation, hidden answer) {
	m.Helper()
	path := row.path
	if path == "" {
		path = op.path
	}
	token := m.token("guest")
	body := row.body
	for _, name := range []string{"{library}", "{item}", "{book}", "{spare}"} {
		path, body = strings.ReplaceAll(path, name, "V1StGXR8_Z5jdHi6B-myT"), strings.ReplaceAll(body, name, "V1StGXR8_Z5jdHi6B-myT")
	}
	for _, name := range []string{"{user}", "{member}", "{libraryInvite}", "{link}", "{name}"} {
		path, body = strings.ReplaceAll(path, name, "V1StGXR8_Z5jdHi6B-myX"), strings.ReplaceAll(body, name, "V1StGXR8_Z5jdHi6B-myX")
	}
	nothing := m.send(op.method, path, token, body, row.headers("guest")...)
	hidden.header.Del("Date")
	nothing.header.Del("Date")
	if hidden.String() != nothing.String() || fmt.Sprint(hidden.header) != fmt.Sprint(nothing.header) {
		m.Errorf("%s %s tells what is hidden from what is not there:\n%v %v\n%v %v", op.method, op.path,
			hidden, hidden.header, nothing, nothing.header)
	}
}

// golden compares the text with a file, or writes the file.
func golden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s is out of date: run with -update and look at what changed\n%s", file, text)
	}
}
