package audiobookshelftest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media/fold"
)

const (
	accessTime  = time.Hour
	renewalTime = 30 * 24 * time.Hour
	graceTime   = 10 * time.Minute
)

func (s *Server) status(*call) (any, error) {
	methods := []string{}
	if s.local {
		methods = append(methods, "local")
	}
	if s.openID {
		methods = append(methods, "openid")
	}
	return object{
		"app": "audiobookshelf", "serverVersion": s.options.Version, "isInit": s.hasRoot(), "language": "en-us",
		"authMethods": methods, "authFormData": object{},
	}, nil
}

// setUp makes the first account. The look and the account are two moments.
func (s *Server) setUp(c *call) (any, error) {
	if s.hasRoot() {
		return nil, plain(http.StatusInternalServerError)
	}
	root, there := c.body["newRoot"]
	if !there {
		panic(crash{"cannot read username of undefined"})
	}
	username, _ := either(member(root, "username"), "root").(string)
	password, _ := member(root, "password").(string)
	s.pass()
	s.users = append(s.users, s.newAccount("root", username, password))
	return text("OK"), nil
}

func (s *Server) newAccount(kind, username, password string) *account {
	id := newID()
	return &account{
		id: id, username: username, kind: kind, password: password, hasPassword: password != "", active: true,
		created: s.options.Now(), token: "legacy." + id + "." + newID(), permissions: defaults(kind),
	}
}

// limited counts a sign-in or a renewal.
func (s *Server) limited() error {
	if s.signIns++; s.options.Limit > 0 && s.signIns > s.options.Limit {
		return &refusal{
			status: http.StatusTooManyRequests, json: object{"error": "Too many authentication requests"},
			header: http.Header{"Retry-After": {"599"}},
		}
	}
	return nil
}

// named finds who signs in: the database folds A to Z of the stored name, the server all letters of the other.
func (s *store) named(username string) *account {
	wanted := strings.ToLower(username)
	return find(s.users, func(a *account) bool { return fold.ASCII(a.username) == wanted })
}

func (s *Server) login(c *call) (any, error) {
	if err := s.limited(); err != nil {
		return nil, err
	}
	if !s.local {
		return nil, say(http.StatusInternalServerError, "<pre>Internal Server Error</pre>")
	}
	username, named := c.body["username"].(string)
	given, there := c.body["password"]
	if !named || username == "" || !there || given == nil {
		return nil, plain(http.StatusBadRequest)
	}
	a := s.named(username)
	if a == nil || !a.active {
		return nil, plain(http.StatusUnauthorized)
	}
	password, isText := given.(string)
	switch {
	case !isText:
		panic(crash{"illegal arguments: number, string"})
	case !a.hasPassword:
		if a.kind != "root" || password != "" {
			return nil, plain(http.StatusUnauthorized)
		}
	case cut(a.password) != cut(password):
		return nil, plain(http.StatusUnauthorized)
	}
	return s.welcome(c, a), nil
}

// cut is what counts of a password.
func cut(password string) string { return password[:min(len(password), 72)] }

func (s *Server) welcome(c *call, a *account) any {
	form := a.form(false)
	form["accessToken"], form["refreshToken"] = s.accessToken(a), nil
	renewal := "refresh." + newID()
	s.renewals[renewal] = session{a.id, s.options.Now().Add(renewalTime)}
	if c.Header.Get("X-Return-Tokens") == "true" || c.Header.Get("X-Refresh-Token") != "" {
		form["refreshToken"] = renewal
	} else {
		http.SetCookie(c.writer, &http.Cookie{Name: "refresh_token", Value: renewal})
	}
	return object{"user": form, "userDefaultLibraryId": nil, "serverSettings": object{"version": s.options.Version}, "ereaderDevices": []any{}, "Source": "docker"}
}

func (s *Server) accessToken(a *account) string {
	expires := s.options.Now().Add(accessTime)
	claims, _ := json.Marshal(object{"userId": a.id, "type": "access", "exp": expires.Unix(), "jti": newID()})
	token := "e30." + base64.RawURLEncoding.EncodeToString(claims) + ".sig"
	s.access[token] = session{a.id, expires}
	return token
}

func (s *Server) refresh(c *call) (any, error) {
	if err := s.limited(); err != nil {
		return nil, err
	}
	token := c.Header.Get("X-Refresh-Token")
	of, there := s.renewals[token]
	a := s.account(of.user)
	switch {
	case token == "":
		return nil, &refusal{status: http.StatusUnauthorized, json: object{"error": "No refresh token provided"}}
	case !there || a == nil || !a.active:
		return nil, &refusal{status: http.StatusUnauthorized, json: object{"error": "Invalid refresh token"}}
	case !s.options.Now().Before(of.expires):
		return nil, &refusal{status: http.StatusUnauthorized, json: object{"error": "Refresh token expired"}}
	}
	s.renewals[token] = session{of.user, s.options.Now().Add(graceTime)}
	return s.welcome(c, a), nil
}

func (s *Server) logout(c *call) (any, error) {
	delete(s.renewals, c.Header.Get("X-Refresh-Token"))
	return object{}, nil
}

// authorized is who shows a token: an access token, one of the old kind, which never ends, or an API key.
func (s *Server) authorized(r *http.Request) *account {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") || token == "" {
		return nil
	}
	var a *account
	if of, there := s.access[token]; there && s.options.Now().Before(of.expires) {
		a = s.account(of.user)
	}
	if a == nil {
		a = find(s.users, func(a *account) bool { return a.token == token })
	}
	if k := find(s.keys, func(k *key) bool { return k.secret == token && k.active }); a == nil && k != nil {
		a = s.account(k.user)
	}
	if a == nil || !a.active {
		return nil
	}
	return a
}

func (s *Server) createKey(c *call) (any, error) {
	if !c.user.isAdmin() {
		return nil, plain(http.StatusForbidden)
	}
	user, _ := c.body["userId"].(string)
	name, _ := c.body["name"].(string)
	if name == "" || s.account(user) == nil {
		return nil, plain(http.StatusBadRequest)
	}
	k := &key{id: newID(), user: user, secret: "key." + newID(), active: truthy(c.body["isActive"])}
	s.keys = append(s.keys, k)
	return object{"apiKey": object{"id": k.id, "apiKey": k.secret, "name": name, "isActive": k.active}}, nil
}

func (s *Server) deleteKey(c *call) (any, error) {
	before := len(s.keys)
	s.keys = without(s.keys, func(k *key) bool { return k.id == c.PathValue("id") })
	if len(s.keys) == before {
		return nil, plain(http.StatusNotFound)
	}
	return text("OK"), nil
}

func (s *Server) authSettings(c *call) (any, error) {
	if !c.user.isAdmin() {
		return nil, plain(http.StatusForbidden)
	}
	return object{
		"authActiveAuthMethods": []string{"local"}, "authOpenIDAutoRegister": s.register, "authOpenIDClientSecret": "a secret of the provider's",
		"authOpenIDGroupClaim": "", "authOpenIDAdvancedPermsClaim": "",
	}, nil
}
