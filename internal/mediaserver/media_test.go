package mediaserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Dubby roles seed, line 26: owner and admin make libraries, and even they not outside the roots.
func TestLibrariesLieBelowRootFolders(t *testing.T) {
	w := start(t)
	owner := w.owner()
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(w.root, "way-out")); err != nil {
		t.Fatal(err)
	}
	w.write("file.mp4", "film")
	for _, path := range []string{outside, w.root + "/way-out", w.root + "/../", "/etc", w.root + "/file.mp4", w.root + "/none", "films", ""} {
		got := w.send("POST", "/v1/libraries", owner, fmt.Sprintf(`{"name":"X","type":"movies","paths":[%q]}`, path))
		if got.status != 422 || !strings.Contains(got.body, `"path":"paths[0]"`) {
			t.Errorf("%s: %v", path, got)
		}
		if filepath.IsAbs(path) && !strings.Contains(got.body, w.root) {
			t.Errorf("%s: the answer does not say which root folders there are: %v", path, got)
		}
	}
	for _, body := range []string{
		`{"name":"X","type":"movies","paths":[]}`, `{"name":"X","type":"films","paths":["/"]}`, `{"name":"","type":"movies","paths":["/"]}`,
		fmt.Sprintf(`{"name":"X","type":"movies","paths":[%q,%q]}`, w.root, w.root),
	} {
		w.want(422, "POST", "/v1/libraries", owner, body)
	}
	if got := w.names("/v1/libraries", owner, "name"); len(got) != 0 {
		t.Errorf("libraries %v", got)
	}
}

// Alcoves seed, lines 31 and 38; Dubby roles seed, lines 26 to 28.
func TestALibrarysLife(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("films/heat.mp4", "film")
	w.write("films/read.me", "no media")
	created := w.want(201, "POST", "/v1/libraries", owner,
		fmt.Sprintf(`{"name":"Films","type":"movies","paths":[%q],"emoji":"🧸"}`, w.root+"/films"))
	path := "/v1/libraries/" + created["id"].(string)
	w.scanned()
	got := w.want(200, "GET", path, owner, "")
	scan := got["scan"].(map[string]any)
	if got["itemCount"] != 1.0 || got["emoji"] != "🧸" || scan["state"] != "idle" || scan["found"] != 1.0 || scan["skipped"] != 1.0 {
		t.Errorf("got %v", got)
	}
	twin := w.library(owner, "Films", "films")
	w.says(409, "Library must be empty before it can be deleted", "DELETE", path, owner, "")
	w.want(422, "PATCH", path, owner, `{"type":"music"}`)
	got = w.want(200, "PATCH", path, owner, `{"name":"Cinema","emoji":null,"sharingEnabled":true,"type":"movies"}`)
	if got["name"] != "Cinema" || got["emoji"] != nil || got["sharingEnabled"] != true {
		t.Errorf("got %v", got)
	}
	w.want(422, "PATCH", path, owner, `{"paths":["/etc"]}`)
	got = w.want(200, "PATCH", path, owner, fmt.Sprintf(`{"paths":[%q]}`, w.mkdir("kids")))
	if got["itemCount"] != 0.0 {
		t.Errorf("items of a directory that is not the library's any more: %v", got)
	}
	w.scanned()
	w.write("kids/a.mp4", "film")
	w.want(202, "POST", path+"/scan", owner, "")
	w.scanned()
	if got = w.want(200, "GET", path, owner, ""); got["itemCount"] != 1.0 {
		t.Errorf("got %v", got)
	}
	if err := os.Remove(filepath.Join(w.root, "kids", "a.mp4")); err != nil {
		t.Fatal(err)
	}
	w.want(202, "POST", path+"/scan", owner, "")
	w.scanned()
	_, ada := w.user(owner, "ada", `,"role":"admin"`)
	w.says(403, "Forbidden", "DELETE", path, ada, "")
	w.want(204, "DELETE", path, owner, "")
	w.says(404, "Library not found", "DELETE", path, owner, "")
	if got := w.names("/v1/libraries", owner, "id"); !slices.Equal(got, []string{twin}) {
		t.Errorf("libraries %v", got)
	}
}

func TestAScanThatCannotReadKeepsTheItems(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("films/heat.mp4", "film")
	library := w.library(owner, "Films", "films")
	if err := os.Rename(filepath.Join(w.root, "films"), filepath.Join(w.root, "away")); err != nil {
		t.Fatal(err)
	}
	w.want(202, "POST", "/v1/libraries/"+library+"/scan", owner, "")
	w.scanned()
	got := w.want(200, "GET", "/v1/libraries/"+library, owner, "")
	if scan := got["scan"].(map[string]any); scan["state"] != "failed" || scan["message"] == "" || got["itemCount"] != 1.0 {
		t.Errorf("got %v", got)
	}
	w.says(404, "Item not found", "GET", "/v1/items/"+w.itemNamed(owner, "heat")+"/stream", owner, "")
}

func TestStreaming(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("films/Über \"x\".txt", "0123456789")
	w.library(owner, "Films", "films")
	path := "/v1/items/" + w.itemNamed(owner, "über") + "/stream"
	whole := w.send("GET", path, owner, "")
	if whole.status != 200 || whole.body != "0123456789" || whole.header.Get("Content-Type") != "text/plain; charset=utf-8" ||
		whole.header.Get("X-Content-Type-Options") != "nosniff" || whole.header.Get("Accept-Ranges") != "bytes" ||
		!strings.HasPrefix(whole.header.Get("Content-Disposition"), "inline; filename*=utf-8''%C3%9Cber") {
		t.Errorf("%v %v", whole, whole.header)
	}
	etag, modified := whole.header.Get("ETag"), whole.header.Get("Last-Modified")
	for _, c := range []struct {
		method  string
		headers []string
		status  int
		body    string
	}{
		{"HEAD", nil, 200, ""},
		{"GET", []string{"Range", "bytes=2-4"}, 206, "234"},
		{"GET", []string{"Range", "bytes=-3"}, 206, "789"},
		{"GET", []string{"Range", "bytes=7-"}, 206, "789"},
		{"GET", []string{"Range", "bytes=2-4", "If-Range", etag}, 206, "234"},
		{"GET", []string{"Range", "bytes=2-4", "If-Range", modified}, 206, "234"},
		{"GET", []string{"Range", "bytes=2-4", "If-Range", `"old"`}, 200, "0123456789"},
		{"GET", []string{"If-None-Match", etag}, 304, ""},
		{"GET", []string{"If-Match", `"old"`}, 412, ""},
	} {
		if got := w.send(c.method, path, owner, "", c.headers...); got.status != c.status || got.body != c.body {
			t.Errorf("%s %v: %v", c.method, c.headers, got)
		}
	}
	if got := w.send("GET", path, owner, "", "Range", "bytes=99-"); got.status != 416 {
		t.Errorf("got %v", got)
	}
	if got := w.send("HEAD", path, owner, ""); got.header.Get("Content-Length") != "10" {
		t.Errorf("got %v", got.header)
	}
}

// A file that becomes a link to the outside after the scan is not there any more.
func TestStreamsNeverLeaveTheLibrary(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("films/heat.mp4", "film")
	w.write("secret.txt", "secret")
	w.library(owner, "Films", "films")
	path := "/v1/items/" + w.itemNamed(owner, "heat") + "/stream"
	file := filepath.Join(w.root, "films", "heat.mp4")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..", "secret.txt"), file); err != nil {
		t.Fatal(err)
	}
	w.says(404, "Item not found", "GET", path, owner, "")
}

func TestListsOfItems(t *testing.T) {
	w := start(t)
	owner := w.owner()
	for _, name := range []string{"a.mp4", "b.mp3", "c/d.epub", "c/e.jpg", "f_1.txt", "f%1.txt"} {
		w.write("films/"+name, name)
	}
	items := "/v1/libraries/" + w.library(owner, "Films", "films") + "/items"
	if got := w.names(items, owner, "path"); !slices.Equal(got, []string{"a.mp4", "b.mp3", "c/d.epub", "c/e.jpg", "f%1.txt", "f_1.txt"}) {
		t.Errorf("items %v", got)
	}
	if got := w.names(items+"?type=book", owner, "title"); !slices.Equal(got, []string{"d"}) {
		t.Errorf("books %v", got)
	}
	if got := w.names("/v1/search?q=F_", owner, "title"); !slices.Equal(got, []string{"f_1"}) {
		t.Errorf("found %v", got)
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=x", "cursor=!", "type=film"} {
		w.want(422, "GET", items+"?"+query, owner, "")
	}
	w.want(422, "GET", "/v1/search", owner, "")
}
