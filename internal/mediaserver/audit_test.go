package mediaserver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver"
)

// Dubby roles seed, line 34: owner and admin view the audit log. It tells of every change and sign-in, the newest first,
// and holds no secret. That every route that changes something leaves an entry is TestRouteMatrix's to prove.
func TestAuditLog(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id, mia := w.user(owner, "mia", `,"email":"mia@example.org"`)
	library := w.library(owner, "Films", "films")
	w.want(200, "POST", "/v1/libraries/"+library+"/permissions", owner, `{"userId":"`+id+`"}`)
	w.want(200, "PATCH", "/v1/users/"+id, owner, `{"role":"editor","displayName":"mia"}`)
	w.want(200, "PATCH", "/v1/users/"+id, owner, `{"role":"editor"}`)
	w.want(204, "PUT", "/v1/users/"+id+"/password", owner, `{"password":"`+password+`"}`)
	w.says(401, "Invalid username or password", "POST", "/v1/auth/sign-in", "", `{"login":"mia","password":"`+password+`?"}`)
	w.says(401, "Invalid username or password", "POST", "/v1/auth/sign-in", "", `{"login":"`+password+`","password":"x"}`)
	code := w.want(201, "POST", "/v1/invites", owner, `{}`)["code"].(string)
	for path, token := range map[string]string{"/v1/users": mia, "/v1/audit-log": w.signIn("mia")} {
		w.send("GET", path, token, "")
	}
	w.says(403, "Forbidden", "GET", "/v1/audit-log", w.signIn("mia"), "")
	_, admin := w.user(owner, "admin", `,"role":"admin"`)
	got := w.names("/v1/audit-log", admin, "action")
	slices.Reverse(got)
	want := "user.register session.start user.create session.start library.create library.grant user.update user.password " +
		"session.refuse session.refuse invite.create session.start session.start user.create session.start"
	if strings.Join(got, " ") != want {
		t.Errorf("the log tells\n%v, want\n%v", strings.Join(got, " "), want)
	}
	for _, entry := range w.want(200, "GET", "/v1/audit-log?limit=100", admin, "")["items"].([]any) {
		entry := entry.(map[string]any)
		if entry["action"] == "user.update" {
			told := fmt.Sprint(entry["actor"].(map[string]any)["name"], entry["target"], entry["details"], entry["client"])
			if told != "olgamap[id:"+id+" name:mia type:user] map[role:[member editor]]127.0.0.1" {
				t.Errorf("a change of role reads %s", told)
			}
		}
	}
	leaks(t, w.send("GET", "/v1/audit-log?limit=100", admin, "").body, owner, mia, code)
}

// The audit log, the limits and the list of sessions tell the client, not the proxy; and only a trusted proxy is
// believed.
func TestTrustedProxies(t *testing.T) {
	for proxy, want := range map[string]string{"127.0.0.0/8": "198.51.100.7", "10.0.0.0/8": "127.0.0.1"} {
		w := start(t, func(c *mediaserver.Config) { c.TrustedProxies = prefixes(t, proxy) })
		owner := w.owner()
		w.send("POST", "/v1/auth/sign-in", "", `{"login":"olga","password":"`+password+`"}`, "X-Forwarded-For", "203.0.113.1, 198.51.100.7")
		list := w.want(200, "GET", "/v1/auth/sessions", owner, "")["items"].([]any)
		clients := fmt.Sprint(list[0].(map[string]any)["client"], list[1].(map[string]any)["client"])
		if !strings.Contains(clients, want) || (want != "127.0.0.1" && !strings.Contains(clients, "127.0.0.1")) || strings.Contains(clients, "203") {
			t.Errorf("with %s trusted, the sessions are from %s", proxy, clients)
		}
	}
}

// Shisho seed, line 37, and Dubby contract, section 3: a deactivated account is out at once, and nothing of it is lost.
func TestDeactivationDeletesNothing(t *testing.T) {
	w := start(t)
	owner := w.owner()
	library := w.library(owner, "Films", "films")
	id, token := w.user(owner, "mia", `,"role":"editor","email":"mia@example.org","access":{"all":false,"libraries":[{"libraryId":"`+library+`","role":"admin"}]}`)
	own := w.personal(token)["id"]
	before := w.want(200, "GET", "/v1/users/"+id, owner, "")
	w.want(200, "PATCH", "/v1/users/"+id, owner, `{"disabled":true}`)
	w.says(401, "Unauthorized", "GET", "/v1/auth/session", token, "")
	w.says(401, "Invalid username or password", "POST", "/v1/auth/sign-in", "", `{"login":"mia","password":"`+password+`"}`)
	after := w.want(200, "PATCH", "/v1/users/"+id, owner, `{"disabled":false}`)
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("before %v\nafter  %v", before, after)
	}
	w.says(401, "Unauthorized", "GET", "/v1/auth/session", token, "")
	if again := w.signIn("mia"); w.personal(again)["id"] != own {
		t.Error("the personal library is another")
	}
}

// Shisho seed, line 35: "Usernames and email addresses must be unique (case-insensitive)", in all of Unicode; also when
// they are changed, and by their holders.
func TestNamesAreUniqueInEveryScript(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.user(owner, "Straße", `,"email":"Zoë@example.org"`)
	for _, name := range []string{"STRASSE", "straße", "zoë@EXAMPLE.org", "ZOE\u0308@example.org"} {
		if got := w.send("POST", "/v1/users", owner, `{"username":"`+name+`","password":"`+password+`"}`); got.status != 409 {
			t.Errorf("%s: %v", name, got)
		}
	}
	_, ben := w.user(owner, "ben", "")
	w.says(409, "Email already exists", "PATCH", "/v1/auth/profile", ben, `{"email":"ZOË@example.org"}`)
	if got := w.want(200, "PATCH", "/v1/auth/profile", ben, `{"email":"ben@example.org","displayName":"Ben"}`); got["displayName"] != "Ben" || got["role"] != "member" {
		t.Errorf("got %v", got)
	}
	w.want(422, "PATCH", "/v1/auth/profile", ben, `{"role":"owner"}`)
}
