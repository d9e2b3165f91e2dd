package alcoves_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

// rewriting changes the requests that make a link.
func (r *running) rewriting(body string) media.Config {
	config := r.config()
	config.Transport = func(next http.RoundTripper) http.RoundTripper {
		return transport(func(request *http.Request) (*http.Response, error) {
			if strings.HasSuffix(request.URL.Path, "/invite-link") {
				request.Body, request.ContentLength = io.NopCloser(bytes.NewBufferString(body)), int64(len(body))
			}
			return next.RoundTrip(request)
		})
	}
	return config
}

// A server that does not know a field ignores it, and makes a link for everybody and for ever: it is revoked at once.
func TestLinkThatAdmitsMoreThanAsked(t *testing.T) {
	for _, body := range []string{`{}`, `{"maxUses":7}`} {
		r := start(t)
		c := r.open(r.rewriting(body))
		movies := c.library("Movies")
		_, err := c.Driver.(media.Inviter).CreateInvite(t.Context(), media.NewInvite{Settings: media.InviteSettings{
			Role: media.RoleMember, Libraries: viewer(movies).Libraries, MaxUses: 3,
		}})
		c.wantCode(err, media.Unavailable)
		_, err = c.CreateAccount(t.Context(), wanted("mia", movies))
		c.wantCode(err, media.Unavailable)
		if live := c.Count(`SELECT 1 FROM library_invites WHERE revoked_at IS NULL`); live != 0 || c.Count(`SELECT 1 FROM users`) != 1 {
			t.Errorf("%s: %d live links, or an account", body, live)
		}
	}
}

// A link that one of two looks does not show is there: taken for none, another would be made beside it.
func TestLinksThatHide(t *testing.T) {
	r := start(t)
	looks, blind := 0, 1
	config := r.config()
	config.Transport = func(next http.RoundTripper) http.RoundTripper {
		return transport(func(request *http.Request) (*http.Response, error) {
			if request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/users") && strings.HasPrefix(request.URL.Path, "/api/libraries/") {
				looks++
				r.Hide("links", looks == blind)
			}
			return next.RoundTrip(request)
		})
	}
	c := r.open(config)
	made := c.link(c.library("Movies"), 1)
	for _, blind = range []int{1, 2} {
		looks = 0
		listed, err := c.Driver.(media.Inviter).ListInvites(t.Context())
		c.ok(err)
		if len(listed) != 1 || listed[0].ID != made.ID || looks != 2 {
			t.Errorf("hidden in look %d of %d: %v", blind, looks, listed)
		}
	}
}

// What comes in place of the answer to a commit does not say that nothing was done.
func TestCommitThatEndsInAnError(t *testing.T) {
	for _, code := range []string{"08P01", "57P01", "57P02", "40003", "58000", "XX000"} {
		r := start(t)
		c := r.open(r.withDatabase())
		c.Proxy.CrashCommits(code)
		_, err := c.CreateAccount(t.Context(), wanted("mia"))
		if media.CodeOf(err) != media.Ambiguous {
			t.Errorf("%s: %s (%v)", code, media.CodeOf(err), err)
		}
		c.Proxy.Heal()
		c.must("mia", password)
	}
}

// Nobody is said to have lost a library that the API does not show, while the database is out of reach or unknown.
func TestLossThatCannotBeSeen(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	movies := c.library("Movies")
	var theirs string
	c.Query(&theirs, `INSERT INTO libraries (name, owner_id) SELECT 'Theirs', gen_random_uuid() RETURNING id::text`)
	mia := c.account("mia", movies, media.LibraryID(theirs))
	c.Proxy.Down()
	_, err := c.SetAccess(t.Context(), mia, viewer())
	c.wantCode(err, media.Unavailable)
	c.wantSees("mia", media.LibraryID(theirs))
	c.Proxy.Heal()
	c.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`)
	_, err = c.SetAccess(t.Context(), mia, viewer())
	c.wantCode(err, media.Unsupported)
	c.Exec(`DELETE FROM goose_db_version WHERE version_id = 99`)
	after, err := c.SetAccess(t.Context(), mia, viewer())
	c.ok(err)
	if len(after.Access.Libraries) != 0 {
		t.Errorf("access %v", after.Access)
	}
}

// While the database is out of reach, who is locked out is not taken for somebody who is not.
func TestLockedOutWhileDatabaseDown(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	movies := c.library("Movies")
	mia := c.account("mia", movies)
	mia, err := c.Driver.(media.Disabler).SetDisabled(t.Context(), mia.ID, true)
	c.ok(err)
	c.Proxy.Down()
	after, err := c.SetAccess(t.Context(), mia, viewer())
	c.ok(err)
	if !after.Disabled || len(after.Access.Libraries) != 0 {
		t.Errorf("after: %+v", after)
	}
}

// A library in which Usher's account is only a viewer is changed by nobody's right, and the answer says what to do.
func TestLibraryThatMayNotBeManaged(t *testing.T) {
	r := start(t)
	api, sql := r.open(r.config()), r.open(r.withDatabase())
	mia, ben := sql.account("mia"), sql.account("ben")
	var theirs string
	r.Query(&theirs, `INSERT INTO libraries (name, owner_id) VALUES ('Theirs', $1) RETURNING id::text`, string(ben.ID))
	r.Exec(`INSERT INTO library_members (library_id, user_id) SELECT $1, id FROM users WHERE id <> $2`, theirs, string(ben.ID))
	_, err := api.SetAccess(t.Context(), mia, viewer())
	api.wantCode(err, media.PermissionDenied)
	if !strings.Contains(err.Error(), "no admin") {
		t.Error(err)
	}
	_, err = sql.SetAccess(t.Context(), mia, viewer())
	sql.ok(err)
}

// A row that is not Alcoves' makes nothing look as if the database were away: nothing is done by half a view.
func TestRowsThatAreNotAlcoves(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	movies := c.library("Movies")
	mia := c.account("mia", movies)
	for spoil, mend := range map[string]string{
		`UPDATE library_members SET role = 'superviewer'`:              `UPDATE library_members SET role = 'viewer'`,
		`UPDATE users SET role = 'superowner' WHERE email LIKE 'mia%'`: `UPDATE users SET role = 'member' WHERE email LIKE 'mia%'`,
		`UPDATE users SET email = '' WHERE email LIKE 'mia%'`:          `UPDATE users SET email = 'mia@example.org' WHERE email = ''`,
	} {
		c.Exec(spoil)
		_, err := c.SetAccess(t.Context(), mia, viewer())
		c.wantCode(err, media.Unavailable)
		if err == nil || !strings.Contains(err.Error(), "row") || strings.Contains(err.Error(), "super") {
			t.Errorf("%s: %v", spoil, err)
		}
		c.Exec(mend)
		c.wantSees("mia", movies)
	}
}

// What apps were given by OAuth ends with the lock, and until then the account is not locked. Older schemas have none.
func TestLockEndsTheTokensOfApps(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	mia := c.account("mia")
	switcher := c.Driver.(media.Disabler)
	app := func() {
		c.Exec(`INSERT INTO oauth_authorization_codes (user_id, expires_at) VALUES ($1, now() + interval '1 hour')`, string(mia.ID))
		c.Exec(`WITH renewing AS (INSERT INTO oauth_refresh_tokens (user_id, expires_at) VALUES ($1, now() + interval '1 hour') RETURNING id)
			INSERT INTO oauth_access_tokens (user_id, expires_at, refresh_token_id) SELECT $1, now() + interval '1 hour', id FROM renewing`, string(mia.ID))
	}
	app()
	locked, err := switcher.SetDisabled(t.Context(), mia.ID, true)
	c.ok(err)
	left := c.Count(`SELECT user_id FROM oauth_authorization_codes UNION ALL SELECT user_id FROM oauth_access_tokens UNION ALL SELECT user_id FROM oauth_refresh_tokens`)
	if !locked.Disabled || left != 0 {
		t.Errorf("locked: %t, %d tokens of apps", locked.Disabled, left)
	}
	app()
	read, err := c.Account(t.Context(), mia.ID)
	c.ok(err)
	if read.Disabled {
		t.Error("an account whose app still reads counts as locked")
	}
	c.Exec(`DROP TABLE oauth_access_tokens, oauth_refresh_tokens, oauth_authorization_codes; DELETE FROM goose_db_version WHERE version_id > 24`)
	locked, err = switcher.SetDisabled(t.Context(), mia.ID, true)
	c.ok(err)
	if !locked.Disabled {
		t.Error("not locked on an older schema")
	}
}
