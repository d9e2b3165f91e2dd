package portal

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed style.css
var style []byte

// stylesheet is the name of the stylesheet. It changes with what is in it, so that browsers may keep it for ever.
var stylesheet = func() string {
	sum := sha256.Sum256(style)
	return "invite-" + hex.EncodeToString(sum[:6]) + ".css"
}()

// policy lets a page load our stylesheet and send our forms, and nothing else.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

var functions = template.FuncMap{
	"relative": func(t *time.Time, now time.Time) string { return relative(*t, now) },
	"exact":    func(t *time.Time) string { return exact(*t) },
	"machine":  func(t *time.Time) string { return machine(*t) },
	"places":   places, "summarize": summarize,
}

// templates holds one tree a page, each with the layout and the parts.
var templates = func() map[string]*template.Template {
	parsed := map[string]*template.Template{}
	for _, name := range []string{"preview.html", "done.html", "ended.html", "notice.html"} {
		parsed[name] = template.Must(template.New("layout.html").Funcs(functions).
			ParseFS(templateFiles, "templates/layout.html", "templates/parts.html", "templates/"+name))
	}
	return parsed
}()

// Render returns the page as HTML.
func Render(page Page) ([]byte, error) {
	var out bytes.Buffer
	err := templates[page.template()].Execute(&out, struct {
		Page
		Site       Site
		Stylesheet string
		View       Page
	}{page, page.site(), page.site().Assets + stylesheet, page})
	return out.Bytes(), err
}

// Write answers with the page and the headers that belong to it. It answers 500 without a word if the page cannot be
// made, and returns why.
func Write(w http.ResponseWriter, status int, page Page) error {
	protect(w.Header())
	content, err := Render(page)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err = w.Write(content)
	return err
}

// Redirect sends the browser to another page with a GET, so that reloading that page sends no form again.
func Redirect(w http.ResponseWriter, path string) {
	protect(w.Header())
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusSeeOther)
}

// protect keeps the link, which is a secret, from other sites, caches and search engines.
func protect(header http.Header) {
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	header.Set("X-Content-Type-Options", "nosniff")
}

// Assets serves what the pages load; below Site.Assets.
func Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/"+stylesheet) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(style)
	})
}
