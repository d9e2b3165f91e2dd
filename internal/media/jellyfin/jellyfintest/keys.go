package jellyfintest

import (
	"net/http"
	"slices"
)

func (s *store) addKey(app string) *apiKey {
	s.keyCount++
	key := &apiKey{id: s.keyCount, token: newID(), app: app}
	s.keys = append(s.keys, key)
	return key
}

// listKeys shows every key in clear to every administrator (section 1). It is the route that proves one (corrections
// A.4).
func (s *Server) listKeys(*call) answer {
	var items []object
	for _, k := range s.keys {
		items = append(items, object{
			"Id": k.id, "AccessToken": k.token, "AppName": k.app, "DateCreated": moment(k.created), "IsActive": true,
			"UserId": noID, "DateLastActivity": moment(k.created),
		})
	}
	return ok(page(items, len(items), 0))
}

// noID is an id that is nobody's: a key's user (section 1).
const noID = "00000000000000000000000000000000"

// createKey answers without a body, and takes a name that is taken (section 1).
func (s *Server) createKey(c *call) answer {
	if c.param("app") == "" {
		return invalid("app")
	}
	s.addKey(c.param("app")).created = s.now()
	return noContent()
}

// deleteKey answers the same for a key that there is not (section 1).
func (s *Server) deleteKey(c *call) answer {
	s.keys = slices.DeleteFunc(s.keys, func(k *apiKey) bool { return k.token == c.params["key"] })
	return noContent()
}

// The providers of a server without plug-ins.
const (
	passwordProvider = "Jellyfin.Server.Implementations.Users.DefaultAuthenticationProvider"
	resetProvider    = "Jellyfin.Server.Implementations.Users.DefaultPasswordResetProvider"
)

func (s *Server) providers(*call) answer {
	return ok([]object{{"Name": "Default", "Id": passwordProvider}})
}

func (s *Server) resetProviders(*call) answer {
	return ok([]object{{"Name": "Default Password Reset Provider", "Id": resetProvider}})
}

// isKey says whether the caller is a key, which has no user of its own: what is relative to a user needs its id
// (section 1).
func (c *call) isKey() bool { return c.caller.key }

// subject is the user that a call is about: the one of the parameter userId or of the legacy path, else the caller. Another
// one than oneself is for administrators.
func (c *call) subject() (*user, answer, bool) {
	text, given := c.params["id"], c.params["id"] != ""
	if !given {
		text = c.param("userId")
		given = text != ""
	}
	switch {
	case !given && c.isKey():
		return nil, failed(http.StatusBadRequest), false
	case !given:
		return c.caller.user, answer{}, true
	}
	id, isID := parseID(text)
	if !isID {
		return nil, invalid("userId"), false
	}
	u := c.server.user(id)
	switch {
	case !c.caller.admin() && u != c.caller.user:
		return nil, stated(http.StatusForbidden, "This is somebody else."), false
	case u == nil:
		return nil, stated(http.StatusNotFound, "There is no such user."), false
	}
	return u, answer{}, true
}
