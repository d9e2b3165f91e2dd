package mediaserver_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// formToken is what differs between two pages for two browsers.
var formToken = regexp.MustCompile(`name="invite_form" value="[^"]*"`)

const webPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// webBrowser is a browser on the web page, which has a script of its own.
func (w *world) webBrowser(headers ...string) *browser {
	b := w.browser(headers...)
	b.policy = webPolicy
	return b
}

// Signing in, being made to choose a password, and signing out, without any script.
func TestTheWebPageWithoutScripts(t *testing.T) {
	w := start(t)
	b := w.webBrowser()
	b.open(200, "/")
	b.sees("This server has no account yet")
	owner := w.owner()
	_, mia := w.user(owner, "mia", `,"displayName":"<b>Mia</b>","mustChangePassword":true`)
	w.want(403, "GET", "/v1/libraries", mia, "")
	b.open(200, "/")
	b.submit(422, "sign-in", map[string]string{"login": "mia", "password": "canary-pw"})
	b.sees("The username or the password is wrong.", `value="mia"`, "<title>Problem: ")
	b.submit(303, "sign-in", map[string]string{"login": " MIA ", "password": password})
	for _, path := range []string{"/", "/app/recent", "/app/items/" + unknown + "/file"} {
		b.do("GET", path, nil)
		b.goesTo("/app/account")
	}
	b.sees("Choose a new password")
	b.submit(422, "account", map[string]string{"new": "canary-pw-new", "repeat": "canary-pw"})
	b.sees("The two new passwords differ.")
	b.submit(422, "account", map[string]string{"new": "canary", "repeat": "canary"})
	b.sees("The new password must have 8 to 128 characters.")
	b.submit(303, "account", map[string]string{"new": "canary-pw-new", "repeat": "canary-pw-new"})
	b.goesTo("/app/account?done")
	b.open(200, "/")
	if raw := w.send("GET", "/", "", "", "Cookie", cookies(b)); !strings.Contains(raw.body, "&lt;b&gt;Mia") {
		t.Errorf("a name is shown as HTML: %s", raw.body)
	}
	session := b.cookies
	b.submit(303, "sign-out", nil)
	b.cookies = session
	b.do("GET", "/app/recent", nil)
	b.goesTo("/")
	b.sees(`action="/app/sign-in"`)
}

func cookies(b *browser) string {
	var all []string
	for _, cookie := range b.cookies {
		all = append(all, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(all, "; ")
}

// What another site makes a browser send is refused, and a cookie is nothing to the API.
func TestOtherSitesCannotActOnTheWebPage(t *testing.T) {
	w := start(t)
	w.owner()
	cookie := w.cookie("olga")
	for _, path := range []string{"/app/sign-in", "/app/sign-out", "/app/account", "/app/items/" + unknown + "/progress"} {
		for _, origin := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			headers := append(append([]string{"Content-Type", "application/x-www-form-urlencoded"}, cookie...), origin...)
			if got := w.send("POST", path, "", "action=finish&login=olga&password=x", headers...); got.status != http.StatusForbidden {
				t.Errorf("%s %v: %d", path, origin, got.status)
			}
		}
	}
	if got := w.send("GET", "/v1/libraries", "", "", cookie...); got.status != 401 {
		t.Errorf("the API takes a cookie: %v", got)
	}
}
