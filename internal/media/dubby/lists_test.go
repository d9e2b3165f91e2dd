package dubby_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/dubby/dubbytest"
)

// TestEnvelopes lists three pages of accounts and two of libraries in each envelope.
func TestEnvelopes(t *testing.T) {
	for _, lists := range []dubbytest.Envelope{dubbytest.Items, dubbytest.Array, dubbytest.Boxed, dubbytest.Odd} {
		t.Run(string(lists), func(t *testing.T) {
			server, driver := started(t, dubbytest.Options{Lists: lists, NestedUser: lists == dubbytest.Odd, PackedPaths: lists == dubbytest.Boxed})
			for i := range 249 {
				server.Add("member", fmt.Sprintf("person%d@example.org", i), "A password 1")
			}
			var all []string
			for i := range 100 {
				all = append(all, server.AddLibrary(fmt.Sprintf("Library %d", i)).ID)
			}
			server.SetAccess("person7@example.org", all)
			listing, err := driver.List(t.Context())
			if err != nil || len(listing.Accounts) != 250 || len(listing.Libraries) != 100 || len(listing.Libraries[0].Paths) != 1 {
				t.Fatalf("%d accounts, %d libraries, %v", len(listing.Accounts), len(listing.Libraries), err)
			}
			for _, account := range listing.Accounts {
				if want := map[bool]int{true: 100}[account.Username == "person7@example.org"]; len(account.Access.Libraries) != want {
					t.Errorf("%s has %d libraries", account.Username, len(account.Access.Libraries))
				}
			}
		})
	}
}

// answering gives every request for a list of users the same answer.
func answering(server *dubbytest.Server, contentType, body string) {
	server.SetFault(func(_ int, r *http.Request) dubbytest.Spoil {
		if r.URL.Path != "/v1/users" {
			return dubbytest.Spoil{}
		}
		return dubbytest.Spoil{Status: http.StatusOK, Body: body, Header: http.Header{"Content-Type": {contentType}}}
	})
}

// TestListsThatAreNotWhole: none of these is taken for the whole list (rule R4), and none is asked for without end. Each
// holds Usher's own account, so that nothing but its envelope is wrong with it.
func TestListsThatAreNotWhole(t *testing.T) {
	const usher = `{"id":"USHER","email":"` + dubbytest.OwnerEmail + `","role":"owner","isActive":true}`
	const items = `{"items":[` + usher + `]`
	for name, body := range map[string]string{
		"a cursor that repeats":     items + `,"nextCursor":"again"}`,
		"an empty page in between":  `{"items":[],"nextCursor":"more"}`,
		"more than there is":        items + `,"total":7}`,
		"a count beyond the page":   items + `,"meta":{"totalItems":7}}`,
		"an unknown continuation":   items + `,"continuationToken":"x"}`,
		"a number of the next page": items + `,"nextPage":2}`,
		"a flag of a next page":     items + `,"pagination":{"hasNext":true}}`,
		"several pages":             items + `,"page":1,"totalPages":3}`,
		"a next offset":             items + `,"offset":50}`,
		"a link":                    items + `,"links":{"next":"/v1/users?page=2"}}`,
		"two lists":                 `{"users":[` + usher + `],"admins":[]}`,
		"somebody twice":            `[` + usher + `,` + usher + `]`,
		"an entry without an id":    `[` + usher + `,{"email":"x@example.org","role":"member","isActive":true}]`,
		"without Usher's account":   `[{"id":"x","email":"x@example.org","role":"owner","isActive":true}]`,
		"nothing":                   `[]`,
		"no list":                   `{"users":"none"}`,
	} {
		t.Run(name, func(t *testing.T) {
			server, driver := started(t, dubbytest.Options{})
			if _, err := driver.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := server.Count("GET /v1/users")
			answering(server, "application/json", strings.ReplaceAll(body, "USHER", server.User(dubbytest.OwnerEmail).ID))
			_, err := driver.List(t.Context())
			wantCode(t, err, media.Unavailable)
			if asked := server.Count("GET /v1/users") - before; asked > 3 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

// TestListsThatAreWhole: what says that this page is all is taken at its word.
func TestListsThatAreWhole(t *testing.T) {
	const usher = `{"id":"USHER","email":"` + dubbytest.OwnerEmail + `","role":"owner","isActive":true}`
	for _, body := range []string{
		`[` + usher + `]`, `{"users":[` + usher + `]}`, `{"items":[` + usher + `],"nextCursor":null,"count":1,"limit":100}`,
		`{"data":[` + usher + `],"pagination":{"hasNext":false,"page":1,"pages":1,"pageSize":100,"offset":0}}`,
		`{"results":[` + usher + `],"success":true,"total":1,"cursor":""}`,
	} {
		server, driver := started(t, dubbytest.Options{})
		answering(server, "application/json", strings.ReplaceAll(body, "USHER", server.User(dubbytest.OwnerEmail).ID))
		if listing, err := driver.List(t.Context()); err != nil || len(listing.Accounts) != 1 {
			t.Errorf("%s: %v %v", body, listing.Accounts, err)
		}
	}
}

// TestHTMLWith200: a page is nobody's list.
func TestHTMLWith200(t *testing.T) {
	server, driver := started(t, dubbytest.Options{})
	answering(server, "text/html; charset=utf-8", "<!doctype html><title>Dubby</title>")
	_, err := driver.List(t.Context())
	wantCode(t, err, media.Unavailable)
	_, err = driver.CreateAccount(t.Context(), newAccount("mia@example.org"))
	wantCode(t, err, media.Unavailable)
	wantNoWrite(t, server)
}

// TestHostileDocumentFromAServer: a document without end is not read to its end.
func TestHostileDocumentFromAServer(t *testing.T) {
	huge := strings.Repeat(" ", 9<<20)
	server, driver := started(t, dubbytest.Options{})
	server.SetFault(func(_ int, r *http.Request) dubbytest.Spoil {
		if r.URL.Path != "/v1/openapi.json" {
			return dubbytest.Spoil{}
		}
		return dubbytest.Spoil{Status: http.StatusOK, Body: "{" + huge + "}", Header: http.Header{"Content-Type": {"application/json"}}}
	})
	_, err := driver.Probe(t.Context())
	wantCode(t, err, media.Unavailable)
}
