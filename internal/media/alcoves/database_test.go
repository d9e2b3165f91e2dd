package alcoves_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/bcrypt"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/alcoves"
	"github.com/usher-media/usher/internal/media/alcoves/alcovestest"
	"github.com/usher-media/usher/internal/testpg"
)

// The database is out of reach while the API answers: what is taken is taken, nothing is given, and no short list passes
// for a whole one.
func TestDatabaseDownWhileAPIUp(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	movies, shows := c.library("Movies"), c.library("Shows")
	mia := c.account("mia", movies)
	c.Proxy.Down()
	_, err := c.List(t.Context())
	c.wantCode(err, media.Unavailable)
	_, err = c.CreateAccount(t.Context(), wanted("ben"))
	c.wantCode(err, media.Unavailable)
	_, err = c.SetAccess(t.Context(), mia, viewer(shows))
	c.wantCode(err, media.Unavailable)
	c.wantSees("mia")
	c.Proxy.Heal()
	after, err := c.SetAccess(t.Context(), mia, viewer(shows))
	c.ok(err)
	if !after.Access.Equal(viewer(shows)) {
		t.Errorf("access %v", after.Access)
	}
}

// The API is down while the database answers: nothing is done behind the server's back.
func TestAPIDownWhileDatabaseUp(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	movies := c.library("Movies")
	mia := c.account("mia")
	commits := c.Proxy.Commits()
	c.Disturb(alcovestest.Fault{Do: alcovestest.Fail, Status: 503})
	_, err := c.List(t.Context())
	c.wantCode(err, media.Unavailable)
	_, err = c.SetAccess(t.Context(), mia, viewer(movies))
	c.wantCode(err, media.Unavailable)
	_, err = c.CreateAccount(t.Context(), wanted("ben"))
	c.wantCode(err, media.Unavailable)
	if n := c.Proxy.Commits() - commits; n != 0 {
		t.Errorf("%d writes to the database", n)
	}
	c.Heal()
	c.wantSees("mia")
}

// A schema that is not known is not written to and not read; the API goes on taking away (design D9).
func TestUnknownSchema(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	movies, shows := c.library("Movies"), c.library("Shows")
	mia := c.account("mia", movies)
	var theirs string
	c.Query(&theirs, `INSERT INTO libraries (name, owner_id) SELECT 'Theirs', id FROM users WHERE email = $1 RETURNING id::text`, address("mia"))
	for _, version := range []int{27, 19} {
		c.Exec(`DELETE FROM goose_db_version WHERE version_id > 19`)
		c.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, true)`, version)
		probe, err := c.Probe(t.Context())
		c.ok(err)
		if can := probe.Capabilities; can.Disable || can.DisplayName || !can.GrantsFixed || !can.PasswordsFixed {
			t.Errorf("version %d: %v", version, can.Names())
		}
		commits := c.Proxy.Commits()
		_, err = c.SetAccess(t.Context(), mia, viewer(movies, shows))
		c.wantCode(err, media.Unsupported)
		c.wantCode(c.SetPassword(t.Context(), mia.ID, media.NewPassword{Password: password}), media.Unsupported)
		if !strings.Contains(err.Error(), "upgrade Usher") || c.Proxy.Commits() != commits {
			t.Errorf("version %d: %v, %d writes", version, err, c.Proxy.Commits()-commits)
		}
		// Whether a library that only the database showed is there cannot be told: that it is gone is not said.
		_, err = c.Library(t.Context(), media.LibraryID(theirs))
		c.wantCode(err, media.Unavailable)
	}
	after, err := c.SetAccess(t.Context(), mia, viewer())
	c.ok(err)
	if len(after.Access.Libraries) != 0 {
		t.Errorf("access %v", after.Access)
	}
}

// A migration that was undone is not applied.
func TestSchemaGoesBack(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	c.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (27, true), (27, false)`)
	probe, err := c.Probe(t.Context())
	c.ok(err)
	if probe.Capabilities.GrantsFixed {
		t.Error("version 27 was undone, and counts")
	}
}

// The database of another instance is not written to, however good its role is: neither at first nor when it comes to
// the address between two calls. Each connection is asked.
func TestDatabaseOfAnotherInstance(t *testing.T) {
	r, other := start(t), start(t)
	first, second := r.Proxy.URL(alcovestest.Role, "choose-a-long-one"), other.Proxy.URL(alcovestest.Role, "choose-a-long-one")
	config := r.config()
	config.DatabaseURL = second
	c := r.open(config)
	wantOther := func(err error) {
		t.Helper()
		if !errors.Is(err, media.ErrOtherServer) || !media.ConcernsConnection(err) {
			t.Errorf("got %v", err)
		}
	}
	_, err := c.Probe(t.Context())
	wantOther(err)
	_, err = c.CreateAccount(t.Context(), wanted("mia"))
	wantOther(err)

	config.DatabaseURL = first
	c = r.open(config)
	mia := c.account("mia")
	commits := r.Proxy.Commits()
	r.Proxy.Lead(other.Proxy)
	for _, write := range []func() error{
		func() error { _, err := c.CreateAccount(t.Context(), wanted("ben")); return err },
		func() error {
			return c.SetPassword(t.Context(), mia.ID, media.NewPassword{Password: "another password 2"})
		},
		func() error { _, err := c.Driver.(media.Disabler).SetDisabled(t.Context(), mia.ID, true); return err },
		func() error {
			_, err := c.SetAccess(t.Context(), mia, viewer(media.LibraryID("00000000-0000-4000-8000-000000000000")))
			return err
		},
	} {
		wantOther(write())
	}
	if n := r.Proxy.Commits() - commits; n != 0 || other.Count(`SELECT 1 FROM users`) != 1 {
		t.Errorf("%d writes to the other instance", n)
	}
	r.Proxy.Lead(r.Proxy)
	_, err = c.CreateAccount(t.Context(), wanted("ben"))
	c.ok(err)
}

// What the account that Usher uses cannot see is seen, given and taken by the database.
func TestLibraryOfSomebodyElse(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	ben, mia := c.account("ben"), c.account("mia")
	owner := c.must("ben", password)
	var made struct{ ID media.LibraryID }
	if status, err := owner.call(t.Context(), "POST", "/api/libraries", object{"name": "Ben's"}, &made); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	var link struct{ Token string }
	if status, err := owner.call(t.Context(), "POST", "/api/libraries/"+string(made.ID)+"/users/invite-link", object{}, &link); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	library, err := c.Library(t.Context(), made.ID)
	c.ok(err)
	if library.Name != "Ben's" {
		t.Errorf("library %v", library)
	}
	mia, err = c.SetAccess(t.Context(), mia, viewer(made.ID))
	c.ok(err)
	c.wantSees("mia", made.ID)
	_, err = c.SetAccess(t.Context(), mia, viewer())
	c.ok(err)
	c.wantSees("mia")
	if status := c.accept(c.must("mia", password), link.Token); status != http.StatusGone {
		t.Errorf("the removed person came back: %d", status)
	}
	// Ownership is no access: it is not given, not taken, and never gets a row.
	_, err = c.SetAccess(t.Context(), ben, viewer(made.ID))
	c.wantCode(err, media.Conflict)
	if n := c.Count(`SELECT 1 FROM library_members`); n != 0 {
		t.Errorf("%d rows of members", n)
	}
	c.wantSees("ben", made.ID)
	var personal string
	c.Query(&personal, `SELECT id::text FROM libraries WHERE is_default AND owner_id = $1`, string(ben.ID))
	_, err = c.SetAccess(t.Context(), mia, viewer(media.LibraryID(personal)))
	c.wantCode(err, media.Conflict)
}

// Who signs in elsewhere as well is not shut out by a lock on the password, and that is what is said.
func TestGoogleSurvivesTheLock(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	mia := c.account("mia")
	session := c.must("mia", password)
	c.Exec(`INSERT INTO accounts (user_id, provider, provider_account_id) VALUES ($1, 'google', '1234')`, string(mia.ID))
	_, err := c.Driver.(media.Disabler).SetDisabled(t.Context(), mia.ID, true)
	c.wantCode(err, media.Conflict)
	read, err := c.Account(t.Context(), mia.ID)
	c.ok(err)
	if read.Disabled {
		t.Error("an account that somebody can sign in with counts as disabled")
	}
	if _, err := session.Libraries(t.Context()); err == nil {
		t.Error("the session goes on")
	}
	if _, err := c.signIn(t.Context(), "mia", password); err == nil {
		t.Error("the password still works")
	}
}

// A lock stays when the password is changed, and is taken off once.
func TestPasswordOfALockedAccount(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	mia := c.account("mia")
	switcher := c.Driver.(media.Disabler)
	_, err := switcher.SetDisabled(t.Context(), mia.ID, true)
	c.ok(err)
	c.ok(c.SetPassword(t.Context(), mia.ID, media.NewPassword{Password: "another password 2"}))
	if _, err := c.signIn(t.Context(), "mia", "another password 2"); err == nil {
		t.Error("a new password unlocked the account")
	}
	_, err = switcher.SetDisabled(t.Context(), mia.ID, false)
	c.ok(err)
	c.must("mia", "another password 2")
}

// Passwords are stored as the server stores them (section 8).
func TestPasswordCost(t *testing.T) {
	r := start(t)
	driver, err := alcoves.Open(r.withDatabase())
	c := connected{r, driver}
	c.ok(err)
	t.Cleanup(func() { _ = driver.Close() })
	mia := c.account("mia")
	var stored string
	c.Query(&stored, `SELECT password_hash FROM users WHERE id = $1`, string(mia.ID))
	if cost, err := bcrypt.Cost([]byte(stored)); err != nil || cost != 10 {
		t.Errorf("cost %d, %v", cost, err)
	}
}

// The statements of the documentation are run as admins run them, and give the role no more than it says.
func TestRoleAsDocumented(t *testing.T) {
	dsn := testpg.Database(t)
	alcovestest.SetUpAsAdmins(t, dsn)
	connection, err := pgx.Connect(t.Context(), testpg.As(t, dsn, alcovestest.Role, "choose-a-long-one"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close(context.Background()) }()
	for statement, may := range map[string]bool{
		`SELECT email, password_hash FROM users`: true, `INSERT INTO libraries (owner_id, name, is_default) VALUES (gen_random_uuid(), 'My Library', true)`: true,
		`UPDATE users SET role = 'owner'`: false, `INSERT INTO users (email, display_name, role) VALUES ('a@b.org', 'a', 'owner')`: false,
		`UPDATE libraries SET owner_id = gen_random_uuid()`: false, `DELETE FROM libraries`: false, `DELETE FROM users`: false,
		`SELECT * FROM files`: false, `SELECT token_hash FROM personal_access_tokens`: false, `SELECT session_token FROM sessions`: false,
		`UPDATE app_settings SET settings = '{}'`: false, `CREATE TABLE mine (id int)`: false,
	} {
		if _, err := connection.Exec(t.Context(), statement); (err == nil) != may {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// A token that ended ends what goes by the database, too.
func TestAccessToken(t *testing.T) {
	r := start(t)
	owner := r.must(alcovestest.OwnerEmail, alcovestest.OwnerPassword)
	var made struct{ Token string }
	if status, err := owner.call(t.Context(), "POST", "/api/auth/tokens", object{"name": "usher"}, &made); err != nil || status != http.StatusCreated {
		t.Fatal(status, err)
	}
	config := r.withDatabase()
	config.Credentials = media.Credentials{Token: made.Token}
	c := r.open(config)
	movies := c.library("Movies")
	mia := c.account("mia", movies)
	c.Exec(`DELETE FROM personal_access_tokens`)
	_, err := c.List(t.Context())
	c.wantCode(err, media.Unauthenticated)
	c.wantCode(c.SetPassword(t.Context(), mia.ID, media.NewPassword{Password: "another password 2"}), media.Unauthenticated)
	c.wantSees("mia", movies)
	config.Credentials.Token = "something else"
	_, err = alcoves.Open(config)
	c.wantCode(err, media.Invalid)
}
