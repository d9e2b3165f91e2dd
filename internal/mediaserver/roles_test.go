package mediaserver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func pairs(words ...string) string {
	var list []string
	for _, word := range words {
		resource, operation, _ := strings.Cut(word, ":")
		list = append(list, fmt.Sprintf(`{"resource":%q,"operation":%q}`, resource, operation))
	}
	return "[" + strings.Join(list, ",") + "]"
}

// Shisho seed, line 10: "The built-in roles cannot be renamed or deleted."
func TestBuiltInRolesAreFixed(t *testing.T) {
	w := start(t)
	owner := w.owner()
	const fixed = "The built-in roles cannot be renamed, changed or deleted"
	for _, role := range []string{"owner", "admin", "editor", "member", "guest"} {
		w.says(422, fixed, "PATCH", "/v1/roles/"+role, owner, `{"name":"x"}`)
		w.says(422, fixed, "PATCH", "/v1/roles/"+role, owner, `{"permissions":[]}`)
		w.says(422, fixed, "DELETE", "/v1/roles/"+role, owner, "")
		w.want(422, "POST", "/v1/roles", owner, `{"name":"`+strings.ToUpper(role)+`","permissions":[]}`)
	}
	w.want(422, "POST", "/v1/roles", owner, `{"name":"Viewer","permissions":[]}`)
	var names []string
	for _, role := range w.want(200, "GET", "/v1/roles", owner, "")["builtIn"].([]any) {
		names = append(names, role.(map[string]any)["name"].(string))
	}
	if !slices.Equal(names, []string{"owner", "admin", "editor", "member", "guest"}) {
		t.Errorf("built in are %v", names)
	}
}

// Shisho seed, line 12: "Each role is defined by a set of resource/operation pairs". Each pair opens its routes and no
// other.
func TestCustomRoles(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("films/heat.mp4", "film")
	id := w.library(owner, "Films", "films")
	item := w.itemNamed(owner, "heat")
	role := w.want(201, "POST", "/v1/roles", owner, `{"name":"Mine","permissions":[]}`)["id"].(string)
	mia, token := w.user(owner, "mia", `,"role":"Mine","access":{"all":false,"libraries":[{"libraryId":"`+id+`"}]}`)
	routes := []struct{ pairs, method, path, body string }{
		{"libraries:read", "GET", "/v1/libraries/" + id, ""},
		{"libraries:read libraries:write", "PATCH", "/v1/libraries/" + id, `{"emoji":"x"}`},
		{"books:read", "GET", "/v1/items/" + item, ""}, {"books:read", "GET", "/v1/items/" + item + "/stream", ""},
		{"books:read", "GET", "/v1/search?q=heat", ""},
		{"books:read books:write", "PATCH", "/v1/items/" + item, `{"title":"heat again"}`},
		{"books:read series:read series:write", "PATCH", "/v1/items/" + item, `{"series":"x"}`},
		{"books:read people:read people:write", "PATCH", "/v1/items/" + item, `{"creator":"x"}`},
		{"users:read", "GET", "/v1/users", ""}, {"users:read", "GET", "/v1/roles", ""},
		{"users:read users:write", "GET", "/v1/invites", ""},
		{"jobs:read", "GET", "/v1/jobs", ""},
		{"config:read", "GET", "/v1/server/config", ""},
		{"config:read config:write", "PATCH", "/v1/server", `{"name":"x"}`},
	}
	allow := func(words ...string) {
		t.Helper()
		w.want(200, "PATCH", "/v1/roles/"+role, owner, `{"permissions":`+pairs(words...)+`}`)
	}
	everything := []string{
		"libraries:read", "libraries:write", "books:read", "books:write", "series:read", "series:write", "people:read",
		"people:write", "users:read", "users:write", "jobs:read", "jobs:write", "config:read", "config:write",
	}
	for _, route := range routes {
		needed := strings.Fields(route.pairs)
		allow(needed...)
		if got := w.send(route.method, route.path, token, route.body); got.status != 200 {
			t.Errorf("with %s: %s %s: %v", route.pairs, route.method, route.path, got)
		}
		last := needed[len(needed)-1]
		rest := slices.DeleteFunc(slices.Clone(everything), func(pair string) bool {
			return pair == last || pair == strings.Replace(last, ":read", ":write", 1)
		})
		allow(rest...)
		if got := w.send(route.method, route.path, token, route.body); got.String() != `403 {"error":"Forbidden"}` {
			t.Errorf("without %s: %s %s: %v", last, route.method, route.path, got)
		}
	}
	// All pairs together give no library that was not granted, no audit log, and no libraries to make or delete.
	allow(everything...)
	hidden := w.library(owner, "Hidden", "hidden")
	w.says(404, "Library not found", "GET", "/v1/libraries/"+hidden, token, "")
	w.says(403, "Forbidden", "GET", "/v1/audit-log", token, "")
	w.says(403, "Forbidden", "DELETE", "/v1/libraries/"+id, token, "")
	w.says(403, "Forbidden", "POST", "/v1/libraries", token, fmt.Sprintf(`{"name":"x","type":"mixed","paths":[%q]}`, w.mkdir("films")))
	w.says(409, "Role is in use; give its people another role first", "DELETE", "/v1/roles/"+role, owner, "")
	if got := w.want(200, "PATCH", "/v1/users/"+mia, owner, `{"role":"member"}`); got["role"] != "member" {
		t.Errorf("got %v", got)
	}
	w.want(204, "DELETE", "/v1/roles/"+role, owner, "")
	for _, bad := range []string{pairs("films:read"), pairs("books:delete"), pairs("books:write"), pairs("books:read", "books:read")} {
		w.want(422, "POST", "/v1/roles", owner, `{"name":"Bad","permissions":`+bad+`}`)
	}
}

// Nobody gets more by managing users: not for themselves, not through others, not for libraries that they do not see.
func TestManagingUsersIsNoLadder(t *testing.T) {
	w := start(t)
	owner := w.owner()
	seen, hidden := w.library(owner, "Seen", "seen"), w.library(owner, "Hidden", "hidden")
	w.want(201, "POST", "/v1/roles", owner, `{"name":"Door","permissions":`+pairs("users:read", "users:write", "libraries:read")+`}`)
	access := `,"access":{"all":false,"libraries":[{"libraryId":"` + seen + `"},{"libraryId":"%s"}]}`
	_, door := w.user(owner, "door", `,"role":"Door","access":{"all":false,"libraries":[{"libraryId":"`+seen+`"}]}`)
	mia, _ := w.user(owner, "mia", fmt.Sprintf(access, hidden))
	// mia, a member, may read books, which who has this role may not.
	user := "/v1/users/" + mia
	for _, c := range []struct{ method, path, body string }{
		{"PATCH", user, `{"role":"editor"}`}, {"PATCH", user, `{"email":"door@example.org"}`}, {"PATCH", user, `{"disabled":true}`}, {"DELETE", user, ""},
		{"PUT", user + "/password", `{"password":"a long password"}`}, {"PUT", user + "/access", `{"all":false,"libraries":[]}`},
		{"POST", "/v1/users", `{"username":"x","password":"a long password","role":"admin"}`},
		{"POST", "/v1/users", `{"username":"x","password":"a long password"}`},
		{"POST", "/v1/roles", `{"name":"More","permissions":` + pairs("config:read") + `}`},
		{"POST", "/v1/invites", `{"role":"editor"}`},
	} {
		if got := w.send(c.method, c.path, door, c.body); got.String() != `403 {"error":"Forbidden"}` {
			t.Errorf("%s %s %s: %v", c.method, c.path, c.body, got)
		}
	}
	low := w.want(201, "POST", "/v1/roles", owner, `{"name":"Low","permissions":`+pairs("libraries:read")+`}`)["id"]
	ben := w.want(201, "POST", "/v1/users", owner, `{"username":"ben","password":"`+password+`","role":"Low"`+fmt.Sprintf(access, hidden)+`}`)["id"].(string)
	user = "/v1/users/" + ben
	// A library that one does not see is not shown, cannot be given, and is not taken by replacing the rest.
	if got := w.want(200, "GET", user, door, ""); fmt.Sprint(got["access"]) != "map[all:false libraries:[map[libraryId:"+seen+" role:viewer]]]" {
		t.Errorf("the access of ben: %v", got["access"])
	}
	w.want(422, "PUT", user+"/access", door, `{"all":false,"libraries":[{"libraryId":"`+hidden+`"}]}`)
	w.says(403, "Forbidden", "PUT", user+"/access", door, `{"all":true,"libraries":[]}`)
	w.want(200, "PUT", user+"/access", door, `{"all":false,"libraries":[]}`)
	if got := w.want(200, "GET", user, owner, ""); fmt.Sprint(got["access"]) != "map[all:false libraries:[map[libraryId:"+hidden+" role:viewer]]]" {
		t.Errorf("the access of ben after it was replaced: %v", got["access"])
	}
	// ben sees more than who has this role: nobody signs in as ben, changes or removes ben, while that is so.
	for _, c := range []struct{ method, path, body string }{
		{"PATCH", user, `{"disabled":true}`}, {"PATCH", user, `{"displayName":"x"}`}, {"PUT", user + "/password", `{"password":"a long password"}`}, {"DELETE", user, ""},
	} {
		if got := w.send(c.method, c.path, door, c.body); got.String() != `403 {"error":"Forbidden"}` {
			t.Errorf("%s %s %s: %v", c.method, c.path, c.body, got)
		}
	}
	w.want(200, "PUT", user+"/access", owner, `{"all":false,"libraries":[]}`)
	w.want(200, "PATCH", user, door, `{"disabled":true}`)
	w.want(200, "PATCH", "/v1/roles/"+low.(string), door, `{"permissions":[]}`)
	w.says(403, "Forbidden", "PATCH", "/v1/roles/"+low.(string), door, `{"permissions":`+pairs("books:read")+`}`)
}
