package alcoves_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/alcoves"
)

// The server answers some failures of its database with a short list and status 200: none of them passes for absence.
func TestListsThatHideErrors(t *testing.T) {
	r := start(t)
	api, sql := r.open(r.config()), r.open(r.withDatabase())
	movies := api.library("Movies")
	mia := api.account("mia", movies)
	for _, list := range []string{"users", "libraries"} {
		r.Hide(list, true)
		_, err := api.List(t.Context())
		api.wantCode(err, media.Unavailable)
		_, err = api.Account(t.Context(), mia.ID)
		api.wantCode(err, media.Unavailable)
		listing, err := sql.List(t.Context())
		sql.ok(err)
		if len(listing.Accounts) != 2 || len(listing.Libraries) != 3 {
			t.Errorf("%s hidden: the database shows %v", list, listing)
		}
		r.Hide(list, false)
	}
	// Members are hidden in the first of two looks only.
	looks := 0
	hiding := r.config()
	hiding.Transport = func(next http.RoundTripper) http.RoundTripper {
		return transport(func(request *http.Request) (*http.Response, error) {
			if strings.HasSuffix(request.URL.Path, "/users") && strings.HasPrefix(request.URL.Path, "/api/libraries/") {
				looks++
				r.Hide("members", looks == 1)
			}
			return next.RoundTrip(request)
		})
	}
	account, err := r.open(hiding).Account(t.Context(), mia.ID)
	api.ok(err)
	if !account.Access.Equal(viewer(movies)) || looks != 2 {
		t.Errorf("access %v after %d looks", account.Access, looks)
	}
}

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

// A resync asks as often as the contract knows no other way, and never once a user.
func TestRequestsOfAResync(t *testing.T) {
	r := start(t)
	api, sql := r.open(r.config()), r.open(r.withDatabase())
	movies, shows := api.library("Movies"), api.library("Shows")
	for _, name := range []string{"mia", "ben", "leo", "zoe"} {
		sql.account(name, movies, shows)
	}
	count := func(c connected) int {
		_, err := c.List(t.Context())
		c.ok(err) // signs in
		c.Requests()
		_, err = c.List(t.Context())
		c.ok(err)
		total := 0
		for _, n := range c.Requests() {
			total += n
		}
		return total
	}
	if n := count(sql); n != 1 {
		t.Errorf("%d requests beside the database, want 1", n)
	}
	if n := count(api); n != 5+2*2 { // who we are, two for accounts, two for libraries; two a library
		t.Errorf("%d requests without a database, want 9", n)
	}
}

// A database URL reads no file, asks no service and reaches no socket of the operator's machine, and shows nowhere.
func TestDatabaseURLs(t *testing.T) {
	const canary = "canary-5f2d9c81"
	t.Setenv("PGPASSWORD", canary)
	for name, value := range map[string]string{
		"PGHOST": "169.254.169.254", "PGSSLNEGOTIATION": "direct", "PGCONNECT_TIMEOUT": "nonsense", "PGPASSFILE": "/etc/passwd",
		"PGSSLROOTCERT": "/etc/passwd", "PGSSLKEY": "/etc/passwd", "PGSSLCERT": "/etc/passwd", "PGTARGETSESSIONATTRS": "standby",
		"PGMINPROTOCOLVERSION": "latest", "PGSSLMODE": "verify-full", "PGOPTIONS": "-c role=postgres", "PGPORT": "0",
	} {
		t.Setenv(name, value)
	}
	config := media.Config{URL: "http://alcoves.test", Credentials: media.Credentials{Email: "usher@example.org", Password: "the password"}}
	for url, good := range map[string]bool{
		"postgres://usher:pw@db:5432/alcoves?sslmode=disable":                                 true,
		"postgresql://usher:pw@db/alcoves?sslmode=verify-full":                                true,
		"postgres://usher:pw@[fd00::1]:5432/alcoves?sslmode=require&connect_timeout=5":        true,
		"postgres://usher:pw@db/alcoves":                                                      false,
		"postgres://usher:pw@db/alcoves?sslmode=prefer":                                       false,
		"postgres://usher:" + canary + "@db/alcoves?sslmode=disable&sslrootcert=/etc/passwd":  false,
		"postgres://usher:" + canary + "@db/alcoves?sslmode=disable&passfile=/etc/passwd":     false,
		"postgres://usher:" + canary + "@db/alcoves?sslmode=disable&sslkey=/etc/passwd":       false,
		"postgres://usher:" + canary + "@db/alcoves?sslmode=disable&service=prod":             false,
		"postgres://usher:" + canary + "@db/alcoves?sslmode=disable&servicefile=/etc/passwd":  false,
		"postgres://usher:" + canary + "@db/alcoves?sslmode=disable&host=/var/run/postgresql": false,
		"postgres://usher:" + canary + "@/alcoves?sslmode=disable":                            false,
		"postgres://usher:" + canary + "@%2Fvar%2Frun%2Fpostgresql/alcoves?sslmode=disable":   false,
		"postgres://usher:" + canary + "@a:1,b:2/alcoves?sslmode=disable":                     false,
		"postgres://usher:" + canary + "@169.254.169.254/alcoves?sslmode=disable":             false,
		"postgres://usher:" + canary + "@127.0.0.1/alcoves?sslmode=disable":                   false,
		"postgres://usher:" + canary + "@localhost/alcoves?sslmode=disable":                   false,
		"postgres://usher:" + canary + "@[::1]/alcoves?sslmode=disable":                       false,
		"postgres://usher:" + canary + "@[64:ff9b::a9fe:a9fe]/alcoves?sslmode=disable":        false,
		"postgres://usher:" + canary + "@db:99999/alcoves?sslmode=disable":                    false,
		"postgres://usher:" + canary + "@db/?sslmode=disable":                                 false,
		"postgres://db/alcoves?sslmode=disable":                                               false,
		"mysql://usher:" + canary + "@db/alcoves":                                             false,
		"host=db user=usher password=" + canary + " dbname=alcoves":                           false,
		canary + "\x00": false,
	} {
		config.DatabaseURL = url
		driver, err := alcoves.Open(config)
		switch {
		case good && err != nil:
			t.Errorf("%s: %v", url, err)
		case good:
			_ = driver.Close()
		case media.CodeOf(err) != media.Invalid:
			t.Errorf("%s: %v", url, err)
		case strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "passwd"):
			t.Errorf("a secret in an error: %v", err)
		}
	}
}

// What the database says never shows: it repeats values and names hosts.
func TestDatabaseErrorsShowNothing(t *testing.T) {
	const canary = "canary-5f2d9c81"
	r := start(t)
	config := r.config()
	for _, url := range []string{
		r.Proxy.URL(canary, canary), strings.Replace(r.withDatabase().DatabaseURL, "/test_", "/"+canary, 1),
	} {
		config.DatabaseURL = url
		c := r.open(config)
		_, err := c.List(t.Context())
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%v", err)
		}
	}
	c := r.open(r.withDatabase())
	r.Exec(`CREATE UNIQUE INDEX ON users (display_name)`)
	c.account("mia")
	want := wanted("mia2")
	want.DisplayName = "mia"
	_, err := c.CreateAccount(t.Context(), want)
	c.wantCode(err, media.AlreadyExists)
	r.Exec(`REVOKE INSERT (user_id, provider, provider_account_id) ON accounts FROM usher`)
	_, err = c.CreateAccount(t.Context(), wanted(canary))
	c.wantCode(err, media.PermissionDenied)
	if strings.Contains(err.Error(), canary) || c.Count(`SELECT 1 FROM users WHERE email LIKE $1`, canary+"%") != 0 {
		t.Errorf("half an account, or %v", err)
	}
}
