package drivertest

import (
	"strconv"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// passwordCases: setting and trying passwords.
var passwordCases = []testCase{
	{"set", passwordSet},
	{"must_change", passwordMustChange},
	{"bounds", passwordBounds},
	{"authenticate", authenticate},
}

const secondPassword = "A second password 2"

func passwordSet(f *fixture) {
	library := f.library("Movies")
	account := f.account("mia", access(library.ID))
	person := f.signIn("mia", password)
	check := f.unchanged()
	if f.can.PasswordsFixed {
		f.wantCode(f.driver.SetPassword(f.ctx(), account.ID, media.NewPassword{Password: secondPassword}), media.Unsupported)
		f.refusedSignIn("mia", secondPassword)
		f.wantView(person, library.ID)
		return
	}
	f.must(f.driver.SetPassword(f.ctx(), account.ID, media.NewPassword{Password: secondPassword}))
	check()
	if _, err := person.Libraries(f.ctx()); err == nil && (f.can.LockOut || f.h.PasswordEndsSessions) {
		f.Error("an open session goes on")
	}
	f.refusedSignIn("mia", password)
	f.wantView(f.signIn("mia", secondPassword), library.ID)
	err := f.driver.SetPassword(f.ctx(), "there-is-no-such-account", media.NewPassword{Password: secondPassword})
	f.wantCode(err, media.NotFound)
}

func passwordMustChange(f *fixture) {
	account := f.anybody("mia")
	err := f.driver.SetPassword(f.ctx(), account.ID, media.NewPassword{Password: secondPassword, MustChange: true})
	if !f.can.RequirePasswordChange {
		f.lacks("RequirePasswordChange")
		f.wantCode(err, media.Unsupported)
		f.signIn("mia", password)
		return
	}
	f.must(err)
	if !f.read(account.ID).MustChangePassword {
		f.Error("the account need not choose another password")
	}
	f.refusedSignIn("mia", password)
	f.must(f.driver.SetPassword(f.ctx(), account.ID, media.NewPassword{Password: password}))
	if f.read(account.ID).MustChangePassword {
		f.Error("the account must choose another password still")
	}
	f.signIn("mia", password)
}

// passwordBounds tries the shortest and the longest password that the driver vouches for, and one shorter.
func passwordBounds(f *fixture) {
	traits := f.driver.Traits()
	account := f.anybody("mia")
	if traits.MinPassword < 1 || traits.MaxPassword < traits.MinPassword {
		f.Fatalf("bounds %d to %d", traits.MinPassword, traits.MaxPassword)
	}
	for _, length := range []int{traits.MinPassword, traits.MaxPassword} {
		secret := strings.Repeat("Pw1-", length)[:length]
		if f.can.PasswordsFixed {
			want := f.wanted("of"+strconv.Itoa(length), account.Access)
			want.Password = secret
			_, err := f.driver.CreateAccount(f.ctx(), want)
			f.must(err)
			f.signIn(want.Username, secret)
			continue
		}
		f.must(f.driver.SetPassword(f.ctx(), account.ID, media.NewPassword{Password: secret}))
		f.signIn("mia", secret)
	}
	short := media.NewPassword{Password: strings.Repeat("x", traits.MinPassword-1)}
	f.wantCode(f.driver.SetPassword(f.ctx(), account.ID, short), media.Invalid)
}

func authenticate(f *fixture) {
	account := f.anybody("Mia")
	name := f.name("Mia")
	asker, able := f.driver.(media.Authenticator)
	if !f.can.Authenticate {
		f.lacks("Authenticate")
		if able {
			_, err := asker.Authenticate(f.ctx(), name, password)
			f.wantCode(err, media.Unsupported)
		}
		return
	}
	person := f.signIn("Mia", password)
	check := f.unchanged()
	id, err := asker.Authenticate(f.ctx(), name, password)
	f.must(err)
	if id != account.ID {
		f.Errorf("authenticated %q, want %q", id, account.ID)
	}
	for name, secret := range map[string]string{name: secondPassword, f.name("nobody"): password} {
		_, err := asker.Authenticate(f.ctx(), name, secret)
		f.wantCode(err, media.Unauthenticated)
	}
	check()
	if _, err := person.Libraries(f.ctx()); err != nil {
		f.Errorf("trying a password ended a session: %v", err)
	}
	if f.can.Disable {
		f.server.Hand.SetDisabled("Mia", true)
		_, err := asker.Authenticate(f.ctx(), name, password)
		f.wantCode(err, media.Unauthenticated)
	}
}
