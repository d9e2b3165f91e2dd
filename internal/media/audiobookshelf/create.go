package audiobookshelf

import (
	"context"
	"net/http"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// CreateAccount makes an account with its role, its access and its switch in one call.
//
// The server compares names letter by letter, and makes the account a while after it looked, so that two creations at the
// same moment both succeed (contract, section 4). So the list is read before, one account is made at a time, and the list
// is read again: of several accounts that a sign-in may confuse, the first in the list stays, and what this call made is
// deleted again if it is not that one.
func (d *Driver) CreateAccount(ctx context.Context, want media.NewAccount) (media.Account, error) {
	b, err := creation(want)
	if err != nil {
		return media.Account{}, err
	}
	select {
	case d.creating <- struct{}{}:
		defer func() { <-d.creating }()
	case <-ctx.Done():
		return media.Account{}, media.Errorf(media.Unavailable, "no turn came to make an account").WithCause(ctx.Err())
	}
	all, err := d.users(ctx)
	if err != nil {
		return media.Account{}, err
	}
	if err := d.ownSuffices(ctx, all); err != nil {
		return media.Account{}, err
	}
	if err := free(all, want); err != nil {
		return media.Account{}, err
	}
	if b.Permissions, err = d.seen(ctx, want.Access); err != nil {
		return media.Account{}, err
	}
	var made createdUser
	if _, err := d.send(ctx, wire.Call{Method: http.MethodPost, Path: usersPath, Into: &made, Want: http.StatusOK}, b); err != nil {
		return media.Account{}, err
	}
	return d.settle(ctx, made.User.ID, want)
}

// creation is the body for a new account, but for what it sees.
func creation(want media.NewAccount) (newUser, error) {
	if err := media.NoChosenID(want); err != nil {
		return newUser{}, err
	}
	switch {
	case want.DisplayName != "":
		return newUser{}, noDisplayName()
	case want.MustChangePassword:
		return newUser{}, noMustChange()
	}
	kind, err := typeFor(want.Role)
	if err != nil {
		return newUser{}, err
	}
	b := newUser{
		Username: want.Username, Password: want.Password, Email: want.Email, Type: kind, IsActive: !want.Disabled,
		Permissions: seen{All: true, List: []string{}}, // for the check alone
	}
	return b, b.check()
}

// free says whether the name and the address are nobody's.
func free(all []user, want media.NewAccount) error {
	for _, u := range all {
		if sameName(u.Username, want.Username) {
			return media.Errorf(media.AlreadyExists, "the username is taken")
		}
	}
	if want.Email == "" {
		return nil
	}
	return emailFree(all, "", want.Email)
}

// settle reads a new account back, and deletes it again where another one came before it. Made by this call, it has nothing
// that anybody could miss.
func (d *Driver) settle(ctx context.Context, id string, want media.NewAccount) (media.Account, error) {
	all, err := d.users(ctx)
	if err != nil {
		return media.Account{}, err
	}
	for i, u := range all {
		if u.ID != id {
			continue
		}
		if err := free(all[:i], want); err != nil {
			return media.Account{}, d.undo(ctx, id, err)
		}
		return d.accountOf(ctx, u)
	}
	return media.Account{}, media.Errorf(media.Ambiguous, "POST %s: the server does not list the account that it made", usersPath)
}

// undo deletes an account that was made at the same moment as another one of its name.
func (d *Driver) undo(ctx context.Context, id string, why error) error {
	var deleted done
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodDelete, Path: userPath, Args: []string{id}, Into: &deleted, Want: http.StatusOK,
	})
	if err != nil {
		return media.Errorf(media.Ambiguous, "two accounts of one name were made at the same moment, and the second is not deleted yet (id %s)", id).WithCause(err)
	}
	return why
}
