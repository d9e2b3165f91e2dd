package dubby_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/dubby"
	"github.com/usher-media/usher/internal/media/dubby/dubbytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config(url string) media.Config {
	return media.Config{Allowed: media.Loopback(), URL: url, Credentials: media.Credentials{Email: dubbytest.OwnerEmail, Password: dubbytest.OwnerPassword}}
}

// call makes a call as anybody would, without the driver, and returns the status.
func call(ctx context.Context, url, token, method, path string, body, into any) (int, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return 0, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, url+path, &sent)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	// A connection of its own for each call: none is left when the test ends.
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if into != nil && response.StatusCode < 300 {
		err = json.NewDecoder(response.Body).Decode(into)
	}
	return response.StatusCode, err
}

// person is somebody who is signed in.
type person struct{ url, token string }

// address is what the suite's person of a name signs in with.
func address(name string) string {
	if strings.Contains(name, "@") {
		return name
	}
	return strings.ToLower(name) + "@example.org"
}

func signIn(url string) func(context.Context, string, string) (drivertest.Person, error) {
	return func(ctx context.Context, email, password string) (drivertest.Person, error) {
		var in struct{ Token string }
		body := map[string]string{"email": address(email), "password": password}
		status, err := call(ctx, url, "", "POST", "/api/auth/sign-in/email", body, &in)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		return person{url, in.Token}, err
	}
}

// Libraries lists what the person sees, and asks for each by its id.
func (p person) Libraries(ctx context.Context) ([]media.LibraryID, error) {
	var ids []media.LibraryID
	for cursor := ""; ; {
		var raw json.RawMessage
		status, err := call(ctx, p.url, p.token, "GET", "/v1/libraries?limit=100&cursor="+cursor, nil, &raw)
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("status %d: %w", status, err)
		}
		items, next, err := opened(raw)
		if err != nil {
			return nil, err
		}
		for _, id := range items {
			if status, err := call(ctx, p.url, p.token, "GET", "/v1/libraries/"+string(id), nil, nil); err != nil || status != http.StatusOK {
				return nil, fmt.Errorf("library %s: status %d: %w", id, status, err)
			}
		}
		if ids = append(ids, items...); next == "" {
			return ids, nil
		}
		cursor = next
	}
}

// opened reads the envelopes of the fake, by their names.
func opened(raw json.RawMessage) (ids []media.LibraryID, next string, err error) {
	type entry struct {
		ID       media.LibraryID
		Personal bool
	}
	var page struct {
		Items, Data, Records []entry
		NextCursor           *string
		Cursor               string
		Pagination           struct {
			Next *string `json:"next_cursor"`
		}
	}
	if raw[0] == '[' {
		err = json.Unmarshal(raw, &page.Items)
	} else {
		err = json.Unmarshal(raw, &page)
	}
	for _, list := range [][]entry{page.Items, page.Data, page.Records} {
		for _, e := range list {
			if !e.Personal {
				ids = append(ids, e.ID)
			}
		}
	}
	next = page.Cursor
	for _, cursor := range []*string{page.NextCursor, page.Pagination.Next} {
		if cursor != nil {
			next = *cursor
		}
	}
	return ids, next, err
}

// hand is the owner at the server's own pages.
type hand struct{ server *dubbytest.Server }

func (h hand) SetAccess(email string, access media.Access) {
	var ids []string
	for _, id := range access.IDs() {
		ids = append(ids, string(id))
	}
	h.server.SetAccess(address(email), ids)
}

func (h hand) SetDisabled(email string, disabled bool) {
	user := h.server.User(address(email))
	h.server.Lock()
	defer h.server.Unlock()
	user.Active = !disabled
}

func (h hand) DeleteAccount(email string) { h.server.Remove(address(email)) }

func (h hand) RenameLibrary(id media.LibraryID, name string) {
	h.server.EditLibrary(string(id), func(l *dubbytest.Library) { l.Name = name })
}

func serve(server *dubbytest.Server, config media.Config) drivertest.Server {
	return drivertest.Server{
		Open: dubby.Open, Config: config, SignIn: signIn(server.URL), Hand: hand{server},
		Path: func(name string) string { return "/media/" + strings.ReplaceAll(name, " ", "_") },
		Fill: func(library media.Library) {
			server.EditLibrary(string(library.ID), func(l *dubbytest.Library) { l.Items = 1 })
		},
	}
}

func harness(options dubbytest.Options) drivertest.Harness {
	return drivertest.Harness{
		Start: func(t testing.TB) drivertest.Server {
			server := dubbytest.Start(t, options)
			return serve(server, config(server.URL))
		},
		HTTP: true, CreatesInSteps: true, GoesOn: goesOn, Parallel: true,
		Refusal: func(status int) (string, string) {
			return "application/json", fmt.Sprintf(`{"error":%q}`, http.StatusText(status))
		},
	}
}

// goesOn: a version is for people, and not worth a connection; and the contract leaves the form of lists so far open that
// an empty one in any of these is the server's own.
func goesOn(fault string, request *http.Request) bool {
	list := strings.HasPrefix(request.URL.Path, "/v1/libraries") || request.URL.Path == "/v1/users"
	return request.URL.Path == "/api/seerr/system/info" || list && (fault == "list_json_200" || fault == "empty_items_200")
}

// TestConformance runs everything against a server of one reading of the contract.
func TestConformance(t *testing.T) { drivertest.Run(t, harness(dubbytest.Options{})) }

// opposite is a server that answers in every other way that the contract leaves open, and shows as little as it can.
func opposite() dubbytest.Options {
	return dubbytest.Options{
		Lists: dubbytest.Boxed, PackedPaths: true, GrantStatus: 200, RevokeStatus: 200, StrictGrants: true, NestedUser: true,
		DashIDs: true, BetterAuth: true, InviteDays: true, RoleRoute: true, Bare: true, Info: true,
	}
}

// TestConformanceOpposite runs everything against a server of the opposite reading.
func TestConformanceOpposite(t *testing.T) { drivertest.Run(t, harness(opposite())) }

// TestConformanceVariants runs what depends on envelopes and statuses.
func TestConformanceVariants(t *testing.T) {
	some := []string{"R6", "R7", "R10", "R11", "R12", "accounts", "libraries"}
	for name, variant := range map[string]struct {
		options dubbytest.Options
		only    []string
	}{
		"arrays":      {dubbytest.Options{Lists: dubbytest.Array, StrictGrants: true, GrantStatus: 204}, some},
		"odd":         {dubbytest.Options{Lists: dubbytest.Odd, GrantStatus: 200, DashIDs: true}, some},
		"better_auth": {dubbytest.Options{BetterAuth: true, Info: true, InviteDays: true}, append(some, "passwords")},
		"lower_case":  {dubbytest.Options{LowerCase: true, RoleRoute: true}, some},
	} {
		t.Run(name, func(t *testing.T) {
			h := harness(variant.options)
			h.Only = variant.only
			drivertest.Run(t, h)
		})
	}
}

// An administrator that is not the owner makes no other administrators, and says so.
func TestConformanceAsAdmin(t *testing.T) {
	h := harness(dubbytest.Options{})
	h.Only = []string{"R5", "R11", "accounts", "passwords"}
	h.Start = func(t testing.TB) drivertest.Server {
		server := dubbytest.Start(t, dubbytest.Options{})
		server.Add("admin", "usher@example.org", "Usher's password 1")
		c := config(server.URL)
		c.Credentials = media.Credentials{Username: "usher@example.org", Password: "Usher's password 1"}
		return serve(server, c)
	}
	drivertest.Run(t, h)
}

func BenchmarkDriver(b *testing.B) { drivertest.Benchmark(b, harness(dubbytest.Options{})) }
