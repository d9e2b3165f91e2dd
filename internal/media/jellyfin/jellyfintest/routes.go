package jellyfintest

import (
	"net/http"
	"strings"
)

// guard says who may make a call.
type guard int

const (
	// anonymous: everybody.
	anonymous guard = iota
	// signedIn: any token that is good, within its user's hours.
	signedIn
	// anyHour: any token that is good.
	anyHour
	// elevated: an administrator or a key.
	elevated
	// setupOrElevated, setupOrSignedIn and setupOrAnyHour: everybody while the wizard is pending (section 3).
	setupOrElevated
	setupOrSignedIn
	setupOrAnyHour
	// downloads: who may download.
	downloads
)

// route is one route of the server.
type route struct {
	method, path string
	guard        guard
	do           func(*call) answer
	// body is the schema of the body; empty for none. optional: it may be missing.
	body     string
	optional bool
	// query are the parameters that the route has; anyQuery for one that has too many to name.
	query    []string
	anyQuery bool
	// folders: it changes libraries.
	folders bool
}

func params(names string) []string { return strings.Fields(names) }

// allRoutes are those of the release.
func (s *Server) allRoutes() []route {
	all := append(s.serverRoutes(), s.userRoutes()...)
	all = append(all, s.folderRoutes()...)
	all = append(all, s.sessionRoutes()...)
	return append(all, s.viewRoutes()...)
}

// serverRoutes: health, the wizard, keys and names of ratings.
func (s *Server) serverRoutes() []route {
	return []route{
		{method: "GET", path: "/health", do: s.health},
		{method: "GET", path: "/System/Ping", do: s.ping},
		{method: "POST", path: "/System/Ping", do: s.ping},
		{method: "GET", path: "/System/Info/Public", do: s.publicInfo},
		{method: "GET", path: "/System/Info", guard: setupOrAnyHour, do: s.info},
		{method: "GET", path: "/Startup/Configuration", guard: setupOrElevated, do: s.startupConfiguration},
		{method: "POST", path: "/Startup/Configuration", guard: setupOrElevated, do: s.configure, body: "StartupConfigurationDto"},
		{method: "GET", path: "/Startup/User", guard: setupOrElevated, do: s.firstUser},
		{method: "GET", path: "/Startup/FirstUser", guard: setupOrElevated, do: s.firstUser},
		{method: "POST", path: "/Startup/User", guard: setupOrElevated, do: s.nameFirstUser, body: "StartupUserDto", optional: true},
		{method: "POST", path: "/Startup/RemoteAccess", guard: setupOrElevated, do: s.remoteAccess, body: "StartupRemoteAccessDto"},
		{method: "POST", path: "/Startup/Complete", guard: setupOrElevated, do: s.complete},
		{method: "GET", path: "/Auth/Keys", guard: elevated, do: s.listKeys},
		{method: "POST", path: "/Auth/Keys", guard: elevated, do: s.createKey, query: params("app")},
		{method: "DELETE", path: "/Auth/Keys/{key}", guard: elevated, do: s.deleteKey},
		{method: "GET", path: "/Auth/Providers", guard: elevated, do: s.providers},
		{method: "GET", path: "/Auth/PasswordResetProviders", guard: elevated, do: s.resetProviders},
		{method: "GET", path: "/Localization/ParentalRatings", guard: setupOrSignedIn, do: s.parentalRatings},
	}
}

// find finds the route, by the most segments that are not parameters; names in paths have no letter case.
func (s *Server) find(r *http.Request) (c *call, status int) {
	path := r.URL.EscapedPath()
	if base := s.options.BasePath; base != "" {
		below, under := strings.CutPrefix(path, base)
		if !under || !strings.HasPrefix(below, "/") {
			return nil, http.StatusNotFound
		}
		path = below
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	s.mu.Lock()
	routes, schemas := s.routes, s.schemas
	s.mu.Unlock()
	best, most, elsewhere := (*route)(nil), -1, false
	var values map[string]string
	for i := range routes {
		params, literal, matches := match(routes[i].path, segments)
		if !matches || literal < most {
			continue
		}
		if method := routes[i].method; method != r.Method && (method != http.MethodGet || r.Method != http.MethodHead) {
			elsewhere = true
			continue
		}
		best, most, values = &routes[i], literal, params
	}
	switch {
	case best != nil:
		return &call{Request: r, server: s, schemas: schemas, route: best, params: values}, http.StatusOK
	case elsewhere:
		return nil, http.StatusMethodNotAllowed
	}
	return nil, http.StatusNotFound
}

// match compares a pattern, in which {name} is any segment and name* any that begins so.
func match(pattern string, segments []string) (values map[string]string, literal int, matches bool) {
	parts := strings.Split(strings.Trim(pattern, "/"), "/")
	if len(parts) != len(segments) {
		return nil, 0, false
	}
	values = map[string]string{}
	for i, part := range parts {
		given := unescape(segments[i])
		name, isParameter := strings.CutPrefix(part, "{")
		prefix, isPrefix := strings.CutSuffix(part, "*")
		switch {
		case isParameter:
			values[strings.TrimSuffix(name, "}")] = given
		case isPrefix && len(given) >= len(prefix) && strings.EqualFold(given[:len(prefix)], prefix), strings.EqualFold(part, given):
			literal++
		default:
			return nil, 0, false
		}
	}
	return values, literal, true
}
