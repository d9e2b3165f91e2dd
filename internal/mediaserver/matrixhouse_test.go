package mediaserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
)

// matrix is a household with one account of each kind.
type matrix struct {
	*world
	owner, library, item, book string
	stale                      string
	made                       int
	// sessions are the actors' tokens.
	sessions map[string]string
}

func newMatrix(t *testing.T) *matrix {
	w := start(t)
	w.write("films/heat.mp4", "film")
	w.write("films/cover.png", mediafiletest.Pixel)
	w.write("films/deep.epub", mediafiletest.EPUB("Deep", "Vinge", "Zones"))
	m := &matrix{world: w, owner: w.owner(), sessions: map[string]string{}}
	m.library = w.library(m.owner, "Films", "films")
	w.want(200, "PATCH", "/v1/libraries/"+m.library, m.owner, `{"sharingEnabled":true}`)
	m.item = w.itemNamed(m.owner, "heat")
	m.book = w.itemNamed(m.owner, "deep")
	w.want(200, "PATCH", "/v1/auth/profile", m.owner, `{"email":"olga@example.org"}`)
	granted := `,"access":{"all":false,"libraries":[{"libraryId":"` + m.library + `","role":"%s"}]},"role":"%s"`
	add := func(name, more string) (id, token string) {
		t.Helper()
		return w.user(m.owner, name, `,"email":"`+name+`@example.org"`+more)
	}
	add("guest", `,"role":"guest"`)
	add("viewer", fmt.Sprintf(granted, "viewer", "member"))
	add("libadmin", fmt.Sprintf(granted, "admin", "member"))
	add("editor", fmt.Sprintf(granted, "viewer", "editor"))
	add("admin", `,"role":"admin"`)
	id, stale := add("deactivated", fmt.Sprintf(granted, "admin", "admin"))
	w.want(200, "PATCH", "/v1/users/"+id, m.owner, `{"disabled":true}`)
	m.stale = stale
	return m
}

// token returns a token of the actor that works: the route before may have ended their sessions.
func (m *matrix) token(actor string) string {
	m.Helper()
	switch actor {
	case "anonymous":
		return ""
	case "deactivated":
		return m.stale
	}
	token := m.sessions[actor]
	if token == "" || m.send("GET", "/v1/auth/session", token, "").status != 200 {
		token = m.another(actor)
		m.sessions[actor] = token
	}
	return token
}

// another signs the actor in afresh.
func (m *matrix) another(actor string) string {
	m.Helper()
	return m.signIn(map[string]string{"owner": "olga"}[actor] + strings.TrimPrefix(actor, "owner"))
}

// fresh makes what a placeholder of a row stands for. What a route changes or removes is made for each call.
func (m *matrix) fresh(placeholder, actor, token string) string {
	m.Helper()
	m.made++
	name := fmt.Sprintf("fresh%d", m.made)
	made := func(path, body, field string) string {
		m.Helper()
		return m.want(201, "POST", path, m.owner, body)[field].(string)
	}
	user := `{"username":"` + name + `","password":"` + password + `"`
	switch placeholder {
	case "{library}":
		return m.library
	case "{item}":
		return m.item
	case "{book}":
		return m.book
	case "{name}":
		return name
	case "{login}":
		return map[string]string{"owner": "olga"}[actor] + strings.TrimPrefix(actor, "owner")
	case "{dir}":
		return m.mkdir(name)
	case "{user}":
		return made("/v1/users", user+`}`, "id")
	case "{member}":
		return made("/v1/users", user+`,"access":{"all":false,"libraries":[{"libraryId":"`+m.library+`"}]}}`, "id")
	case "{role}":
		return made("/v1/roles", `{"name":"`+name+`","permissions":[]}`, "id")
	case "{invite}":
		return made("/v1/invites", `{}`, "id")
	case "{code}":
		return made("/v1/invites", `{"libraries":[{"libraryId":"`+m.world.library(m.owner, "Kids", "empty")+`"}]}`, "code")
	case "{libraryInvite}":
		return made("/v1/libraries/"+m.library+"/invites", `{}`, "id")
	case "{link}":
		return made("/v1/items/"+m.item+"/share-links", `{}`, "id")
	case "{shared}":
		return made("/v1/items/"+m.item+"/share-links", `{}`, "token")
	case "{session}":
		return m.otherSession(actor, token)
	case "{spare}":
		return m.spare()
	}
	m.Fatalf("nobody knows what %s is", placeholder)
	return ""
}

// spare is an empty library, granted as the other one is.
func (m *matrix) spare() string {
	m.Helper()
	id := m.world.library(m.owner, "Spare", "empty")
	for _, user := range m.want(200, "GET", "/v1/users?limit=10", m.owner, "")["items"].([]any) {
		user := user.(map[string]any)
		role := map[string]string{"viewer": "viewer", "editor": "viewer", "libadmin": "admin"}[user["username"].(string)]
		if role != "" {
			m.want(200, "POST", "/v1/libraries/"+id+"/permissions", m.owner, fmt.Sprintf(`{"userId":%q,"role":%q}`, user["id"], role))
		}
	}
	return id
}

func (m *matrix) otherSession(actor, token string) string {
	if got := m.send("GET", "/v1/auth/sessions", token, ""); got.status != 200 {
		return "V1StGXR8_Z5jdHi6B-myT"
	}
	m.another(actor)
	for _, session := range m.want(200, "GET", "/v1/auth/sessions?limit=100", token, "")["items"].([]any) {
		if session := session.(map[string]any); session["current"] == false {
			return session["id"].(string)
		}
	}
	m.Fatal("no other session")
	return ""
}
