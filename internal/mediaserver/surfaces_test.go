package mediaserver_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
)

// cookie signs in on the web page and returns the header that a browser would send.
func (w *world) cookie(name string) []string {
	w.Helper()
	b := w.webBrowser()
	b.open(200, "/")
	b.submit(303, "sign-in", map[string]string{"login": name, "password": password})
	for _, cookie := range b.cookies {
		if cookie.Name == "mediaserver_session" && cookie.HttpOnly {
			return []string{"Cookie", cookie.Name + "=" + cookie.Value}
		}
	}
	w.Fatal("no session cookie")
	return nil
}

// Dubby access seed, lines 19 ("Changes take effect immediately") and 35 to 45: each way to see something, before the
// grant, with it, and after it is taken away, in sessions that go on running.
func TestEverySurfaceFollowsTheGrantAtOnce(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("books/deep.epub", mediafiletest.EPUB("Deep", "Vinge", "Zones"))
	w.write("books/fire.epub", mediafiletest.EPUB("Fire", "Vinge", "Zones"))
	library := w.library(owner, "Books", "books")
	deep := w.itemNamed(owner, "Deep")
	id, mia := w.user(owner, "mia", "")
	web, opds := w.cookie("mia"), basic("mia", password)
	lists := map[string][]string{
		"/v1/libraries": nil, "/v1/search?q=e": nil, "/v1/recently-added": nil, "/v1/continue-watching": nil, "/v1/recommendations": nil,
		"/opds/v1.2": opds, "/opds/v1.2/recent": opds, "/opds/v1.2/search?q=vinge": opds, "/": web, "/app/search?q=vinge": web, "/app/recent": web,
	}
	pages := map[string][]string{
		"/v1/libraries/{library}": nil, "/v1/libraries/{library}/items": nil, "/v1/items/{item}": nil, "/v1/items/{item}/stream": nil,
		"/v1/items/{item}/artwork": nil, "/v1/items/{item}/progress": nil, "/opds/v1.2/libraries/{library}": opds,
		"/opds/v1.2/items/{item}/file": opds, "/opds/v1.2/items/{item}/cover": opds, "/app/libraries/{library}": web,
		"/app/items/{item}": web, "/app/items/{item}/file": web, "/app/items/{item}/artwork": web,
	}
	get := func(path string, headers []string) answer {
		if headers == nil {
			headers = []string{"Authorization", "Bearer " + mia}
		}
		return w.send("GET", path, "", "", append(slices.Clone(headers), "Range", "bytes=0-3")...)
	}
	look := func(granted bool) {
		t.Helper()
		for path, headers := range lists {
			got := get(path, headers)
			shows := strings.Contains(got.body, library) || strings.Contains(got.body, deep) || strings.Contains(got.body, "Fire")
			if got.status != 200 || shows != granted {
				t.Errorf("granted %v, %s: %v", granted, path, got)
			}
		}
		for path, headers := range pages {
			got := get(strings.NewReplacer("{library}", library, "{item}", deep).Replace(path), headers)
			if granted {
				if got.status != 200 && got.status != 206 {
					t.Errorf("%s: %v", path, got)
				}
				continue
			}
			nothing := get(strings.NewReplacer("{library}", unknown, "{item}", unknown).Replace(path), headers)
			for _, a := range []*answer{&got, &nothing} {
				a.header.Del("Set-Cookie")
				a.body = formToken.ReplaceAllString(a.body, "")
			}
			w.sameAnswer(got, nothing)
		}
	}
	look(false)
	for range 2 {
		w.want(200, "POST", "/v1/libraries/"+library+"/permissions", owner, `{"userId":"`+id+`"}`)
		w.want(200, "PUT", "/v1/items/"+deep+"/progress", mia, `{"positionMs":0}`)
		look(true)
		w.want(204, "DELETE", "/v1/libraries/"+library+"/permissions/"+id, owner, "")
		look(false)
		w.says(404, "Item not found", "PUT", "/v1/items/"+deep+"/progress", mia, `{"positionMs":5}`)
		w.says(404, "Item not found", "DELETE", "/v1/items/"+deep+"/progress", mia, "")
	}
	w.want(200, "PATCH", "/v1/users/"+id, owner, `{"disabled":true}`)
	if got := w.send("GET", "/", "", "", web...); !strings.Contains(got.body, `action="/app/sign-in"`) {
		t.Errorf("a browser of somebody deactivated gets %v", got)
	}
	if got := get("/app/items/"+deep+"/file", web); got.status != 200 || strings.HasPrefix(got.body, "PK") {
		t.Errorf("a browser of somebody deactivated gets %v", got)
	}
}

// Dubby access seed, line 37: playing. A transfer that broke off goes on where it was; one of a file that changed
// meanwhile begins anew.
func TestCurlResumesAStream(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv("USHER_CI_REQUIRE") != "" {
			t.Fatal("there is no curl, which USHER_CI_REQUIRE asks for")
		}
		t.Skip("there is no curl on the PATH")
	}
	w := start(t)
	owner := w.owner()
	content := strings.Repeat("0123456789", 100_000)
	w.write("films/heat.mkv", content)
	w.library(owner, "Films", "films")
	url, out := w.url+"/v1/items/"+w.itemNamed(owner, "heat")+"/stream", filepath.Join(t.TempDir(), "heat.mkv")
	fetch := func(arguments ...string) {
		t.Helper()
		arguments = append(arguments, "-sS", "--fail", "-H", "Authorization: Bearer "+owner, "-o", out, url)
		if said, err := exec.CommandContext(t.Context(), curl, arguments...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	fetch("-r", "0-399999")
	if got, err := os.ReadFile(out); err != nil || len(got) != 400_000 {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	etag := w.send("HEAD", strings.TrimPrefix(url, w.url), owner, "").header.Get("ETag")
	fetch("-C", "-", "-H", "If-Range: "+etag)
	if got, err := os.ReadFile(out); err != nil || string(got) != content {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	// With what curl knows of the old file, it gets all of the new one.
	w.write("films/heat.mkv", content+"more")
	fetch("-r", "400000-", "-H", "If-Range: "+etag)
	if got, err := os.ReadFile(out); err != nil || string(got) != content+"more" {
		t.Errorf("%d bytes of the new file, %v", len(got), err)
	}
}

// Dubby access seed, line 36: "metadata, artwork, and descriptions", from files of which some are broken.
func TestScansReadMetadataAndNameWhatIsBroken(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.write("mix/deep.epub", mediafiletest.EPUB("Deep", "Vinge", "Zones"))
	for _, name := range []string{"a", "b", "c", "d"} {
		w.write("mix/"+name+".epub", "no book")
	}
	w.write("mix/heat.mkv", "film")
	library := w.library(owner, "Mix", "mix")
	scan := w.want(200, "GET", "/v1/libraries/"+library, owner, "")["scan"].(map[string]any)
	const says = "a.epub is no readable archive; b.epub is no readable archive; c.epub is no readable archive; 1 more files could not be read"
	if scan["message"] != says || scan["state"] != "idle" || scan["found"] != 6.0 || scan["seen"] != 6.0 {
		t.Errorf("got %v", scan)
	}
	if got := w.want(200, "GET", "/v1/items/"+w.item(owner, "a.epub"), owner, ""); got["problem"] != "is no readable archive" || got["title"] != "a" {
		t.Errorf("got %v", got)
	}
	heat, deep := "/v1/items/"+w.item(owner, "heat.mkv"), "/v1/items/"+w.item(owner, "deep.epub")
	got := w.want(200, "GET", deep, owner, "")
	if got["creator"] != "Vinge" || got["series"] != "Zones" || got["seriesPosition"] != "1" || got["year"] != 1999.0 || got["hasArtwork"] != true {
		t.Errorf("got %v", got)
	}
	w.says(404, "Artwork not found", "GET", heat+"/artwork", owner, "")
	// What somebody wrote stays; a picture that appears beside a film is taken, and goes when nothing shows it.
	w.want(200, "PATCH", deep, owner, `{"title":"Mine"}`)
	w.write("mix/deep.epub", mediafiletest.EPUB("Deeper", "Other", "Zones"))
	w.write("mix/heat.png", mediafiletest.Pixel)
	w.want(202, "POST", "/v1/libraries/"+library+"/scan", owner, "")
	w.scanned()
	if got := w.want(200, "GET", deep, owner, ""); got["title"] != "Mine" || got["creator"] != "Vinge" {
		t.Errorf("got %v", got)
	}
	picture := w.send("GET", heat+"/artwork", owner, "")
	if picture.status != 200 || picture.header.Get("Content-Type") != "image/png" || picture.header.Get("ETag") == "" {
		t.Errorf("got %v %v", picture, picture.header)
	}
	if got := w.want(200, "GET", "/v1/libraries/"+library, owner, ""); got["itemCount"] != 6.0 {
		t.Errorf("the picture is an item of its own: %v", got)
	}
	if got := w.send("GET", heat+"/artwork", owner, "", "If-None-Match", picture.header.Get("ETag")); got.status != 304 {
		t.Errorf("got %v", got)
	}
}

// Dubby access seed, lines 38 and 39: what one has begun is one's own; 95 percent of it are all of it.
func TestProgressIsOnesOwn(t *testing.T) {
	w := start(t)
	owner := w.owner()
	for _, name := range []string{"a", "b", "c"} {
		w.write("films/"+name+".mkv", "film")
	}
	w.library(owner, "Films", "films")
	_, ada := w.user(owner, "ada", `,"role":"admin"`)
	progress := func(name string) string { return "/v1/items/" + w.item(owner, name+".mkv") + "/progress" }
	unfinished := func(token string) (names []string) {
		for _, entry := range w.want(200, "GET", "/v1/continue-watching", token, "")["items"].([]any) {
			names = append(names, entry.(map[string]any)["item"].(map[string]any)["title"].(string))
		}
		return names
	}
	for _, name := range []string{"a", "b", "c"} {
		w.clock.advance(1_000_000)
		w.want(200, "PUT", progress(name), owner, `{"positionMs":1000,"durationMs":10000}`)
	}
	if got := unfinished(owner); !slices.Equal(got, []string{"c", "b", "a"}) {
		t.Errorf("got %v", got)
	}
	if got := w.want(200, "PUT", progress("c"), owner, `{"positionMs":9500,"durationMs":10000}`); got["finished"] != true {
		t.Errorf("got %v", got)
	}
	w.want(204, "DELETE", progress("b"), owner, "")
	if got := unfinished(owner); !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %v", got)
	}
	if got := unfinished(ada); got != nil {
		t.Errorf("ada continues %v", got)
	}
	if got := w.want(200, "GET", progress("a"), ada, ""); got["positionMs"] != 0.0 || got["updatedAt"] != nil {
		t.Errorf("got %v", got)
	}
	for _, body := range []string{`{"positionMs":-1}`, `{"positionMs":99999999999}`, `{}`} {
		w.want(422, "PUT", progress("a"), owner, body)
	}
}
