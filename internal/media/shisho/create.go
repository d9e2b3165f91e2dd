package shisho

import (
	"context"
	"net/http"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
	"github.com/usher-media/usher/internal/media/wire"
)

// CreateAccount makes an account with its role and access in one call, after looking at roles and libraries: what the
// server does not know would leave a part of the account behind (contract, section 4).
//
// The server makes every account active. One that is to be disabled must choose another password at first, which
// keeps it from everything, and is switched off before that is taken back.
func (d *Driver) CreateAccount(ctx context.Context, want media.NewAccount) (media.Account, error) {
	if err := media.NoChosenID(want); err != nil {
		return media.Account{}, err
	}
	if want.DisplayName != "" {
		return media.Account{}, noDisplayName()
	}
	if err := acceptable(want.Username, want.Password); err != nil {
		return media.Account{}, err
	}
	role, err := d.role(ctx, want.Role)
	if err != nil {
		return media.Account{}, err
	}
	wanted, err := d.grants(ctx, want.Access)
	if err != nil {
		return media.Account{}, err
	}
	u, err := d.create(ctx, newUser{
		Username: want.Username, Email: want.Email, Password: want.Password, RoleID: role,
		MustChange: want.MustChangePassword || want.Disabled, grants: wanted,
	})
	if err == nil && want.Disabled {
		u, err = d.createDisabled(ctx, u, want)
	}
	if err != nil {
		return media.Account{}, err
	}
	return d.account(ctx, u)
}

func (d *Driver) create(ctx context.Context, body newUser) (user, error) {
	var u user
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: usersPath, Body: body, Into: &u, Want: http.StatusCreated,
	})
	if media.CodeOf(err) == media.Ambiguous {
		return u, d.creationFailed(ctx, body, err)
	}
	return u, err
}

// creationFailed looks what a creation left behind whose answer is a failure or did not come. Of several creations of
// one name at the same moment, all but one fail so (contract, section 4).
func (d *Driver) creationFailed(ctx context.Context, body newUser, err error) error {
	users, failed := d.users(ctx)
	if failed != nil {
		return err
	}
	for _, u := range users {
		switch {
		case fold.ASCII(u.Username) == fold.ASCII(body.Username):
			if u.open() && d.isOurs(ctx, u, body.Password) {
				d.shutIfOpen(ctx, u.ID)
			}
			if failedByServer(err) {
				return media.Errorf(media.AlreadyExists, "the username is taken")
			}
		case body.Email != "" && fold.ASCII(u.Email) == fold.ASCII(body.Email) && failedByServer(err):
			return media.Errorf(media.AlreadyExists, "the email address is taken")
		}
	}
	return err
}

// isOurs says whether an account has the password that we gave it: nobody else's account is touched.
func (d *Driver) isOurs(ctx context.Context, u user, password string) bool {
	id, err := d.Authenticate(ctx, u.Username, password)
	return err == nil && id == accountID(u.ID)
}

func (d *Driver) createDisabled(ctx context.Context, made user, want media.NewAccount) (user, error) {
	active := false
	u, err := d.change(ctx, made.ID, userChange{IsActive: &active})
	if err != nil || want.MustChangePassword {
		return u, err
	}
	if err := d.reset(ctx, made.ID, media.NewPassword{Password: want.Password}); err != nil {
		return u, err
	}
	return d.user(ctx, made.ID)
}
