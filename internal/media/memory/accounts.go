package memory

import (
	"context"
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// Account reads one account.
func (d *driver) Account(ctx context.Context, id media.AccountID) (media.Account, error) {
	return d.onAccount(ctx, Call{Op: Account, Account: id}, func(_, _ *account) error { return nil })
}

// onAccount runs one call about an account and returns the account as it is after it.
func (d *driver) onAccount(ctx context.Context, call Call, act func(self, subject *account) error) (read media.Account, err error) {
	err = d.signed(ctx, call, func(self *account, call *Call) error {
		subject := d.store.find(call.Account)
		if subject == nil {
			return media.Errorf(media.NotFound, "there is no such account")
		}
		if err := act(self, subject); err != nil {
			return err
		}
		read = copyAccount(subject)
		return nil
	})
	if err != nil {
		return media.Account{}, err
	}
	return read, nil
}

// CreateAccount makes an account with its role and access in one step.
func (d *driver) CreateAccount(ctx context.Context, want media.NewAccount) (created media.Account, err error) {
	call := Call{Op: CreateAccount, Name: want.Username, Access: want.Access.Clone(), Disabled: want.Disabled}
	err = d.signed(ctx, call, func(self *account, call *Call) error {
		s := d.store
		if err := s.checkNewAccount(self, want); err != nil {
			return err
		}
		made := &account{password: s.hash(want.Password), Account: media.Account{
			ID: want.ID, Username: want.Username, Email: want.Email,
			DisplayName: want.DisplayName, Role: want.Role, Access: want.Access.Clone(),
			Disabled: want.Disabled, MustChangePassword: want.MustChangePassword, Created: s.created(), PasswordSet: s.created(),
		}}
		if made.ID == "" {
			made.ID = media.AccountID(s.newID("account"))
		}
		if made.DisplayName == "" && s.capabilities.DisplayName {
			made.DisplayName = want.Username
		}
		s.add(made)
		created, call.Account = copyAccount(made), made.ID
		return nil
	})
	if err != nil {
		return media.Account{}, err
	}
	return created, nil
}

// UpdateAccount changes the named fields, all or none.
func (d *driver) UpdateAccount(ctx context.Context, id media.AccountID, change media.AccountChange) (media.Account, error) {
	call := Call{Op: UpdateAccount, Account: id, Fields: accountFields(change)}
	return d.onAccount(ctx, call, func(self, subject *account) error {
		if err := d.store.checkAccountChange(self, subject, change); err != nil {
			return err
		}
		d.store.leave(subject)
		defer d.store.enter(subject)
		for field, value := range map[*string]*string{&subject.Email: change.Email, &subject.DisplayName: change.DisplayName} {
			if value != nil {
				*field = *value
			}
		}
		if change.Role != nil {
			subject.Role = *change.Role
		}
		return nil
	})
}

func accountFields(change media.AccountChange) []string {
	var fields []string
	for name, named := range map[string]bool{
		"displayName": change.DisplayName != nil, "email": change.Email != nil, "role": change.Role != nil,
	} {
		if named {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return fields
}

// SetAccess replaces the whole access.
func (d *driver) SetAccess(ctx context.Context, subject media.Account, want media.Access) (media.Account, error) {
	call := Call{Op: SetAccess, Account: subject.ID, Access: want.Clone()}
	return d.onAccount(ctx, call, func(_, subject *account) error {
		if err := d.store.checkAccess(subject.Role, want); err != nil {
			return err
		}
		subject.Access = want.Clone()
		return nil
	})
}

// SetPassword sets a password and ends the account's sessions.
func (d *driver) SetPassword(ctx context.Context, id media.AccountID, password media.NewPassword) error {
	_, err := d.onAccount(ctx, Call{Op: SetPassword, Account: id}, func(self, subject *account) error {
		s := d.store
		if err := s.checkPassword(password.Password, password.MustChange); err != nil {
			return err
		}
		if s.capabilities.PasswordsFixed {
			return unsupported("set the password of an account that exists")
		}
		if err := s.checkRank(self, subject); err != nil {
			return err
		}
		subject.password, subject.MustChangePassword, subject.PasswordChosen = s.hash(password.Password), password.MustChange, false
		subject.PasswordSet = s.created()
		s.endSessions(id)
		return nil
	})
	return err
}

// SetDisabled disables or enables an account and ends its sessions.
func (d *driver) SetDisabled(ctx context.Context, id media.AccountID, disabled bool) (media.Account, error) {
	call := Call{Op: SetDisabled, Account: id, Disabled: disabled}
	return d.onAccount(ctx, call, func(self, subject *account) error {
		switch {
		case !d.store.capabilities.Disable:
			return unsupported("disable an account")
		case subject.Disabled == disabled:
			return nil
		}
		if err := d.store.checkTouch(self, subject); err != nil {
			return err
		}
		subject.Disabled = disabled
		d.store.endSessions(id)
		return nil
	})
}

// DeleteAccount deletes an account and ends its sessions.
func (d *driver) DeleteAccount(ctx context.Context, id media.AccountID) error {
	_, err := d.onAccount(ctx, Call{Op: DeleteAccount, Account: id}, func(self, subject *account) error {
		if !d.store.capabilities.DeleteAccount {
			return unsupported("delete an account")
		}
		if err := d.store.checkTouch(self, subject); err != nil {
			return err
		}
		d.store.removeAccount(subject)
		return nil
	})
	return err
}
