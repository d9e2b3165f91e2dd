package mortal

import (
	"cmp"
	"context"

	"github.com/usher-media/usher/internal/media"
)

// Open makes drivers whose writes are the process's.
func (p *Process) Open(open media.Open) media.Open {
	return func(config media.Config) (media.Driver, error) {
		inner, err := open(config)
		if err != nil {
			return nil, err
		}
		return &driver{Driver: inner, p: p}, nil
	}
}

// driver has every optional ability; where the one within has not, it answers as that would.
type driver struct {
	media.Driver
	p *Process
	// byRequest: what counts as a write, and can fail, is each of the driver's requests, and not the call as a whole.
	byRequest bool
}

func unsupported() error { return media.Errorf(media.Unsupported, "the driver within cannot do this") }

func (d *driver) write(name string, do func() error) error {
	if d.byRequest {
		_, err := reading(d.p, func() (struct{}, error) { return struct{}{}, do() })
		return err
	}
	return d.p.write("media: "+name, do,
		func() error { return media.Errorf(media.Ambiguous, "the answer was lost") },
		func() error { return media.Errorf(media.Unavailable, "refused by the test") })
}

func writing[T any](d *driver, name string, do func() (T, error)) (result T, err error) {
	err = d.write(name, func() error {
		result, err = do()
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return result, nil
}

func reading[T any](p *Process, do func() (T, error)) (result T, err error) {
	if p.Dead() {
		return result, ErrDead
	}
	return do()
}

func (d *driver) Traits() media.Traits {
	traits := d.Driver.Traits()
	traits.LongestCall = cmp.Or(d.p.LongestCall, traits.LongestCall)
	return traits
}

func (d *driver) Probe(ctx context.Context) (media.Probe, error) {
	return reading(d.p, func() (media.Probe, error) { return d.Driver.Probe(ctx) })
}

func (d *driver) Identity(ctx context.Context) (string, error) {
	return reading(d.p, func() (string, error) { return d.Driver.Identity(ctx) })
}

func (d *driver) List(ctx context.Context) (media.Listing, error) {
	listing, err := reading(d.p, func() (media.Listing, error) { return d.Driver.List(ctx) })
	if err == nil {
		d.p.listed()
	}
	return listing, err
}

func (d *driver) Account(ctx context.Context, id media.AccountID) (media.Account, error) {
	return reading(d.p, func() (media.Account, error) { return d.Driver.Account(ctx, id) })
}

func (d *driver) Library(ctx context.Context, id media.LibraryID) (media.Library, error) {
	return reading(d.p, func() (media.Library, error) { return d.Driver.Library(ctx, id) })
}

func (d *driver) Authenticate(ctx context.Context, username, password string) (media.AccountID, error) {
	able, ok := d.Driver.(media.Authenticator)
	if !ok {
		return "", unsupported()
	}
	return reading(d.p, func() (media.AccountID, error) { return able.Authenticate(ctx, username, password) })
}

func (d *driver) CreateAccount(ctx context.Context, account media.NewAccount) (media.Account, error) {
	return writing(d, "CreateAccount "+account.Username, func() (media.Account, error) { return d.Driver.CreateAccount(ctx, account) })
}

func (d *driver) UpdateAccount(ctx context.Context, id media.AccountID, change media.AccountChange) (media.Account, error) {
	return writing(d, "UpdateAccount", func() (media.Account, error) { return d.Driver.UpdateAccount(ctx, id, change) })
}

func (d *driver) SetAccess(ctx context.Context, account media.Account, want media.Access) (media.Account, error) {
	return writing(d, "SetAccess "+account.Username, func() (media.Account, error) { return d.Driver.SetAccess(ctx, account, want) })
}

func (d *driver) SetPassword(ctx context.Context, id media.AccountID, password media.NewPassword) error {
	return d.write("SetPassword", func() error { return d.Driver.SetPassword(ctx, id, password) })
}

func (d *driver) SetDisabled(ctx context.Context, id media.AccountID, disabled bool) (media.Account, error) {
	able, ok := d.Driver.(media.Disabler)
	if !ok {
		return media.Account{}, unsupported()
	}
	return writing(d, "SetDisabled", func() (media.Account, error) { return able.SetDisabled(ctx, id, disabled) })
}

func (d *driver) DeleteAccount(ctx context.Context, id media.AccountID) error {
	able, ok := d.Driver.(media.AccountDeleter)
	if !ok {
		return unsupported()
	}
	return d.write("DeleteAccount", func() error { return able.DeleteAccount(ctx, id) })
}

func (d *driver) CreateLibrary(ctx context.Context, library media.NewLibrary) (media.Library, error) {
	return writing(d, "CreateLibrary "+library.Name, func() (media.Library, error) { return d.Driver.CreateLibrary(ctx, library) })
}

func (d *driver) UpdateLibrary(ctx context.Context, id media.LibraryID, change media.LibraryChange) (media.Library, error) {
	return writing(d, "UpdateLibrary", func() (media.Library, error) { return d.Driver.UpdateLibrary(ctx, id, change) })
}

func (d *driver) DeleteLibrary(ctx context.Context, id media.LibraryID) error {
	able, ok := d.Driver.(media.LibraryDeleter)
	if !ok {
		return unsupported()
	}
	return d.write("DeleteLibrary", func() error { return able.DeleteLibrary(ctx, id) })
}

func (d *driver) Bootstrap(ctx context.Context) error {
	able, ok := d.Driver.(media.Bootstrapper)
	if !ok {
		return unsupported()
	}
	return d.write("Bootstrap", func() error { return able.Bootstrap(ctx) })
}

func (d *driver) SetRegistration(ctx context.Context, mode media.RegistrationMode) error {
	able, ok := d.Driver.(media.Registrar)
	if !ok {
		return unsupported()
	}
	return d.write("SetRegistration", func() error { return able.SetRegistration(ctx, mode) })
}

// ListInvites and the rest of media.Inviter, for servers with invites of their own.
func (d *driver) ListInvites(ctx context.Context) ([]media.Invite, error) {
	return asked(d, func(able media.Inviter) ([]media.Invite, error) { return able.ListInvites(ctx) })
}

func (d *driver) CreateInvite(ctx context.Context, invite media.NewInvite) (media.Invite, error) {
	return writing(d, "CreateInvite "+invite.Reference, func() (media.Invite, error) {
		return asked(d, func(able media.Inviter) (media.Invite, error) { return able.CreateInvite(ctx, invite) })
	})
}

func (d *driver) SetInvite(ctx context.Context, id media.InviteID, settings media.InviteSettings) (media.Invite, error) {
	return writing(d, "SetInvite", func() (media.Invite, error) {
		return asked(d, func(able media.Inviter) (media.Invite, error) { return able.SetInvite(ctx, id, settings) })
	})
}

func (d *driver) DeleteInvite(ctx context.Context, id media.InviteID) error {
	return d.write("DeleteInvite", func() error {
		_, err := asked(d, func(able media.Inviter) (struct{}, error) { return struct{}{}, able.DeleteInvite(ctx, id) })
		return err
	})
}

func (d *driver) InviteUses(ctx context.Context, id media.InviteID) ([]media.InviteUse, error) {
	return asked(d, func(able media.Inviter) ([]media.InviteUse, error) { return able.InviteUses(ctx, id) })
}

func (d *driver) InvitePath(code string) string {
	if able, ok := d.Driver.(media.Inviter); ok {
		return able.InvitePath(code)
	}
	return ""
}

// asked runs a call of a server's own invites, where it has any.
func asked[T any](d *driver, do func(media.Inviter) (T, error)) (result T, err error) {
	able, ok := d.Driver.(media.Inviter)
	if !ok {
		return result, unsupported()
	}
	return reading(d.p, func() (T, error) { return do(able) })
}
