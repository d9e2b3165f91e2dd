package mediaserver_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver"
)

// Alcoves seed, lines 40 to 43, has links for whoever holds them; bound to an address, one is for its holder alone.
func TestInvitesForOneAddress(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films := w.library(owner, "Films", "films")
	w.invite(owner, code, `,"email":"Mia@Example.org","libraries":[{"libraryId":"`+films+`"}]`)
	if got := w.send("GET", "/v1/invitations/"+code, "", ""); !strings.Contains(got.body, `"emailRequired":true`) || strings.Contains(strings.ToLower(got.body), "mia") {
		t.Errorf("got %v", got)
	}
	if got := w.send("POST", "/v1/auth/register", "", join("mia", code, "")); got.status != 422 || !strings.Contains(got.body, `"path":"email"`) {
		t.Errorf("got %v", got)
	}
	const other = "This invite is for another email address"
	w.says(403, other, "POST", "/v1/auth/register", "", join("mia", code, `,"email":"tom@example.org"`))
	for _, more := range []string{"", `,"email":"tom@example.org"`} {
		_, token := w.user(owner, fmt.Sprint("tom", len(more)), more)
		w.says(403, other, "POST", "/v1/invitations/"+code+"/accept", token, "")
		if got := w.want(200, "GET", "/v1/invitations/"+code, token, ""); got["canAccept"] != false || got["status"] != "pending" {
			t.Errorf("got %v", got)
		}
	}
	// An address that somebody wrote into their account themselves is no proof; one that an administrator set is.
	eve, token := w.user(owner, "eve", "")
	w.want(200, "PATCH", "/v1/auth/profile", token, `{"email":"mia@example.org"}`)
	w.says(403, "This invite is for one email address, and you wrote yours into your account yourself. Whoever runs this server can set it",
		"POST", "/v1/invitations/"+code+"/accept", token, "")
	if got := w.want(200, "GET", "/v1/invitations/"+code, token, ""); got["canAccept"] != false {
		t.Errorf("got %v", got)
	}
	w.want(200, "PATCH", "/v1/users/"+eve, owner, `{"email":"mia@example.org"}`)
	w.want(200, "POST", "/v1/invitations/"+code+"/accept", token, "")
	w.want(200, "PATCH", "/v1/users/"+eve, owner, `{"email":null}`)
	w.want(201, "POST", "/v1/auth/register", "", join("mia", code, `,"email":"mia@EXAMPLE.org"`))
}

// Alcoves seed, lines 45, 54 and 56: a preview with inviter, libraries and status, without a login.
func TestLookingAtAnInvitation(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films, kids := w.library(owner, "Films", "films"), w.library(owner, "Kids", "kids")
	w.want(200, "PATCH", "/v1/libraries/"+films, owner, `{"emoji":"🎬"}`)
	id := w.invite(owner, code, `,"maxUses":3,"expiresAt":"2026-12-31T00:00:00Z","libraries":[{"libraryId":"`+films+`"},{"libraryId":"`+kids+`"}]`)
	want := `{"inviter":{"displayName":"olga"},"libraries":[{"name":"Films","emoji":"🎬"},{"name":"Kids","emoji":null}],"status":"pending",` +
		`"canAccept":true,"alreadyMember":false,"maxUses":3,"useCount":0,"remaining":3,"expiresAt":"2026-12-31T00:00:00Z","emailRequired":false}`
	_, mia := w.user(owner, "mia", "")
	for _, token := range []string{"", "nonsense", mia, ""} {
		if got := w.send("GET", "/v1/invitations/"+code, token, ""); got.status != 200 || got.body != want {
			t.Errorf("got  %v\nwant %s", got, want)
		}
	}
	for _, access := range []string{`,"access":{"all":true,"libraries":[]}`, `,"role":"admin"`,
		`,"access":{"all":false,"libraries":[{"libraryId":"` + films + `"},{"libraryId":"` + kids + `"}]}`} {
		_, token := w.user(owner, fmt.Sprint("u", len(access)), access)
		got := w.want(200, "GET", "/v1/invitations/"+code, token, "")
		if got["alreadyMember"] != true || got["canAccept"] != false || got["status"] != "pending" {
			t.Errorf("%s: %v", access, got)
		}
	}
	for _, unknown := range []string{"unknown", id, "%00", "%F0%9F%92%A9", strings.Repeat("a", 4000)} {
		w.says(404, "Invite not found", "GET", "/v1/invitations/"+unknown, "", "")
		w.says(404, "Invite not found", "POST", "/v1/invitations/"+unknown+"/accept", mia, "")
	}
	w.says(401, "Unauthorized", "POST", "/v1/invitations/"+code+"/accept", "", "")
	// Libraries that go away leave the invite.
	w.want(204, "DELETE", "/v1/libraries/"+films, owner, "")
	w.want(204, "DELETE", "/v1/libraries/"+kids, owner, "")
	if got := w.want(200, "GET", "/v1/invitations/"+code, "", ""); len(got["libraries"].([]any)) != 0 || got["canAccept"] != true {
		t.Errorf("got %v", got)
	}
	user := w.want(201, "POST", "/v1/auth/register", "", join("new", code, ""))["user"].(map[string]any)
	if fmt.Sprint(user["access"]) != "map[all:false libraries:[]]" {
		t.Errorf("got %v", user)
	}
}

// Alcoves seed, line 60: "Redeeming the same invite link twice is safe — accepting an invite you already accepted is
// a no-op."
func TestAcceptingAnInvitation(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films, kids := w.library(owner, "Films", "films"), w.library(owner, "Kids", "kids")
	id := w.invite(owner, code, `,"role":"guest","maxUses":1,"libraries":[{"libraryId":"`+films+`","role":"viewer"},{"libraryId":"`+kids+`","role":"admin"}]`)
	mia, token := w.user(owner, "mia", `,"role":"editor","access":{"all":false,"libraries":[{"libraryId":"`+films+`","role":"admin"}]}`)
	_, tom := w.user(owner, "tom", "")
	_, all := w.user(owner, "all", `,"access":{"all":true,"libraries":[]}`)
	accept := func(token, result string) {
		t.Helper()
		want := fmt.Sprintf(`{"result":%q,"libraries":[%q,%q]}`, result, films, kids)
		if got := w.send("POST", "/v1/invitations/"+code+"/accept", token, ""); got.status != 200 || got.body != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	accept(all, "already_member")
	accept(owner, "already_member")
	accept(token, "accepted")
	accept(token, "already_member")
	got := w.want(200, "GET", "/v1/users/"+mia, owner, "")
	if access, _ := json.Marshal(got["access"]); got["role"] != "editor" || strings.Count(string(access), `"role":"admin"`) != 2 {
		t.Errorf("got %v", got)
	}
	for _, dead := range []struct{ change, says string }{
		{`{}`, "Invite has no remaining uses"}, {`{"expiresAt":"2020-01-01T00:00:00Z"}`, "Invite has expired"},
		{`{"revoked":true}`, "Invite has been revoked"},
	} {
		w.want(200, "PATCH", "/v1/invites/"+id, owner, dead.change)
		w.says(410, dead.says, "POST", "/v1/invitations/"+code+"/accept", tom, "")
		accept(token, "already_member")
	}
	if got := w.names("/v1/libraries", tom, "name"); len(got) != 0 {
		t.Errorf("tom sees %v", got)
	}
	if uses := w.send("GET", "/v1/invites/"+id+"/uses", owner, ""); strings.Count(uses.body, `"registered":false`) != 1 || !strings.Contains(uses.body, `"username":"mia"`) {
		t.Errorf("got %v", uses)
	}
	if got := w.names("/v1/libraries", token, "name"); !slices.Equal(got, []string{"Films", "Kids"}) {
		t.Errorf("revoking took something from mia: %v", got)
	}
}

// Alcoves seed, line 62: preview and registration are public, and so limited.
func TestLookingIsLimitedApartFromSigningIn(t *testing.T) {
	w := start(t, func(c *mediaserver.Config) { c.SignInsPerClient = 3 })
	owner := w.owner()
	w.invite(owner, code, "")
	for range 3 {
		w.want(200, "GET", "/v1/invitations/"+code, "", "")
	}
	w.says(429, "Too many requests", "GET", "/v1/invitations/unknown", "", "")
	if got := w.send("GET", "/invite/"+code, "", ""); got.status != 429 || got.header.Get("Retry-After") != "20" || !strings.Contains(got.body, "Too many tries") {
		t.Errorf("got %v", got)
	}
	w.says(429, "Too many requests", "POST", "/v1/invitations/"+code+"/accept", owner, "")
	w.want(201, "POST", "/v1/auth/register", "", join("mia", code, ""))
	w.want(201, "POST", "/v1/auth/register", "", join("tom", code, ""))
	w.says(429, "Too many requests", "POST", "/v1/auth/register", "", join("una", code, ""))
}
