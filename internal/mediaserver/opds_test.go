package mediaserver_test

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
)

type atomLink struct {
	Rel    string `xml:"rel,attr"`
	Href   string `xml:"href,attr"`
	Type   string `xml:"type,attr"`
	Length string `xml:"length,attr"`
}

type atomEntry struct {
	IDs      []string   `xml:"http://www.w3.org/2005/Atom id"`
	Titles   []string   `xml:"http://www.w3.org/2005/Atom title"`
	Updates  []string   `xml:"http://www.w3.org/2005/Atom updated"`
	Authors  []string   `xml:"http://www.w3.org/2005/Atom author>name"`
	Links    []atomLink `xml:"http://www.w3.org/2005/Atom link"`
	Contents []struct {
		Type string `xml:"type,attr"`
	} `xml:"http://www.w3.org/2005/Atom content"`
	Summaries []struct {
		Type string `xml:"type,attr"`
	} `xml:"http://www.w3.org/2005/Atom summary"`
	Language string `xml:"http://purl.org/dc/terms/ language"`
}

type atomFeed struct {
	XMLName xml.Name
	atomEntry
	Entries []atomEntry `xml:"http://www.w3.org/2005/Atom entry"`
}

var (
	languageTag  = regexp.MustCompile(`^([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*)?$`)
	imageRelated = "http://opds-spec.org/image"
)

// linkTo returns the first link with that relation.
func (e atomEntry) linkTo(rel string) string {
	for _, link := range e.Links {
		if link.Rel == rel {
			return link.Href
		}
	}
	return ""
}

// invalid says which rules of Atom and OPDS a feed or entry breaks.
func (e atomEntry) invalid() (broken []string) {
	rule := func(name string, holds bool) {
		if !holds {
			broken = append(broken, name)
		}
	}
	// RFC 4287, sections 4.1.1 and 4.1.2: exactly one of each.
	rule("one id", len(e.IDs) == 1)
	rule("one title", len(e.Titles) == 1)
	rule("one updated", len(e.Updates) == 1)
	rule("at most one content and summary", len(e.Contents) <= 1 && len(e.Summaries) <= 1)
	for _, id := range e.IDs {
		parsed, err := url.Parse(id)
		rule("RFC 4287, 4.2.6: the id is an IRI with a scheme", err == nil && parsed.Scheme != "")
	}
	for _, updated := range e.Updates {
		_, err := time.Parse(time.RFC3339, updated)
		rule("RFC 4287, 3.3: a date is one of RFC 3339", err == nil)
	}
	for _, text := range append(e.Contents, e.Summaries...) {
		rule("OPDS schema, atomSummary: plain text", text.Type == "text")
	}
	for _, link := range e.Links {
		_, err := url.Parse(link.Href)
		rule("OPDS schema, atomUri: no characters that need escaping", err == nil && link.Href != "" && !strings.ContainsAny(link.Href, " <>{}|^`\"\n\r\t"))
		rule("RFC 4287 schema, atomMediaType: has a slash", strings.Contains(link.Type, "/"))
		if strings.HasPrefix(link.Rel, imageRelated) {
			rule("OPDS 1.2, 5.3: pictures are GIF, JPEG or PNG", slices.Contains([]string{"image/gif", "image/jpeg", "image/png"}, link.Type))
		}
	}
	rule("RFC 4287 schema, atomLanguageTag", languageTag.MatchString(e.Language))
	return broken
}

// checkFeed checks a feed against the published schemas, and against the rules of OPDS 1.2 and RFC 4287 that those do
// not hold.
func (w *world) checkFeed(kind string, got answer) atomFeed {
	w.Helper()
	feed := atomFeed{}
	if err := xml.Unmarshal([]byte(got.body), &feed); err != nil || got.status != 200 {
		w.Fatalf("%v: %v", err, got)
	}
	want := "application/atom+xml;profile=opds-catalog;kind=" + kind
	if feed.XMLName.Space != "http://www.w3.org/2005/Atom" || feed.XMLName.Local != "feed" || got.header.Get("Content-Type") != want {
		w.Errorf("it is a %v of type %s", feed.XMLName, got.header.Get("Content-Type"))
	}
	broken := feed.invalid()
	// RFC 4287, section 4.1.1: a feed has an author, unless all entries have.
	if len(feed.Authors) == 0 {
		broken = append(broken, "an author")
	}
	for _, rel := range []string{"self", "start", "search"} {
		if feed.linkTo(rel) == "" {
			broken = append(broken, "OPDS 1.2, 2 and 3: a link to "+rel)
		}
	}
	for _, entry := range feed.Entries {
		broken = append(broken, entry.invalid()...)
		acquisition := entry.linkTo("http://opds-spec.org/acquisition") != ""
		if acquisition != (kind == "acquisition") {
			broken = append(broken, "OPDS 1.2, 2.2 and 2.3: entries of acquisition feeds, and only those, link to a book")
		}
		// RFC 4287, section 4.1.2: an entry without content has an alternate link, which OPDS does not ask for of books.
		if kind == "navigation" && len(entry.Contents) == 0 {
			broken = append(broken, "OPDS 1.2, 2.2: entries of navigation feeds say what they lead to")
		}
	}
	if len(broken) > 0 {
		w.Errorf("%s breaks %v:\n%s", feed.linkTo("self"), broken, got.body)
	}
	program := xmllint(w.T)
	if program == "" {
		w.Log(noXMLLint) // TestTheSchemaBites is skipped then, and says so
	} else if valid, says := validate(w.T, program, got.body); !valid {
		w.Errorf("%s does not fit the schema: %s\n%s", feed.linkTo("self"), says, got.body)
	}
	return feed
}

func titles(feed atomFeed) []string {
	all := []string{}
	for _, entry := range feed.Entries {
		all = append(all, entry.Titles[0])
	}
	return all
}

// Shisho seed, line 43: "OPDS endpoints also support HTTP Basic Auth". Only granted books are in any feed.
func TestTheCatalogShowsGrantedBooksOnly(t *testing.T) {
	w := start(t)
	owner := w.owner()
	w.want(200, "PATCH", "/v1/server", owner, `{"name":"Büro & <Söhne>, a name too long for OpenSearch"}`)
	w.write("open/a & b.epub", mediafiletest.EPUB("Fire & <Ice>", "Žofie & Co", "Songs"))
	w.write("open/plain.pdf", "%PDF-1.4")
	w.write("open/song.mp3", mediafiletest.MP3("Song", "A", "B", 1))
	w.write("secret/s.epub", mediafiletest.EPUB("Secret fire", "Nobody", "Songs"))
	open := w.library(owner, "Open & free", "open")
	secret := w.library(owner, "Secret", "secret")
	hidden := w.itemNamed(owner, "Secret")
	song := w.item(owner, "song.mp3")
	w.user(owner, "mia", `,"access":{"all":false,"libraries":[{"libraryId":"`+open+`"}]}`)
	mia := basic("mia", password)
	get := func(path string) answer { return w.send("GET", path, "", "", mia...) }

	root := w.checkFeed("navigation", get("/opds/v1.2"))
	if got := titles(root); !slices.Equal(got, []string{"Recently added", "My Library", "Open & free"}) && !slices.Equal(got, []string{"Recently added", "Open & free", "My Library"}) {
		t.Errorf("the root has %v", got)
	}
	for path, want := range map[string][]string{
		"/opds/v1.2/libraries/" + open: {"Fire & <Ice>", "plain"}, "/opds/v1.2/search?q=fire": {"Fire & <Ice>"},
		"/opds/v1.2/search?q=nothing": {}, "/opds/v1.2/search?q=Song": {"Fire & <Ice>"},
	} {
		if got := titles(w.checkFeed("acquisition", get(path))); !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", path, got, want)
		}
	}
	recent := titles(w.checkFeed("acquisition", get("/opds/v1.2/recent")))
	if slices.Sort(recent); !slices.Equal(recent, []string{"Fire & <Ice>", "plain"}) {
		t.Errorf("recent are %v", recent)
	}
	page := w.checkFeed("acquisition", get("/opds/v1.2/libraries/"+open+"?limit=1"))
	rest := w.checkFeed("acquisition", get(page.linkTo("next")))
	if got := append(titles(page), titles(rest)...); !slices.Equal(got, []string{"Fire & <Ice>", "plain"}) || rest.linkTo("next") != "" {
		t.Errorf("the pages have %v", got)
	}
	book := page.Entries[0]
	if file := get(book.linkTo("http://opds-spec.org/acquisition")); file.status != 200 || !strings.HasPrefix(file.body, "PK") || file.header.Get("Content-Type") != "application/epub+zip" {
		t.Errorf("the book: %d %v", file.status, file.header)
	}
	if cover := get(book.linkTo(imageRelated)); cover.status != 200 || cover.header.Get("Content-Type") != "image/png" {
		t.Errorf("the cover: %d %v", cover.status, cover.header)
	}
	if got := get("/opds/v1.2/search.xml"); got.status != 200 || !strings.Contains(got.body, `template="/opds/v1.2/search?q={searchTerms}"`) {
		t.Errorf("got %v", got)
	}
	for path, like := range map[string]string{
		"/opds/v1.2/libraries/" + secret: "/opds/v1.2/libraries/" + unknown, "/opds/v1.2/items/" + hidden + "/file": "/opds/v1.2/items/" + unknown + "/file",
		"/opds/v1.2/items/" + hidden + "/cover": "/opds/v1.2/items/" + unknown + "/cover",
		"/opds/v1.2/items/" + song + "/file":    "/opds/v1.2/items/" + unknown + "/file",
	} {
		w.sameAnswer(get(path), get(like))
	}
}

// unknown is an id that nothing has.
const unknown = "V1StGXR8_Z5jdHi6B-myT"

// sameAnswer wants a 404 that tells nothing: the same to the byte, headers included.
func (w *world) sameAnswer(hidden, nothing answer) {
	w.Helper()
	hidden.header.Del("Date")
	nothing.header.Del("Date")
	if hidden.status != 404 || hidden.String() != nothing.String() || fmt.Sprint(hidden.header) != fmt.Sprint(nothing.header) {
		w.Errorf("%v %v\n%v %v", hidden, hidden.header, nothing, nothing.header)
	}
}

// Shisho seed, lines 37 and 43: sessions and OPDS end at once. What a server remembers of a password that was
// right outlives neither deactivation, nor a new password, nor a role that may not read.
func TestTheCatalogClosesAtOnce(t *testing.T) {
	w := start(t)
	owner := w.owner()
	id, _ := w.user(owner, "mia", `,"access":{"all":true,"libraries":[]}`)
	mia := basic("MIA", password)
	status := func(headers []string) int { return w.send("GET", "/opds/v1.2", "", "", headers...).status }
	if got := status(mia); got != 200 {
		t.Fatal(got)
	}
	role := w.want(201, "POST", "/v1/roles", owner, `{"name":"Clerk","permissions":[]}`)["name"].(string)
	for _, c := range []struct {
		change, undo string
		status       int
	}{
		{`{"disabled":true}`, `{"disabled":false}`, 401}, {`{"role":"` + role + `"}`, `{"role":"member"}`, 403},
	} {
		w.want(200, "PATCH", "/v1/users/"+id, owner, c.change)
		if got := status(mia); got != c.status {
			t.Errorf("%s: %d", c.change, got)
		}
		w.want(200, "PATCH", "/v1/users/"+id, owner, c.undo)
		if got := status(mia); got != 200 {
			t.Errorf("%s: %d", c.undo, got)
		}
	}
	w.want(204, "PUT", "/v1/users/"+id+"/password", owner, `{"password":"another canary","mustChangePassword":true}`)
	refused := w.send("GET", "/opds/v1.2", "", "", mia...)
	if refused.status != 401 || !strings.HasPrefix(refused.header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("the old password: %v %v", refused, refused.header)
	}
	for _, headers := range [][]string{basic("mia", "another canary"), basic("nobody", password), basic("mia", ""), {"Authorization", "Bearer " + owner}, {"Authorization", "Basic %"}, nil} {
		if got := w.send("GET", "/opds/v1.2", "", "", headers...); got.String() != refused.String() || fmt.Sprint(got.header["Www-Authenticate"]) != fmt.Sprint(refused.header["Www-Authenticate"]) {
			t.Errorf("%v: %v", headers, got)
		}
	}
}
