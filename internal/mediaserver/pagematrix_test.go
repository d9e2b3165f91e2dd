package mediaserver_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

const pageMatrixGuide = `What each kind of visitor is answered on each page and by what else is outside of the OpenAPI document: the HTTP
status, and "303 /" for being sent to the first page, where one signs in. The columns are those of matrix.txt; visitors
come with the cookie of a browser that is signed in so.

404 for guest means that the page was, to the byte but for the token of its form, the one for an id that does not exist.
Made by: go test ./internal/mediaserver -run TestPageMatrix -update

`

// pageRows are the pages, and forms as they would be sent to succeed. A path's placeholders are those of matrix.fresh.
var pageRows = []struct{ method, path, form string }{
	{"GET", "/", ""}, {"POST", "/app/sign-in", "login={login}&password=" + url.QueryEscape(password)},
	{"GET", "/app/sign-in", ""}, {"GET", "/app/sign-out", ""},
	{"GET", "/app/account", ""}, {"POST", "/app/account", "current={password}&new={password}&repeat={password}"},
	{"GET", "/app/recent", ""}, {"GET", "/app/search?q=heat", ""},
	{"GET", "/app/libraries/{library}", ""}, {"GET", "/app/items/{item}", ""},
	{"GET", "/app/items/{item}/file", ""}, {"HEAD", "/app/items/{item}/file", ""}, {"GET", "/app/items/{item}/artwork", ""},
	{"POST", "/app/items/{item}/progress", "action=finish"}, {"POST", "/app/items/{item}/progress", "action=note&positionMs=5&durationMs=9"},
	{"POST", "/app/items/{item}/progress", "action=forget"}, {"POST", "/app/sign-out", "x=y"},
	{"GET", "/invite/{code}", ""}, {"GET", "/invite/{code}/done", ""}, {"GET", "/invite/{code}/already", ""},
	{"GET", "/invite/{code}/register", ""}, {"GET", "/invite/{code}/accept", ""}, {"GET", "/invite/{code}/join", ""}, {"POST", "/invite/{code}/join", "x=y"},
	{"POST", "/invite/{code}/register", "username={name}&password={password}&passwordRepeat={password}"},
	{"POST", "/invite/{code}/accept", "login={login}&password={password}"},
	{"GET", "/shared/{shared}", ""}, {"GET", "/shared/nothing", ""},
	{"GET", "/docs", ""}, {"GET", "/v1/openapi.json", ""}, {"GET", "/healthz", ""}, {"GET", "/readyz", ""}, {"GET", "/metrics", ""},
	{"GET", "/nothing", ""}, {"GET", "/assets/nothing", ""},
}

// TestPageMatrix walks every page as every kind of visitor. Dubby access seed, lines 35 to 45; Alcoves seed, lines 48, 62
// and 74; Shisho seed, line 37.
func TestPageMatrix(t *testing.T) {
	m := newMatrix(t)
	var table strings.Builder
	fmt.Fprintf(&table, "%-48s", "")
	for _, actor := range matrixActors {
		fmt.Fprintf(&table, " %-11s", actor)
	}
	for _, row := range pageRows {
		label, _, _ := strings.Cut(row.form, "&")
		if !strings.HasPrefix(label, "action=") {
			label = ""
		}
		fmt.Fprintf(&table, "\n%-6s %-41s", row.method, strings.TrimSpace(row.path+" "+label))
		for _, actor := range matrixActors {
			fmt.Fprintf(&table, " %-11s", m.page(row.method, row.path, row.form, actor))
		}
	}
	golden(t, filepath.Join("testdata", "pages.txt"), pageMatrixGuide+trailing.ReplaceAllString(table.String()+"\n", "\n"))
}

// page asks as the actor, and checks that what is hidden looks like nothing.
func (m *matrix) page(method, path, form, actor string) string {
	m.Helper()
	token := m.token(actor)
	m.owner = m.token("owner")
	for _, name := range []string{"{library}", "{item}", "{code}", "{name}", "{login}", "{shared}"} {
		if strings.Contains(path+form, name) {
			value := m.fresh(name, actor, token)
			path, form = strings.ReplaceAll(path, name, value), strings.ReplaceAll(form, name, value)
		}
	}
	form = strings.ReplaceAll(form, "{password}", url.QueryEscape(password))
	got := m.visit(method, path, form, token)
	if got.status >= 500 {
		m.Errorf("%s %s as %s: %v", method, path, actor, got)
	}
	if actor == "guest" && got.status == 404 && strings.HasPrefix(path, "/app/") {
		nothing := m.visit(method, strings.NewReplacer(m.library, unknown, m.item, unknown).Replace(path), form, token)
		for _, a := range []*answer{&got, &nothing} {
			a.header.Del("Set-Cookie")
			a.body = formToken.ReplaceAllString(a.body, "")
		}
		m.sameAnswer(got, nothing)
	}
	if got.header.Get("Location") == "/" {
		return fmt.Sprint(got.status, " /")
	}
	return fmt.Sprint(got.status)
}

// visit asks as a browser would that has the session's cookie, and follows no redirect.
func (m *matrix) visit(method, path, form, token string) answer {
	m.Helper()
	request, err := http.NewRequestWithContext(m.Context(), method, m.url+path, strings.NewReader(form))
	if err != nil {
		m.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		request.AddCookie(&http.Cookie{Name: "mediaserver_session", Value: token})
	}
	response, err := m.client.Transport.RoundTrip(request)
	if err != nil {
		m.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		m.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(data)}
}
