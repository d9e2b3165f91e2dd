package jellyfin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// CreateAccount makes an account under a name and with a password that nobody knows, since it sees every library until its
// policy is written (section 4). It then writes the policy and reads it back, sets the holder's password, and last the name:
// an account that is found by its name is whole. What fails before that is deleted again; what cannot be deleted now, Mend
// deletes.
func (d *Driver) CreateAccount(ctx context.Context, want media.NewAccount) (media.Account, error) {
	if err := d.checkNew(want); err != nil {
		return media.Account{}, err
	}
	v, err := d.look(ctx) // administrators only: nobody else gets further
	if err != nil {
		return media.Account{}, err
	}
	list, err := v.list(want.Access)
	if err != nil {
		return media.Account{}, err
	}
	if err := d.nameFree(ctx, want.Username, ""); err != nil {
		return media.Account{}, err
	}
	m := maker{Driver: d, want: want, list: list, name: temporaryPrefix + random()}
	d.setMaking(m.name, true)
	defer d.setMaking(m.name, false)
	u, err := m.make(ctx)
	if err != nil {
		return media.Account{}, err
	}
	after := v.account(u)
	if !after.Access.Equal(want.Access) {
		return media.Account{}, media.Errorf(media.Ambiguous, "the account was made, and the server shows it with another access")
	}
	return after, nil
}

// checkNew refuses what the server cannot hold, before anything is made.
func (d *Driver) checkNew(want media.NewAccount) error {
	d.mu.Lock()
	on := d.version
	d.mu.Unlock()
	if err := media.NoChosenID(want); err != nil {
		return err
	}
	administrator, err := administers(want.Role)
	switch {
	case err != nil:
		return err
	case want.Email != "":
		return noEmail()
	case want.DisplayName != "":
		return noDisplayName()
	case want.MustChangePassword:
		return noMustChange()
	case administrator && want.Disabled:
		return disabledAdministrator()
	}
	if err := checkName(want.Username, on); err != nil {
		return err
	}
	return checkPassword(want.Password)
}

// nameFree answers AlreadyExists when another account than one has the name: the server says no more than that a request is
// wrong (section 4).
func (d *Driver) nameFree(ctx context.Context, name, but string) error {
	all, err := d.users(ctx)
	for _, u := range all {
		if u.ID != but && foldName(u.Name) == foldName(name) {
			return media.Errorf(media.AlreadyExists, "the username is taken")
		}
	}
	return err
}

func (d *Driver) setMaking(name string, making bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if delete(d.making, name); making {
		d.making[name] = true
	}
}

// maker makes one account.
type maker struct {
	*Driver
	want media.NewAccount
	list listed
	// name that the account has until it is whole. Nobody else knows it: whatever has it is this maker's.
	name string
}

func (m maker) make(ctx context.Context) (user, error) {
	u, err := m.begin(ctx)
	if err == nil {
		u, err = m.furnish(ctx, u)
	}
	if err == nil {
		u, err = m.rename(ctx, u)
	}
	if err != nil && ctx.Err() == nil && u.ID != "" {
		_ = m.remove(ctx, u.ID)
	}
	return u, err
}

// begin makes the account. Where the answer is lost, it is found by its name, so that it can be deleted.
func (m maker) begin(ctx context.Context) (user, error) {
	var made user
	_, err := m.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: "/Users/New", Into: &made, Want: http.StatusOK, Codes: wrongServer,
		Body: map[string]string{"Name": m.name, "Password": random() + random()},
	})
	switch {
	case err == nil && made.Name == m.name:
		return made, nil
	case err == nil:
		err = media.Errorf(media.Ambiguous, "POST /Users/New: the server answered with another account")
	case media.CodeOf(err) != media.Ambiguous:
		return user{}, err
	}
	all, _ := m.users(ctx)
	for _, u := range all {
		if u.Name == m.name {
			return u, err
		}
	}
	return user{}, err
}

// furnish gives the account its policy, and then its password. The account that it returns has the id of the one that was made,
// also with an error.
func (m maker) furnish(ctx context.Context, u user) (user, error) {
	administrator := m.want.Role == media.RoleAdmin
	c := change{administrator: &administrator, disabled: &m.want.Disabled, list: &m.list}
	err := m.post(ctx, u, c)
	if err != nil && media.CodeOf(err) != media.Ambiguous {
		return u, err
	}
	after, failed := m.user(ctx, media.AccountID(u.ID))
	switch {
	case failed != nil:
		return u, failed
	case !c.holds(after) && err == nil:
		err = media.Errorf(media.Ambiguous, "POST %s: the server did not keep what was set", policyPath)
		return u, err
	case !c.holds(after):
		return u, err
	}
	return after, m.setPassword(ctx, after.ID, m.want.Password)
}

// rename gives the account its name, which makes it usable. The server replaces the configuration with that, so that it gets
// back what it has (section 4).
func (m maker) rename(ctx context.Context, u user) (user, error) {
	body, err := u.raw.with(map[string]any{"Name": m.want.Username})
	if err != nil {
		return u, err
	}
	_, err = m.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: usersPath, Query: url.Values{"userId": {u.ID}}, Body: body, Want: http.StatusNoContent,
		Codes: wrongServer,
	})
	switch media.CodeOf(err) {
	case "", media.Ambiguous, media.Invalid, media.Conflict: // what became of it shows below
	default:
		return u, err
	}
	after, failed := m.user(ctx, media.AccountID(u.ID))
	switch {
	case failed != nil:
		return u, media.Errorf(media.Ambiguous, "POST %s: whether the account has its name could not be read", usersPath).WithCause(failed)
	case after.Name == m.want.Username:
		return after, nil
	}
	if taken := m.nameFree(ctx, m.want.Username, u.ID); media.CodeOf(taken) == media.AlreadyExists {
		return u, taken
	}
	if err == nil {
		err = media.Errorf(media.Ambiguous, "POST %s: the server did not keep the name", usersPath)
	}
	return u, err
}
