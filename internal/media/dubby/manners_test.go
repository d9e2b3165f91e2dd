package dubby_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/dubby/dubbytest"
)

// TestSignInAuditedOnce: a hundred calls, many at once, are one line in the server's audit log.
func TestSignInAuditedOnce(t *testing.T) {
	server, driver := started(t, dubbytest.Options{RateLimit: true})
	server.AddLibrary("Movies")
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range 10 {
				if _, err := driver.List(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := server.Audited("auth:sign-in"); n != 1 {
		t.Errorf("%d sign-ins", n)
	}
	server.EndSessions()
	if _, err := driver.List(t.Context()); err != nil || server.Audited("auth:sign-in") != 2 {
		t.Errorf("after the session ended: %v, %d sign-ins", err, server.Audited("auth:sign-in"))
	}
}

// TestSignInLimits: better-auth's limit on sign-ins is told with its own header.
func TestSignInLimits(t *testing.T) {
	server, driver := started(t, dubbytest.Options{RateLimit: true})
	server.Add("member", "mia@example.org", "Mia's password 1")
	var err error
	for range 4 {
		_, err = driver.Authenticate(t.Context(), "mia@example.org", "a wrong password 1")
	}
	wantCode(t, err, media.RateLimited)
	if media.RetryAfter(err) != 10*time.Second {
		t.Errorf("asked to wait %s", media.RetryAfter(err))
	}
}

// TestToken: a token does instead of a password, is asked whose it is, and is refused when it has ended.
func TestToken(t *testing.T) {
	server := dubbytest.Start(t, dubbytest.Options{})
	var in struct{ Token string }
	_, err := call(t.Context(), server.URL, "", "POST", "/api/auth/sign-in/email", map[string]string{"email": dubbytest.OwnerEmail, "password": dubbytest.OwnerPassword}, &in)
	if err != nil {
		t.Fatal(err)
	}
	c := config(server.URL)
	c.Credentials = media.Credentials{Token: in.Token}
	probe, err := open(t, c).Probe(t.Context())
	if err != nil || probe.SelfName != dubbytest.OwnerEmail {
		t.Errorf("%+v %v", probe, err)
	}
	server.EndSessions()
	_, err = open(t, c).Probe(t.Context())
	wantCode(t, err, media.Unauthenticated)
}

// TestLeadingDashIDs: ids that look like options or paths' ends are ids.
func TestLeadingDashIDs(t *testing.T) {
	server, driver := started(t, dubbytest.Options{DashIDs: true})
	library := server.AddLibrary("Movies")
	account, err := driver.CreateAccount(t.Context(), newAccount("mia@example.org", library.ID))
	if err != nil || account.ID[0] != '-' || library.ID[0] != '-' {
		t.Fatalf("%+v %v", account, err)
	}
	if err := driver.DeleteAccount(t.Context(), account.ID); err != nil {
		t.Error(err)
	}
	if err := driver.DeleteLibrary(t.Context(), media.LibraryID(library.ID)); err != nil {
		t.Error(err)
	}
}

// TestGrantsThatWereThere: 409 on a grant and 404 on a revoke count only if reading back agrees.
func TestGrantsThatWereThere(t *testing.T) {
	server, driver := started(t, dubbytest.Options{StrictGrants: true})
	movies, shows := server.AddLibrary("Movies"), server.AddLibrary("Shows")
	mia := server.Add("member", "mia@example.org", "Mia's password 1")
	account := media.Account{ID: media.AccountID(mia.ID), Username: mia.Email}
	server.SetAccess("mia@example.org", []string{shows.ID})
	want := newAccount("", movies.ID).Access
	steps := 0
	server.SetFault(func(_ int, r *http.Request) dubbytest.Spoil {
		if r.Method == http.MethodDelete || r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/permissions") {
			steps++
			return dubbytest.Spoil{Before: func() { server.SetAccess("mia@example.org", []string{movies.ID}) }}
		}
		return dubbytest.Spoil{}
	})
	after, err := driver.SetAccess(t.Context(), account, want)
	if err != nil || !after.Access.Equal(want) || steps != 2 {
		t.Errorf("%+v after %d steps, %v", after, steps, err)
	}
	server.SetFault(func(_ int, r *http.Request) dubbytest.Spoil {
		if r.Method == http.MethodPost {
			return dubbytest.Spoil{Status: http.StatusConflict, Body: `{"error":"Already granted"}`}
		}
		return dubbytest.Spoil{}
	})
	_, err = driver.SetAccess(t.Context(), account, newAccount("", movies.ID, shows.ID).Access)
	wantCode(t, err, media.Ambiguous)
}

// TestSecretsStayInside: neither the new account's password nor an invite's code nor the token is in an error.
func TestSecretsStayInside(t *testing.T) {
	const canary = "Canary-5f2d9c81"
	for _, status := range []int{400, 401, 403, 404, 409, 422, 429, 500} {
		server, driver := started(t, dubbytest.Options{})
		server.SetFault(func(_ int, r *http.Request) dubbytest.Spoil {
			if !strings.HasSuffix(r.URL.Path, "/register") {
				return dubbytest.Spoil{}
			}
			return dubbytest.Spoil{Status: status, Body: `{"error":"` + canary + `","details":[{"path":"` + canary + `"}]}`}
		})
		want := newAccount("mia@example.org")
		want.Password = canary
		_, err := driver.CreateAccount(t.Context(), want)
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("status %d: %v", status, err)
		}
		if len(server.OpenInvites()) > 0 {
			t.Errorf("status %d: an invite is left behind", status)
		}
	}
}

// TestIdentity: the owner's id, which must be one; two servers differ.
func TestIdentity(t *testing.T) {
	server, driver := started(t, dubbytest.Options{Info: true})
	probe, err := driver.Probe(t.Context())
	if err != nil || probe.Identity != "owner:"+server.User(dubbytest.OwnerEmail).ID || probe.Version != "0.1.0-beta.7" {
		t.Errorf("%+v %v", probe, err)
	}
	server.Add("owner", "second@example.org", "A password 1")
	_, err = driver.Probe(t.Context())
	wantCode(t, err, media.Unavailable)
}

// TestWhatTheServerCannotHold is refused before anything is minted, in words that say what to do.
func TestWhatTheServerCannotHold(t *testing.T) {
	server, driver := started(t, dubbytest.Options{Bare: true})
	for name, c := range map[string]struct {
		spoil func(*media.NewAccount)
		code  media.Code
	}{
		"a username":        {func(a *media.NewAccount) { a.Username = "mia" }, media.Invalid},
		"no address":        {func(a *media.NewAccount) { a.Username, a.Email = "mia", "" }, media.Invalid},
		"beyond ASCII":      {func(a *media.NewAccount) { a.Username, a.Email = "mía@example.org", "mía@example.org" }, media.Invalid},
		"a simple password": {func(a *media.NewAccount) { a.Password = "all lower case" }, media.Invalid},
		"É as upper case":   {func(a *media.NewAccount) { a.Password = "É is no capital 1" }, media.Invalid},
		"a display name":    {func(a *media.NewAccount) { a.DisplayName = "Mia" }, media.Unsupported},
		"disabled":          {func(a *media.NewAccount) { a.Disabled = true }, media.Unsupported},
		"an owner":          {func(a *media.NewAccount) { a.Role = media.RoleOwner }, media.Conflict},
		"an editor":         {func(a *media.NewAccount) { a.Role = media.RoleEditor }, media.Unsupported},
		"everything":        {func(a *media.NewAccount) { a.Access.All = true }, media.Unsupported},
	} {
		want := newAccount("mia@example.org")
		c.spoil(&want)
		_, err := driver.CreateAccount(t.Context(), want)
		if media.CodeOf(err) != c.code {
			t.Errorf("%s: %v (%s)", name, err, media.CodeOf(err))
		}
	}
	wantCode(t, driver.SetPassword(t.Context(), "x", media.NewPassword{Password: "A password 1"}), media.Unsupported)
	wantNoWrite(t, server)
}

// TestOneCreationAtATime: registrations are limited by address, so a driver makes one account after the other.
func TestOneCreationAtATime(t *testing.T) {
	server, driver := started(t, dubbytest.Options{})
	var mu sync.Mutex
	under, most := 0, 0
	server.SetFault(func(_ int, r *http.Request) dubbytest.Spoil {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/v1/invites":
			under++
			most = max(most, under)
		case strings.HasSuffix(r.URL.Path, "/register"):
			under--
		}
		return dubbytest.Spoil{}
	})
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if _, err := driver.CreateAccount(context.Background(), newAccount(fmt.Sprintf("person%d@example.org", i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most != 1 {
		t.Errorf("%d creations at once", most)
	}
}
