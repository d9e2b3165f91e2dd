package mediaserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver"
)

// personal returns the caller's personal library.
func (w *world) personal(token string) map[string]any {
	w.Helper()
	var found map[string]any
	for _, entry := range w.want(200, "GET", "/v1/libraries?limit=100", token, "")["items"].([]any) {
		if entry := entry.(map[string]any); entry["personal"] == true {
			if found != nil {
				w.Error("somebody sees two personal libraries")
			}
			found = entry
		}
	}
	if found == nil {
		w.Fatal("somebody has no personal library")
	}
	return found
}

// Alcoves seed, line 16: "Every account starts with a personal library called My Library. It is created automatically
// when you register and cannot be deleted or shared with others."
func TestEverybodyHasAPersonalLibrary(t *testing.T) {
	data := t.TempDir()
	w := start(t, func(c *mediaserver.Config) { c.DataDir = data })
	owner := w.owner()
	w.want(200, "PATCH", "/v1/server", owner, `{"registration":"open"}`)
	registered := w.want(201, "POST", "/v1/auth/register", "", `{"username":"mia","password":"`+password+`"}`)["token"].(string)
	ben, created := w.user(owner, "ben", `,"access":{"all":true,"libraries":[]}`)
	for who, token := range map[string]string{"the owner": owner, "who registered": registered, "who was created": created} {
		own := w.personal(token)
		if own["name"] != "My Library" || own["role"] != "owner" || own["canWrite"] != true || own["sharingEnabled"] != false {
			t.Errorf("%s has %v", who, own)
		}
		path := "/v1/libraries/" + own["id"].(string)
		w.says(422, "A personal library cannot be deleted", "DELETE", path, token, "")
		w.says(422, "A personal library cannot be shared", "PATCH", path, token, `{"sharingEnabled":true}`)
		w.says(422, "A personal library cannot be shared", "GET", path+"/members", token, "")
		w.says(422, "A personal library cannot be shared", "POST", path+"/invites", token, `{}`)
		w.want(422, "PATCH", path, token, fmt.Sprintf(`{"paths":[%q]}`, w.mkdir("films")))
		w.want(200, "PATCH", path, token, `{"emoji":"🏠"}`)
	}
	id := w.personal(registered)["id"].(string)
	w.says(404, "Library not found", "POST", "/v1/libraries/"+id+"/permissions", owner, `{"userId":"`+ben+`"}`)
	own := w.personal(owner)["id"].(string)
	w.says(422, "A personal library cannot be shared", "POST", "/v1/libraries/"+own+"/permissions", owner, `{"userId":"`+ben+`"}`)
	for _, personal := range []string{id, own} {
		w.want(422, "PUT", "/v1/users/"+ben+"/access", owner, `{"all":false,"libraries":[{"libraryId":"`+personal+`"}]}`)
		w.want(422, "POST", "/v1/invites", owner, `{"libraries":[{"libraryId":"`+personal+`"}]}`)
	}
}

// Alcoves seed, line 16: "Think of it as your private workspace". Whatever anybody's role or access, it does not exist
// for others.
func TestAPersonalLibraryIsNobodyElses(t *testing.T) {
	data := t.TempDir()
	w := start(t, func(c *mediaserver.Config) { c.DataDir = data; c.MediaRoots = append(c.MediaRoots, data) })
	owner := w.owner()
	mia, token := w.user(owner, "mia", "")
	_, all := w.user(owner, "all", `,"role":"editor","access":{"all":true,"libraries":[]}`)
	_, admin := w.user(owner, "admin", `,"role":"admin"`)
	dir := filepath.Join(data, "personal", mia)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "diary.txt"), []byte("Dear diary"), 0o600); err != nil {
		t.Fatal(err)
	}
	library := w.personal(token)["id"].(string)
	w.want(202, "POST", "/v1/libraries/"+library+"/scan", token, "")
	w.scanned()
	item := w.itemNamed(token, "diary")
	if got := w.send("GET", "/v1/items/"+item+"/stream", token, ""); got.body != "Dear diary" {
		t.Errorf("mia reads %v", got)
	}
	for who, other := range map[string]string{"owner": owner, "admin": admin, "all": all} {
		for _, route := range guardedRoutes {
			for _, id := range []string{library, item} {
				hidden := w.send(route.method, fmt.Sprintf(route.path, id), other, route.body)
				nothing := w.send(route.method, fmt.Sprintf(route.path, "V1StGXR8_Z5jdHi6B-myT"), other, route.body)
				hidden.header.Del("Date")
				nothing.header.Del("Date")
				if hidden.status != 404 || hidden.String() != nothing.String() || fmt.Sprint(hidden.header) != fmt.Sprint(nothing.header) {
					t.Errorf("%s: %s %s: %v, and for nothing %v", who, route.method, route.path, hidden, nothing)
				}
			}
		}
		if got := w.names("/v1/search?q=diary", other, "id"); len(got) != 0 {
			t.Errorf("%s finds %v", who, got)
		}
	}
	// Nor is there a way around it: a library over its directory, or over one that holds it.
	for _, path := range []string{dir, filepath.Join(data, "personal"), data} {
		w.want(422, "POST", "/v1/libraries", owner, fmt.Sprintf(`{"name":"Spy","type":"mixed","paths":[%q]}`, path))
	}
	// The library goes with the account, the file stays.
	w.want(204, "DELETE", "/v1/users/"+mia, owner, "")
	if _, err := os.Stat(filepath.Join(dir, "diary.txt")); err != nil {
		t.Error(err)
	}
}
