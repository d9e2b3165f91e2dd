package mediaserver_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver"
)

// Another site may make the browser send a form; only one of our own pages makes it send one that counts.
func TestFormsFromElsewhereAreRefused(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.invite(owner, code, "")
	form := url.Values{"username": {"mia"}, "password": {password}, "invite_form": {"AAAAAAAAAAAAAAAAAAAAAA"}}
	for _, headers := range [][]string{
		nil, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "cross-site", "Origin", w.url},
		{"Origin", "https://evil.example"}, {"Origin", ""}, {"Cookie", "invite_form=BBBBBBBBBBBBBBBBBBBBBB"}, {"Cookie", "invite_form="},
	} {
		b := w.browser(headers...)
		for _, path := range []string{"/register", "/accept"} {
			if b.do("POST", "/invite/"+code+path, form); b.page.status != 403 {
				t.Errorf("%v: %v", headers, b.page)
			}
			b.sees("Open the invite again", `href="/invite/`+code+`"`)
		}
	}
	for i, headers := range [][]string{
		{"Sec-Fetch-Site", "same-origin"}, {"Origin", w.url}, {"Cookie", "invite_form=AAAAAAAAAAAAAAAAAAAAAA"},
	} {
		form.Set("username", fmt.Sprint("u", i))
		if b := w.browser(headers...); b.do("POST", "/invite/"+code+"/register", form).status != 303 {
			t.Errorf("%v: %v", headers, b.page)
		}
	}
}

func TestOddFormsAreRefused(t *testing.T) {
	w := start(t)
	w.invite(w.owner(), code, "")
	b := w.browser("Sec-Fetch-Site", "same-origin")
	if got := b.do("POST", "/invite/"+code+"/register", url.Values{"username": {strings.Repeat("x", 1<<17)}}); got.status != 413 {
		t.Errorf("a huge form: %v", got)
	}
	for name, send := range map[string][2]string{"garbled": {"username=%zz&password=" + password, "application/x-www-form-urlencoded"},
		"no form": {`{"username":"mia","password":"` + password + `"}`, "application/json"}, "empty": {"", "text/plain"}} {
		got := w.send("POST", "/invite/"+code+"/register", "", send[0], "Content-Type", send[1], "Sec-Fetch-Site", "same-origin")
		if got.status != 400 && got.status != 422 {
			t.Errorf("%s: %v", name, got)
		}
		if strings.Contains(got.body, password) {
			t.Errorf("%s: the password comes back: %v", name, got)
		}
	}
	leaks(t, w.log.String())
}

func TestThePageIsLimitedLikeTheAPI(t *testing.T) {
	w := start(t, func(c *mediaserver.Config) { c.SignInsPerAccount, c.SignInsPerClient = 1, 100 })
	w.invite(w.owner(), code, "")
	b := w.browser()
	b.open(200, "/invite/"+code)
	b.submit(422, "accept", map[string]string{"login": "olga", "password": "canary-pw"})
	b.submit(429, "accept", map[string]string{"login": "olga", "password": "canary-pw"})
	if b.sees("Too many tries.", `value="olga"`); b.page.header.Get("Retry-After") != "60" {
		t.Errorf("Retry-After %q", b.page.header.Get("Retry-After"))
	}
	w.clock.advance(time.Minute)
	b.submit(303, "accept", map[string]string{"login": "olga", "password": password})
}

func TestTheStylesheetAndTheFrontDoor(t *testing.T) {
	w := start(t)
	b := w.webBrowser()
	b.open(200, "/")
	b.sees("Media server", `href="/docs"`)
	path := regexp.MustCompile(`/assets/[^"]+`).FindString(b.page.body)
	got := w.send("GET", path, "", "")
	if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/css") || !strings.Contains(got.header.Get("Cache-Control"), "immutable") {
		t.Errorf("got %v %v", got.status, got.header)
	}
	for _, never := range []string{"url(", "@import", "http"} {
		if strings.Contains(got.body, never) {
			t.Errorf("the stylesheet loads something: %s", never)
		}
	}
	if got := w.send("GET", "/assets/other.css", "", ""); got.status != 404 {
		t.Errorf("got %v", got)
	}
}

// Whatever is done with a code, it is in no line of the log, no metric and no error.
func TestTheCodeStaysSecret(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id := w.invite(owner, code, `,"maxUses":2`)
	_, mia := w.user(owner, "mia", "")
	b := w.browser("Sec-Fetch-Site", "same-origin")
	use := func() []answer {
		got := []answer{
			w.send("POST", "/v1/invites", owner, `{"code":"`+code+`"}`), w.send("POST", "/v1/invites", owner, `{"code":"`+code+`!"}`),
			w.send("POST", "/v1/invites", owner, `{"code":["`+code+`"]}`), w.send("PATCH", "/v1/invites/"+id, owner, `{"code":"`+code+`"}`),
			w.send("GET", "/v1/invites", owner, ""), w.send("GET", "/v1/invites/"+id+"/uses", owner, ""),
			w.send("GET", "/v1/invites/"+code, owner, ""), w.send("GET", "/v1/invitations/"+code, mia, ""),
			w.send("GET", "/v1/invitations/"+code+"x", "", ""), w.send("GET", "/v1/invitations/"+code+"/nothing", "", ""),
			w.send("GET", "/v1/invitations//"+code, "", ""), w.send("PUT", "/v1/invitations/"+code, "", ""),
			w.send("POST", "/v1/invitations/"+code+"/accept", mia, ""), w.send("POST", "/v1/auth/register", "", join("mia", code, "")),
			w.send("POST", "/v1/auth/register", "", `{"inviteCode":["`+code+`"]}`), w.send("POST", "/v1/auth/register", "", join("x", code+"x", "")),
			w.send("GET", "/invite/"+code+"/done/"+code, "", ""), w.send("POST", "/invite/"+code, "", "x"), w.send("GET", "/invite/"+code+"x", "", ""),
		}
		for _, path := range []string{"", "/done", "/already", "/register"} {
			b.do("GET", "/invite/"+code+path, nil)
		}
		b.do("POST", "/invite/"+code+"/register", url.Values{"username": {"tom"}, "password": {password}})
		b.do("POST", "/invite/"+code+"/accept", url.Values{"login": {"mia"}, "password": {password}})
		b.headers = []string{"Origin", "https://evil.example"}
		b.do("POST", "/invite/"+code+"/accept", url.Values{"login": {"mia"}})
		return append(got, w.metrics())
	}
	answers := use()
	metrics := answers[len(answers)-1].body
	w.want(200, "PATCH", "/v1/invites/"+id, owner, `{"revoked":true}`)
	answers = append(answers, use()...)
	if err := w.server.Close(); err != nil {
		t.Fatal(err)
	}
	answers = append(answers, use()...)
	for _, got := range answers {
		if !strings.Contains(got.body, "<html") {
			leaks(t, got.body)
		}
	}
	leaks(t, w.log.String())
	for _, route := range []string{"GET /invite/{code}", "POST /invite/{code}/register", "GET /v1/invitations/{code}"} {
		if !strings.Contains(w.log.String(), `"route":"`+route+`"`) || !strings.Contains(metrics, `route="`+route+`"`) {
			t.Errorf("%s is not logged or not counted", route)
		}
	}
}
