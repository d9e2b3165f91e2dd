package mediaserver_test

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver"
	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
)

// doors are all the ways to prove a password; each returns the answer to somebody's attempt.
func (w *world) doors() map[string]func(login, secret string) answer {
	form := func(path, login, secret string) answer {
		return (&matrix{world: w}).visit("POST", path, url.Values{"login": {login}, "password": {secret}}.Encode(), "")
	}
	return map[string]func(login, secret string) answer{
		"API": func(login, secret string) answer {
			return w.send("POST", "/v1/auth/sign-in", "", `{"login":"`+login+`","password":"`+secret+`"}`)
		},
		"Dubby": func(login, secret string) answer {
			return w.send("POST", "/api/auth/sign-in/email", "", `{"email":"`+login+`@example.org","password":"`+secret+`"}`)
		},
		"OPDS":   func(login, secret string) answer { return w.send("GET", "/opds/v1.2", "", "", basic(login, secret)...) },
		"page":   func(login, secret string) answer { return form("/app/sign-in", login, secret) },
		"invite": func(login, secret string) answer { return form("/invite/"+code+"/accept", login, secret) },
	}
}

// Shisho seed, lines 37 and 43. Sign-in is limited, and each is in the audit log: no way to prove a password
// is without its limit, its line in the log, and its refusal of who was deactivated.
func TestNoDoorIsUnwatched(t *testing.T) {
	for name := range new(world).doors() {
		w := start(t, func(c *mediaserver.Config) { c.SignInsPerAccount, c.SignInsPerClient = 2, 100 })
		owner := w.owner()
		w.invite(owner, code, `,"libraries":[{"libraryId":"`+w.library(owner, "Films", "films")+`"}]`)
		mia := w.want(201, "POST", "/v1/users", owner, `{"username":"mia","email":"mia@example.org","password":"`+password+`"}`)["id"].(string)
		door := w.doors()[name]
		if got := door("mia", password); got.status >= 400 {
			t.Errorf("%s: the right password: %v", name, got)
		}
		if last := w.names("/v1/audit-log", owner, "action")[0]; last == "user.create" {
			t.Errorf("%s: a sign-in leaves nothing in the audit log", name)
		}
		if got := door("mia", password+"x"); got.status != 401 && got.status != 422 {
			t.Errorf("%s: a wrong password: %v", name, got)
		}
		if last := w.names("/v1/audit-log", owner, "action")[0]; last != "session.refuse" {
			t.Errorf("%s: a refusal leaves %s in the audit log", name, last)
		}
		if got := door("mia", password+"y"); got.status != 429 || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: a third try: %v, Retry-After %q", name, got, got.header.Get("Retry-After"))
		}
		w.clock.advance(time.Minute)
		w.want(200, "PATCH", "/v1/users/"+mia, owner, `{"isActive":false}`)
		if got := door("mia", password); got.status != 401 && got.status != 422 {
			t.Errorf("%s: somebody deactivated: %v", name, got)
		}
	}
}

// Issue: rate-limited register and password change, too: who has found a phone unlocked does not get to try passwords.
func TestOtherTriesAreLimited(t *testing.T) {
	w := start(t, func(c *mediaserver.Config) { c.SignInsPerAccount, c.SignInsPerClient = 3, 4 })
	owner := w.owner()
	for range 3 {
		w.want(422, "POST", "/v1/auth/password", owner, `{"currentPassword":"wrong","newPassword":"a long password"}`)
	}
	w.says(429, "Too many requests", "POST", "/v1/auth/password", owner, `{"currentPassword":"wrong","newPassword":"a long password"}`)
	w.says(429, "Too many requests", "POST", "/v1/auth/register", "", `{"username":"x","password":"a long password"}`)
}

// Shisho seed, lines 24 and 25: "including ones created in the future", in a session that is open, and on every surface;
// who has specific libraries sees no other. Nobody's own library is among them (Alcoves seed, line 16).
func TestAllLibrariesMeansThoseToCome(t *testing.T) {
	w := start(t)
	owner := w.owner()
	first := w.library(owner, "First", "first")
	_, all := w.user(owner, "all", `,"access":{"all":true,"libraries":[]}`)
	_, some := w.user(owner, "some", `,"access":{"all":false,"libraries":[{"libraryId":"`+first+`"}]}`)
	w.write("later/deep.epub", mediafiletest.EPUB("Deep", "Vinge", "Zones"))
	later := w.library(owner, "Later", "later")
	item := w.itemNamed(owner, "Deep")
	if got := w.names("/v1/libraries", all, "name"); !slices.Equal(got, []string{"First", "Later"}) {
		t.Errorf("all sees %v", got)
	}
	if got := w.names("/v1/libraries", some, "name"); !slices.Equal(got, []string{"First"}) {
		t.Errorf("some sees %v", got)
	}
	for _, path := range []string{"/v1/libraries/" + later, "/v1/items/" + item, "/v1/items/" + item + "/stream"} {
		if got := w.send("GET", path, all, ""); got.status != 200 {
			t.Errorf("all: %s: %v", path, got)
		}
		if got := w.send("GET", path, some, ""); got.status != 404 {
			t.Errorf("some: %s: %v", path, got)
		}
	}
	for name, sees := range map[string]bool{"all": true, "some": false} {
		for _, path := range []string{"/opds/v1.2/recent", "/opds/v1.2/search?q=deep"} {
			if got := w.send("GET", path, "", "", basic(name, password)...); got.status != 200 || strings.Contains(got.body, item) != sees {
				t.Errorf("%s: %s: %v", name, path, got)
			}
		}
	}
	if list := w.want(200, "GET", "/v1/libraries?limit=100", all, "")["items"].([]any); len(list) != 3 {
		t.Errorf("all sees %d libraries, own one included", len(list))
	}
}

// Alcoves seed, lines 16 and 76: of one's own library, no item gets a public link either.
func TestNothingPersonalIsShared(t *testing.T) {
	w := start(t)
	owner := w.owner()
	own := w.personal(owner)
	dir := own["paths"].([]any)[0].(string)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "diary.txt"), []byte("Dear diary"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.want(202, "POST", "/v1/libraries/"+own["id"].(string)+"/scan", owner, "")
	w.scanned()
	item := w.itemNamed(owner, "diary")
	w.says(422, "Public sharing is off for this library", "POST", "/v1/items/"+item+"/share-links", owner, `{}`)
}

// Dubby contract, section 2: ids of 21 characters, pages of 20 unless asked for 1 to 100, a cursor to the next.
func TestPagesAreAsDocumented(t *testing.T) {
	w := start(t)
	owner := w.owner()
	for range 21 {
		w.want(201, "POST", "/v1/invites", owner, `{}`)
	}
	page := w.want(200, "GET", "/v1/invites", owner, "")
	items := page["items"].([]any)
	if id := items[0].(map[string]any)["id"].(string); len(items) != 20 || len(id) != 21 {
		t.Errorf("%d items, the first is %s", len(items), id)
	}
	next := w.want(200, "GET", "/v1/invites?cursor="+page["nextCursor"].(string), owner, "")
	if rest := next["items"].([]any); len(rest) != 1 || next["nextCursor"] != nil {
		t.Errorf("then %v", next)
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=-1", "limit=x", "cursor=%00", "cursor=nonsense"} {
		if got := w.send("GET", "/v1/invites?"+query, owner, ""); got.status != 422 || !strings.Contains(got.body, `"error":"Validation error","details":[{"path":"`) {
			t.Errorf("%s: %v", query, got)
		}
	}
}
