package mediaserver_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// code is the code of the tests' invites; canary tests look for it.
const code = "canary-code-0123456789_ABCDEF"

// invite makes an invite with that code and returns its id. more is further JSON fields, each with a leading comma.
func (w *world) invite(by, code, more string) string {
	w.Helper()
	return w.want(201, "POST", "/v1/invites", by, `{"code":"`+code+`"`+more+`}`)["id"].(string)
}

// join is the body of a registration with the code.
func join(name, code, more string) string {
	return `{"username":"` + name + `","password":"` + password + `","inviteCode":"` + code + `"` + more + `}`
}

// status returns an invite's status as its administrators see it.
func (w *world) status(by, id string) string {
	w.Helper()
	return w.want(200, "GET", "/v1/invites/"+id, by, "")["status"].(string)
}

// Alcoves seed, lines 42 and 69: a limit, an expiry, and how often a link has been used. Dubby roles seed, line 44:
// "The default role for invited users".
func TestAnInviteReadsBack(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films, kids := w.library(owner, "Films", "films"), w.library(owner, "Kids", "kids")
	id := w.invite(owner, code, `,"role":"guest","libraries":[{"libraryId":"`+films+`"},{"libraryId":"`+kids+`","role":"admin"}],`+
		`"maxUses":3,"expiresAt":"2026-06-02T14:00:00+02:00","email":"Mia@Example.org","inviter":{"displayName":"Alice"},"welcome":"Hi\\n\\t*you*","reference":"usher/media/cousins"`)
	sum := sha256.Sum256([]byte(code))
	want := fmt.Sprintf(`{"id":%q,"codeSHA256":%q,"status":"pending","madeBy":%q,"mine":true,"role":"guest","libraries":[{"libraryId":%q,"role":"viewer"},`+
		`{"libraryId":%q,"role":"admin"}],"maxUses":3,"useCount":0,"remaining":3,"expiresAt":"2026-06-02T12:00:00Z","revoked":false,`+
		`"email":"Mia@Example.org","inviter":{"displayName":"Alice"},"welcome":"Hi\\n\\t*you*","reference":"usher/media/cousins","createdAt":"2026-06-01T12:00:00Z","updatedAt":"2026-06-01T12:00:00Z"}`,
		id, hex.EncodeToString(sum[:]), w.me(owner), films, kids)
	if got := w.send("GET", "/v1/invites/"+id, owner, ""); got.body != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	if got := w.send("GET", "/v1/invites", owner, ""); got.body != `{"items":[`+want+`],"nextCursor":null}` {
		t.Errorf("got %s", got.body)
	}
	plain := w.want(201, "POST", "/v1/invites", owner, `{}`)
	for field, want := range map[string]any{"status": "pending", "role": "member", "maxUses": nil, "remaining": nil,
		"expiresAt": nil, "email": nil, "welcome": "", "useCount": 0.0, "revoked": false} {
		if plain[field] != want {
			t.Errorf("%s is %v, want %v", field, plain[field], want)
		}
	}
	made, _ := plain["code"].(string)
	if len(made) != 27 || fmt.Sprint(plain["libraries"], plain["inviter"]) != "[] map[displayName:olga]" {
		t.Errorf("got %v", plain)
	}
	w.want(200, "GET", "/v1/invitations/"+made, "", "")
	if got := w.want(200, "GET", "/v1/invites/"+plain["id"].(string), owner, ""); got["code"] != nil {
		t.Error("the code is shown twice")
	}
	if got := w.names("/v1/invites", owner, "id"); !slices.Equal(got, []string{id, plain["id"].(string)}) {
		t.Errorf("got %v", got)
	}
	for _, again := range []string{code, made} {
		w.says(409, "Invite code already exists", "POST", "/v1/invites", owner, `{"code":"`+again+`"}`)
	}
}

// Dubby roles seed, line 22: owner and admin invite.
func TestInvitesAreForOwnerAndAdmins(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id := w.invite(owner, code, "")
	routes := []struct{ method, path, body string }{
		{"GET", "/v1/invites", ""}, {"POST", "/v1/invites", `{}`}, {"GET", "/v1/invites/" + id, ""},
		{"PATCH", "/v1/invites/" + id, `{}`}, {"GET", "/v1/invites/" + id + "/uses", ""}, {"DELETE", "/v1/invites/" + id, ""},
	}
	for _, role := range []string{"guest", "member", "editor"} {
		_, token := w.user(owner, role, `,"role":"`+role+`"`)
		for _, r := range routes {
			w.says(403, "Forbidden", r.method, r.path, token, r.body)
			w.says(401, "Unauthorized", r.method, r.path, "", r.body)
		}
	}
	_, admin := w.user(owner, "ada", `,"role":"admin"`)
	for _, r := range routes {
		if got := w.send(r.method, r.path, admin, r.body); got.status >= 300 {
			t.Errorf("%s %s: %v", r.method, r.path, got)
		}
	}
	for _, r := range routes[2:] {
		w.says(404, "Invite not found", r.method, r.path, owner, r.body)
	}
}

func TestInvitesThatAreRefused(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films := w.library(owner, "Films", "films")
	id := w.invite(owner, code, "")
	for body, field := range map[string]string{
		`{"role":"owner"}`: "role", `{"role":"admin"}`: "role", `{"maxUses":0}`: "maxUses", `{"maxUses":1.5}`: "maxUses",
		`{"expiresAt":"tomorrow"}`: "expiresAt", `{"expiresAt":"9999-12-31T23:59:59-01:00"}`: "expiresAt", `{"email":"mia"}`: "email",
		`{"inviter":{"displayName":""}}`: "inviter.displayName", `{"inviter":{"displayName":" "}}`: "inviter.displayName",
		`{"libraries":[{"libraryId":"V1StGXR8_Z5jdHi6B-myT"}]}`:                               "libraries[0].libraryId",
		`{"libraries":[{"libraryId":"` + films + `"},{"libraryId":"` + films + `"}]}`:         "libraries[1].libraryId",
		`{"libraries":[{"libraryId":"` + films + `","role":"owner"}]}`:                        "libraries[0].role",
		`{"libraries":[{"libraryId":"` + films + `"},{"libraryId":"\u0000","role":"admin"}]}`: "libraries[1].libraryId",
		`{"welcome":"` + strings.Repeat("a", 4097) + `"}`:                                     "welcome", `{"welcome":"a\r\nb"}`: "welcome", `{"welcome":7}`: "welcome",
		`{"revoked":"yes"}`: "revoked", `{"useCount":0}`: "useCount", `{"maxUses":"1"}`: "maxUses",
	} {
		for method, path := range map[string]string{"POST": "/v1/invites", "PATCH": "/v1/invites/" + id} {
			got := w.send(method, path, owner, body)
			if got.status != 422 || !strings.Contains(got.body, fmt.Sprintf(`"path":%q`, field)) {
				t.Errorf("%s %s: %v", method, body, got)
			}
		}
	}
	for _, bad := range []string{strings.Repeat("a", 21), strings.Repeat("a", 129), strings.Repeat("a", 21) + "/"} {
		if got := w.send("POST", "/v1/invites", owner, `{"code":"`+bad+`"}`); got.status != 422 || strings.Contains(got.body, bad) {
			t.Errorf("code %q: %v", bad, got)
		}
	}
	if got := w.want(200, "GET", "/v1/invites", owner, "")["items"].([]any); len(got) != 1 {
		t.Errorf("%d invites", len(got))
	}
}

// Alcoves seed, lines 42, 43 and 49 to 53: the four states. Every bound can be moved, and what is alive again is
// pending again.
func TestInvitesDieAndComeBack(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id := w.invite(owner, code, `,"maxUses":2`)
	path := "/v1/invites/" + id
	w.want(201, "POST", "/v1/auth/register", "", join("u1", code, ""))
	w.want(201, "POST", "/v1/auth/register", "", join("u2", code, ""))
	for i, step := range []struct{ change, want, says string }{
		{`{}`, "exhausted", "Invite has no remaining uses"},
		{`{"maxUses":1}`, "exhausted", "Invite has no remaining uses"},
		{`{"expiresAt":"1970-01-01T00:00:00Z"}`, "expired", "Invite has expired"},
		{`{"expiresAt":"0001-01-01T00:00:00Z"}`, "expired", "Invite has expired"},
		{`{"expiresAt":"2026-06-01T12:00:00Z"}`, "expired", "Invite has expired"},
		{`{"revoked":true}`, "revoked", "Invite has been revoked"},
		{`{"expiresAt":null,"maxUses":null}`, "revoked", "Invite has been revoked"},
		{`{"revoked":false}`, "pending", ""},
		{`{"maxUses":3,"expiresAt":"2026-06-01T12:00:00.000001Z"}`, "pending", ""},
		{`{"expiresAt":"2026-06-01T11:59:59.999999Z"}`, "expired", "Invite has expired"},
		{`{"expiresAt":"2026-06-03T12:00:00Z"}`, "exhausted", "Invite has no remaining uses"},
	} {
		if got := w.want(200, "PATCH", path, owner, step.change); got["status"] != step.want {
			t.Errorf("%s: %v", step.change, got)
		}
		if got := w.want(200, "GET", "/v1/invitations/"+code, "", ""); got["status"] != step.want || got["canAccept"] != (step.want == "pending") {
			t.Errorf("%s: the link says %v", step.change, got)
		}
		if step.says != "" {
			w.says(410, step.says, "POST", "/v1/auth/register", "", join(fmt.Sprint("x", i), code, ""))
		} else if i == 8 {
			w.want(201, "POST", "/v1/auth/register", "", join("u3", code, ""))
		}
	}
	if got := w.want(200, "PATCH", path, owner, `{"maxUses":9,"role":"editor","email":"a@b.cc","inviter":{"displayName":"Al"}}`); got["remaining"] != 6.0 ||
		got["role"] != "editor" || got["email"] != "a@b.cc" || fmt.Sprint(got["inviter"]) != "map[displayName:Al]" {
		t.Errorf("got %v", got)
	}
	w.clock.advance(48*time.Hour - time.Second)
	if got := w.status(w.signIn("olga"), id); got != "pending" {
		t.Errorf("a second before: %s", got)
	}
	w.clock.advance(time.Second)
	if got := w.status(w.signIn("olga"), id); got != "expired" {
		t.Errorf("on the second: %s", got)
	}
}

// Alcoves seed, lines 42 and 53: never more than "a maximum number of times".
func TestFiftyRegistrationsForTenPlaces(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id := w.invite(owner, code, `,"maxUses":10`)
	var in, out atomic.Int32
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			switch got := w.send("POST", "/v1/auth/register", "", join(fmt.Sprint("u", i), code, "")); got.status {
			case 201:
				in.Add(1)
			case 410:
				out.Add(1)
			default:
				t.Errorf("got %v", got)
			}
		})
	}
	wait.Wait()
	if people := w.names("/v1/users", owner, "username"); in.Load() != 10 || out.Load() != 40 || len(people) != 11 {
		t.Errorf("%d in, %d out, %d accounts", in.Load(), out.Load(), len(people))
	}
	if uses := w.names("/v1/invites/"+id+"/uses", owner, "username"); len(uses) != 10 || w.status(owner, id) != "exhausted" {
		t.Errorf("%d uses, %s", len(uses), w.status(owner, id))
	}
}

// Dubby access seed, lines 12 and 14: "applied automatically when the user registers". Alcoves seed, line 70:
// whoever is in stays in.
func TestRegisteringWithAnInvite(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films := w.library(owner, "Films", "films")
	id := w.invite(owner, code, `,"role":"editor","maxUses":2,"libraries":[{"libraryId":"`+films+`","role":"admin"}]`)
	register := func(status int, text, body string) {
		t.Helper()
		w.says(status, text, "POST", "/v1/auth/register", "", body)
	}
	register(404, "Invite not found", join("mia", "unknown", ""))
	register(409, "Username already exists", join("OLGA", code, ""))
	register(403, "Registration is by invitation only", join("mia", "", ""))
	w.want(200, "PATCH", "/v1/server", owner, `{"registration":"closed"}`)
	register(403, "Registration is closed", join("mia", code, ""))
	w.want(200, "PATCH", "/v1/server", owner, `{"registration":"open"}`)
	register(404, "Invite not found", join("mia", "unknown", ""))
	user := w.want(201, "POST", "/v1/auth/register", "", join("mia", code, `,"email":"mia@x.org","displayName":"Mia"`))["user"].(map[string]any)
	if user["role"] != "editor" || fmt.Sprint(user["access"]) != "map[all:false libraries:[map[libraryId:"+films+" role:admin]]]" {
		t.Errorf("got %v", user)
	}
	register(409, "Username already exists", join("Mia", code, ""))
	w.want(200, "PATCH", "/v1/server", owner, `{"registration":"invite_only"}`)
	w.clock.advance(time.Minute)
	w.want(201, "POST", "/v1/auth/register", "", join("tom", code, ""))
	register(410, "Invite has no remaining uses", join("una", code, ""))
	register(409, "Username already exists", join("tom", code, ""))
	want := fmt.Sprintf(`{"items":[{"userId":%q,"username":"mia","displayName":"Mia","email":"mia@x.org","usedAt":"2026-06-01T12:00:00Z","registered":true,`+
		`"role":"editor","libraries":[{"libraryId":%q,"role":"admin"}]}`, user["id"], films)
	if got := w.send("GET", "/v1/invites/"+id+"/uses", owner, ""); !strings.HasPrefix(got.body, want) || !strings.Contains(got.body, `"username":"tom","displayName":"tom","email":null,"usedAt":"2026-06-01T12:01:00Z"`) {
		t.Errorf("got %v", got)
	}
	w.want(204, "DELETE", "/v1/users/"+user["id"].(string), owner, "")
	if got := w.names("/v1/invites/"+id+"/uses", owner, "username"); !slices.Equal(got, []string{"mia", "tom"}) || w.status(owner, id) != "exhausted" {
		t.Errorf("after mia is gone: %v", got)
	}
	w.want(204, "DELETE", "/v1/invites/"+id, owner, "")
	register(404, "Invite not found", join("una", code, ""))
	w.signIn("tom")
}
