package mediaserver_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// Alcoves seed, lines 64 to 72: who sees and changes the members of a library.
func TestMembers(t *testing.T) {
	w := start(t)
	owner := w.owner()
	early, _ := w.user(owner, "early", "")
	_, admin := w.user(owner, "admin", `,"role":"admin"`)
	id := w.library(admin, "Films", "films")
	members := "/v1/libraries/" + id + "/members"
	grant := func(user, role string) {
		t.Helper()
		w.want(200, "POST", "/v1/libraries/"+id+"/permissions", owner, `{"userId":"`+user+`","role":"`+role+`"}`)
	}
	grant(early, "viewer")
	boss, bossToken := w.user(owner, "boss", "")
	grant(boss, "admin")
	viewer, viewerToken := w.user(owner, "viewer", "")
	grant(viewer, "viewer")
	// Line 66: "the owner is listed first, followed by all members with their roles".
	if got := w.names(members, bossToken, "username"); !slices.Equal(got, []string{"admin", "olga", "early", "boss", "viewer"}) {
		t.Errorf("listed %v", got)
	}
	if got := w.names(members, owner, "role"); !slices.Equal(got, []string{"owner", "admin", "viewer", "admin", "viewer"}) {
		t.Errorf("listed %v", got)
	}
	w.says(403, "Forbidden", "GET", members, viewerToken, "")
	w.says(403, "Forbidden", "PATCH", members+"/"+early, viewerToken, `{"role":"admin"}`)
	// Lines 67 and 47: roles change between viewer and admin, and bite at once.
	w.want(200, "PATCH", members+"/"+viewer, bossToken, `{"role":"admin"}`)
	w.want(200, "GET", members, viewerToken, "")
	w.want(200, "PATCH", members+"/"+viewer, bossToken, `{"role":"viewer"}`)
	w.says(403, "Forbidden", "GET", members, viewerToken, "")
	w.want(422, "PATCH", members+"/"+viewer, bossToken, `{"role":"owner"}`)
	// Line 72: not oneself, and not the owner.
	creator := w.want(200, "GET", "/v1/auth/session", admin, "")["user"].(map[string]any)["id"].(string)
	const fixed = "The library's owner cannot be changed or removed"
	for _, by := range []string{bossToken, owner, admin} {
		w.says(422, fixed, "PATCH", members+"/"+creator, by, `{"role":"viewer"}`)
		w.says(422, fixed, "DELETE", members+"/"+creator, by, "")
	}
	w.says(422, "You cannot remove yourself from the library", "DELETE", members+"/"+boss, bossToken, "")
	// Line 68: removal "immediately revokes their access".
	w.want(200, "GET", "/v1/libraries/"+id, viewerToken, "")
	w.want(204, "DELETE", members+"/"+viewer, bossToken, "")
	w.says(404, "Library not found", "GET", "/v1/libraries/"+id, viewerToken, "")
	w.says(404, "Member not found", "DELETE", members+"/"+viewer, bossToken, "")
	// Line 72: "there is always exactly one owner per library", also when who made it is gone.
	w.want(204, "DELETE", "/v1/users/"+creator, owner, "")
	if got := w.names(members, owner, "username"); !slices.Equal(got, []string{"olga", "early", "boss"}) {
		t.Errorf("listed %v", got)
	}
}

// Lists of who sees a library, and by which links people come, leave out nobody and none: Alcoves seed, lines 66 and 69; Dubby
// access seed, line 29.
func TestTheListsOfALibraryAreWhole(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films, kids := w.library(owner, "Films", "films"), w.library(owner, "Kids", "kids")
	boss, _ := w.user(owner, "boss", `,"access":{"all":false,"libraries":[{"libraryId":"`+films+`","role":"admin"}]}`)
	everything, _ := w.user(owner, "everything", `,"access":{"all":true,"libraries":[]}`)
	w.user(owner, "stranger", "")
	w.user(owner, "ada", `,"role":"admin"`)
	w.user(owner, "both", `,"role":"admin","access":{"all":true,"libraries":[{"libraryId":"`+films+`"}]}`)
	const want = "[olga boss everything ada both] [owner admin viewer admin viewer] [grant grant all role grant]"
	members, permissions := "/v1/libraries/"+films+"/members", "/v1/libraries/"+films+"/permissions"
	if got := fmt.Sprint(w.names(members, owner, "username"), w.names(members, owner, "role"), w.names(members, owner, "by")); got != want {
		t.Errorf("members: %s, want %s", got, want)
	}
	// The permissions are the grants, no fewer and no more: each of them can be revoked.
	if got := fmt.Sprint(w.names(permissions, owner, "username"), w.names(permissions, owner, "role")); got != "[boss both] [admin viewer]" {
		t.Errorf("permissions: %s", got)
	}
	// Who is deactivated is still a member, and the list says that they see nothing.
	for _, off := range []bool{true, false} {
		w.want(200, "PATCH", "/v1/users/"+boss, owner, fmt.Sprintf(`{"disabled":%t}`, off))
		for _, member := range w.want(200, "GET", members, owner, "")["items"].([]any) {
			if member := member.(map[string]any); member["disabled"] != (off && member["username"] == "boss") {
				t.Errorf("boss disabled is %t: %v", off, member)
			}
		}
	}
	bossToken := w.signIn("boss")
	w.want(204, "DELETE", "/v1/libraries/"+films+"/permissions/"+boss, owner, "")
	w.want(200, "POST", "/v1/libraries/"+films+"/permissions", owner, `{"userId":"`+boss+`","role":"admin"}`)
	// Who sees it without a grant cannot be removed from it alone, and the answer says so.
	w.says(422, "This person sees every library, by their role or their access: change that",
		"DELETE", "/v1/libraries/"+films+"/members/"+everything, bossToken, "")
	// Links that others made are listed for who has all that they give, and ended by those who may end them.
	invites := "/v1/libraries/" + films + "/invites"
	made := w.want(201, "POST", "/v1/invites", owner,
		`{"libraries":[{"libraryId":"`+films+`"}],"email":"mia@example.org","welcome":"Hello","reference":"For Mia"}`)
	theirs := made["id"].(string)
	w.want(201, "POST", "/v1/auth/register", "",
		`{"username":"mia","email":"mia@example.org","password":"`+password+`","inviteCode":"`+made["code"].(string)+`"}`)
	w.want(201, "POST", "/v1/invites", owner, `{"libraries":[{"libraryId":"`+kids+`"}]}`)
	own := w.want(201, "POST", invites, bossToken, `{}`)["id"].(string)
	if got := w.names(invites, bossToken, "id"); !slices.Equal(got, []string{theirs, own}) {
		t.Errorf("listed %v, want %v", got, []string{theirs, own})
	}
	told := func(token string) (told []string) {
		for _, invite := range w.want(200, "GET", invites, token, "")["items"].([]any) {
			invite := invite.(map[string]any)
			for _, field := range []string{"codeSHA256", "email", "welcome", "reference", "lastUsedBy"} {
				if value, _ := invite[field].(string); value != "" {
					told = append(told, invite["id"].(string)+" "+field)
				}
			}
		}
		return told
	}
	// What others wrote into theirs, and who came, is for who sees all invites.
	all := []string{theirs + " codeSHA256", theirs + " email", theirs + " welcome", theirs + " reference", theirs + " lastUsedBy", own + " codeSHA256"}
	if got := told(bossToken); !slices.Equal(got, all[5:]) {
		t.Errorf("a library's admin is told %v", got)
	}
	if got := told(owner); !slices.Equal(got, all) {
		t.Errorf("the owner is told %v", got)
	}
	w.says(403, "Forbidden", "DELETE", invites+"/"+theirs, bossToken, "")
	w.want(204, "DELETE", invites+"/"+own, bossToken, "")
}

// Alcoves seed, lines 40 to 47 and 69 to 70: links that a library's admins make, see and revoke.
func TestLibraryInvites(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films, kids := w.library(owner, "Films", "films"), w.library(owner, "Kids", "kids")
	_, boss := w.user(owner, "boss", `,"access":{"all":false,"libraries":[{"libraryId":"`+films+`","role":"admin"}]}`)
	invites := "/v1/libraries/" + films + "/invites"
	w.says(404, "Library not found", "POST", "/v1/libraries/"+kids+"/invites", boss, `{}`)
	w.says(403, "Forbidden", "POST", "/v1/invites", boss, `{}`)
	invite := w.want(201, "POST", invites, boss, `{"maxUses":2,"expiresAt":"2026-06-02T12:00:00Z"}`)
	code := invite["code"].(string)
	if invite["url"] != w.url+"/invite/"+code {
		t.Errorf("the whole link is %v", invite["url"])
	}
	// The server's own invites are not the library's, and the other way round they can be looked at.
	w.want(201, "POST", "/v1/invites", owner, `{"libraries":[{"libraryId":"`+films+`"},{"libraryId":"`+kids+`"}]}`)
	if got := w.names(invites, boss, "id"); !slices.Equal(got, []string{invite["id"].(string)}) {
		t.Errorf("the library's invites: %v", got)
	}
	if got := w.names("/v1/invites", owner, "id"); len(got) != 2 {
		t.Errorf("all invites: %v", got)
	}
	mia := w.want(201, "POST", "/v1/auth/register", "", `{"username":"mia","password":"`+password+`","inviteCode":"`+code+`"}`)["token"].(string)
	if got := w.want(200, "GET", "/v1/libraries/"+films, mia, ""); got["role"] != "viewer" || got["canWrite"] != false || len(got["paths"].([]any)) != 0 {
		t.Errorf("mia is %v", got)
	}
	w.says(404, "Library not found", "GET", "/v1/libraries/"+kids, mia, "")
	w.want(204, "DELETE", invites+"/"+invite["id"].(string), boss, "")
	w.says(410, "Invite has been revoked", "POST", "/v1/auth/register", "", `{"username":"ben","password":"`+password+`","inviteCode":"`+code+`"}`)
	w.want(200, "GET", "/v1/libraries/"+films, mia, "")
	if status := w.want(200, "GET", invites, boss, "")["items"].([]any)[0].(map[string]any)["status"]; status != "revoked" {
		t.Errorf("it reads %v", status)
	}
}

// Shisho seed, line 42: "Sessions last 7 days", and each can be ended by its holder, and by nobody else.
func TestOwnSessions(t *testing.T) {
	w := start(t)
	owner := w.owner()
	_, token := w.user(owner, "mia", "")
	w.clock.advance(time.Minute)
	phone := w.signIn("mia")
	list := w.want(200, "GET", "/v1/auth/sessions", token, "")["items"].([]any)
	if len(list) != 2 || list[0].(map[string]any)["current"] != true || list[1].(map[string]any)["expiresAt"] != "2026-06-08T12:01:00Z" {
		t.Fatalf("sessions: %v", list)
	}
	other := "/v1/auth/sessions/" + list[1].(map[string]any)["id"].(string)
	w.says(404, "Session not found", "DELETE", other, owner, "")
	w.want(204, "DELETE", other, token, "")
	w.says(401, "Unauthorized", "GET", "/v1/libraries", phone, "")
	w.says(404, "Session not found", "DELETE", other, token, "")
	tablet := w.signIn("mia")
	w.want(204, "DELETE", "/v1/auth/sessions", token, "")
	w.says(401, "Unauthorized", "GET", "/v1/libraries", tablet, "")
	w.want(200, "GET", "/v1/libraries", token, "")
}
