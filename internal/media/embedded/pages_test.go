package embedded_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

// script serves answers by path, and a sign-in.
func script(t *testing.T, answers map[string]string) media.Driver {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body, known := answers[request.Method+" "+request.URL.RequestURI()]
		if !known {
			w.WriteHeader(http.StatusNotFound)
			body = `{"error":"Not found"}`
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return open(t, media.Config{Allowed: media.Loopback(), URL: server.URL, Credentials: media.Credentials{Token: "x"}})
}

func userJSON(id string) string {
	return fmt.Sprintf(`{"id":%q,"username":%q,"role":"member","disabled":false,"access":{"all":false,"libraries":[]}}`, id, id)
}

// R4: pages that cannot be the whole list.
func TestBrokenPages(t *testing.T) {
	const first, next = "GET /v1/users?limit=100", "GET /v1/users?cursor=c&limit=100"
	page := func(cursor string, users ...string) string {
		return fmt.Sprintf(`{"items":[%s],"nextCursor":%s}`, strings.Join(users, ","), cursor)
	}
	a := userJSON("a")
	for name, answers := range map[string]map[string]string{
		"circle":            {first: page(`"c"`, a), next: page(`"c"`, userJSON("b"))},
		"twice":             {first: page(`"c"`, a), next: page("null", a)},
		"empty in between":  {first: page(`"c"`)},
		"missing page":      {first: page(`"c"`, a)},
		"no cursor":         {first: `{"items":[` + a + `]}`},
		"no items":          {first: `{"nextCursor":null}`},
		"null items":        {first: `{"items":null,"nextCursor":null}`},
		"cursor of numbers": {first: `{"items":[],"nextCursor":7}`},
		"no id":             {first: page("null", userJSON(""))},
		"no access":         {first: page("null", `{"id":"a","username":"a","role":"member","disabled":false}`)},
		"no all":            {first: page("null", strings.Replace(a, `"all":false,`, "", 1))},
		"no libraries":      {first: page("null", strings.Replace(a, `"libraries":[]`, `"libraries":null`, 1))},
		"no disabled":       {first: page("null", strings.Replace(a, `"disabled":false,`, "", 1))},
		"no role":           {first: page("null", strings.Replace(a, "member", "", 1))},
		"unknown library role": {first: page("null",
			strings.Replace(a, `[]`, `[{"libraryId":"l","role":"emperor"}]`, 1))},
		"libraries missing": {first: page("null", a)},
	} {
		listing, err := script(t, answers).List(context.Background())
		if media.CodeOf(err) != media.Unavailable || len(listing.Accounts) != 0 {
			t.Errorf("%s: %v, %v", name, listing, err)
		}
	}
	good := map[string]string{
		first: page(`"c"`, a), next: page("null", userJSON("b")), "GET /v1/libraries?limit=100": page("null"),
	}
	listing, err := script(t, good).List(context.Background())
	if err != nil || len(listing.Accounts) != 2 {
		t.Errorf("%v, %v", listing, err)
	}
}

// An answer about somebody else is no answer.
func TestAnswerAboutAnother(t *testing.T) {
	driver := script(t, map[string]string{"GET /v1/users/a": userJSON("b"), "PATCH /v1/users/a": userJSON("b")})
	_, err := driver.Account(context.Background(), "a")
	wantCode(t, err, media.Unavailable)
	_, err = driver.(media.Disabler).SetDisabled(context.Background(), "a", true)
	wantCode(t, err, media.Ambiguous)
}

// Where another product answers at the URL, nothing is "not found".
func TestProbeElsewhere(t *testing.T) {
	_, err := script(t, nil).Probe(context.Background())
	wantCode(t, err, media.Unavailable)
	_, err = script(t, nil).List(context.Background())
	wantCode(t, err, media.Unavailable)
	_, err = script(t, nil).Account(context.Background(), "a")
	wantCode(t, err, media.NotFound)
}
