package mediaserver_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver"
)

// Dubby roles seed, lines 14 and 9: "The first user to register becomes the owner automatically", "Only one owner
// exists per server".
func TestTwentyFirstRegistrationsMakeOneOwner(t *testing.T) {
	w := start(t)
	var owners atomic.Int32
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			got := w.send("POST", "/v1/auth/register", "", fmt.Sprintf(`{"username":"u%d","password":"long enough"}`, i))
			switch {
			case got.status == 201 && strings.Contains(got.body, `"role":"owner"`):
				owners.Add(1)
			case got.String() != `403 {"error":"Registration is by invitation only"}`:
				t.Errorf("got %v", got)
			}
		})
	}
	wait.Wait()
	if owners.Load() != 1 {
		t.Errorf("%d owners", owners.Load())
	}
}

// Dubby roles seed, line 14: "All subsequent users require an invite". Alcoves seed, line 62: that is one of its modes.
func TestRegistrationModes(t *testing.T) {
	w := start(t)
	if got := w.want(200, "GET", "/v1/server", "", ""); got["setupRequired"] != true || len(got["id"].(string)) != 21 {
		t.Errorf("got %v", got)
	}
	owner := w.owner()
	register := `{"username":"mia","password":"long enough"}`
	w.says(403, "Registration is by invitation only", "POST", "/v1/auth/register", "", register)
	w.want(200, "PATCH", "/v1/server", owner, `{"registration":"closed","name":"Home"}`)
	w.says(403, "Registration is closed", "POST", "/v1/auth/register", "", register)
	w.want(200, "PATCH", "/v1/server", owner, `{"registration":"open"}`)
	user := w.want(201, "POST", "/v1/auth/register", "", register)["user"].(map[string]any)
	if user["role"] != "member" || fmt.Sprint(user["access"]) != "map[all:false libraries:[]]" {
		t.Errorf("got %v", user)
	}
	w.says(409, "Username already exists", "POST", "/v1/auth/register", "", strings.ToUpper(register[:16])+register[16:])
	got := w.want(200, "GET", "/v1/server", "", "")
	if got["setupRequired"] != false || got["registration"] != "open" || got["name"] != "Home" || got["version"] != "dev" {
		t.Errorf("got %v", got)
	}
}

// Shisho seed, lines 37 and 42: "Deactivated users cannot log in", "Sessions last 7 days before requiring a new login".
func TestSigningInAndOut(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id, _ := w.user(owner, "Mia", `,"email":"Mia@Example.org","displayName":"Mia M."`)
	w.user(owner, "dan", `,"disabled":false`)
	const bad = "Invalid username or password"
	for _, body := range []string{
		`{"login":"mia","password":"wrong"}`, `{"login":"nobody","password":"` + password + `"}`, `{"login":"","password":""}`,
		`{"login":"\u0000","password":"x"}`,
	} {
		w.says(401, bad, "POST", "/v1/auth/sign-in", "", body)
	}
	w.want(200, "PATCH", "/v1/users/"+id, owner, `{"disabled":true}`)
	w.says(401, bad, "POST", "/v1/auth/sign-in", "", `{"login":"mia","password":"`+password+`"}`)
	w.want(200, "PATCH", "/v1/users/"+id, owner, `{"disabled":false}`)

	token := w.signIn("ＭＩＡ@example.ORG")
	session := w.want(200, "GET", "/v1/auth/session", token, "")
	if user := session["user"].(map[string]any); user["id"] != id || user["lastSignInAt"] == nil || session["expiresAt"] != "2026-06-08T12:00:00Z" {
		t.Errorf("got %v", session)
	}
	dubby := w.want(200, "POST", "/api/auth/sign-in/email", "", `{"email":"mia@example.org","password":"`+password+`"}`)
	if user := dubby["user"].(map[string]any); dubby["redirect"] != false || user["name"] != "Mia M." || user["id"] != id {
		t.Errorf("got %v", dubby)
	}
	w.says(401, bad, "POST", "/api/auth/sign-in/email", "", `{"email":"mia","password":"`+password+`"}`)
	w.want(204, "POST", "/v1/auth/sign-out", token, "")
	w.says(401, "Unauthorized", "GET", "/v1/auth/session", token, "")
	w.want(200, "GET", "/v1/auth/session", dubby["token"].(string), "")
	w.clock.advance(7*24*time.Hour - time.Second)
	w.want(200, "GET", "/v1/auth/session", dubby["token"].(string), "")
	w.clock.advance(time.Second)
	w.says(401, "Unauthorized", "GET", "/v1/auth/session", dubby["token"].(string), "")
}

// Shisho seed, lines 39 and 40: resets by admins, one's own changes, and a "forced-reset form [that] only asks for the
// new password".
func TestPasswordsThatMustChange(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id, token := w.user(owner, "mia", `,"mustChangePassword":true`)
	for _, path := range []string{"/v1/libraries", "/v1/search?q=x", "/v1/items/x", "/v1/users"} {
		w.says(403, "Password change required", "GET", path, token, "")
	}
	w.want(200, "GET", "/v1/auth/session", token, "")
	w.want(422, "POST", "/v1/auth/password", token, `{"newPassword":"`+password+`"}`)
	other := w.signIn("mia")
	w.want(204, "POST", "/v1/auth/password", token, `{"newPassword":"another password"}`)
	w.want(200, "GET", "/v1/libraries", token, "")
	w.says(401, "Unauthorized", "GET", "/v1/libraries", other, "")
	w.want(422, "POST", "/v1/auth/password", token, `{"newPassword":"a third password"}`)
	w.want(422, "POST", "/v1/auth/password", token, `{"currentPassword":"wrong one","newPassword":"a third password"}`)
	w.want(204, "POST", "/v1/auth/password", token, `{"currentPassword":"another password","newPassword":"a third password"}`)
	w.want(204, "PUT", "/v1/users/"+id+"/password", owner, `{"password":"`+password+`","mustChangePassword":true}`)
	w.says(401, "Unauthorized", "GET", "/v1/auth/session", token, "")
	w.says(403, "Password change required", "GET", "/v1/libraries", w.signIn("mia"), "")
}

// Shisho seed, lines 31 to 35: a user with role, password and libraries. Dubby access seed, line 8: access is per
// library.
func TestUsersAreCreatedWholeOrNotAtAll(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films, kids := w.library(owner, "Films", "films"), w.library(owner, "Kids", "kids")
	access := func(ids ...string) string {
		var entries []string
		for _, id := range ids {
			entries = append(entries, `{"libraryId":"`+id+`"}`)
		}
		return `{"all":false,"libraries":[` + strings.Join(entries, ",") + `]}`
	}
	base := `{"username":"mia","password":"long enough","access":`
	for _, body := range []string{
		base + access(films, "V1StGXR8_Z5jdHi6B-myT") + `}`, base + access(films, films) + `}`,
		base + access() + `,"role":"owner"}`, base + access() + `,"role":"root"}`, base + access() + `,"unknown":1}`,
		`{"username":"mia","password":"short"}`, `{"username":" mia","password":"long enough"}`,
		`{"username":"mia","email":"nonsense","password":"long enough"}`, `{"password":"long enough"}`, `[]`, `{`, ``,
	} {
		if got := w.send("POST", "/v1/users", owner, body); got.status != 422 || !strings.Contains(got.body, `"error":"`) {
			t.Errorf("%s: %v", body, got)
		}
	}
	if got := w.names("/v1/users", owner, "username"); !slices.Equal(got, []string{"olga"}) {
		t.Errorf("users %v", got)
	}
	created := w.want(201, "POST", "/v1/users", owner, base+access(films)+`,"email":"m@x.org","role":"editor"}`)
	path := "/v1/users/" + created["id"].(string)
	if created["role"] != "editor" || created["email"] != "m@x.org" || created["displayName"] != "mia" {
		t.Errorf("got %v", created)
	}
	w.says(409, "Username already exists", "POST", "/v1/users", owner, `{"username":"MIA","password":"long enough"}`)
	w.says(409, "Email already exists", "POST", "/v1/users", owner, `{"username":"x","email":"M@X.ORG","password":"long enough"}`)

	w.want(422, "PUT", path+"/access", owner, access(kids, "V1StGXR8_Z5jdHi6B-myT"))
	w.want(422, "PUT", path+"/access", owner, access(kids, kids))
	w.want(422, "PUT", path+"/access", owner, `{"libraries":[]}`)
	got := w.want(200, "GET", path, owner, "")["access"]
	if fmt.Sprint(got) != "map[all:false libraries:[map[libraryId:"+films+" role:viewer]]]" {
		t.Errorf("access %v", got)
	}
	w.says(404, "User not found", "PUT", "/v1/users/nobody/access", owner, access(kids))
}

// Dubby roles seed, lines 9, 40 and 51: owner and admins change roles, the owner alone makes admins, and nobody changes
// the owner.
func TestChangingUsers(t *testing.T) {
	w := start(t)
	owner := w.owner()
	me := w.want(200, "GET", "/v1/auth/session", owner, "")["user"].(map[string]any)["id"].(string)
	admin, adminToken := w.user(owner, "ada", `,"role":"admin"`)
	mia, _ := w.user(owner, "mia", `,"email":"mia@x.org"`)
	path := "/v1/users/" + mia

	got := w.want(200, "PATCH", path, adminToken, `{"email":null,"displayName":"Mia"}`)
	if got["email"] != nil || got["displayName"] != "Mia" || got["role"] != "member" {
		t.Errorf("got %v", got)
	}
	w.want(200, "PATCH", path, adminToken, `{"email":"other@x.org"}`)
	if got = w.want(200, "PATCH", path, adminToken, `{}`); got["email"] != "other@x.org" {
		t.Errorf("an empty change changed %v", got)
	}
	if got = w.want(200, "PATCH", path, adminToken, `{"email":""}`); got["email"] != nil {
		t.Errorf("got %v", got)
	}
	const fixed = "The owner cannot be changed"
	for _, c := range []struct{ method, path, token, body, text string }{
		{"PATCH", me, adminToken, `{"role":"member"}`, fixed}, {"PATCH", me, owner, `{"disabled":true}`, fixed},
		{"DELETE", me, adminToken, "", fixed},
		{"PATCH", admin, adminToken, `{"role":"member"}`, "You cannot change your own role"},
		{"DELETE", admin, adminToken, "", "You cannot disable or delete your own account"},
	} {
		w.says(422, c.text, c.method, "/v1/users/"+c.path, c.token, c.body)
	}
	w.says(403, "Forbidden", "PATCH", path, adminToken, `{"role":"admin"}`)
	w.says(403, "Forbidden", "PUT", "/v1/users/"+me+"/password", adminToken, `{"password":"long enough"}`)
	w.says(403, "Forbidden", "POST", "/v1/users", adminToken, `{"username":"x","password":"long enough","role":"admin"}`)
	w.want(200, "PATCH", "/v1/users/"+me, owner, `{"role":"owner","disabled":false}`)
	w.want(204, "DELETE", path, adminToken, "")
	w.says(404, "User not found", "DELETE", path, adminToken, "")
	w.says(404, "User not found", "GET", path, adminToken, "")
	w.says(404, "User not found", "PATCH", path, adminToken, `{"disabled":true}`)
}

// Dubby contract, section 3: rate-limited sign-in, by account and by client.
func TestSignInIsLimited(t *testing.T) {
	w := start(t, func(c *mediaserver.Config) { c.SignInsPerAccount, c.SignInsPerClient = 2, 5 })
	w.owner()
	try := func(login string) answer {
		return w.send("POST", "/v1/auth/sign-in", "", `{"login":"`+login+`","password":"wrong"}`)
	}
	for _, login := range []string{"olga", "OLGA"} {
		if got := try(login); got.status != 401 {
			t.Errorf("got %v", got)
		}
	}
	if got := try("olga"); got.status != 429 || got.header.Get("Retry-After") != "30" || got.body != `{"error":"`+manyTries+`"}` {
		t.Errorf("got %v, Retry-After %q", got, got.header.Get("Retry-After"))
	}
	if got := try("somebody"); got.status != 401 {
		t.Errorf("another account is limited as well: %v", got)
	}
	if got := try("somebody else"); got.status != 429 {
		t.Errorf("one client tries without limit: %v", got)
	}
	w.clock.advance(time.Minute)
	w.signIn("olga")
}
