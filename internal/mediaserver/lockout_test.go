package mediaserver_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver"
)

const manyTries = "Too many tries at this account. Wait a minute, or sign in from a network where you signed in before"

// besieged is a server behind a proxy where strangers in many networks have tried passwords at mia's account.
func besieged(t *testing.T) (w *world, owner, token string) {
	w = start(t, func(c *mediaserver.Config) {
		c.SignInsPerAccount, c.SignInsPerClient = 2, 1000
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	owner = w.owner()
	w.invite(owner, code, "")
	w.want(201, "POST", "/v1/users", owner, `{"username":"mia","email":"mia@example.org","password":"`+password+`"}`)
	// Mia signs in at home before, and has another session elsewhere.
	token = w.from("192.0.2.7", "mia", password).token(t)
	w.from("2001:db8:1:1::7", "mia", password).token(t)
	w.from("192.0.2.99", "mia", password).token(t)
	refused := 0
	for i := range 40 {
		for _, login := range []string{"mia", "MIA@example.org", "Mia"} {
			if got := w.from(fmt.Sprintf("198.51.100.%d", i), login, "wrong"); got.status == 429 {
				refused++
			}
		}
	}
	if refused < 40 {
		t.Errorf("only %d of 120 tries were refused", refused)
	}
	return w, owner, token
}

func (w *world) from(address, login, secret string) answer {
	w.Helper()
	return w.send("POST", "/v1/auth/sign-in", "", `{"login":"`+login+`","password":"`+secret+`"}`, "X-Forwarded-For", address)
}

func (a answer) token(t *testing.T) string {
	t.Helper()
	var in struct{ Token string }
	if a.status != 200 || json.Unmarshal([]byte(a.body), &in) != nil {
		t.Fatalf("got %v", a)
	}
	return in.Token
}

// Issue: nobody is locked out by others. Wrong tries, from however many networks, keep an account's holder neither out of the
// networks where they signed in before, be it by name or address, by the API, or a catalog, nor from changing the password while
// signed in; strangers stay limited, and are told what an innocent person can do.
func TestNobodyIsLockedOutByOthers(t *testing.T) {
	w, _, token := besieged(t)
	if got := w.from("203.0.113.1", "mia", "wrong"); got.status != 429 || got.body != `{"error":"`+manyTries+`"}` || got.header.Get("Retry-After") == "" {
		t.Errorf("a stranger from yet another network: %v", got)
	}
	// One try each: the account has two a minute from each network.
	w.from("192.0.2.7", "mia", password).token(t)
	w.from("2001:db8:1:1::8", "mia@example.org", password).token(t)
	if got := w.send("GET", "/opds/v1.2", "", "", append(basic("mia", password), "X-Forwarded-For", "192.0.2.99")...); got.status != 200 {
		t.Errorf("the catalog at home: %v", got)
	}
	if got := w.from("192.0.2.7", "mia", "wrong"); got.status != 429 {
		t.Errorf("tries without end from a network that is known: %v", got)
	}
	wrong := `{"currentPassword":"wrong","newPassword":"a long password"}`
	away := []string{"X-Forwarded-For", "203.0.113.9"}
	if got := w.send("POST", "/v1/auth/password", token, wrong, away...); got.status != 422 {
		t.Errorf("a wrong password while signed in: %v", got)
	}
	if got := w.send("POST", "/v1/auth/password", token, `{"currentPassword":"`+password+`","newPassword":"a long password"}`, away...); got.status != 204 {
		t.Errorf("changing the password while signed in: %v", got)
	}
	if got := w.send("POST", "/v1/auth/password", token, wrong, away...); got.status != 429 {
		t.Errorf("tries without end by a session: %v", got)
	}
}

// An account that does not exist is limited like one that does, and the refusals are the same.
func TestLimitsDoNotTellWhichAccountsThereAre(t *testing.T) {
	w, _, _ := besieged(t)
	for i := range 40 {
		for range 3 {
			w.from(fmt.Sprintf("198.51.100.%d", i), "nobody", "wrong")
		}
	}
	nobody, mia := w.from("203.0.113.1", "nobody", "wrong"), w.from("203.0.113.1", "mia", "wrong")
	if nobody.String() != mia.String() || nobody.status != 429 {
		t.Errorf("%v and %v", nobody, mia)
	}
}
