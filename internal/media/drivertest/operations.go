package drivertest

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-media/usher/internal/media"
)

// operation is one call of a driver with arguments that work.
type operation struct {
	name  string
	write bool
	run   func(ctx context.Context) error
	// settled fails unless what the call wants is so; nil for a call that wants nothing.
	settled func() error
	// again are the classes that a second call may end with once the first was done, or begun.
	again []media.Code
	// resolve does what whoever called does on such an answer, for a call that may have stopped half way.
	resolve func() error
	// gives are libraries that the call gives to the subject's account.
	gives []media.LibraryID
	// newcomer is the username of the account that the call makes.
	newcomer string
	// tidies: after its answer is there, the call only ends the session that it began; that this fails does not matter.
	tidies bool
}

// subject is what the calls are about: an account that sees the first of two libraries, or both where libraries are given
// only while an account is made.
type subject struct {
	label         string
	account       media.Account
	first, second media.Library
	// invite is one of the second library, where the server has invites.
	invite media.InviteID
}

func (f *fixture) subject(label string) subject {
	f.Helper()
	return f.subjectOf(label, f.library("Operations"+label), f.library("More operations"+label))
}

func (f *fixture) subjectOf(label string, first, second media.Library) subject {
	f.Helper()
	s := subject{label: label, first: first, second: second}
	sees := access(s.first.ID)
	if f.can.GrantsFixed { // then SetAccess can only take the first away
		sees = access(s.first.ID, s.second.ID)
	}
	s.account = f.account("operated"+label, sees)
	if f.can.Invites {
		made, err := f.driver.(media.Inviter).CreateInvite(f.ctx(), s.newInvite())
		f.must(err)
		s.invite = made.ID
	}
	return s
}

// operations are all that the server can do, on a subject of their own. Those that take something away come last.
func (f *fixture) operations(driver media.Driver) []operation {
	return f.operationsOn(driver, f.subject(""))
}

func (f *fixture) operationsOn(driver media.Driver, s subject) []operation {
	ops := append(f.reads(driver, s), f.accountWrites(driver, s)...)
	ops = append(ops, f.libraryWrites(driver, s)...)
	if f.can.Invites {
		ops = append(ops, f.inviteCalls(driver.(media.Inviter), s)...)
	}
	return append(ops, f.abilities(driver, s)...)
}

func (f *fixture) reads(driver media.Driver, s subject) []operation {
	ops := []operation{
		{name: "Probe", run: func(ctx context.Context) error { _, err := driver.Probe(ctx); return err }},
		{name: "List", run: func(ctx context.Context) error { _, err := driver.List(ctx); return err }},
		{name: "Account", run: func(ctx context.Context) error { _, err := driver.Account(ctx, s.account.ID); return err }},
		{name: "Library", run: func(ctx context.Context) error { _, err := driver.Library(ctx, s.first.ID); return err }},
	}
	if f.can.Authenticate {
		ops = append(ops, operation{name: "Authenticate", tidies: true, run: func(ctx context.Context) error {
			_, err := driver.(media.Authenticator).Authenticate(ctx, s.account.Username, password)
			return err
		}})
	}
	return ops
}

var errNotSo = errors.New("what was asked for is not so")

// so is an error unless the condition holds.
func so(err error, holds bool) error {
	if err == nil && !holds {
		return errNotSo
	}
	return err
}

// about reads the account of a subject and asks whether something holds for it.
func (f *fixture) about(s subject, holds func(media.Account) bool) func() error {
	return func() error {
		account, err := f.driver.Account(f.ctx(), s.account.ID)
		return so(err, err == nil && holds(account))
	}
}

func (f *fixture) accountWrites(driver media.Driver, s subject) []operation {
	fresh := f.wanted("created"+s.label, access(s.first.ID))
	change, changed := f.anotherProfile(s)
	ops := []operation{
		{
			name: "CreateAccount", write: true, again: codes(media.AlreadyExists),
			run:     func(ctx context.Context) error { _, err := driver.CreateAccount(ctx, fresh); return err },
			settled: func() error { return f.cameIntoBeing(fresh) }, resolve: func() error { return f.bringIntoBeing(fresh) },
			newcomer: fresh.Username,
		},
		{
			name: "UpdateAccount", write: change != media.AccountChange{}, settled: f.about(s, changed),
			run: func(ctx context.Context) error {
				_, err := driver.UpdateAccount(ctx, s.account.ID, change)
				return err
			},
		},
		{
			name: "SetAccess", write: true, gives: []media.LibraryID{s.second.ID},
			settled: f.about(s, func(a media.Account) bool { return a.Access.Equal(access(s.second.ID)) }),
			run: func(ctx context.Context) error {
				_, err := driver.SetAccess(ctx, s.account, access(s.second.ID))
				return err
			},
		},
	}
	if f.can.PasswordsFixed {
		return ops
	}
	return append(ops, operation{
		name: "SetPassword", write: true,
		settled: func() error {
			_, err := f.server.SignIn(f.ctx(), s.account.Username, secondPassword)
			return err
		},
		run: func(ctx context.Context) error {
			return driver.SetPassword(ctx, s.account.ID, media.NewPassword{Password: secondPassword})
		},
	})
}

// anotherProfile is a change of the account that the server can make, and says whether it is made. It is empty, and so
// no write, where an account has nothing that could be changed.
func (f *fixture) anotherProfile(s subject) (media.AccountChange, func(media.Account) bool) {
	role, name := f.anotherRole(), "Operated on"
	switch {
	case role != s.account.Role:
		return media.AccountChange{Role: &role}, func(a media.Account) bool { return a.Role == role }
	case f.can.DisplayName:
		return media.AccountChange{DisplayName: &name}, func(a media.Account) bool { return a.DisplayName == name }
	}
	return media.AccountChange{}, func(media.Account) bool { return true }
}

// newcomer reads an account that was made.
func (f *fixture) newcomer(username string) (media.Account, error) {
	listing, err := f.driver.List(f.ctx())
	if err != nil {
		return media.Account{}, err
	}
	for _, account := range listing.Accounts {
		if account.Username == username {
			return account, nil
		}
	}
	return media.Account{}, errNotSo
}

// cameIntoBeing fails unless an account is what was asked for, and its holder sees exactly that.
func (f *fixture) cameIntoBeing(want media.NewAccount) error {
	f.Helper()
	account, err := f.newcomer(want.Username)
	if err != nil {
		return err
	}
	f.wantAccess(account.Access, want.Access)
	f.wantSees(want.Username, want.Access.IDs()...)
	return so(nil, account.Role == want.Role && !account.Disabled)
}

// bringIntoBeing finishes an account whose creation was cut short, as a reconcile would. It has never more than asked for.
func (f *fixture) bringIntoBeing(want media.NewAccount) error {
	f.Helper()
	account, err := f.newcomer(want.Username)
	if err != nil {
		return err
	}
	for id := range account.Access.Libraries {
		if _, wanted := want.Access.Libraries[id]; !wanted || account.Access.All {
			return fmt.Errorf("the new account has more access than asked for: %v", account.Access)
		}
	}
	if account.Access.Equal(want.Access) {
		return nil
	}
	f.setAccess(account, want.Access)
	if f.can.PasswordsFixed {
		return nil
	}
	return f.driver.SetPassword(f.ctx(), account.ID, media.NewPassword{Password: want.Password})
}

func (f *fixture) libraryWrites(driver media.Driver, s subject) []operation {
	name, another := "Operations, renamed"+s.label, f.newLibrary("Created"+s.label)
	return []operation{
		{
			name: "CreateLibrary", write: true, again: codes(media.AlreadyExists),
			run: func(ctx context.Context) error { _, err := driver.CreateLibrary(ctx, another); return err },
			settled: func() error {
				_, libraries := f.listing()
				for _, library := range libraries {
					if library.Name == another.Name {
						return nil
					}
				}
				return errNotSo
			},
		},
		{
			name: "UpdateLibrary", write: true,
			run: func(ctx context.Context) error {
				_, err := driver.UpdateLibrary(ctx, s.first.ID, media.LibraryChange{Name: &name})
				return err
			},
			settled: func() error {
				library, err := f.driver.Library(f.ctx(), s.first.ID)
				return so(err, library.Name == name)
			},
		},
	}
}

// abilities are the calls that only some servers have. One that concerns the whole server is not made on a live one.
func (f *fixture) abilities(driver media.Driver, s subject) []operation {
	var ops []operation
	if f.can.Registration && !f.h.Live {
		ops = append(ops, operation{name: "SetRegistration", write: true,
			run: func(ctx context.Context) error {
				return driver.(media.Registrar).SetRegistration(ctx, media.RegistrationClosed)
			},
			settled: func() error { f.reprobe(); return so(nil, f.probe.Registration == media.RegistrationClosed) },
		})
	}
	if f.can.Disable {
		ops = append(ops, operation{name: "SetDisabled", write: true,
			run: func(ctx context.Context) error {
				_, err := driver.(media.Disabler).SetDisabled(ctx, s.account.ID, true)
				return err
			},
			settled: f.about(s, func(a media.Account) bool { return a.Disabled }),
		})
	}
	if f.can.DeleteAccount {
		ops = append(ops, operation{name: "DeleteAccount", write: true, again: codes(media.NotFound),
			run: func(ctx context.Context) error {
				return driver.(media.AccountDeleter).DeleteAccount(ctx, s.account.ID)
			},
			settled: func() error { _, err := f.driver.Account(f.ctx(), s.account.ID); return gone(err) },
		})
	}
	if f.can.DeleteLibrary {
		ops = append(ops, operation{name: "DeleteLibrary", write: true, again: codes(media.NotFound),
			run: func(ctx context.Context) error {
				return driver.(media.LibraryDeleter).DeleteLibrary(ctx, s.first.ID)
			},
			settled: func() error { _, err := f.driver.Library(f.ctx(), s.first.ID); return gone(err) },
		})
	}
	return ops
}

// gone is no error when something was not found, and one when it was.
func gone(err error) error {
	if media.CodeOf(err) == media.NotFound {
		return nil
	}
	return so(err, false)
}
