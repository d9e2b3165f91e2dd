package jellyfintest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// Trap: self-disabling lockout (section 6).
// Trap: lockout without effect (10.11.9–11) (corrections A.2).
func TestLockout(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		w.change(id, document{"LoginAttemptsBeforeLockout": 3})
		for range 3 {
			if got := w.login("mia", "wrong"); got != http.StatusUnauthorized {
				w.Errorf("a wrong password: %d", got)
			}
		}
		policy, broken := w.policy(id), w.version == "10.11.9" || w.version == jellyfintest.Release1011
		if policy["IsDisabled"] == broken || policy["InvalidLoginAttemptCount"] != 3.0 {
			w.Errorf("disabled %v after %v failures", policy["IsDisabled"], policy["InvalidLoginAttemptCount"])
		}
		want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[broken]
		if got := w.login("mia", password); got != want {
			w.Errorf("the right password after the failures: %d, want %d", got, want)
		}
		if broken {
			if got := w.policy(id)["InvalidLoginAttemptCount"]; got != 0.0 {
				w.Errorf("the counter after the right password is %v", got)
			}
		}
		// A policy that was cached resets the counter, and unlocks (section 6).
		w.change(id, document{"IsDisabled": false, "InvalidLoginAttemptCount": nil})
		if got := w.login("mia", password); got != http.StatusOK {
			w.Errorf("after the unlocking: %d", got)
		}
	}, "10.11.8", "10.11.9")
}

// Signing in needs a client that tells of itself (section 1). A disabled account is 403, whatever the password
// (section 8).
func TestStatusOfSigningIn(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		w.want(http.StatusBadRequest, &jellyfintest.Visitor{URL: w.URL}, http.MethodPost, "/Users/AuthenticateByName", document{"Username": "mia", "Pw": password})
		for secret, want := range map[string]int{password: http.StatusOK, "wrong": http.StatusUnauthorized} {
			if got := w.login("mia", secret); got != want {
				w.Errorf("%q: %d", secret, got)
			}
		}
		if got := w.login("nobody", password); got != http.StatusUnauthorized {
			w.Errorf("nobody: %d", got)
		}
		w.change(id, document{"IsDisabled": true})
		for _, secret := range []string{password, "wrong"} {
			if got := w.login("mia", secret); got != http.StatusForbidden {
				w.Errorf("disabled, %q: %d", secret, got)
			}
		}
	})
}

// A sign-in on the same device replaces the older token; logging out ends the token that it is sent with (additions B.6).
func TestTokensOfDevices(t *testing.T) {
	each(t, func(w *world) {
		w.person("mia")
		first := w.enter("mia")
		second := w.enter("mia")
		w.want(http.StatusUnauthorized, first, http.MethodGet, "/Users/Me", nil)
		third, err := jellyfintest.EnterOn(t.Context(), w.URL, "a tablet", "mia", password)
		w.must(err)
		w.must(second.Leave(t.Context()))
		w.want(http.StatusUnauthorized, second, http.MethodGet, "/Users/Me", nil)
		w.want(http.StatusOK, third, http.MethodGet, "/Users/Me", nil)
		if got := w.Person("mia").Tokens; got != 1 {
			w.Errorf("%d tokens", got)
		}
	})
}

// MaxActiveSessions counts live sessions, at a sign-in only, and answers 403 (additions B.7).
func TestMaxActiveSessions(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		mia := w.enter("mia")
		w.change(id, document{"MaxActiveSessions": 1})
		if got := w.login("mia", password); got != http.StatusForbidden {
			w.Errorf("one too many: %d", got)
		}
		w.want(http.StatusOK, mia, http.MethodGet, "/Users/Me", nil)
		w.Restart()
		if got := w.login("mia", password); got != http.StatusOK {
			w.Errorf("after a restart nobody is live: %d", got)
		}
		w.want(http.StatusOK, mia, http.MethodGet, "/Users/Me", nil)
	})
}

// Trap: devices by "may use" (additions B.6). DELETE signs out all users of a device; how it takes ids depends on the
// release (corrections A.5).
func TestDevices(t *testing.T) {
	each(t, func(w *world) {
		mia, ben := w.person("mia"), w.person("ben")
		enter := func(device, name string) *jellyfintest.Visitor {
			v, err := jellyfintest.EnterOn(t.Context(), w.URL, device, name, password)
			w.must(err)
			return v
		}
		shared, hers, bens := enter("tv", "mia"), enter("phone", "mia"), enter("tv", "ben")
		type devices struct {
			Items []struct{ ID, LastUserID string }
		}
		if got := get[devices](w, query("/Devices", "userId", ben)).Items; len(got) != 3 {
			w.Errorf("ben may use %v", got)
		}
		w.change(ben, document{"EnableAllDevices": false, "EnabledDevices": []string{"phone"}})
		if got := get[devices](w, query("/Devices", "userId", ben)).Items; len(got) != 1 || got[0].LastUserID != mia {
			w.Errorf("ben may use %v", got)
		}
		newest := w.version == jellyfintest.Release12
		w.want(map[bool]int{true: 400, false: 404}[newest], w.key, http.MethodDelete, "/Devices?id=unknown", nil)
		w.want(map[bool]int{true: 204, false: 400}[newest], w.key, http.MethodDelete, "/Devices", nil)
		w.want(map[bool]int{true: 400, false: 204}[newest], w.key, http.MethodDelete, "/Devices?id=phone&id=unknown", nil)
		w.want(map[bool]int{true: 200, false: 401}[newest], hers, http.MethodGet, "/Users/Me", nil)
		w.want(http.StatusNoContent, w.key, http.MethodDelete, "/Devices?id=tv", nil)
		for _, v := range []*jellyfintest.Visitor{shared, bens} {
			w.want(http.StatusUnauthorized, v, http.MethodGet, "/Users/Me", nil)
		}
	})
}

// Sessions are those that are live (additions B.6).
func TestSessions(t *testing.T) {
	each(t, func(w *world) {
		w.person("mia")
		mia := w.enter("mia")
		type sessions []struct{ UserName, DeviceID string }
		if got := get[sessions](w, "/Sessions"); len(got) != 1 || got[0].UserName != "mia" || got[0].DeviceID != mia.Device {
			w.Errorf("live are %v", got)
		}
		w.pass(time.Hour)
		if got := get[sessions](w, "/Sessions?activeWithinSeconds=60"); len(got) != 0 {
			w.Errorf("active are %v", got)
		}
		w.Restart()
		if got := get[sessions](w, "/Sessions"); len(got) != 0 {
			w.Errorf("live are %v", got)
		}
		w.want(http.StatusOK, mia, http.MethodGet, "/Users/Me", nil)
		if got := get[sessions](w, "/Sessions"); len(got) != 1 {
			w.Errorf("live are %v", got)
		}
	})
}

// An administrator or a key signs a device in as anybody, without a password, also as somebody who is disabled: the token
// is refused until they are enabled (additions B.8). Initiating by GET is gone in 12.0 (corrections A.6).
func TestQuickConnect(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		w.change(id, document{"IsDisabled": true})
		var begun struct{ Secret, Code string }
		status, err := w.nobody().Call(t.Context(), http.MethodPost, "/QuickConnect/Initiate", nil, &begun)
		if w.must(err); status != http.StatusOK || len(begun.Code) != 6 {
			w.Fatalf("%d: %v", status, begun)
		}
		w.want(map[bool]int{true: http.StatusMethodNotAllowed, false: http.StatusOK}[w.version == jellyfintest.Release12], w.nobody(), http.MethodGet, "/QuickConnect/Initiate", nil)
		w.want(http.StatusUnauthorized, w.nobody(), http.MethodPost, "/Users/AuthenticateWithQuickConnect", document{"Secret": begun.Secret})
		w.person("ben")
		ben := w.enter("ben")
		w.want(http.StatusForbidden, ben, http.MethodPost, query("/QuickConnect/Authorize", "code", begun.Code, "userId", id), nil)
		w.want(http.StatusNotFound, w.key, http.MethodPost, query("/QuickConnect/Authorize", "code", "nonsense", "userId", id), nil)
		w.want(http.StatusOK, w.key, http.MethodPost, query("/QuickConnect/Authorize", "code", begun.Code, "userId", id), nil)
		var entered struct{ AccessToken string }
		status, err = w.nobody().Call(t.Context(), http.MethodPost, "/Users/AuthenticateWithQuickConnect", document{"Secret": begun.Secret}, &entered)
		if w.must(err); status != http.StatusOK {
			w.Fatalf("entered: %d", status)
		}
		mia := &jellyfintest.Visitor{URL: w.URL, Token: entered.AccessToken, UserID: id}
		w.want(http.StatusUnauthorized, mia, http.MethodGet, "/Users/Me", nil)
		w.change(id, document{"IsDisabled": false})
		w.want(http.StatusOK, mia, http.MethodGet, "/Users/Me", nil)
	})
}

// A code lives for ten minutes, and the server can do without (additions B.8).
func TestQuickConnectEnds(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	id := w.person("mia")
	var begun struct{ Secret, Code string }
	_, err := w.nobody().Call(t.Context(), http.MethodPost, "/QuickConnect/Initiate", nil, &begun)
	w.must(err)
	w.want(http.StatusOK, w.nobody(), http.MethodGet, query("/QuickConnect/Connect", "secret", begun.Secret), nil)
	w.pass(11 * time.Minute)
	w.want(http.StatusNotFound, w.nobody(), http.MethodGet, query("/QuickConnect/Connect", "secret", begun.Secret), nil)
	w.want(http.StatusNotFound, w.key, http.MethodPost, query("/QuickConnect/Authorize", "code", begun.Code, "userId", id), nil)
	w.SetQuickConnect(false)
	w.want(http.StatusUnauthorized, w.nobody(), http.MethodPost, "/QuickConnect/Initiate", nil)
	if _, _, body := w.raw(http.MethodGet, "/QuickConnect/Enabled", http.Header{}); strings.TrimSpace(string(body)) != "false" {
		t.Errorf("enabled: %s", body)
	}
}
