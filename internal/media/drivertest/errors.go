package drivertest

import (
	"github.com/usher-media/usher/internal/media"
)

// errorCases: R2, every error has its class.
var errorCases = []testCase{
	{"credentials", errorCredentials},
	{"configuration", errorConfiguration},
	{"ids", errorIDs},
}

func errorCredentials(f *fixture) {
	config := f.server.Config
	config.Credentials.Password, config.Credentials.Token = "a wrong password 3", ""
	driver, err := f.server.Open(config)
	f.must(err)
	f.Cleanup(func() { _ = driver.Close() })
	for range 2 {
		_, err = driver.Probe(f.ctx())
		f.wantCode(err, media.Unauthenticated)
		_, err = driver.List(f.ctx())
		f.wantCode(err, media.Unauthenticated)
	}
	f.denied()
}

// denied signs the driver in as somebody who administers nothing.
func (f *fixture) denied() {
	f.Helper()
	library := f.library("Movies")
	f.account("mia", access(library.ID))
	config := f.server.Config
	config.Credentials = media.Credentials{Username: "mia", Password: password, Email: f.email("mia")}
	driver, err := f.server.Open(config)
	f.must(err)
	f.Cleanup(func() { _ = driver.Close() })
	_, err = driver.List(f.ctx())
	f.wantCode(err, media.PermissionDenied)
	_, err = driver.CreateAccount(f.ctx(), f.wanted("ben", access(library.ID)))
	f.wantCode(err, media.PermissionDenied)
}

func errorConfiguration(f *fixture) {
	for name, spoil := range map[string]func(*media.Config){
		"no credentials": func(c *media.Config) { c.Credentials = media.Credentials{} },
		"no password":    func(c *media.Config) { c.Credentials = media.Credentials{Username: "owner"} },
	} {
		config := f.server.Config
		spoil(&config)
		_, err := f.server.Open(config)
		f.Logf("%s", name)
		f.wantCode(err, media.Invalid)
	}
}

// errorIDs uses ids that would mean something else in a path.
func errorIDs(f *fixture) {
	check := f.unchanged()
	for _, id := range []string{"", ".", "..", "../libraries", "a/b", "a?b", "%2e%2e", "x y", "ü"} {
		_, err := f.driver.Account(f.ctx(), media.AccountID(id))
		f.wantCode(err, media.NotFound, media.Invalid)
		_, err = f.driver.Library(f.ctx(), media.LibraryID(id))
		f.wantCode(err, media.NotFound, media.Invalid)
		if f.can.DeleteAccount {
			err = f.driver.(media.AccountDeleter).DeleteAccount(f.ctx(), media.AccountID(id))
			f.wantCode(err, media.NotFound, media.Invalid)
		}
	}
	check()
}
