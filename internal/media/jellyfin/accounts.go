package jellyfin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const passwordPath = "/Users/Password"

// Account reads one account, and the libraries, without which its list says nothing.
func (d *Driver) Account(ctx context.Context, of media.AccountID) (media.Account, error) {
	if of == apiKeyID {
		return d.keyAccount(ctx)
	}
	u, err := d.user(ctx, of)
	if err != nil {
		return media.Account{}, err
	}
	return d.account(ctx, u)
}

func (d *Driver) account(ctx context.Context, u user) (media.Account, error) {
	v, err := d.look(ctx)
	if err != nil {
		return media.Account{}, err
	}
	return v.account(u), nil
}

// keyAccount is the account that stands for the key, as long as it is good.
func (d *Driver) keyAccount(ctx context.Context) (media.Account, error) {
	if err := d.introduce(ctx); err != nil {
		return media.Account{}, err
	}
	if !d.isKeyed() {
		return media.Account{}, noAccount()
	}
	return apiKey(), nil
}

// UpdateAccount changes the role: accounts have no email address and no name for display.
func (d *Driver) UpdateAccount(ctx context.Context, of media.AccountID, wanted media.AccountChange) (media.Account, error) {
	switch {
	case wanted.Email != nil:
		return media.Account{}, noEmail()
	case wanted.DisplayName != nil:
		return media.Account{}, noDisplayName()
	case wanted.Role == nil:
		return d.Account(ctx, of)
	}
	administrator, err := administers(*wanted.Role)
	if err != nil {
		return media.Account{}, err
	}
	if err := d.refuseSelf(ctx, of); err != nil {
		return media.Account{}, err
	}
	v, err := d.look(ctx)
	if err != nil {
		return media.Account{}, err
	}
	others, err := d.administratorsBeside(ctx, of)
	if err != nil {
		return media.Account{}, err
	}
	u, err := d.edit(ctx, of, func(u user) (change, bool, error) {
		switch {
		case u.administers() && !administrator && others == 0:
			return change{}, false, lastAdministrator()
		case !u.administers() && administrator && *u.policy.Disabled:
			return change{}, false, disabledAdministrator()
		}
		return change{administrator: &administrator}, u.administers() && !administrator, nil
	})
	if err != nil {
		return media.Account{}, err
	}
	return v.account(u), nil
}

// administers turns a role into the one switch that there is.
func administers(role media.Role) (bool, error) {
	switch role {
	case media.RoleAdmin, media.RoleMember:
		return role == media.RoleAdmin, nil
	}
	return false, media.Errorf(media.Unsupported, "a Jellyfin server knows no such role: it has Admin and Member")
}

// administratorsBeside counts who else administers the server and can sign in.
func (d *Driver) administratorsBeside(ctx context.Context, of media.AccountID) (int, error) {
	all, err := d.users(ctx)
	n := 0
	for _, u := range all {
		if u.administers() && !*u.policy.Disabled && u.ID != string(of) {
			n++
		}
	}
	return n, err
}

func lastAdministrator() error {
	return media.Errorf(media.Conflict, "the account is the server's last administrator that can sign in")
}

// disabledAdministrator: the server refuses every write to an administrator that leaves it disabled (section 5).
func disabledAdministrator() error {
	return media.Errorf(media.Conflict, "the server has no disabled administrators: the role Admin comes once the account is enabled")
}

// SetDisabled uses the server's switch. The server disables no administrator, also not with a policy that takes the role away
// (section 5): such an account becomes a member first. A token of before a disabling would be good again once the account is
// enabled (B.3), so all are ended before either.
func (d *Driver) SetDisabled(ctx context.Context, of media.AccountID, disabled bool) (media.Account, error) {
	if err := d.refuseSelf(ctx, of); err != nil {
		return media.Account{}, err
	}
	v, err := d.look(ctx)
	if err != nil {
		return media.Account{}, err
	}
	if disabled {
		if err := d.demoteToDisable(ctx, of); err != nil {
			return media.Account{}, err
		}
	}
	u, err := d.edit(ctx, of, func(u user) (change, bool, error) {
		unlocks := !disabled && *u.policy.Disabled // the count of wrong passwords would lock it again at the next one
		return change{disabled: &disabled, forgive: unlocks}, *u.policy.Disabled != disabled, nil
	})
	if err != nil {
		return media.Account{}, err
	}
	return v.account(u), nil
}

func (d *Driver) demoteToDisable(ctx context.Context, of media.AccountID) error {
	u, err := d.user(ctx, of)
	if err != nil || !u.administers() || *u.policy.Disabled {
		return err
	}
	others, err := d.administratorsBeside(ctx, of)
	switch {
	case err != nil:
		return err
	case others == 0:
		return lastAdministrator()
	}
	member := false
	_, err = d.edit(ctx, of, func(user) (change, bool, error) { return change{administrator: &member}, true, nil })
	return err
}

// SetPassword sets a password, which ends all sessions of the account. ResetPassword is never sent: it would let anybody in
// (section 4).
func (d *Driver) SetPassword(ctx context.Context, of media.AccountID, password media.NewPassword) error {
	if password.MustChange {
		return noMustChange()
	}
	if err := checkPassword(password.Password); err != nil {
		return err
	}
	if id(string(of)) != string(of) || of == "" {
		return noAccount()
	}
	if err := d.refuseSelf(ctx, of); err != nil {
		return err
	}
	return d.setPassword(ctx, string(of), password.Password)
}

func (d *Driver) setPassword(ctx context.Context, of, password string) error {
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: passwordPath, Query: url.Values{"userId": {of}}, Want: http.StatusNoContent,
		Body: map[string]string{"NewPw": password},
	})
	return err
}

// DeleteAccount deletes an account. The server ends its sessions and deletes its playlists before it refuses (B.2): so what it
// would refuse is not tried.
func (d *Driver) DeleteAccount(ctx context.Context, of media.AccountID) error {
	if err := d.refuseSelf(ctx, of); err != nil {
		return err
	}
	u, err := d.user(ctx, of)
	if err != nil {
		return err
	}
	all, err := d.users(ctx)
	if err != nil {
		return err
	}
	last := true
	for _, other := range all {
		last = last && (other.ID == u.ID || u.administers() && (!other.administers() || *other.policy.Disabled))
	}
	if last {
		return media.Errorf(media.Conflict, "the account is the server's last one, or its last administrator that can sign in")
	}
	return d.remove(ctx, u.ID)
}

// remove deletes an account and looks that it is gone.
func (d *Driver) remove(ctx context.Context, of string) error {
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodDelete, Path: userPath, Args: []string{of}, Want: http.StatusNoContent})
	if err != nil {
		return err
	}
	switch _, err := d.user(ctx, media.AccountID(of)); media.CodeOf(err) {
	case media.NotFound:
		return nil
	case "":
		return media.Errorf(media.Ambiguous, "DELETE %s: the account is still there", userPath)
	default:
		return media.Errorf(media.Ambiguous, "DELETE %s: whether the account is gone could not be read", userPath).WithCause(err)
	}
}

func noEmail() error {
	return media.Errorf(media.Unsupported, "accounts of a Jellyfin server have no email address")
}

func noDisplayName() error {
	return media.Errorf(media.Unsupported, "accounts of a Jellyfin server have no name for display but their username")
}

func noMustChange() error {
	return media.Errorf(media.Unsupported, "a Jellyfin server cannot make a person choose another password")
}
