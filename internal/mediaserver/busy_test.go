package mediaserver_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver"
	"github.com/usher-media/usher/internal/mediaserver/auth"
)

// hashing are all the ways to make the server hash a password, besides the doors.
func (w *world) hashing(owner, user string) map[string]func() answer {
	form := func(path, token string, fields ...string) answer {
		values := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			values.Set(fields[i], fields[i+1])
		}
		return (&matrix{world: w}).visit("POST", path, values.Encode(), token)
	}
	ways := map[string]func() answer{
		"register": func() answer { return w.send("POST", "/v1/auth/register", "", join("new", code, "")) },
		"register on the page": func() answer {
			return form("/invite/"+code+"/register", "", "username", "new", "password", password, "repeat", password)
		},
		"create a user": func() answer {
			return w.send("POST", "/v1/users", owner, `{"username":"new","password":"a long password"}`)
		},
		"reset a password": func() answer {
			return w.send("PUT", "/v1/users/"+user+"/password", owner, `{"password":"a long password"}`)
		},
		"change one's password": func() answer {
			return w.send("POST", "/v1/auth/password", owner, `{"currentPassword":"`+password+`","newPassword":"a long password"}`)
		},
		"change one's password on the page": func() answer {
			return form("/app/account", owner, "current", password, "new", "a long password", "repeat", "a long password")
		},
	}
	for name, door := range w.doors() {
		ways["sign in: "+name] = func() answer { return door("mia", password) }
	}
	return ways
}

// While as many passwords are hashed as there is memory for, every way to have one more hashed says at once when to come back;
// who is signed in is served, and afterwards all is as it was.
func TestEveryWayToHashIsShed(t *testing.T) {
	hasher := auth.NewHasher(true)
	w := start(t, func(c *mediaserver.Config) { c.Hasher = hasher })
	owner := w.owner()
	w.invite(owner, code, "")
	mia, token := w.user(owner, "mia", `,"email":"mia@example.org"`)
	release := hasher.Occupy()
	for name, way := range w.hashing(owner, mia) {
		got := way()
		if got.status != 503 || got.header.Get("Retry-After") != "5" || !strings.Contains(got.body, "busy") {
			t.Errorf("%s: %v, Retry-After %q", name, got, got.header.Get("Retry-After"))
		}
	}
	w.want(200, "GET", "/v1/auth/session", token, "")
	release()
	for name, door := range w.doors() {
		if got := door("mia", password); got.status >= 400 {
			t.Errorf("%s afterwards: %v", name, got)
		}
	}
}
