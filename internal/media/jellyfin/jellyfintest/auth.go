package jellyfintest

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// credentials reads what a request brings, in the order of the server (section 1 and "confirmed unchanged"): the token
// in the Authorization header; the legacy headers, where they are allowed; the query ApiKey; the legacy api_key.
func (s *Server) credentials(c *call) (token string, from client) {
	legacy := s.config.legacyAuthorization
	fields := parameters(c.Header.Get("Authorization"), legacy)
	if fields == nil && legacy {
		fields = parameters(c.Header.Get("X-Emby-Authorization"), legacy)
	}
	from = client{fields["client"], fields["device"], fields["deviceid"], fields["version"]}
	tokens := []string{fields["token"]}
	if legacy {
		tokens = append(tokens, c.Header.Get("X-Emby-Token"), c.Header.Get("X-MediaBrowser-Token"))
	}
	tokens = append(tokens, c.param("ApiKey"))
	if legacy {
		tokens = append(tokens, c.param("api_key"))
	}
	for _, token := range tokens {
		if token != "" {
			return token, from
		}
	}
	return "", from
}

// parameters reads a header such as `MediaBrowser Token="..."`: the word of the scheme has no letter case, values are
// quoted and URL-encoded. Nil for another scheme.
func parameters(header string, legacy bool) map[string]string {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	if !strings.EqualFold(scheme, "MediaBrowser") && !(legacy && strings.EqualFold(scheme, "Emby")) {
		return nil
	}
	fields := map[string]string{}
	for _, part := range splitQuoted(rest) {
		name, value, _ := strings.Cut(part, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded
		}
		fields[strings.ToLower(strings.TrimSpace(name))] = value
	}
	return fields
}

// splitQuoted splits at the commas that are not within quotes.
func splitQuoted(text string) []string {
	var parts []string
	quoted, from := false, 0
	for i, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return append(parts, text[from:])
}

// admit finds out who asks, and whether they may: a bad or missing token and that of a disabled user are 401, who may
// not is 403 (section 1).
func (s *Server) admit(c *call) (refused answer, admitted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var known bool
	c.caller.token, c.client = s.credentials(c)
	if key := s.key(c.caller.token); key != nil {
		c.caller.key, known = true, true
	} else if d := s.device(c.caller.token); d != nil {
		c.caller.user = s.user(d.userID)
		known = c.caller.user != nil && !c.caller.user.disabled()
		if known {
			s.live.use(d, s.now())
		}
	}
	open := c.route.guard >= setupOrElevated && c.route.guard <= setupOrAnyHour && !s.startup.completed
	switch {
	case !known:
		c.caller = caller{}
		return bare(http.StatusUnauthorized), open || c.route.guard == anonymous
	case open || c.route.guard == anonymous || c.caller.key:
		return answer{}, true
	}
	return bare(http.StatusForbidden), s.may(c)
}

// may says whether somebody who is signed in may make the call: from where they are (additions B.14), at this hour
// (additions B.13; administrators are exempt), and with their role.
func (s *Server) may(c *call) bool {
	u := c.caller.user
	hours := c.route.guard != anyHour && c.route.guard != setupOrAnyHour
	switch {
	case !u.policy.flag("EnableRemoteAccess") && !s.local(c.Request):
		return false
	case hours && !u.admin() && !u.withinHours(s.now()):
		return false
	case c.route.guard == elevated || c.route.guard == setupOrElevated:
		return u.admin()
	case c.route.guard == downloads:
		return u.policy.flag("EnableContentDownloading")
	}
	return true
}

// local says whether a request comes from the server's own network: by the address of whoever connected, which is the
// proxy's where the server knows no proxy (additions B.14).
func (s *Server) local(r *http.Request) bool {
	if !s.options.KnownProxy || r.Header.Get("X-Forwarded-For") == "" {
		return true
	}
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	address, err := netip.ParseAddr(strings.TrimSpace(first))
	return err != nil || address.IsLoopback() || address.IsPrivate()
}
