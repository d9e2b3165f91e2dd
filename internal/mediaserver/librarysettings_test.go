package mediaserver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Alcoves seed, lines 11, 14, 27 and 31 to 34: name, emoji, and feature flags that are off at first.
func TestLibrarySettings(t *testing.T) {
	w := start(t)
	owner := w.owner()
	library := "/v1/libraries/" + w.library(owner, "Films", "films")
	flags := []string{"sharingEnabled", "faceRecognition", "objectDetection"}
	got := w.want(200, "GET", library, owner, "")
	for _, flag := range flags {
		if got[flag] != false {
			t.Errorf("%s is on at first", flag)
		}
		if changed := w.want(200, "PATCH", library, owner, `{"`+flag+`":true}`); changed[flag] != true {
			t.Errorf("%s stays off", flag)
		}
	}
	got = w.want(200, "PATCH", library, owner, `{"name":"Movies","emoji":"🎬"}`)
	if got["name"] != "Movies" || got["emoji"] != "🎬" || got["sharingEnabled"] != true {
		t.Errorf("got %v", got)
	}
}

// Alcoves seed, line 38: "Only the owner can delete a library, and only when it is empty (no files, including trash)."
func TestOnlyEmptyLibrariesAreDeletedAndTrashCounts(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("films/heat.mp4", "film")
	id := w.library(owner, "Films", "films")
	library := "/v1/libraries/" + id
	item := w.itemNamed(owner, "heat")
	_, viewer := w.user(owner, "viewer", `,"access":{"all":false,"libraries":[{"libraryId":"`+id+`"}]}`)
	_, libadmin := w.user(owner, "libadmin", `,"access":{"all":false,"libraries":[{"libraryId":"`+id+`","role":"admin"}]}`)
	_, admin := w.user(owner, "admin", `,"role":"admin"`)
	const full = "Library must be empty before it can be deleted"
	w.says(409, full, "DELETE", library, owner, "")
	w.want(204, "DELETE", "/v1/items/"+item, libadmin, "")
	// In the trash, it is in no list and has no page of its own.
	for _, path := range []string{"/v1/items/" + item, "/v1/items/" + item + "/stream"} {
		w.says(404, "Item not found", "GET", path, owner, "")
	}
	if got := w.names(library+"/items", owner, "id"); len(got) != 0 {
		t.Errorf("the list still has %v", got)
	}
	w.says(403, "Forbidden", "GET", library+"/trash", viewer, "")
	if got := w.names(library+"/trash", libadmin, "id"); !slices.Equal(got, []string{item}) {
		t.Errorf("the trash holds %v", got)
	}
	w.says(409, full, "DELETE", library, owner, "")
	// A scan finds the file again, and leaves it in the trash.
	w.want(202, "POST", library+"/scan", owner, "")
	w.scanned()
	if got := w.names(library+"/items", owner, "id"); len(got) != 0 {
		t.Errorf("a scan brought %v back", got)
	}
	w.says(404, "Item not found", "POST", "/v1/items/"+item+"/restore", viewer, "")
	w.want(200, "POST", "/v1/items/"+item+"/restore", libadmin, "")
	w.want(200, "GET", "/v1/items/"+item, viewer, "")
	empty := w.library(owner, "Empty", "empty")
	w.says(403, "Forbidden", "DELETE", "/v1/libraries/"+empty, admin, "")
	w.want(204, "DELETE", "/v1/libraries/"+empty, owner, "")
	own := w.library(admin, "Admin's", "empty")
	w.want(204, "DELETE", "/v1/libraries/"+own, admin, "")
}

// Alcoves seed, lines 34 and 76: the flag "must be on before any share link can be created", and a link exposes "one
// clip to the internet without requiring login", and nothing else.
func TestShareLinks(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("films/heat.mp4", "the film")
	w.write("films/secret.mp4", "another film")
	id := w.library(owner, "Films", "films")
	item, secret := w.itemNamed(owner, "heat"), w.itemNamed(owner, "secret")
	links := "/v1/items/" + item + "/share-links"
	w.says(422, "Public sharing is off for this library", "POST", links, owner, `{}`)
	w.want(200, "PATCH", "/v1/libraries/"+id, owner, `{"sharingEnabled":true}`)
	link := w.want(201, "POST", links, owner, `{"expiresAt":"2026-06-02T12:00:00Z"}`)
	token := link["token"].(string)
	shared := "/v1/shared/" + token
	got := w.want(200, "GET", shared, "", "")
	if fmt.Sprint(got) != "map[mimeType:video/mp4 size:8 title:heat type:video]" {
		t.Errorf("the link tells %v", got)
	}
	if got := w.send("GET", shared+"/stream", "", "", "Range", "bytes=4-"); got.status != 206 || got.body != "film" {
		t.Errorf("the link streams %v", got)
	}
	// The link is given whole, and opens a page that plays, for whoever has it.
	page, found := strings.CutPrefix(link["url"].(string), w.url)
	b := w.webBrowser()
	if b.open(200, page); !found || page != "/shared/"+token {
		t.Errorf("the whole link is %v", link["url"])
	}
	b.sees("heat", `<video class="player" controls playsinline preload="metadata" src="`+shared+`/stream">`, "8 bytes")
	for _, never := range []string{"Films", "secret", item, id} {
		if strings.Contains(b.page.body, never) {
			t.Errorf("the page tells %q:\n%s", never, b.page.body)
		}
	}
	// The token opens nothing else.
	for _, path := range []string{"/v1/items/" + item, "/v1/items/" + secret, "/v1/libraries", "/v1/search?q=heat"} {
		w.says(401, "Unauthorized", "GET", path, token, "")
	}
	w.says(404, "Share link not found", "GET", "/v1/shared/"+item, "", "")
	if text := w.send("GET", links, owner, "").body; strings.Contains(text, token) || strings.Contains(w.log.String(), token) {
		t.Error("the token is told again")
	}
	dead := func(why string) {
		t.Helper()
		for _, path := range []string{shared, shared + "/stream"} {
			if got := w.send("GET", path, "", ""); got.String() != `404 {"error":"Share link not found"}` {
				t.Errorf("%s: %v", why, got)
			}
		}
		b.open(404, strings.TrimPrefix(shared, "/v1"))
		b.sees("There is nothing here")
	}
	w.want(200, "PATCH", "/v1/libraries/"+id, owner, `{"sharingEnabled":false}`)
	dead("sharing is off")
	w.want(200, "PATCH", "/v1/libraries/"+id, owner, `{"sharingEnabled":true}`)
	w.want(204, "DELETE", "/v1/items/"+item, owner, "")
	dead("the item is in the trash")
	w.want(200, "POST", "/v1/items/"+item+"/restore", owner, "")
	w.want(200, "GET", shared, "", "")
	w.clock.advance(24 * time.Hour)
	dead("it has expired")
	again := w.want(201, "POST", links, owner, `{}`)
	shared = "/v1/shared/" + again["token"].(string)
	w.want(200, "GET", shared, "", "")
	w.want(204, "DELETE", links+"/"+again["id"].(string), owner, "")
	dead("it was deleted")
}

// Switching sharing on is sharing: it takes more than writing to the library.
func TestEditorsDoNotShare(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id := w.library(owner, "Films", "films")
	_, editor := w.user(owner, "ed", `,"role":"editor","access":{"all":false,"libraries":[{"libraryId":"`+id+`"}]}`)
	w.want(200, "PATCH", "/v1/libraries/"+id, editor, `{"name":"Movies","sharingEnabled":false}`)
	w.says(403, "Forbidden", "PATCH", "/v1/libraries/"+id, editor, `{"sharingEnabled":true}`)
	w.says(403, "Forbidden", "POST", "/v1/libraries/"+id+"/scan", editor, "")
}
