package portal_test

import (
	"html/template"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/portal"
)

var (
	noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	site = portal.Site{Name: "Home", URL: "https://media.example.org/", Assets: "/assets/"}
)

func ptr[T any](v T) *T { return &v }

// preview is a page with everything on it.
func preview(problems ...portal.Problem) *portal.Preview {
	return &portal.Preview{
		Site: site, Now: noon, FormToken: "token",
		Offer: portal.Offer{Inviter: "Alice", Libraries: []portal.Library{{Name: "Films", Emoji: "🎬"}, {Name: "Kids"}},
			Remaining: ptr(2), ExpiresAt: ptr(noon.Add(49 * time.Hour))},
		Register: &portal.RegisterForm{Action: "/r", MinPassword: 8, Problems: problems},
		SignIn:   portal.SignInForm{Action: "/s", Problems: problems},
	}
}

// pages is one of every kind and state.
func pages() map[string]portal.Page {
	closed, bound := preview(), preview()
	closed.Register = nil
	bound.Offer = portal.Offer{Inviter: "Alice", EmailBound: true}
	all := map[string]portal.Page{
		"preview": preview(), "closed": closed, "bound": bound,
		"problems": preview(portal.Problem{Field: portal.FieldUsername, Message: "Name!"}, portal.Problem{Message: "Form!"}),
		"done":     &portal.Done{Site: site, Libraries: []portal.Library{{Name: "Films"}}, Welcome: "<p>Hello</p>"},
		"already":  &portal.Done{Site: site, Already: true},
		"notice":   &portal.Notice{Site: site, Heading: "Head", Text: "Text", LinkURL: "/on", LinkText: "On"},
	}
	for _, reason := range []portal.Reason{portal.Revoked, portal.Expired, portal.Exhausted, portal.Unavailable, portal.Unknown} {
		all[string(reason)] = &portal.Ended{Site: site, Reason: reason, Inviter: "Alice", ExpiresAt: &noon, Now: noon}
	}
	return all
}

func render(t *testing.T, page portal.Page) string {
	t.Helper()
	content, err := portal.Render(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

var (
	ids        = regexp.MustCompile(` id="([^"]+)"`)
	references = regexp.MustCompile(` (?:for|href|aria-labelledby|aria-describedby)="#?([^"/]+)"`)
	inputs     = regexp.MustCompile(`<input id="([^"]+)"[^>]*>`)
)

// Every page is complete and needs nothing that the policy forbids; every field has a label, and every reference on the
// page finds its end.
func TestPagesAreSound(t *testing.T) {
	for name, page := range pages() {
		text := render(t, page)
		for _, needed := range []string{"<!doctype html>", `lang="en"`, "viewport", "<title>" + template.HTMLEscapeString(page.Title()), "<main>", "</html>"} {
			if !strings.Contains(text, needed) {
				t.Errorf("%s lacks %s", name, needed)
			}
		}
		for _, never := range []string{"<script", "<style", "style=", " onclick", " onload", "javascript:", "src=", "<img", "ZgotmplZ", "<no value>", "%!"} {
			if strings.Contains(text, never) {
				t.Errorf("%s has %q:\n%s", name, never, text)
			}
		}
		if strings.Count(text, "<h1") != 1 {
			t.Errorf("%s has %d main headings", name, strings.Count(text, "<h1"))
		}
		checkReferences(t, name, text)
	}
}

func checkReferences(t *testing.T, name, text string) {
	t.Helper()
	known := map[string]bool{}
	for _, id := range ids.FindAllStringSubmatch(text, -1) {
		if known[id[1]] {
			t.Errorf("%s has two %s", name, id[1])
		}
		known[id[1]] = true
	}
	for _, reference := range references.FindAllStringSubmatch(text, -1) {
		for id := range strings.FieldsSeq(reference[1]) {
			if !known[id] && !strings.Contains(id, ":") {
				t.Errorf("%s refers to %s, which is not there", name, id)
			}
		}
	}
	for _, input := range inputs.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(text, `<label for="`+input[1]+`">`) || !strings.Contains(input[0], " autocomplete=") {
			t.Errorf("%s: %s has no label or no autocomplete", name, input[1])
		}
	}
}

func TestPagesSayWhatIsTrue(t *testing.T) {
	all := pages()
	for name, texts := range map[string][]string{
		"preview": {"Alice", "Films", "🎬", "Kids", "<dt>Places left</dt><dd>2</dd>", "in 2 days", "3 June 2026, 13:00 UTC",
			`datetime="2026-06-03T13:00:00Z"`, `autocomplete="new-password"`, `autocomplete="current-password"`, `minlength="8"`},
		"closed": {"Registration is closed", "<details class=\"card\" open>"}, "bound": {"No limit", "Never", "for one email address", "sent to"},
		"problems": {`href="#register-username"`, "Form!", `aria-invalid="true"`, "<details class=\"card\" open>"},
		"done":     {"You are in", "Films", "<p>Hello</p>", site.URL}, "already": {"already a member"},
		"revoked": {"has been revoked", "Alice"}, "expired": {"has expired", "1 June 2026, 12:00 UTC"},
		"exhausted": {"used up"}, "unknown": {"no such invite"}, "notice": {"Head", "Text", `href="/on"`},
	} {
		text := render(t, all[name])
		for _, want := range texts {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, text)
			}
		}
	}
	if strings.Contains(render(t, all["closed"]), "Make account") {
		t.Error("closed registration has a form")
	}
}

func TestNamesAreNoMarkup(t *testing.T) {
	const evil = `"><script>alert(1)</script>`
	page := preview(portal.Problem{Field: portal.FieldUsername, Message: evil})
	page.Site.Name, page.Offer.Inviter, page.Offer.Libraries[0] = evil, evil, portal.Library{Name: evil, Emoji: evil}
	page.Register.Username, page.Register.Email, page.SignIn.Login, page.FormToken = evil, evil, evil, evil
	page.Site.URL = "javascript:alert(1)"
	done := &portal.Done{Site: page.Site, Libraries: page.Offer.Libraries}
	for _, text := range []string{render(t, page), render(t, done), render(t, &portal.Notice{Site: page.Site, Heading: evil, LinkURL: "javascript:alert(1)"})} {
		if strings.Contains(text, "<script") || strings.Contains(text, `href="javascript`) {
			t.Errorf("markup gets through:\n%s", text)
		}
	}
}

func TestTimesInWords(t *testing.T) {
	for offset, want := range map[time.Duration]string{
		time.Second: "in less than a minute", 90 * time.Second: "in 1 minute", time.Hour: "in 1 hour", 47 * time.Hour: "in 47 hours",
		48 * time.Hour: "in 2 days", 59 * 24 * time.Hour: "in 59 days", 60 * 24 * time.Hour: "in 2 months", 800 * 24 * time.Hour: "in 2 years",
		0: "less than a minute ago", -3 * time.Hour: "3 hours ago", math.MinInt64 + 1: "292 years ago",
	} {
		page := preview()
		page.Offer.ExpiresAt = ptr(noon.Add(offset))
		if text := render(t, page); !strings.Contains(text, "<dd>"+want+"<br>") {
			t.Errorf("%v: not %q", offset, want)
		}
	}
}

func TestWhereFormsComeFrom(t *testing.T) {
	const token, other = "AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBA"
	for _, c := range []struct {
		site, origin, cookie, field string
		own                         bool
	}{
		{site: "same-origin", own: true}, {site: "none", own: true}, {site: "cross-site"}, {site: "same-site"}, {site: "odd"},
		{site: "cross-site", origin: "http://example.com", cookie: token, field: token},
		{site: "same-origin", origin: "null", own: true},
		{origin: "http://example.com", own: true}, {origin: "https://example.com", own: true}, {origin: "http://example.com:81"},
		{origin: "http://evil.example", cookie: token, field: token}, {origin: "::", cookie: token, field: token},
		{origin: "null", cookie: token, field: token, own: true}, {cookie: token, field: token, own: true},
		{origin: "null"}, {}, {origin: "null", cookie: token}, {origin: "null", field: token},
		{origin: "null", cookie: token, field: other}, {origin: "null", cookie: "short", field: "short"},
	} {
		r := httptest.NewRequest("POST", "http://example.com/r", strings.NewReader(url.Values{"invite_form": {c.field}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range map[string]string{"Sec-Fetch-Site": c.site, "Origin": c.origin} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: "invite_form", Value: c.cookie})
		}
		if err := portal.ReadForm(httptest.NewRecorder(), r); err != nil {
			t.Fatal(err)
		}
		if portal.FromOwnPage(r) != c.own {
			t.Errorf("%+v is taken for the other", c)
		}
	}
}

func TestTokensStayTheSameInABrowser(t *testing.T) {
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	first := portal.NewFormToken(w, r, "/invite/")
	cookie := w.Result().Cookies()[0]
	if len(first) != 22 || cookie.Value != first || cookie.Secure {
		t.Errorf("token %q, cookie %v", first, cookie)
	}
	r.AddCookie(cookie)
	if w = httptest.NewRecorder(); portal.NewFormToken(w, r, "/") != first || len(w.Result().Cookies()) != 0 {
		t.Error("a second page spoils the first one's form")
	}
	w, r = httptest.NewRecorder(), httptest.NewRequest("GET", "https://example.com/", nil)
	r.AddCookie(&http.Cookie{Name: cookie.Name, Value: "chosen by somebody else"})
	if got := portal.NewFormToken(w, r, "/"); got == first || len(got) != 22 || !w.Result().Cookies()[0].Secure {
		t.Errorf("token %q", got)
	}
}

func TestReadingForms(t *testing.T) {
	read := func(form url.Values) (portal.RegisterForm, string, portal.SignInForm, string) {
		r := httptest.NewRequest("POST", "/?username=query&password=query", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := portal.ReadForm(httptest.NewRecorder(), r); err != nil {
			t.Fatal(err)
		}
		register, one := portal.ReadRegister(r)
		signIn, two := portal.ReadSignIn(r)
		return register, one, signIn, two
	}
	register, one, signIn, two := read(url.Values{"username": {" mia "}, "email": {"m@x.org "}, "login": {" m "}, "password": {" spaced "}, "passwordRepeat": {" spaced "}})
	if register.Username != "mia" || register.Email != "m@x.org" || signIn.Login != "m" || one != " spaced " || two != one || register.Problems != nil {
		t.Errorf("%+v %q %+v %q", register, one, signIn, two)
	}
	if register, one, _, _ = read(url.Values{}); register.Username != "" || one != "" || register.Problems != nil {
		t.Errorf("the query counts: %+v", register)
	}
	register, _, _, _ = read(url.Values{"password": {"one"}, "passwordRepeat": {"two"}})
	if len(register.Problems) != 1 || register.Problems[0].Field != portal.FieldRepeat {
		t.Errorf("%+v", register.Problems)
	}
}

// luminance is WCAG's relative luminance of a colour like #a1b2c3.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("colour %q", colour)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(n>>(16-8*i)&0xff) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// WCAG 2.2 AA: 4.5 to 1 for text, 3 to 1 for the edges of fields and for focus, in both schemes.
func TestContrast(t *testing.T) {
	style, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllSubmatch(style, -1)
	if len(schemes) != 2 {
		t.Fatalf("%d schemes", len(schemes))
	}
	for i, scheme := range schemes {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6})`).FindAllSubmatch(scheme[1], -1) {
			colours[string(m[1])] = string(m[2])
		}
		for pair, least := range map[string]float64{
			"text card": 4.5, "text page": 4.5, "text field": 4.5, "text bad-back": 4.5, "text soft": 4.5, "accent soft": 4.5, "quiet card": 4.5, "quiet page": 4.5,
			"quiet soft": 3, "accent card": 4.5, "on-accent accent": 4.5, "on-accent accent-hover": 4.5, "bad card": 4.5,
			"bad bad-back": 4.5, "good good-back": 4.5, "edge card": 3, "edge field": 3,
		} {
			front, back, _ := strings.Cut(pair, " ")
			a, b := luminance(t, colours[front]), luminance(t, colours[back])
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < least {
				t.Errorf("scheme %d: %s has %.2f, needs %v", i, pair, ratio, least)
			}
		}
	}
}
