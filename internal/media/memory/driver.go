package memory

import (
	"context"
	"maps"
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// driver is one connection to a Store.
type driver struct {
	store       *Store
	credentials media.Credentials
	guard       *media.Guard
}

var (
	_ media.Driver         = (*driver)(nil)
	_ media.Bootstrapper   = (*driver)(nil)
	_ media.Registrar      = (*driver)(nil)
	_ media.Authenticator  = (*driver)(nil)
	_ media.Disabler       = (*driver)(nil)
	_ media.AccountDeleter = (*driver)(nil)
	_ media.LibraryDeleter = (*driver)(nil)
)

// Traits returns the store's.
func (d *driver) Traits() media.Traits { return d.store.traits }

// Close does nothing.
func (d *driver) Close() error { return nil }

// open runs one call that needs no account: counted, with hooks before and after, and the server's work under its lock.
func (d *driver) open(ctx context.Context, call Call, act func(call *Call) error) error {
	log := &d.store.calls
	log.begin(call.Op)
	err := log.ask(ctx, Before, call)
	if err == nil {
		err = d.act(&call, act)
	}
	if call.Applied {
		err = log.ask(ctx, After, call)
	}
	if err != nil {
		call.Code = media.CodeOf(err)
	}
	log.end(call)
	return err
}

func (d *driver) act(call *Call, act func(call *Call) error) error {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	err := act(call)
	call.Applied = err == nil
	return err
}

// signed runs one call by Usher's account, which must administer the server.
func (d *driver) signed(ctx context.Context, call Call, act func(self *account, call *Call) error) error {
	return d.open(ctx, call, func(call *Call) error {
		// As a driver on wire asks each new connection who is at its other end.
		if !d.store.options.Proxied {
			if err := d.guard.Admit(ctx, d.store.identity); err != nil {
				return err
			}
		}
		self, err := d.self()
		switch {
		case err != nil:
			return err
		case !d.store.capabilities.Roles[self.Role].Administers:
			return media.Errorf(media.PermissionDenied, "the account may not do this")
		}
		return act(self, call)
	})
}

func (d *driver) self() (*account, error) {
	if self := d.store.authenticate(d.credentials.Username, d.credentials.Password); self != nil {
		return self, nil
	}
	return nil, errSignIn
}

// Probe answers who the server is and what this account can make it do.
func (d *driver) Probe(ctx context.Context) (probe media.Probe, err error) {
	err = d.open(ctx, Call{Op: Probe}, func(*Call) error {
		s := d.store
		probe = media.Probe{Identity: s.identity, Version: s.options.Version, Capabilities: cloneCapabilities(s.capabilities)}
		if s.capabilities.Registration {
			probe.Registration = s.registration
		}
		if len(s.accounts) == 0 {
			probe.SetupRequired = true
			return nil
		}
		self, err := d.self()
		if err != nil {
			return err
		}
		probe.Self, probe.SelfName = self.ID, self.Username
		if admin, known := probe.Capabilities.Roles[media.RoleAdmin]; known {
			admin.Assignable = admin.Assignable && self.Role == media.RoleOwner
			probe.Capabilities.Roles[media.RoleAdmin] = admin
		}
		return nil
	})
	if err != nil {
		return media.Probe{}, err
	}
	return probe, nil
}

// Identity answers who the server is.
func (d *driver) Identity(ctx context.Context) (identity string, err error) {
	err = d.open(ctx, Call{Op: Identity}, func(*Call) error {
		identity = d.store.identity
		return nil
	})
	return identity, err
}

// List returns everything.
func (d *driver) List(ctx context.Context) (listing media.Listing, err error) {
	err = d.signed(ctx, Call{Op: List}, func(*account, *Call) error {
		for _, a := range d.store.accounts {
			listing.Accounts = append(listing.Accounts, copyAccount(a))
		}
		for _, l := range d.store.libraries {
			listing.Libraries = append(listing.Libraries, copyLibrary(l))
		}
		return nil
	})
	if err != nil {
		return media.Listing{}, err
	}
	return listing, nil
}

// Libraries implements media.LibraryLister.
func (d *driver) Libraries(ctx context.Context) (libraries []media.Library, err error) {
	err = d.signed(ctx, Call{Op: Libraries}, func(*account, *Call) error {
		for _, l := range d.store.libraries {
			libraries = append(libraries, copyLibrary(l))
		}
		return nil
	})
	return libraries, err
}

// Bootstrap makes the first account of the credentials.
func (d *driver) Bootstrap(ctx context.Context) error {
	return d.open(ctx, Call{Op: Bootstrap, Name: d.credentials.Username}, func(call *Call) error {
		s := d.store
		switch {
		case !s.capabilities.Bootstrap:
			return unsupported("make the first account")
		case len(s.accounts) > 0:
			return media.Errorf(media.AlreadyExists, "the server has an account already")
		}
		s.addOwner(d.credentials.Username, s.ownerEmail(d.credentials.Email), d.credentials.Password)
		call.Account = s.accounts[0].ID
		return nil
	})
}

// SetRegistration sets who may register.
func (d *driver) SetRegistration(ctx context.Context, mode media.RegistrationMode) error {
	return d.signed(ctx, Call{Op: SetRegistration}, func(*account, *Call) error {
		modes := []media.RegistrationMode{media.RegistrationOpen, media.RegistrationInviteOnly, media.RegistrationClosed}
		switch {
		case !d.store.capabilities.Registration:
			return unsupported("set who may register")
		case !slices.Contains(modes, mode):
			return media.Errorf(media.Invalid, "there is no such registration mode")
		}
		d.store.registration = mode
		return nil
	})
}

// Authenticate tries a password.
func (d *driver) Authenticate(ctx context.Context, username, password string) (id media.AccountID, err error) {
	err = d.open(ctx, Call{Op: Authenticate, Name: username}, func(call *Call) error {
		if !d.store.capabilities.Authenticate {
			return unsupported("try a password")
		}
		a := d.store.authenticate(username, password)
		if a == nil {
			return errSignIn
		}
		id, call.Account = a.ID, a.ID
		return nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

func cloneCapabilities(c media.Capabilities) media.Capabilities {
	c.Roles = maps.Clone(c.Roles)
	c.LibraryRoles = slices.Clone(c.LibraryRoles)
	c.MediaTypes = slices.Clone(c.MediaTypes)
	c.LibrarySettings = slices.Clone(c.LibrarySettings)
	return c
}
