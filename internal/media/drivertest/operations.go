package drivertest

import (
	"context"

	"github.com/usher-media/usher/internal/media"
)

// operation is one call of a driver with arguments that work.
type operation struct {
	name  string
	write bool
	run   func(ctx context.Context) error
}

// operations are all that the server can do, on an account and a library made for them. Those that take something
// away come last.
func (f *fixture) operations(driver media.Driver) []operation {
	library := f.library("Operations")
	account := f.account("operated", access(library.ID))
	return append(f.reads(driver, account, library), f.changes(driver, account, library)...)
}

func (f *fixture) reads(driver media.Driver, account media.Account, library media.Library) []operation {
	ops := []operation{
		{"Probe", false, func(ctx context.Context) error { _, err := driver.Probe(ctx); return err }},
		{"List", false, func(ctx context.Context) error { _, err := driver.List(ctx); return err }},
		{"Account", false, func(ctx context.Context) error { _, err := driver.Account(ctx, account.ID); return err }},
		{"Library", false, func(ctx context.Context) error { _, err := driver.Library(ctx, library.ID); return err }},
	}
	if f.can.Authenticate {
		ops = append(ops, operation{"Authenticate", false, func(ctx context.Context) error {
			_, err := driver.(media.Authenticator).Authenticate(ctx, account.Username, password)
			return err
		}})
	}
	return ops
}

func (f *fixture) changes(driver media.Driver, account media.Account, library media.Library) []operation {
	role, name := f.anotherRole(), "Operations, renamed"
	fresh, another := f.wanted("created", access(library.ID)), f.newLibrary("Created")
	ops := []operation{
		{"CreateAccount", true, func(ctx context.Context) error { _, err := driver.CreateAccount(ctx, fresh); return err }},
		{"UpdateAccount", true, func(ctx context.Context) error {
			_, err := driver.UpdateAccount(ctx, account.ID, media.AccountChange{Role: &role})
			return err
		}},
		{"SetAccess", true, func(ctx context.Context) error {
			_, err := driver.SetAccess(ctx, account, access(library.ID))
			return err
		}},
		{"SetPassword", true, func(ctx context.Context) error {
			return driver.SetPassword(ctx, account.ID, media.NewPassword{Password: "another password 2"})
		}},
		{"CreateLibrary", true, func(ctx context.Context) error { _, err := driver.CreateLibrary(ctx, another); return err }},
		{"UpdateLibrary", true, func(ctx context.Context) error {
			_, err := driver.UpdateLibrary(ctx, library.ID, media.LibraryChange{Name: &name})
			return err
		}},
	}
	return append(ops, f.abilities(driver, account, library)...)
}

// abilities are the calls that only some servers have.
func (f *fixture) abilities(driver media.Driver, account media.Account, library media.Library) []operation {
	var ops []operation
	if f.can.Registration {
		ops = append(ops, operation{"SetRegistration", true, func(ctx context.Context) error {
			return driver.(media.Registrar).SetRegistration(ctx, media.RegistrationClosed)
		}})
	}
	if f.can.Disable {
		ops = append(ops, operation{"SetDisabled", true, func(ctx context.Context) error {
			_, err := driver.(media.Disabler).SetDisabled(ctx, account.ID, true)
			return err
		}})
	}
	if f.can.DeleteAccount {
		ops = append(ops, operation{"DeleteAccount", true, func(ctx context.Context) error {
			return driver.(media.AccountDeleter).DeleteAccount(ctx, account.ID)
		}})
	}
	if f.can.DeleteLibrary {
		ops = append(ops, operation{"DeleteLibrary", true, func(ctx context.Context) error {
			return driver.(media.LibraryDeleter).DeleteLibrary(ctx, library.ID)
		}})
	}
	return ops
}
