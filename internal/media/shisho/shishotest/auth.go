package shishotest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	cookieName = "shisho_session"
	// jwtKey signs the sessions of all fakes: they are stateless, and outlive the server that gave them.
	jwtKey = "a key for tests"
	// longestPassword is what the server can hash.
	longestPassword = 72
)

type claims struct {
	UserID   int    `json:"user_id"`
	Username string `json:"username"`
	IssuedAt int64  `json:"iat"`
	Before   int64  `json:"nbf"`
	Expires  int64  `json:"exp"`
}

func sign(text string) string {
	mac := hmac.New(sha256.New, []byte(jwtKey))
	_, _ = mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// session makes a token: HS256, with a fixed end.
func (s *Server) session(a *account) string {
	now := s.options.Now()
	payload, _ := json.Marshal(claims{
		UserID: a.id, Username: a.username, IssuedAt: now.Unix(), Before: now.Unix(), Expires: now.Add(s.options.SessionTime).Unix(),
	})
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	return text + "." + sign(text)
}

// signedIn is whose session the cookie is: only the cookie counts. The account is read anew each time, so that what was
// deactivated and activated again has its old sessions back.
func (s *Server) signedIn(r *http.Request) *account {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	text, signature, _ := cutLast(cookie.Value)
	if !hmac.Equal([]byte(signature), []byte(sign(text))) {
		return nil
	}
	_, payload, _ := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	var c claims
	if err != nil || json.Unmarshal(raw, &c) != nil || !s.options.Now().Before(time.Unix(c.Expires, 0)) {
		return nil
	}
	if a := s.account(c.UserID); a != nil && a.active {
		return a
	}
	return nil
}

func cutLast(token string) (before, after string, found bool) {
	at := strings.LastIndexByte(token, '.')
	if at < 0 {
		return token, "", false
	}
	return token[:at], token[at+1:], true
}

func (s *Server) status(*call) (int, any, error) {
	return http.StatusOK, object{"needs_setup": len(s.accounts) == 0}, nil
}

type loginForm struct {
	Username string  `json:"username"`
	Password string  `json:"password"`
	Email    *string `json:"email"`
}

func (f loginForm) check() error {
	switch {
	case utf8.RuneCountInString(f.Username) < 3:
		return invalid(`"username" length must be greater than or equal to 3 characters`)
	case utf8.RuneCountInString(f.Username) > 50:
		return invalid(`"username" length must be less than or equal to 50 characters`)
	case utf8.RuneCountInString(f.Password) < 8:
		return invalid(`"password" length must be greater than or equal to 8 characters`)
	}
	return nil
}

func (s *Server) setUp(c *call) (int, any, error) {
	if len(s.accounts) > 0 {
		return 0, nil, refuse(http.StatusForbidden, "forbidden", "Setup has already been completed is not allowed.")
	}
	var form loginForm
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	if err := form.check(); err != nil {
		return 0, nil, err
	}
	if len(form.Password) > longestPassword {
		return 0, nil, failure()
	}
	a := &account{id: s.next("user"), username: form.Username, password: form.Password, role: s.roles[0], active: true}
	if form.Email != nil {
		a.email = *form.Email
	}
	s.accounts = append(s.accounts, a)
	if err := s.grant(a, true, nil); err != nil {
		return 0, nil, err
	}
	return s.welcome(c, a)
}

func (s *Server) login(c *call) (int, any, error) {
	var form loginForm
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	if err := form.check(); err != nil {
		return 0, nil, err
	}
	a := s.named(form.Username)
	if a == nil || !a.active || a.password != form.Password {
		return 0, nil, refuse(http.StatusUnauthorized, "unauthorized", "Invalid username or password")
	}
	return s.welcome(c, a)
}

func (s *Server) welcome(c *call, a *account) (int, any, error) {
	http.SetCookie(c.writer, &http.Cookie{
		Name: cookieName, Value: s.session(a), Path: "/", MaxAge: int(s.options.SessionTime.Seconds()), HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: c.TLS != nil || c.Header.Get("X-Forwarded-Proto") == "https",
	})
	return http.StatusOK, meForm(a), nil
}

func (s *Server) me(c *call) (int, any, error) { return http.StatusOK, meForm(c.user), nil }

func meForm(a *account) object {
	permissions := []string{}
	for _, p := range a.role.permissions {
		permissions = append(permissions, p.resource+":"+p.operation)
	}
	slices.Sort(permissions)
	form := object{
		"id": a.id, "username": a.username, "role_id": a.role.id, "role_name": a.role.name, "permissions": permissions,
		"library_access": nil, "must_change_password": a.mustChange,
	}
	if a.email != "" {
		form["email"] = a.email
	}
	if !a.all() {
		ids := []int{}
		for _, g := range a.grants {
			ids = append(ids, g.library)
		}
		form["library_access"] = ids
	}
	return form
}
