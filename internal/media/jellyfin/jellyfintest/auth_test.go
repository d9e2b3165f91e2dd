package jellyfintest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// Trap: legacy header → 401 in "12" mode (section 1, additions B.18).
func TestLegacyAuthorization(t *testing.T) {
	forms := map[string]func(token string) (http.Header, string){
		"X-Emby-Token":         func(token string) (http.Header, string) { return http.Header{"X-Emby-Token": {token}}, "" },
		"X-MediaBrowser-Token": func(token string) (http.Header, string) { return http.Header{"X-Mediabrowser-Token": {token}}, "" },
		"X-Emby-Authorization": func(token string) (http.Header, string) {
			return http.Header{"X-Emby-Authorization": {`MediaBrowser Token="` + token + `"`}}, ""
		},
		"scheme Emby": func(token string) (http.Header, string) {
			return http.Header{"Authorization": {`Emby Token="` + token + `"`}}, ""
		},
		"query api_key": func(token string) (http.Header, string) { return http.Header{}, "?api_key=" + token },
	}
	each(t, func(w *world) {
		legacy := w.version != jellyfintest.Release12
		for name, form := range forms {
			header, parameter := form(w.key.Token)
			if status, _, _ := w.raw(http.MethodGet, "/Auth/Keys"+parameter, header); (status == http.StatusOK) != legacy {
				w.Errorf("%s: %d", name, status)
			}
		}
		for name, header := range map[string]string{
			"quoted": `MediaBrowser Token="` + w.key.Token + `"`, "other case": `mediabrowser Client="a, b", token="` + w.key.Token + `"`,
		} {
			if status, _, _ := w.raw(http.MethodGet, "/Auth/Keys", http.Header{"Authorization": {header}}); status != http.StatusOK {
				w.Errorf("%s: %d", name, status)
			}
		}
		if status, _, _ := w.raw(http.MethodGet, "/Auth/Keys?ApiKey="+w.key.Token, http.Header{}); status != http.StatusOK {
			w.Errorf("query ApiKey: %d", status)
		}
		w.SetLegacyAuthorization(!legacy)
		switched := legacy == (w.version == jellyfintest.Release1010)
		if status, _, _ := w.raw(http.MethodGet, "/Auth/Keys", http.Header{"X-Emby-Token": {w.key.Token}}); (status == http.StatusOK) != switched {
			w.Errorf("after the switch: %d", status)
		}
	})
}

// The migration to 12.0 turns the legacy forms off once; an administrator can turn them on again ("confirmed unchanged").
func TestUpgradeTurnsLegacyOff(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{Version: jellyfintest.Release1011})
	ask := func() int {
		status, _, _ := w.raw(http.MethodGet, "/Auth/Keys", http.Header{"X-Emby-Token": {w.key.Token}})
		return status
	}
	before := ask()
	w.Upgrade(jellyfintest.Release12)
	migrated := ask()
	w.SetLegacyAuthorization(true)
	w.Upgrade("12.1.0")
	if got := [3]int{before, migrated, ask()}; got != [3]int{200, 401, 200} {
		t.Errorf("answered %v", got)
	}
	w.want(http.StatusOK, w.key, http.MethodGet, "/Auth/Keys", nil)
}

// An unknown token and that of a disabled user are 401, who may not is 403 (section 1).
func TestStatusOfTokens(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		mia := w.enter("mia")
		w.want(http.StatusForbidden, mia, http.MethodGet, "/Auth/Keys", nil)
		w.want(http.StatusUnauthorized, w.nobody(), http.MethodGet, "/Auth/Keys", nil)
		w.want(http.StatusUnauthorized, &jellyfintest.Visitor{URL: w.URL, Token: "nonsense"}, http.MethodGet, "/Users/Me", nil)
		w.SetPolicy("mia", "IsDisabled", true)
		w.want(http.StatusUnauthorized, mia, http.MethodGet, "/Users/Me", nil)
		w.SetPolicy("mia", "IsDisabled", false)
		w.want(http.StatusOK, mia, http.MethodGet, "/Users/"+id, nil)
	})
}

// A key administers and is no user (section 1).
func TestAKeyIsNoUser(t *testing.T) {
	each(t, func(w *world) {
		w.want(http.StatusBadRequest, w.key, http.MethodGet, "/Users/Me", nil)
		w.want(http.StatusBadRequest, w.key, http.MethodGet, "/UserViews", nil)
		w.want(http.StatusOK, w.key, http.MethodGet, query("/UserViews", "userId", w.create("mia")), nil)
	})
}

// An elevated route alone proves an administrator: /System/Info and /Users answer members too (corrections A.4).
// Trap: `/Users` for members.
func TestWhatProvesAnAdministrator(t *testing.T) {
	each(t, func(w *world) {
		w.person("mia")
		mia := w.enter("mia")
		w.want(http.StatusOK, mia, http.MethodGet, "/System/Info", nil)
		w.want(http.StatusOK, mia, http.MethodGet, "/Users", nil)
		w.want(http.StatusForbidden, mia, http.MethodGet, "/Auth/Keys", nil)
		w.want(http.StatusForbidden, mia, http.MethodGet, folders, nil)
		w.want(http.StatusOK, w.key, http.MethodGet, "/Auth/Keys", nil)
		w.want(http.StatusOK, w.key, http.MethodGet, "/System/Info", nil)
	})
}

// Trap: key creation 204 without body (section 1). A key ends by nothing but its own DELETE (additions B.5).
func TestKeys(t *testing.T) {
	each(t, func(w *world) {
		if status, _, body := w.raw(http.MethodPost, "/Auth/Keys?app=Usher", http.Header{"Authorization": {`MediaBrowser Token="` + w.key.Token + `"`}}); status != http.StatusNoContent || len(body) > 0 {
			w.Errorf("created: %d, %q", status, body)
		}
		list := func() (tokens []string) {
			for _, key := range get[struct {
				Items []struct{ AppName, AccessToken string }
			}](w, "/Auth/Keys").Items {
				if key.AppName != "Usher" {
					w.Errorf("a key of %s", key.AppName)
				}
				tokens = append(tokens, key.AccessToken)
			}
			return tokens
		}
		tokens := list()
		if len(tokens) != 2 {
			w.Fatalf("%d keys of one name, want 2", len(tokens))
		}
		second := &jellyfintest.Visitor{URL: w.URL, Token: tokens[1]}
		w.want(http.StatusNoContent, second, http.MethodPost, "/Sessions/Logout", nil)
		w.want(http.StatusOK, second, http.MethodGet, "/Auth/Keys", nil)
		for range 2 {
			w.want(http.StatusNoContent, w.key, http.MethodDelete, "/Auth/Keys/"+tokens[1], nil)
		}
		w.want(http.StatusUnauthorized, second, http.MethodGet, "/Auth/Keys", nil)
		w.want(http.StatusBadRequest, w.key, http.MethodPost, "/Auth/Keys", nil)
	})
}

// EnableRemoteAccess goes by the caller's address: behind a proxy that the server does not know, everybody is local
// (additions B.14).
func TestRemoteAccess(t *testing.T) {
	for _, known := range []bool{true, false} {
		w := newWorld(t, jellyfintest.Options{KnownProxy: known})
		w.change(w.person("mia"), document{"EnableRemoteAccess": false})
		mia := w.enter("mia")
		header := http.Header{"Authorization": {`MediaBrowser Token="` + mia.Token + `"`}, "X-Forwarded-For": {"203.0.113.7"}}
		want := map[bool]int{true: http.StatusForbidden, false: http.StatusOK}[known]
		if status, _, _ := w.raw(http.MethodGet, "/Users/Me", header); status != want {
			t.Errorf("known proxy %v: %d", known, status)
		}
		header.Set("X-Forwarded-For", "192.168.1.7")
		if status, _, _ := w.raw(http.MethodGet, "/Users/Me", header); status != http.StatusOK {
			t.Errorf("known proxy %v, at home: %d", known, status)
		}
	}
}

// Trap: generic 400 bodies (section 8).
func TestWordsOfRefusals(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		header := func() http.Header {
			return http.Header{"Authorization": {`MediaBrowser Token="` + w.key.Token + `"`}, "Content-Type": {"application/json"}}
		}
		status, answered, body := w.raw(http.MethodPost, query(folders, "name", "Movies", "paths", "/nowhere"), header())
		if status != http.StatusBadRequest || answered.Get("Content-Type") != "text/plain" || string(body) != "Error processing request." {
			w.Errorf("an exception: %d %s %q", status, answered.Get("Content-Type"), body)
		}
		status, answered, body = w.raw(http.MethodPost, "/Users/"+id+"/Policy", header())
		if status != http.StatusBadRequest || !strings.HasPrefix(answered.Get("Content-Type"), "application/problem+json") || decoded(w, body)["status"] != 400.0 {
			w.Errorf("a model that is not valid: %d %s %q", status, answered.Get("Content-Type"), body)
		}
		if status, _, body = w.raw(http.MethodGet, "/Users/"+strings.Repeat("0", 32), header()); status != http.StatusNotFound || body[0] != '"' {
			w.Errorf("an explicit refusal: %d %q", status, body)
		}
	})
}
