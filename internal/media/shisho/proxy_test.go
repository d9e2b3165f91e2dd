package shisho_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/shisho"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
)

const page = "../../../docs/servers/shisho.md"

// closedPaths are the rules of the page's example, "location ~ EXPRESSION { return 404; }".
func closedPaths(t *testing.T) []*regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var rules []*regexp.Regexp
	for _, found := range regexp.MustCompile(`(?m)^\s*location ~ (\S+)\s*\{ return 404; \}`).FindAllSubmatch(text, -1) {
		rules = append(rules, regexp.MustCompile(string(found[1])))
	}
	if len(rules) < 2 {
		t.Fatalf("%s has %d rules", page, len(rules))
	}
	return rules
}

// proxied puts a proxy with the page's rules before a server. As nginx does, it compares the path after decoding it,
// taking out dots and joining slashes, and hands on what was asked as it is.
func proxied(t *testing.T, to string) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	target.Path = ""
	rules := closedPaths(t)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := path.Clean("/" + r.URL.Path)
		for _, rule := range rules {
			if rule.MatchString(asked) || rule.MatchString(asked+"/") {
				http.NotFound(w, r)
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// TestPathsToClose: what the page says that every account can reach, and that its example of a proxy closes it and nothing
// that people and Usher need.
func TestPathsToClose(t *testing.T) {
	w := &world{TB: t, now: time.Now()}
	w.fake = shishotest.Start(t, shishotest.Options{Now: w.clock, BasePath: "/api"})
	w.url = w.fake.URL
	w.furnish("Alpha", "Secret")
	w.person("mia") // has the placeholder alone
	w.person("ben", w.ids[0])
	site := strings.TrimSuffix(w.url, "/api")
	front := proxied(t, site)

	key := func(api string) (string, int) {
		mia, err := shishotest.Enter(w.ctx(), api, "mia", password)
		w.must(err)
		var made struct{ ID, Key string }
		status, err := mia.Call(w.ctx(), http.MethodPost, "/user/api-keys", map[string]string{"name": "kobo"}, &made)
		if status == http.StatusCreated {
			w.must(err)
			_, err = mia.Call(w.ctx(), http.MethodPost, "/user/api-keys/"+made.ID+"/permissions/kobo_sync", nil, nil)
			w.must(err)
		}
		return made.Key, status
	}
	mias, _ := key(w.url)
	if status := w.fetch(site + "/kobo/" + mias + "/all/v1/books/shisho-2/file/epub"); status != http.StatusOK {
		t.Errorf("status %d: a device key opens no longer every file, and the page is wrong", status)
	}
	if path := w.overhears(w.url, "ben", site+"/kobo/"+mias+"/all/v1/books/shisho-1/file/epub"); !strings.Contains(path, mias) {
		t.Errorf("the stream of events shows %q and no longer other people's device keys, and the page is wrong", path)
	}

	if _, status := key(front + "/api"); status != http.StatusNotFound {
		t.Errorf("a device key can be made through the proxy: status %d", status)
	}
	file := "kobo/" + mias + "/all/v1/books/shisho-2/file/epub"
	for _, closed := range []string{
		"/" + file, "//" + file, "/api/" + file, "/%6bobo/" + strings.TrimPrefix(file, "kobo/"), "/x/../" + file,
		"/ereader/key/" + mias + "/", "/api/ereader/key/" + mias + "/", "/e/abc", "/api/e/abc", "/api/events", "/api/user/api-keys",
		"/api/test/users", "/api//events", "/api/user/api-keys/1/short-url",
	} {
		if status := w.fetch(front + closed); status != http.StatusNotFound {
			t.Errorf("%s is open: status %d", closed, status)
		}
	}
	driver, err := shisho.Open(media.Config{Allowed: media.Loopback(), URL: front + "/api", Credentials: media.Credentials{Username: shishotest.Owner, Password: shishotest.OwnerPassword}})
	w.must(err)
	t.Cleanup(func() { _ = driver.Close() })
	_, err = driver.Probe(w.ctx())
	w.must(err)
	_, err = driver.List(w.ctx())
	w.must(err)
	_, err = driver.CreateAccount(w.ctx(), newAccount("carl", w.ids[0]))
	w.must(err)
	ben, err := shishotest.Enter(w.ctx(), front+"/api", "ben", password)
	w.must(err)
	if seen, err := ben.Libraries(w.ctx()); err != nil || len(seen) != 1 {
		t.Errorf("ben sees %v through the proxy, %v", seen, err)
	}
	if status, _, err := (&shishotest.Visitor{URL: front, Username: "ben", Password: password}).Catalog(w.ctx()); err != nil || status != http.StatusOK {
		t.Errorf("the OPDS catalog through the proxy: status %d, %v", status, err)
	}
	if status := w.fetch(front + "/"); status != http.StatusOK {
		t.Errorf("the server's pages through the proxy: status %d", status)
	}
}

// fetch asks for an address as it is written.
func (w *world) fetch(address string) int {
	w.Helper()
	request, err := http.NewRequestWithContext(w.ctx(), http.MethodGet, address, nil)
	w.must(err)
	response, err := http.DefaultTransport.RoundTrip(request)
	w.must(err)
	_ = response.Body.Close()
	return response.StatusCode
}

// overhears opens the stream of events as somebody, lets another request happen, and returns what the stream says first.
func (w *world) overhears(api, username, address string) string {
	w.Helper()
	ctx, cancel := context.WithCancel(w.ctx())
	defer cancel()
	visitor, err := shishotest.Enter(ctx, api, username, password)
	w.must(err)
	response, err := visitor.Open(ctx, "/events")
	w.must(err)
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		w.Fatalf("the stream of events: status %d", response.StatusCode)
	}
	_ = w.fetch(address)
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data: ") {
			return lines.Text()
		}
	}
	w.Fatalf("the stream ended: %v", lines.Err())
	return ""
}
