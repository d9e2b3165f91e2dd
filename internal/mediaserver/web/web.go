// Package web renders the media server's own pages: sign in, libraries, search, playing and reading. They work without
// scripts; the one script notes how far somebody has come with a film. What a page may show is decided by who calls.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed app.css
var style []byte

//go:embed app.js
var script []byte

// The names of the assets change with what is in them, so that browsers may keep them for ever.
var (
	styleName  = assetName("app", ".css", style)
	scriptName = assetName("app", ".js", script)
)

func assetName(name, extension string, content []byte) string {
	sum := sha256.Sum256(content)
	return name + "-" + hex.EncodeToString(sum[:6]) + extension
}

// policy lets a page load our own style, script, pictures and media, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Page is what all pages have.
type Page struct {
	// Site is the server's name, Title that of the page.
	Site, Title string
	// Assets is the path below which Assets is served, Base the one below which the pages are; both end with a slash.
	Assets, Base string
	// Person is the display name of who is signed in; empty for nobody.
	Person string
	// FormToken goes into every form.
	FormToken string
	// Query is what was searched for.
	Query string
	// Problem is what is wrong with the form that was sent; Done says that it was accepted.
	Problem, Done string
	// View is what the template named by Name shows.
	Name string
	View any
}

// Card is an item or a library in a list.
type Card struct {
	URL, Title, Note string
	// Picture is the address of a picture; Emoji stands in for one.
	Picture, Emoji string
	// Percent is how much of it is over, from 0 to 100.
	Percent int
}

// Shelf is a list with a heading. More leads to the next page; Empty is said when there is nothing in it.
type Shelf struct {
	Heading, More, Empty string
	// Low makes the cards less high: for libraries.
	Low   bool
	Cards []Card
}

// Home is the first page of somebody who is signed in.
type Home struct{ Shelves []Shelf }

// SignIn is the page for everybody else. Login is what was typed before.
type SignIn struct {
	Login string
	// Fresh says that the server has no account yet.
	Fresh bool
}

// Item is the page of one item.
type Item struct {
	ID, Title, Creator, Description, Picture, File, FileName string
	LibraryURL, LibraryName                                  string
	Kind                                                     mediafile.Kind
	MIME, Size                                               string
	Facts                                                    []Fact
	// PositionMS is where the person left off.
	PositionMS int64
	// Begun says that it is on the shelf of what to continue, unless it is Finished.
	Begun, Finished bool
}

// Shared is the page of a public link to one item.
type Shared struct {
	Title, File string
	Kind        mediafile.Kind
	MIME, Size  string
}

// Fact is a line about an item.
type Fact struct{ Name, Value string }

// Account is the page of one's own account. MustChange asks for a new password only.
type Account struct {
	MustChange  bool
	MinPassword int
	// Invite is the code of the invite to go on with afterwards; empty for none.
	Invite string
}

// templates holds one tree a page, each with the layout.
var templates = func() map[string]*template.Template {
	parsed := map[string]*template.Template{}
	for _, name := range []string{"home", "signin", "item", "account", "notice", "shared"} {
		parsed[name] = template.Must(template.New("layout.html").
			ParseFS(templateFiles, "templates/layout.html", "templates/"+name+".html"))
	}
	return parsed
}()

// Write answers with the page and the headers that belong to it. It answers 500 without a word if the page cannot be
// made, and returns why.
func Write(w http.ResponseWriter, status int, page Page) error {
	Protect(w.Header())
	var out bytes.Buffer
	err := templates[page.Name].Execute(&out, struct {
		Page
		Style, Script string
	}{page, page.Assets + styleName, page.Assets + scriptName})
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err = w.Write(out.Bytes())
	return err
}

// Protect keeps pages from caches, search engines and other sites.
func Protect(header http.Header) {
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	header.Set("X-Content-Type-Options", "nosniff")
}

// Asset serves what the pages load, by the last part of the path. It reports whether there is such a thing.
func Asset(w http.ResponseWriter, r *http.Request) bool {
	content, contentType := style, "text/css; charset=utf-8"
	switch path.Base(r.URL.Path) {
	case styleName:
	case scriptName:
		content, contentType = script, "text/javascript; charset=utf-8"
	default:
		return false
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(content)
	return true
}

// Size is a number of bytes as people say it.
func Size(bytes int64) string {
	const unit = 1000
	value, names := float64(bytes), strings.Fields("bytes kB MB GB TB")
	for value >= unit && len(names) > 1 {
		value, names = value/unit, names[1:]
	}
	if bytes == 1 {
		return "1 byte"
	}
	if names[0] == "bytes" {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, names[0])
}
