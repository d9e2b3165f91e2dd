package audiobookshelf

import (
	"context"
	"net/http"
	"slices"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
	"github.com/usher-media/usher/internal/media/wire"
)

func foldName(name string) string { return fold.Unicode(name) }

// Account reads one account.
func (d *Driver) Account(ctx context.Context, id media.AccountID) (media.Account, error) {
	u, err := d.user(ctx, string(id))
	if err != nil {
		return media.Account{}, err
	}
	return d.accountOf(ctx, u)
}

func (d *Driver) user(ctx context.Context, id string) (user, error) {
	if !isID(id) {
		return user{}, noAccount()
	}
	var u user
	answer, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: userPath, Args: []string{id}, Into: &u})
	if err == nil && u.ID != id {
		err = media.Errorf(media.Unavailable, "GET %s: the server answered with another account", userPath)
	}
	return u, d.noUser(ctx, id, answer, err)
}

// noUser takes "not found" only when the list of accounts agrees.
func (d *Driver) noUser(ctx context.Context, id string, answer wire.Answer, err error) error {
	return confirmed(answer.Status, err, func() (bool, error) {
		all, err := d.users(ctx)
		return slices.ContainsFunc(all, func(u user) bool { return u.ID == id }), err
	}, noAccount())
}

func noAccount() error { return media.Errorf(media.NotFound, "there is no such account") }

// changeable reads an account that Usher may change.
func (d *Driver) changeable(ctx context.Context, id media.AccountID) (user, error) {
	u, err := d.user(ctx, string(id))
	if err != nil {
		return user{}, err
	}
	return u, d.protect(ctx, u)
}

// change sends a change of one account and returns it as it is then. The server says success also when it has ignored
// everything: whoever calls compares (contract, section 4).
func (d *Driver) change(ctx context.Context, id string, b body) (user, error) {
	var changed changedUser
	answer, err := d.send(ctx, wire.Call{
		Method: http.MethodPatch, Path: userPath, Args: []string{id}, Into: &changed, Want: http.StatusOK,
	}, b)
	if err == nil && changed.User.ID != id {
		err = media.Errorf(media.Ambiguous, "PATCH %s: the server answered with another account", userPath)
	}
	return changed.User, d.noUser(ctx, id, answer, err)
}

func notKept() error {
	return media.Errorf(media.Ambiguous, "PATCH %s: the server did not keep what was set", userPath)
}

// UpdateAccount changes the named fields in one call. The rights that go with being an administrator go with the role: the
// server would leave them (contract, section 4).
func (d *Driver) UpdateAccount(ctx context.Context, id media.AccountID, change media.AccountChange) (media.Account, error) {
	var want profileChange
	switch {
	case change.IsZero():
		return d.Account(ctx, id)
	case change.DisplayName != nil:
		return media.Account{}, noDisplayName()
	case change.Email != nil && *change.Email == "":
		return media.Account{}, media.Errorf(media.Unsupported, "an email address can be replaced on this server, but never removed")
	}
	var err error
	if change.Role != nil {
		if want.Type, err = typeFor(*change.Role); err != nil {
			return media.Account{}, err
		}
	}
	u, err := d.changeable(ctx, id)
	if err != nil {
		return media.Account{}, err
	}
	if change.Email != nil {
		want.Email = *change.Email
		all, err := d.users(ctx)
		if err != nil {
			return media.Account{}, err
		}
		if err := emailFree(all, u.ID, want.Email); err != nil {
			return media.Account{}, err
		}
	}
	if change.Role != nil {
		want.Permissions = rightsAfter(u.Type, want.Type)
	}
	after, err := d.change(ctx, u.ID, want)
	switch {
	case err != nil:
		return media.Account{}, err
	case want.Type != "" && after.Type != want.Type, want.Email != "" && after.email() != want.Email:
		return media.Account{}, notKept()
	}
	for right, has := range want.Permissions {
		if after.Rights[right] != has {
			return media.Account{}, notKept()
		}
	}
	return d.accountOf(ctx, after)
}

// SetPassword sets a password. It ends the sessions that can be renewed; access tokens go on for an hour at most, and API
// keys and tokens of old apps for ever: disabling ends those (contract, section 4).
func (d *Driver) SetPassword(ctx context.Context, id media.AccountID, set media.NewPassword) error {
	if set.MustChange {
		return noMustChange()
	}
	if err := password(set.Password); err != nil {
		return err
	}
	u, err := d.changeable(ctx, id)
	if err != nil {
		return err
	}
	_, err = d.change(ctx, u.ID, passwordChange{set.Password})
	return err
}

// SetDisabled uses the server's switch, with which every token and API key of the account is refused at once. An account that
// is listed every library is closed in the same step in which it is enabled.
func (d *Driver) SetDisabled(ctx context.Context, id media.AccountID, disabled bool) (media.Account, error) {
	u, err := d.changeable(ctx, id)
	if err != nil {
		return media.Account{}, err
	}
	active := !disabled
	var want body = activeChange{active}
	if active && u.whole() && u.exposed() {
		want = accessChange{Permissions: seen{List: []string{nobodys}}, IsActive: &active}
	}
	after, err := d.change(ctx, u.ID, want)
	if err != nil {
		return media.Account{}, err
	}
	if *after.IsActive != active {
		return media.Account{}, notKept()
	}
	return d.accountOf(ctx, after)
}

// DeleteAccount deletes an account, with its progress. Its id is taken out of the lists of e-reader devices before.
func (d *Driver) DeleteAccount(ctx context.Context, id media.AccountID) error {
	u, err := d.changeable(ctx, id)
	if err != nil {
		return err
	}
	if err := d.leaveDevices(ctx, u.ID); err != nil {
		return err
	}
	var deleted done
	answer, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodDelete, Path: userPath, Args: []string{u.ID}, Into: &deleted, Want: http.StatusOK,
	})
	return d.noUser(ctx, u.ID, answer, err)
}

func noDisplayName() error {
	return media.Errorf(media.Unsupported, "accounts of this server have no display name")
}

func noMustChange() error {
	return media.Errorf(media.Unsupported, "the server cannot make anybody choose another password")
}

// emailFree says whether an address is nobody else's: the server does not look.
func emailFree(all []user, id, email string) error {
	for _, u := range all {
		if u.ID != id && u.email() != "" && fold.Unicode(u.email()) == fold.Unicode(email) {
			return media.Errorf(media.AlreadyExists, "the email address is taken")
		}
	}
	return nil
}
