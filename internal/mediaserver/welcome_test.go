package mediaserver_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// What the inviter has to say is on the last page, in no preview, and nowhere once the link is dead.
func TestTheWelcome(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id := w.invite(owner, code, `,"maxUses":2,"welcome":"# Hello\n\nSee [the app](https://app.example.org) <script>alert(1)</script> ![x](https://x.org/i.png)"`)
	path := "/v1/invites/" + id
	_, mia := w.user(owner, "mia", "")
	b := w.browser()
	b.open(200, "/invite/"+code)
	for _, early := range []string{b.page.body, w.send("GET", "/v1/invitations/"+code, "", "").body, w.send("GET", "/v1/invitations/"+code, mia, "").body} {
		if strings.Contains(early, "Hello") {
			t.Errorf("told before anybody joined: %s", early)
		}
	}
	b.submit(303, "register", map[string]string{"username": "tom", "password": password, "passwordRepeat": password})
	if got := b.page.header.Get("Location"); got != "/invite/"+code+"/done" {
		t.Fatalf("goes to %q", got)
	}
	tom := w.signIn("tom")
	last := func(page string) answer { return (&matrix{world: w}).visit("GET", "/invite/"+code+page, "", tom) }
	const want = `<h2>Hello</h2>` + "\n" + `<p>See <a href="https://app.example.org" rel="noopener noreferrer">the app</a> &lt;script&gt;alert(1)&lt;/script&gt; x</p>`
	for _, page := range []string{"/done", "/already"} {
		if got := last(page); !strings.Contains(got.body, want) {
			t.Errorf("%s: got %v", page, got)
		}
	}
	if got := w.want(200, "PATCH", path, owner, `{"maxUses":1}`); got["status"] != "exhausted" || !strings.HasPrefix(got["welcome"].(string), "# Hello") {
		t.Errorf("got %v", got)
	}
	for change, shown := range map[string]bool{`{}`: true, `{"revoked":true}`: false, `{"revoked":false,"expiresAt":"2020-01-01T00:00:00Z"}`: false} {
		w.want(200, "PATCH", path, owner, change)
		if got := last("/done"); got.status != 200 || strings.Contains(got.body, "Hello") != shown {
			t.Errorf("%s: %v", change, got)
		}
		w.want(200, "PATCH", path, owner, `{"revoked":false,"expiresAt":null}`)
	}
	if got := w.want(200, "PATCH", path, owner, `{"welcome":""}`); got["welcome"] != "" {
		t.Errorf("got %v", got)
	}
	if got := last("/done"); strings.Contains(got.body, "welcome") {
		t.Errorf("an empty welcome shows: %v", got)
	}
}

// Whoever looks at an invite finds its libraries by name; who administers it finds them as they were named.
func TestOfferedLibrariesAreSorted(t *testing.T) {
	w := start(t)
	owner := w.owner()
	var named []string
	for i, name := range []string{"tv", "Éric", "Films", "ｆｉｌｍｓ 2", "Anime", "films"} {
		named = append(named, `{"libraryId":"`+w.library(owner, name, fmt.Sprint("d", i))+`"}`)
	}
	id := w.invite(owner, code, `,"libraries":[`+strings.Join(named, ",")+`]`)
	want := []string{"Anime", "Films", "films", "ｆｉｌｍｓ 2", "tv", "Éric"}
	var got []string
	for _, library := range w.want(200, "GET", "/v1/invitations/"+code, "", "")["libraries"].([]any) {
		got = append(got, library.(map[string]any)["name"].(string))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the API offers %v", got)
	}
	b := w.browser()
	b.cookies = []*http.Cookie{{Name: "mediaserver_session", Value: owner}}
	for _, page := range []string{"", "/done"} {
		b.open(200, "/invite/"+code+page)
		rest := b.page.body
		for _, name := range want {
			_, after, found := strings.Cut(rest, "<bdi>"+name+"</bdi></li>")
			if rest = after; !found {
				t.Errorf("%q: %s is missing or too early", page, name)
			}
		}
	}
	if got := w.send("GET", "/v1/invites/"+id, owner, ""); !strings.Contains(strings.ReplaceAll(got.body, `,"role":"viewer"`, ""), strings.Join(named, ",")) {
		t.Errorf("got %v", got)
	}
}
