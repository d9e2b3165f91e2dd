package mediaserver_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Alcoves seed, lines 45, 56 and 57: "showing your name, the library name, and the current status"; registering
// carries the invite through.
func TestRegisteringOnThePage(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.want(200, "PATCH", "/v1/server", owner, `{"name":"Home & <Co>"}`)
	films := w.library(owner, "Films", "films")
	w.want(200, "PATCH", "/v1/libraries/"+films, owner, `{"emoji":"🎬"}`)
	id := w.invite(owner, code, `,"maxUses":1,"expiresAt":"2026-06-04T12:00:00Z","inviter":{"displayName":"<b>Alice</b>"},"libraries":[{"libraryId":"`+films+`"}]`)
	b := w.browser()
	for range 3 {
		b.open(200, "/invite/"+code)
	}
	if strings.Contains(w.send("GET", "/invite/"+code, "", "").body, "<b>Alice") {
		t.Error("a name is shown as HTML")
	}
	b.sees("Alice", "invites you to", "Home & <Co>", "Films", "🎬", "Open", "in 3 days", "4 June 2026, 12:00 UTC")
	if len(b.cookies) != 1 || b.cookies[0].SameSite != http.SameSiteLaxMode || !b.cookies[0].HttpOnly || b.cookies[0].Path != "/invite/" {
		t.Errorf("cookies %v", b.cookies)
	}
	b.submit(303, "register", map[string]string{"username": " mia ", "displayName": "Mia M.", "email": "mia@x.org",
		"password": password, "passwordRepeat": password})
	b.goesTo("/invite/" + code + "/done")
	b.sees("You are in", "Films", w.url+"/")
	for range 2 {
		b.open(200, "/invite/"+code+"/done")
	}
	if got := w.names("/v1/invites/"+id+"/uses", owner, "username"); !slices.Equal(got, []string{"mia"}) {
		t.Errorf("got %v", got)
	}
	token := w.signIn("mia")
	user := w.want(200, "GET", "/v1/auth/session", token, "")["user"].(map[string]any)
	if user["displayName"] != "Mia M." || user["email"] != "mia@x.org" || user["role"] != "member" {
		t.Errorf("got %v", user)
	}
	b.open(200, "/invite/"+code)
	b.sees("You are already a member")
	other := w.browser()
	other.open(410, "/invite/"+code)
	other.sees("This invite is used up", "<b>Alice</b>")
	// Joining signs in; who has the link alone, or is signed in as somebody else, is not shown who was let in where.
	b.policy = webPolicy
	b.open(200, "/app/recent")
	_, tom := w.user(owner, "tom", "")
	for _, page := range []string{"/done", "/already"} {
		for _, token := range []string{"", "nonsense", tom} {
			got := (&matrix{world: w}).visit("GET", "/invite/"+code+page, "", token)
			if got.status != 303 || got.header.Get("Location") != "/invite/"+code || strings.Contains(got.body, "Films") {
				t.Errorf("%s: %v", page, got)
			}
		}
	}
}

func TestErrorsOnThePageKeepWhatWasTyped(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.user(owner, "tom", `,"email":"tom@x.org"`)
	id := w.invite(owner, code, `,"email":"mia@x.org"`)
	b := w.browser()
	b.open(200, "/invite/"+code)
	fill := map[string]string{"username": "mia", "displayName": "Mia \"M\"", "email": "mia@x.org", "password": "canary-pw", "passwordRepeat": "canary-pw"}
	for _, c := range []struct {
		field, value string
		status       int
		says         string
	}{
		{"passwordRepeat", "canary-pw2", 422, "The two passwords differ"},
		{"username", "", 422, "The username must have 1 to 64 characters."},
		{"username", "mi\u200ba", 422, "The username must not contain invisible characters."},
		{"username", "TOM", 409, "This username is taken."},
		{"username", "mia", 0, ""},
		{"email", "", 422, "The email address is needed: this invite is for one email address."},
		{"email", "tom@x.org", 403, "This invite is for another email address."},
		{"email", "mia@x.org", 0, ""},
		{"displayName", strings.Repeat("x", 201), 422, "Your name must have 1 to 200 characters."},
	} {
		if c.field == "passwordRepeat" {
			b.submit(c.status, "register", map[string]string{"username": "mia", "displayName": "Mia \"M\"", "email": "mia@x.org",
				"password": "canary-pw", "passwordRepeat": c.value})
		} else if fill[c.field] = c.value; c.status == 0 {
			continue
		} else {
			b.submit(c.status, "register", fill)
		}
		b.sees("It is a label: nobody here checks that it is yours.")
		b.sees(c.says, `href="#register-`+c.field+`"`, `id="register-`+c.field+`-problem"`, `aria-invalid="true"`,
			`role="alert" tabindex="-1" autofocus`, `name="displayName" type="text" autocomplete="name" value="`+fill["displayName"]+`"`, "<title>Problem: ")
	}
	fill["displayName"], fill["password"], fill["passwordRepeat"] = "", "canary", "canary"
	b.submit(422, "register", fill)
	b.sees("The password must have 8 to 128 characters.", `value="mia"`, `value="mia@x.org"`)
	w.want(200, "PATCH", "/v1/invites/"+id, owner, `{"email":null}`)
	fill["email"], fill["password"], fill["passwordRepeat"] = "TOM@x.org", "canary-pw", "canary-pw"
	b.submit(409, "register", fill)
	b.sees("Somebody has an account with this email address.")
	b.submit(422, "accept", map[string]string{"login": "tom", "password": "canary-pw"})
	b.sees("The username or the password is wrong.", `<details class="card" open>`, `name="login" type="text" autocomplete="username" value="tom"`)
	if got := w.want(200, "GET", "/v1/invites/"+id, owner, ""); got["useCount"] != 0.0 {
		t.Errorf("got %v", got)
	}
}

// Alcoves seed, lines 54, 58 and 60: accepted, already a member, and accepted twice.
func TestAcceptingOnThePage(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films := w.library(owner, "Films", "films")
	w.invite(owner, code, `,"maxUses":1,"libraries":[{"libraryId":"`+films+`"}]`)
	_, mia := w.user(owner, "mia", "")
	w.user(owner, "new", `,"mustChangePassword":true`)
	off, _ := w.user(owner, "off", "")
	w.want(200, "PATCH", "/v1/users/"+off, owner, `{"disabled":true}`)
	b := w.browser()
	b.open(200, "/invite/"+code)
	b.submit(422, "accept", map[string]string{"login": "off", "password": password})
	b.submit(303, "accept", map[string]string{"login": "olga", "password": password})
	b.goesTo("/invite/" + code + "/already")
	b.sees("You are already a member")
	b.open(200, "/invite/"+code)
	preview := b.page
	b.submit(303, "accept", map[string]string{"login": "MIA", "password": password})
	b.goesTo("/invite/" + code + "/done")
	b.sees("You are in", "Films")
	if got := w.names("/v1/libraries", mia, "name"); !slices.Equal(got, []string{"Films"}) {
		t.Errorf("mia sees %v", got)
	}
	// The form was still open in another tab: she is in, and others come too late.
	b.page = preview
	b.submit(303, "accept", map[string]string{"login": "mia", "password": password})
	b.goesTo("/invite/" + code + "/already")
	w.user(owner, "tom", "")
	b.page = preview
	b.submit(410, "accept", map[string]string{"login": "tom", "password": password})
	b.sees("This invite is used up")
	b.page = preview
	b.submit(410, "register", map[string]string{"username": "una", "password": password, "passwordRepeat": password})
}

// Alcoves seed, lines 51 to 53, on the page.
func TestDeadInvitesOnThePage(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films := w.library(owner, "Secret films", "films")
	id := w.invite(owner, code, `,"libraries":[{"libraryId":"`+films+`"}]`)
	b := w.browser()
	b.open(200, "/invite/"+code)
	preview := b.page
	fill := map[string]string{"username": "mia", "password": password, "passwordRepeat": password}
	dead := func(change string, texts ...string) {
		t.Helper()
		w.want(200, "PATCH", "/v1/invites/"+id, owner, change)
		b.open(410, "/invite/"+code)
		b.sees(append(texts, "olga")...)
		// Line 45: the page names the library, whatever the state.
		b.sees("It was for", "Secret films")
		if strings.Contains(b.page.body, "<form") {
			t.Errorf("a dead invite offers something:\n%s", b.page.body)
		}
		b.page = preview
		b.submit(410, "register", fill)
		b.sees(texts...)
		if got := (&matrix{world: w}).visit("GET", "/invite/"+code+"/done", "", owner); got.status != 200 || strings.Contains(got.body, "Secret") {
			t.Errorf("the last page of a dead invite shows its libraries: %v", got)
		}
	}
	dead(`{"expiresAt":"2026-06-01T11:57:30Z"}`, "This invite has expired", "2 minutes ago", "1 June 2026, 11:57:30 UTC")
	dead(`{"revoked":true}`, "This invite has been revoked")
	w.want(200, "PATCH", "/v1/invites/"+id, owner, `{"revoked":false,"expiresAt":null}`)
	for _, path := range []string{"/invite/unknown", "/invite/" + id, "/invite/%00", "/invite/unknown/done", "/invite/<script>"} {
		b.open(404, path)
		b.sees("There is no such invite")
		if strings.Contains(b.page.body, "unknown") {
			t.Errorf("the page repeats the link:\n%s", b.page.body)
		}
	}
	w.want(200, "PATCH", "/v1/server", owner, `{"registration":"closed"}`)
	b.open(200, "/invite/"+code)
	b.sees("Registration is closed", "Sign in and accept", "<details class=\"card\" open>")
	b.page = preview
	b.submit(403, "register", fill)
	b.sees("Registration is closed")
	w.want(204, "DELETE", "/v1/invites/"+id, owner, "")
	b.page = preview
	b.submit(404, "register", fill)
	if got := w.names("/v1/users", owner, "username"); !slices.Equal(got, []string{"olga"}) {
		t.Errorf("accounts %v", got)
	}
	b.do("GET", "/invite/"+code+"/register", nil)
	if b.page.status != 303 || b.page.header.Get("Location") != "/invite/"+code {
		t.Errorf("got %v", b.page)
	}
}
