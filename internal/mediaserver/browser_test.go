package mediaserver_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// browser is somebody with a web browser that runs no scripts: it keeps cookies, sends the forms that it finds on
// pages, and does not follow redirects by itself. Like a real one on a household's plain HTTP it says Origin: null.
type browser struct {
	*world
	cookies []*http.Cookie
	// headers go with every request, in pairs.
	headers []string
	page    answer
	// policy is the content security policy that pages are to have.
	policy string
}

func (w *world) browser(headers ...string) *browser {
	return &browser{world: w, headers: append([]string{"Origin", "null"}, headers...),
		policy: "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"}
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), method, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(b.headers); i += 2 {
		request.Header.Set(b.headers[i], b.headers[i+1])
	}
	for _, cookie := range b.cookies {
		request.AddCookie(cookie)
	}
	response, err := b.client.Transport.RoundTrip(request)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	for _, cookie := range response.Cookies() {
		b.cookies = append(slices.DeleteFunc(slices.Clone(b.cookies), func(old *http.Cookie) bool { return old.Name == cookie.Name }), cookie)
	}
	b.page = answer{response.StatusCode, response.Header, html.UnescapeString(string(data))}
	b.check()
	return b.page
}

// check looks at what every page of an invite has: the headers that keep the link, and no password.
func (b *browser) check() {
	b.Helper()
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow",
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": b.policy,
	} {
		if got := b.page.header.Get(name); got != want {
			b.Errorf("%s is %q", name, got)
		}
	}
	for _, never := range []string{password, "<script>", "<style", "style=", "canary-pw"} {
		if strings.Contains(b.page.body, never) {
			b.Errorf("the page holds %q:\n%s", never, b.page.body)
		}
	}
}

func (b *browser) open(status int, path string) {
	b.Helper()
	if b.do("GET", path, nil); b.page.status != status {
		b.Errorf("GET %s: %d, want %d:\n%s", path, b.page.status, status, b.page.body)
	}
}

var (
	forms  = regexp.MustCompile(`(?s)<form method="post" action="([^"]+)">(.*?)</form>`)
	inputs = regexp.MustCompile(`<input[^>]*? name="([^"]+)"[^>]*>`)
	values = regexp.MustCompile(` value="([^"]*)"`)
)

// send fills in the form whose action ends so, and sends it with everything else that the form holds.
func (b *browser) submit(status int, action string, fill map[string]string) {
	b.Helper()
	for _, form := range forms.FindAllStringSubmatch(b.page.body, -1) {
		if !strings.HasSuffix(form[1], "/"+action) {
			continue
		}
		sent := url.Values{}
		for _, input := range inputs.FindAllStringSubmatch(form[2], -1) {
			if value := values.FindStringSubmatch(input[0]); value != nil {
				sent.Set(input[1], value[1])
			}
			if value, filled := fill[input[1]]; filled {
				sent.Set(input[1], value)
			}
		}
		if b.do("POST", form[1], sent); b.page.status != status {
			b.Fatalf("POST %s: %d, want %d:\n%s", action, b.page.status, status, b.page.body)
		}
		return
	}
	b.Fatalf("the page has no form %s:\n%s", action, b.page.body)
}

func (b *browser) sees(texts ...string) {
	b.Helper()
	for _, text := range texts {
		if !strings.Contains(b.page.body, text) {
			b.Errorf("the page does not say %q:\n%s", text, b.page.body)
		}
	}
}

// goesTo checks where a redirect leads, and follows it.
func (b *browser) goesTo(path string) {
	b.Helper()
	if got := b.page.header.Get("Location"); b.page.status != 303 || got != path {
		b.Fatalf("%d to %q, want %q", b.page.status, got, path)
	}
	b.open(200, path)
}
