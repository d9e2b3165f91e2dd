package embedded

import (
	"context"
	"net/http"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	usersPath    = "/v1/users"
	userPath     = "/v1/users/{id}"
	accessPath   = "/v1/users/{id}/access"
	passwordPath = "/v1/users/{id}/password"
)

// Account reads one account.
func (d *Driver) Account(ctx context.Context, id media.AccountID) (media.Account, error) {
	var u user
	if err := d.get(ctx, userPath, &u, string(id)); err != nil {
		return media.Account{}, err
	}
	return u.is(id, media.Unavailable)
}

// CreateAccount makes an account with its role and access in one call, which the server does in one transaction. The
// account that it answers with is what it has stored.
func (d *Driver) CreateAccount(ctx context.Context, want media.NewAccount) (media.Account, error) {
	body, err := d.newUserBody(ctx, want)
	if err != nil {
		return media.Account{}, err
	}
	var u user
	_, err = d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: usersPath, Body: body, Into: &u,
		Codes: map[int]media.Code{http.StatusConflict: media.AlreadyExists},
	})
	if err != nil {
		return media.Account{}, err
	}
	return u.account(), nil
}

// UpdateAccount changes the named fields in one call. An empty email address clears it.
func (d *Driver) UpdateAccount(ctx context.Context, id media.AccountID, change media.AccountChange) (media.Account, error) {
	if change.IsZero() {
		return d.Account(ctx, id)
	}
	body := userChange{Email: change.Email, DisplayName: change.DisplayName}
	if change.Role != nil {
		word, err := d.roleWord(ctx, *change.Role)
		if err != nil {
			return media.Account{}, err
		}
		body.Role = word
	}
	return d.patch(ctx, id, body)
}

// SetDisabled disables or enables an account. The server ends its sessions in the same step.
func (d *Driver) SetDisabled(ctx context.Context, id media.AccountID, disabled bool) (media.Account, error) {
	return d.patch(ctx, id, userChange{Disabled: &disabled})
}

func (d *Driver) patch(ctx context.Context, id media.AccountID, body userChange) (media.Account, error) {
	return d.write(ctx, id, wire.Call{
		Method: http.MethodPatch, Path: userPath, Body: body,
		// The email address is taken.
		Codes: map[int]media.Code{http.StatusConflict: media.AlreadyExists},
	})
}

// SetAccess replaces the whole access in one call, which the server does in one transaction.
func (d *Driver) SetAccess(ctx context.Context, account media.Account, want media.Access) (media.Account, error) {
	body, err := accessBody(want)
	if err != nil {
		return media.Account{}, err
	}
	call := wire.Call{Method: http.MethodPut, Path: accessPath, Body: body}
	after, err := d.write(ctx, account.ID, call)
	if err == nil && !after.Access.Equal(want) {
		return media.Account{}, media.Errorf(media.Ambiguous, "PUT %s: the server answered with another access", accessPath)
	}
	return after, err
}

// write sends a call about one account and returns the account that it answers with.
func (d *Driver) write(ctx context.Context, id media.AccountID, call wire.Call) (media.Account, error) {
	var u user
	call.Args, call.Into = []string{string(id)}, &u
	if _, err := d.client.Do(ctx, call); err != nil {
		return media.Account{}, err
	}
	return u.is(id, media.Ambiguous)
}

// SetPassword sets a password. The server ends the account's sessions in the same step.
func (d *Driver) SetPassword(ctx context.Context, id media.AccountID, password media.NewPassword) error {
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPut, Path: passwordPath, Args: []string{string(id)}, Want: http.StatusNoContent,
		Body: passwordBody{Password: password.Password, MustChangePassword: password.MustChange},
	})
	return err
}

// DeleteAccount deletes an account.
func (d *Driver) DeleteAccount(ctx context.Context, id media.AccountID) error {
	return d.remove(ctx, userPath, string(id))
}
