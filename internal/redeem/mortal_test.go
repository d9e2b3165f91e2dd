package redeem_test

import (
	"context"

	"github.com/usher-media/usher/internal/media"
)

// mortalDriver is a driver whose calls die with its process. Its reads fail then, its writes count.
type mortalDriver struct {
	media.Driver
	p *process
}

func (d *mortalDriver) Probe(ctx context.Context) (media.Probe, error) {
	if d.p.isDead() {
		return media.Probe{}, errDead
	}
	return d.Driver.Probe(ctx)
}

func (d *mortalDriver) List(ctx context.Context) (media.Listing, error) {
	if d.p.isDead() {
		return media.Listing{}, errDead
	}
	return d.Driver.List(ctx)
}

func mortal[T any](d *mortalDriver, do func() (T, error)) (result T, err error) {
	err = d.p.write(func() error {
		result, err = do()
		return err
	})
	return result, err
}

func (d *mortalDriver) CreateAccount(ctx context.Context, account media.NewAccount) (media.Account, error) {
	return mortal(d, func() (media.Account, error) { return d.Driver.CreateAccount(ctx, account) })
}

func (d *mortalDriver) UpdateAccount(ctx context.Context, id media.AccountID, change media.AccountChange) (media.Account, error) {
	return mortal(d, func() (media.Account, error) { return d.Driver.UpdateAccount(ctx, id, change) })
}

func (d *mortalDriver) SetAccess(ctx context.Context, account media.Account, want media.Access) (media.Account, error) {
	return mortal(d, func() (media.Account, error) { return d.Driver.SetAccess(ctx, account, want) })
}

func (d *mortalDriver) SetPassword(ctx context.Context, id media.AccountID, password media.NewPassword) error {
	return d.p.write(func() error { return d.Driver.SetPassword(ctx, id, password) })
}

func (d *mortalDriver) CreateLibrary(ctx context.Context, library media.NewLibrary) (media.Library, error) {
	return mortal(d, func() (media.Library, error) { return d.Driver.CreateLibrary(ctx, library) })
}

func (d *mortalDriver) SetDisabled(ctx context.Context, id media.AccountID, disabled bool) (media.Account, error) {
	return mortal(d, func() (media.Account, error) { return d.Driver.(media.Disabler).SetDisabled(ctx, id, disabled) })
}

func (d *mortalDriver) DeleteAccount(ctx context.Context, id media.AccountID) error {
	return d.p.write(func() error { return d.Driver.(media.AccountDeleter).DeleteAccount(ctx, id) })
}

func (d *mortalDriver) Authenticate(ctx context.Context, username, password string) (media.AccountID, error) {
	if d.p.isDead() {
		return "", errDead
	}
	return d.Driver.(media.Authenticator).Authenticate(ctx, username, password)
}
