package jellyfin_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"regexp"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/jellyfin"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

const page = "../../../docs/servers/jellyfin.md"

// rules of the page's example: which paths ask first, by "location ~* EXPRESSION { auth_request ...", and whom.
func rules(t *testing.T) (asking *regexp.Regexp, asked string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	location := regexp.MustCompile(`(?m)^\s*location ~\* (\S+) \{\s*auth_request /usher-signed-in;`).FindSubmatch(text)
	whom := regexp.MustCompile(`(?m)location = /usher-signed-in \{\s*internal;\s*proxy_pass http://[^/]+(/\S+)\?\$args;`).FindSubmatch(text)
	if location == nil || whom == nil {
		t.Fatalf("%s has no such rules", page)
	}
	return regexp.MustCompile("(?i)" + string(location[1])), string(whom[1])
}

// proxied puts a proxy with the page's rules before a server. As nginx does, it compares the path after decoding it, taking out dots
// and joining slashes, asks with the headers and the query of the request, and hands on what was asked as it is.
func proxied(t *testing.T, to string) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	asking, asked := rules(t)
	proxy := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asking.MatchString(path.Clean("/" + r.URL.Path)) {
			request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, to+asked+"?"+r.URL.RawQuery, nil)
			if err != nil {
				http.Error(w, "", http.StatusInternalServerError)
				return
			}
			request.Header = r.Header.Clone()
			answer, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				http.Error(w, "", http.StatusInternalServerError)
				return
			}
			_ = answer.Body.Close()
			if answer.StatusCode >= 300 {
				http.Error(w, "", http.StatusUnauthorized)
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// fetch asks for an address, with a token in one of the forms of players.
func (w *world) fetch(address, token string, query bool) int {
	w.Helper()
	request, err := http.NewRequestWithContext(w.ctx(), http.MethodGet, address, nil)
	w.must(err)
	if token != "" && query {
		request.URL.RawQuery = url.Values{"ApiKey": {token}}.Encode()
	} else if token != "" {
		request.Header.Set("Authorization", `MediaBrowser Token="`+token+`"`)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	w.must(err)
	_ = response.Body.Close()
	return response.StatusCode
}

// B.0: the address of a stream asks nobody anything, also after whoever had it lost the library, or the account. The page's rule for
// a proxy has it ask who is signed in, and is in nobody's way.
func TestStreamsAskNobody(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		w := newWorld(t, jellyfintest.Options{Version: version}, "Alpha", "Beta")
		front := proxied(t, w.fake.URL)
		film := w.fake.AddItem("Alpha", jellyfintest.Item{Name: "A film"})
		account := w.person("mia", "Alpha")
		ben := w.person("ben", "Alpha")
		mia, bens := w.signIn("mia").Token, w.signIn("ben").Token
		addresses := []string{"/Videos/" + film + "/stream", "/Videos/" + film + "/stream.mkv", "/videos/" + film + "/stream", "//Videos/" + film + "/stream"}
		for _, address := range addresses {
			if status := w.fetch(front+address, "", false); status != http.StatusUnauthorized {
				t.Errorf("%s: %s is open to strangers: status %d", version, address, status)
			}
		}
		// Jellyfin takes these prefixes off, and may have a path of its own; other streams ask nobody either.
		for _, address := range []string{"/emby" + addresses[0], "/mediabrowser/Audio/1/stream", "/jellyfin" + addresses[0], "/LiveTv/LiveRecordings/1/stream", "/LiveTv/LiveStreamFiles/1/stream.ts"} {
			if status := w.fetch(front+address, "", false); status != http.StatusUnauthorized {
				t.Errorf("%s: %s is open to strangers: status %d", version, address, status)
			}
		}
		for _, query := range []bool{false, true} {
			if status := w.fetch(front+addresses[0], mia, query); status != http.StatusOK {
				t.Errorf("%s: who is signed in does not get through (in the query %t): status %d", version, query, status)
			}
		}
		_, err := w.driver.SetAccess(w.ctx(), account, w.access("Beta"))
		w.must(err)
		w.must(w.driver.DeleteAccount(w.ctx(), ben.ID))
		if status := w.fetch(w.fake.URL+addresses[0], "", false); status != http.StatusOK {
			t.Errorf("%s: a stream asks for something, and the page is wrong: status %d", version, status)
		}
		for who, token := range map[string]string{"who lost the library": mia, "who was deleted": bens} {
			if status := w.fetch(front+addresses[0], token, false); status != http.StatusUnauthorized {
				t.Errorf("%s: %s streams on: status %d", version, who, status)
			}
		}
		if status := w.fetch(front+addresses[0], w.signIn("mia").Token, false); status != http.StatusOK {
			t.Errorf("%s: who signs in anew is refused an item that is not listed, and the page is wrong: status %d", version, status)
		}
		driver, err := jellyfin.Open(media.Config{Allowed: media.Loopback(), URL: front, Credentials: media.Credentials{Token: w.key}})
		w.must(err)
		t.Cleanup(func() { _ = driver.Close() })
		_, err = driver.Probe(w.ctx())
		w.must(err)
		_, err = driver.List(w.ctx())
		w.must(err)
	}
}
