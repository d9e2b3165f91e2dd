package mediaserver_test

import (
	"fmt"
	"strings"
	"testing"
)

const powerless = "Invite gives nothing any longer: who made it may no longer give what it gave"

// gives checks what an invite is for whoever holds its link, and for who runs the server.
func (w *world) gives(when, owner, id, status, reason string, libraries ...string) {
	w.Helper()
	got := w.want(200, "GET", "/v1/invitations/"+code, "", "")
	var names []string
	for _, library := range got["libraries"].([]any) {
		names = append(names, library.(map[string]any)["name"].(string))
	}
	if said, _ := got["reason"].(string); got["status"] != status || said != reason || status == "pending" && fmt.Sprint(names) != fmt.Sprint(libraries) {
		w.Errorf("%s: %v, want %s %v", when, got, status, libraries)
	}
	seen := w.want(200, "GET", "/v1/invites/"+id, owner, "")
	if said, _ := seen["reason"].(string); seen["status"] != status || said != reason {
		w.Errorf("%s, for the owner: %v", when, seen)
	}
	w.made(when, status == "pending")
}

// made tries to use the invite, on every way to use it.
func (w *world) made(when string, works bool) {
	w.Helper()
	name := fmt.Sprint("x", strings.Count(w.log.String(), "\n"))
	page, want, registered, accepted := w.send("GET", "/invite/"+code, "", ""), 410, 410, 410
	if works {
		want, registered, accepted = 200, 201, 200
	}
	if page.status != want || !works && !strings.Contains(page.body, "may no longer give") {
		w.Errorf("%s: the page: %v", when, page)
	}
	if got := w.send("POST", "/v1/auth/register", "", join(name, code, "")); got.status != registered || !works && !strings.Contains(got.body, powerless) {
		w.Errorf("%s: registering: %v", when, got)
	}
	_, token := w.user(w.signIn("olga"), name+"y", "")
	if got := w.send("POST", "/v1/invitations/"+code+"/accept", token, ""); got.status != accepted {
		w.Errorf("%s: accepting: %v", when, got)
	}
}

// Issue: an invite made by somebody who was demoted, disabled or deleted gives no longer what they may no longer give; who changes
// it answers for it from then on, with the code that people have.
func TestInvitesLoseWhatTheirMakersLose(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films := w.library(owner, "Films", "films")
	ann, token := w.user(owner, "ann", `,"role":"admin"`)
	id := w.invite(token, code, `,"libraries":[{"libraryId":"`+films+`"}]`)
	w.gives("made", owner, id, "pending", "", "Films")
	for _, step := range []struct{ method, path, lose, again string }{
		{"PATCH", "", `{"role":"member"}`, `{"role":"admin"}`}, {"PATCH", "", `{"disabled":true}`, `{"disabled":false}`},
	} {
		w.want(200, step.method, "/v1/users/"+ann+step.path, owner, step.lose)
		w.gives(step.lose, owner, id, "unavailable", powerless)
		w.want(200, step.method, "/v1/users/"+ann+step.path, owner, step.again)
		w.gives(step.again, owner, id, "pending", "", "Films")
	}
	w.want(204, "DELETE", "/v1/users/"+ann, owner, "")
	w.gives("deleted", owner, id, "unavailable", powerless)
	w.want(200, "PATCH", "/v1/invites/"+id, owner, `{}`)
	w.gives("taken over", owner, id, "pending", "", "Films")
}

// Of several libraries, an invite loses those that its maker lost, or may no longer give in that role.
func TestInvitesLoseSingleLibraries(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films, kids := w.library(owner, "Films", "films"), w.library(owner, "Kids", "kids")
	w.want(201, "POST", "/v1/roles", owner, `{"name":"Keeper","permissions":`+
		pairs("libraries:read", "books:read", "series:read", "people:read", "users:read", "users:write")+`}`)
	access := func(films, kids string) string {
		return `{"all":false,"libraries":[` + strings.Trim(films+","+kids, ",") + `]}`
	}
	seeFilms, seeKids := `{"libraryId":"`+films+`"}`, `{"libraryId":"`+kids+`","role":"admin"}`
	ann, token := w.user(owner, "ann", `,"role":"Keeper","access":`+access(seeFilms, seeKids))
	id := w.invite(token, code, `,"libraries":[`+seeFilms+`,`+seeKids+`]`)
	w.gives("made", owner, id, "pending", "", "Films", "Kids")
	w.want(200, "PUT", "/v1/users/"+ann+"/access", owner, access(seeFilms, `{"libraryId":"`+kids+`"}`))
	w.gives("no admin of Kids", owner, id, "pending", "", "Films")
	w.want(200, "PUT", "/v1/users/"+ann+"/access", owner, access("", seeKids))
	w.gives("without Films", owner, id, "pending", "", "Kids")
	w.want(200, "PUT", "/v1/users/"+ann+"/access", owner, access("", ""))
	w.gives("without both", owner, id, "unavailable", powerless)
}

// A library's own link ends with the membership, or the role in the library, of who made it; so does a public link.
func TestLinksOfALibraryLoseWhatTheirMakersLose(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("films/heat.mp4", "film")
	films := w.library(owner, "Films", "films")
	item := w.itemNamed(owner, "heat")
	w.want(200, "PATCH", "/v1/libraries/"+films, owner, `{"sharingEnabled":true}`)
	ann, token := w.user(owner, "ann", `,"access":{"all":false,"libraries":[{"libraryId":"`+films+`","role":"admin"}]}`)
	link := w.want(201, "POST", "/v1/libraries/"+films+"/invites", token, `{}`)["code"].(string)
	share := w.want(201, "POST", "/v1/items/"+item+"/share-links", token, `{}`)["token"].(string)
	check := func(when string, works bool) {
		t.Helper()
		status, shared := map[bool]string{true: "pending", false: "unavailable"}[works], map[bool]int{true: 200, false: 404}[works]
		if got := w.want(200, "GET", "/v1/invitations/"+link, "", ""); got["status"] != status {
			t.Errorf("%s: the link: %v", when, got)
		}
		for _, path := range []string{"", "/stream"} {
			if got := w.send("GET", "/v1/shared/"+share+path, "", ""); got.status != shared {
				t.Errorf("%s: the share%s: %v", when, path, got)
			}
		}
	}
	check("made", true)
	for _, step := range []struct{ method, path, lose, again string }{
		{"PATCH", "/v1/libraries/" + films + "/members/" + ann, `{"role":"viewer"}`, `{"role":"admin"}`},
		{"PATCH", "/v1/users/" + ann, `{"disabled":true}`, `{"disabled":false}`},
		{"PUT", "/v1/users/" + ann + "/access", `{"all":false,"libraries":[]}`, `{"all":false,"libraries":[{"libraryId":"` + films + `","role":"admin"}]}`},
	} {
		w.want(200, step.method, step.path, owner, step.lose)
		check(step.lose, false)
		w.want(200, step.method, step.path, owner, step.again)
		check(step.again, true)
	}
	w.want(204, "DELETE", "/v1/users/"+ann, owner, "")
	check("deleted", false)
}

// A deleted account's id is nobody else's, and with it what is kept by the id: files among it.
func TestAnIDIsGivenOnce(t *testing.T) {
	w := start(t)
	owner := w.owner()
	mia, _ := w.user(owner, "mia", "")
	w.want(204, "DELETE", "/v1/users/"+mia, owner, "")
	w.says(409, "Another user has, or had, this id", "POST", "/v1/users", owner, `{"id":"`+mia+`","username":"eve","password":"a long password"}`)
	w.want(201, "POST", "/v1/users", owner, `{"username":"mia","password":"a long password"}`)
}

// A role that does not read libraries is shown none on the first page, neither names nor counts.
func TestTheFirstPageAsksTheRole(t *testing.T) {
	w := start(t)
	owner := w.owner()
	films := w.library(owner, "Secret Films", "films")
	for _, words := range []string{"", "books:read", "libraries:read"} {
		name := "r" + strings.ReplaceAll(words, ":", "")
		w.want(201, "POST", "/v1/roles", owner, `{"name":"`+name+`","permissions":`+pairs(strings.Fields(words)...)+`}`)
		_, token := w.user(owner, name, `,"role":"`+name+`","access":{"all":false,"libraries":[{"libraryId":"`+films+`"}]}`)
		got := (&matrix{world: w}).visit("GET", "/", "", token)
		if shown := strings.Contains(got.body, "Secret Films"); got.status != 200 || shown != (words == "libraries:read") || strings.Contains(got.body, "0 items") != shown {
			t.Errorf("with %q: %v", words, got)
		}
	}
}
