package mediaserver_test

import (
	"strings"
	"testing"
	"time"
)

// Dubby contract, section 3: sign-out, and who is signed in, in the shapes of the library that Dubby uses; "a bad
// bearer on GET /api/auth/get-session gives 200 with body null". Shisho seed, line 42: "Sessions last 7 days".
func TestSignedInAsInDubby(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id, _ := w.user(owner, "mia", `,"email":"mia@example.org","displayName":"Mia M.","mustChangePassword":true`)
	signIn := func() string {
		t.Helper()
		return w.want(200, "POST", "/api/auth/sign-in/email", "", `{"email":"MIA@example.org","password":"`+password+`"}`)["token"].(string)
	}
	const session = "/api/auth/get-session"
	null := func(why, token string) {
		t.Helper()
		if got := w.send("GET", session, token, ""); got.String() != "200 null" {
			t.Errorf("%s: %v", why, got)
		}
	}
	null("no token", "")
	null("nonsense", "nonsense")
	token := signIn()
	got := w.want(200, "GET", session, token, "")
	user, ends := got["user"].(map[string]any), got["session"].(map[string]any)
	if user["id"] != id || user["name"] != "Mia M." || user["isActive"] != true || ends["userId"] != id || ends["expiresAt"] != "2026-06-08T12:00:00Z" {
		t.Errorf("got %v", got)
	}
	if text := w.send("GET", session, token, "").body; strings.Contains(text, token) {
		t.Error("the token is told again")
	}
	if got := w.want(200, "POST", "/api/auth/sign-out", token, `{}`); got["success"] != true {
		t.Errorf("got %v", got)
	}
	null("signed out", token)
	w.says(401, "Unauthorized", "POST", "/api/auth/sign-out", token, "")
	token = signIn()
	w.clock.advance(7 * 24 * time.Hour)
	null("after seven days", token)
}

// Dubby contract, sections 3 and 7: deactivation is isActive, "deactivated -> 401 even with a valid token". It is
// disabled in the other word, and both cannot be said at odds.
func TestDeactivatingAsInDubby(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id, token := w.user(owner, "mia", "")
	user := "/v1/users/" + id
	if got := w.want(200, "PATCH", user, owner, `{"isActive":false}`); got["isActive"] != false || got["disabled"] != true {
		t.Errorf("got %v", got)
	}
	w.says(401, "Unauthorized", "GET", "/v1/libraries", token, "")
	if got := w.want(200, "PATCH", user, owner, `{"isActive":true,"disabled":false}`); got["isActive"] != true || got["disabled"] != false {
		t.Errorf("got %v", got)
	}
	for _, odd := range []string{`{"isActive":true,"disabled":true}`, `{"isActive":false,"disabled":false}`} {
		if got := w.send("PATCH", user, owner, odd); got.status != 422 || !strings.Contains(got.body, `"path":"isActive"`) {
			t.Errorf("%s: %v", odd, got)
		}
	}
	me := w.want(200, "GET", "/v1/auth/session", owner, "")["user"].(map[string]any)["id"].(string)
	w.says(422, "The owner cannot be changed", "PATCH", "/v1/users/"+me, owner, `{"isActive":false}`)
}
