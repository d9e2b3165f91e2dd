package portal

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
)

// tokenName is the name of the cookie and of the form's hidden field whose values must be equal.
const tokenName = "invite_form"

// tokenBytes is the randomness of a form token; tokenLength its length as text.
const (
	tokenBytes  = 16
	tokenLength = 22
)

// cookieLife is how long, in seconds, an open form stays usable.
const cookieLife = 24 * 60 * 60

// NewFormToken returns the token for the forms of a page, and sets it as a cookie for the paths below path. A browser
// that has one already keeps it, so that two tabs do not spoil each other. Call it before Write.
func NewFormToken(w http.ResponseWriter, r *http.Request, path string) string {
	if cookie, err := r.Cookie(tokenName); err == nil && isToken(cookie.Value) {
		return cookie.Value
	}
	raw := make([]byte, tokenBytes)
	_, _ = rand.Read(raw)
	token := base64.RawURLEncoding.EncodeToString(raw)
	http.SetCookie(w, &http.Cookie{
		Name: tokenName, Value: token, Path: path, MaxAge: cookieLife, HttpOnly: true, Secure: r.TLS != nil,
		SameSite: http.SameSiteLaxMode,
	})
	return token
}

func isToken(s string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && len(raw) == tokenBytes && len(s) == tokenLength
}

// FromOwnPage reports whether a sent form comes from one of our own pages; call ReadForm first. Browsers say so in
// Sec-Fetch-Site, but only over HTTPS; else in Origin, but not (they send "null") from pages that keep their address to
// themselves, as ours do. What is left, a household's plain HTTP, is told by a cookie that other sites cannot make the
// browser send along.
func FromOwnPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "null" {
		parsed, err := url.Parse(origin)
		return err == nil && parsed.Host == r.Host
	}
	cookie, err := r.Cookie(tokenName)
	return err == nil && isToken(cookie.Value) &&
		subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(r.PostForm.Get(tokenName))) == 1
}
