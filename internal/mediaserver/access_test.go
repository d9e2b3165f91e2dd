package mediaserver_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// seedCommands are the three commands of the Dubby access seed, lines 21 to 31, word for word. The tests run beside
// each other, so port 3000 cannot be theirs: host and port are replaced, and {libraryId}, {userId}, user-id-here and
// $TOKEN filled in, and nothing else.
const seedCommands = `# Grant access
curl -X POST http://localhost:3000/v1/libraries/{libraryId}/permissions \
-H "Authorization: Bearer $TOKEN" \
-H "Content-Type: application/json" \
-d '{"userId": "user-id-here"}'
# Revoke access
curl -X DELETE http://localhost:3000/v1/libraries/{libraryId}/permissions/{userId} \
-H "Authorization: Bearer $TOKEN"
# List permissions for a library
curl http://localhost:3000/v1/libraries/{libraryId}/permissions \
-H "Authorization: Bearer $TOKEN"`

// seedCommand returns the command under a heading of the seed, filled in.
func (w *world) seedCommand(heading, library, user string) string {
	w.Helper()
	_, rest, found := strings.Cut(seedCommands, "# "+heading+"\n")
	if !found {
		w.Fatalf("the seed has no heading %q", heading)
	}
	command, _, _ := strings.Cut(rest, "\n# ")
	return strings.NewReplacer("http://localhost:3000", w.url, "{libraryId}", library, "{userId}", user,
		"user-id-here", user).Replace(command)
}

// curl runs the command and returns the answer's status and body.
func (w *world) curl(command, token string) (status, body string) {
	w.Helper()
	shell := exec.CommandContext(w.Context(), "sh", "-c", command+` -s -w '\n%{http_code}'`)
	shell.Env = append(shell.Environ(), "TOKEN="+token, "NO_PROXY=*")
	out, err := shell.CombinedOutput()
	if err != nil {
		w.Fatalf("%s: %v: %s", command, err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1], strings.Join(lines[:len(lines)-1], "\n")
}

// Dubby access seed, lines 20 to 31: the page's own commands work, and access follows them.
func TestTheSeedsThreeCommands(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("this test runs the seed's curl commands: install curl")
	}
	w := start(t)
	owner := w.owner()
	library := w.library(owner, "Films", "films")
	mia, token := w.user(owner, "mia", "")

	if status, body := w.curl(w.seedCommand("Grant access", library, mia), owner); status != "200" || !strings.Contains(body, mia) {
		t.Errorf("grant: %s %s", status, body)
	}
	if got := w.names("/v1/libraries", token, "name"); !slices.Equal(got, []string{"Films"}) {
		t.Errorf("after the grant mia sees %v", got)
	}
	status, body := w.curl(w.seedCommand("List permissions for a library", library, mia), owner)
	if status != "200" || !strings.Contains(body, `"userId":"`+mia+`"`) || !strings.Contains(body, `"role":"viewer"`) {
		t.Errorf("list: %s %s", status, body)
	}
	if status, body := w.curl(w.seedCommand("Revoke access", library, mia), owner); status != "204" {
		t.Errorf("revoke: %s %s", status, body)
	}
	if got := w.names("/v1/libraries", token, "name"); len(got) != 0 {
		t.Errorf("after the revocation mia sees %v", got)
	}
}

// Every route with a library or item in its path, with a body that would be fine.
var guardedRoutes = []struct{ method, path, body, missing string }{
	{"GET", "/v1/libraries/%s", "", "Library not found"},
	{"PATCH", "/v1/libraries/%s", `{"name":"Mine"}`, "Library not found"},
	{"DELETE", "/v1/libraries/%s", "", "Library not found"},
	{"POST", "/v1/libraries/%s/scan", "", "Library not found"},
	{"GET", "/v1/libraries/%s/items", "", "Library not found"},
	{"GET", "/v1/libraries/%s/permissions", "", "Library not found"},
	{"POST", "/v1/libraries/%s/permissions", `{"userId":"V1StGXR8_Z5jdHi6B-myT"}`, "Library not found"},
	{"DELETE", "/v1/libraries/%s/permissions/V1StGXR8_Z5jdHi6B-myT", "", "Library not found"},
	{"GET", "/v1/items/%s", "", "Item not found"},
	{"GET", "/v1/items/%s/stream", "", "Item not found"},
	{"HEAD", "/v1/items/%s/stream", "", "Item not found"},
}

// Alcoves seed, line 74: "they learn nothing about whether the library exists at all". Dubby access seed, line 45:
// "Direct API requests return 404". Headers count too, all but the date.
func TestHiddenEqualsNonexistent(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("films/heat.mp4", "film")
	library := w.library(owner, "Films", "films")
	item := w.itemNamed(owner, "heat")
	for _, role := range []string{"guest", "member", "editor"} {
		_, token := w.user(owner, role, `,"role":"`+role+`"`)
		for _, route := range guardedRoutes {
			real := library
			if strings.Contains(route.path, "/items/%s") {
				real = item
			}
			hidden := w.send(route.method, fmt.Sprintf(route.path, real), token, route.body)
			want := fmt.Sprintf(`{"error":%q}`, route.missing)
			if hidden.status != 404 || (hidden.body != want && route.method != "HEAD") {
				t.Errorf("%s %s %s: %v", role, route.method, route.path, hidden)
			}
			for _, id := range []string{"V1StGXR8_Z5jdHi6B-myT", "x", "%00", "%F0%9F%92%A9"} {
				nothing := w.send(route.method, fmt.Sprintf(route.path, id), token, route.body)
				hidden.header.Del("Date")
				nothing.header.Del("Date")
				if hidden.String() != nothing.String() || fmt.Sprint(hidden.header) != fmt.Sprint(nothing.header) {
					t.Errorf("%s %s %s tells %s from a hidden one:\n%v %v\n%v %v", role, route.method, route.path, id,
						hidden, hidden.header, nothing, nothing.header)
				}
			}
		}
		for _, path := range []string{"/v1/libraries", "/v1/search?q=heat"} {
			if got := w.names(path, token, "id"); len(got) != 0 {
				t.Errorf("%s finds %v in %s", role, got, path)
			}
		}
	}
}

// Dubby access seed, line 19: "Changes take effect immediately", in sessions that are open.
func TestChangesBiteInRunningSessions(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("films/heat.mp4", "film")
	library := w.library(owner, "Films", "films")
	item := w.itemNamed(owner, "heat")
	mia, token := w.user(owner, "mia", "")
	check := func(when string, sees bool) {
		t.Helper()
		status := map[bool]int{true: 200, false: 404}[sees]
		for _, path := range []string{"/v1/libraries/" + library, "/v1/libraries/" + library + "/items",
			"/v1/items/" + item, "/v1/items/" + item + "/stream"} {
			if got := w.send("GET", path, token, ""); got.status != status {
				t.Errorf("%s: %s: %v", when, path, got)
			}
		}
		if got := w.names("/v1/search?q=HEA", token, "id"); (len(got) == 1) != sees {
			t.Errorf("%s: search finds %v", when, got)
		}
	}
	user := "/v1/users/" + mia
	check("at first", false)
	w.want(200, "PUT", user+"/access", owner, `{"all":false,"libraries":[{"libraryId":"`+library+`"}]}`)
	check("granted", true)
	w.want(200, "PUT", user+"/access", owner, `{"all":false,"libraries":[]}`)
	check("revoked", false)
	w.want(200, "PUT", user+"/access", owner, `{"all":true,"libraries":[]}`)
	check("all", true)
	w.want(200, "PUT", user+"/access", owner, `{"all":false,"libraries":[]}`)
	w.want(200, "PATCH", user, owner, `{"role":"admin"}`)
	check("admin", true)
	w.want(200, "GET", "/v1/users", token, "")
	w.want(200, "PATCH", user, owner, `{"role":"guest"}`)
	check("guest", false)
	w.says(403, "Forbidden", "GET", "/v1/users", token, "")
	w.want(200, "PATCH", user, owner, `{"disabled":true}`)
	w.says(401, "Unauthorized", "GET", "/v1/libraries", token, "")
	w.want(200, "PATCH", user, owner, `{"disabled":false}`)
	w.says(401, "Unauthorized", "GET", "/v1/libraries", token, "")
}

// Dubby roles seed, lines 26 to 36, and Shisho seed, lines 7 to 9: the tables, asked of the running server.
func TestWhatEachRoleMayDo(t *testing.T) {
	w := start(t)
	owner := w.owner()
	library := w.library(owner, "Films", "films")
	tokens := map[string]string{"owner": owner}
	for _, role := range []string{"admin", "editor", "member", "guest"} {
		_, tokens[role] = w.user(owner, role, `,"role":"`+role+`","access":{"all":false,"libraries":[{"libraryId":"`+library+`"}]}`)
	}
	create := fmt.Sprintf(`{"name":"More","type":"mixed","paths":[%q]}`, w.mkdir("films"))
	move := fmt.Sprintf(`{"paths":[%q]}`, w.mkdir("elsewhere"))
	for _, c := range []struct{ method, path, body, allowed string }{
		{"PATCH", "/v1/server", `{"name":"Home"}`, "owner admin"},
		{"GET", "/v1/users", "", "owner admin"},
		{"POST", "/v1/libraries", create, "owner admin"},
		{"PATCH", "/v1/libraries/" + library, `{"name":"Films"}`, "owner admin editor"},
		{"PATCH", "/v1/libraries/" + library, move, "owner admin"},
		{"POST", "/v1/libraries/" + library + "/scan", "", "owner admin"},
		{"GET", "/v1/libraries/" + library + "/permissions", "", "owner admin"},
		{"GET", "/v1/libraries/" + library, "", "owner admin editor member guest"},
	} {
		// From the least to the most powerful, so that the refused come before anything has changed.
		for _, role := range []string{"guest", "member", "editor", "admin", "owner"} {
			got := w.send(c.method, c.path, tokens[role], c.body)
			allowed := slices.Contains(strings.Fields(c.allowed), role)
			if allowed != (got.status < 300) || (!allowed && got.String() != `403 {"error":"Forbidden"}`) {
				t.Errorf("%s: %s %s %s: %v", role, c.method, c.path, c.body, got)
			}
		}
		w.says(401, "Unauthorized", c.method, c.path, "", c.body)
		w.says(401, "Unauthorized", c.method, c.path, "nonsense", c.body)
	}
	w.scanned()
}
