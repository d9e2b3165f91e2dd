package dubby

import (
	"context"
	"encoding/json"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// run sends a looked-up operation. Where its success has no body, its status must be the one that the document names.
// What was done is never read from the answer: callers read back.
func (d *Driver) run(ctx context.Context, o *operation, body map[string]any, into any, codes map[int]media.Code, args ...string) error {
	_, err := d.client.Do(ctx, o.call(body, into, codes, args))
	return err
}

// runAnonymous sends one without Usher's own token.
func (d *Driver) runAnonymous(ctx context.Context, o *operation, body map[string]any, into any, codes map[int]media.Code) error {
	call := o.call(body, into, codes, nil)
	call.Anonymous = true
	_, err := d.client.Do(ctx, call)
	return err
}

func (o *operation) call(body map[string]any, into any, codes map[int]media.Code, args []string) wire.Call {
	call := wire.Call{Method: o.method, Path: o.path, Args: args, Into: into, Codes: codes}
	if body != nil {
		call.Body = body
	}
	if o.silent && len(o.statuses) == 1 && into == nil {
		call.Want = o.statuses[0]
	}
	return call
}

// users reads every account, without its access. A list that lacks Usher's own account is not believed.
func (d *Driver) users(ctx context.Context) ([]user, error) {
	self, err := d.whoami(ctx)
	if err != nil {
		return nil, err
	}
	p, err := d.operations(ctx)
	if err != nil {
		return nil, err
	}
	o, err := p.need(opListUsers)
	if err != nil {
		return nil, err
	}
	var all []user
	ids, hasSelf := map[string]bool{}, false
	err = d.list(ctx, o.path, wrongServer, func(raw json.RawMessage) error {
		u, err := readUser(raw, o.answer)
		if err != nil || ids[u.id] {
			return errForm
		}
		ids[u.id], hasSelf = true, hasSelf || u.id == string(self)
		all = append(all, d.named(p, u))
		return nil
	})
	if err == nil && !hasSelf {
		err = incomplete(o.path, "it lacks the account that Usher uses")
	}
	return all, err
}

// named forgets a display name where Usher could not change it (Capabilities.DisplayName).
func (d *Driver) named(p *plan, u user) user {
	if !p.displayName() {
		u.name = ""
	}
	return u
}

// user reads one account, without its access. A route of its own is not needed for that.
func (d *Driver) user(ctx context.Context, id media.AccountID) (user, error) {
	p, err := d.operations(ctx)
	if err != nil {
		return user{}, err
	}
	if o := p.found[opGetUser]; o != nil {
		var raw json.RawMessage
		if err := d.run(ctx, o, nil, &raw, nil, string(id)); err != nil {
			return user{}, err
		}
		u, err := readUser(raw, o.answer)
		if err != nil || u.id != string(id) {
			return user{}, media.Errorf(media.Unavailable, "%s: the server did not answer with that account", o.path)
		}
		return d.named(p, u), nil
	}
	all, err := d.users(ctx)
	if err != nil {
		return user{}, err
	}
	for _, u := range all {
		if u.id == string(id) {
			return u, nil
		}
	}
	return user{}, media.Errorf(media.NotFound, "there is no such account")
}

// Account reads one account. Its access takes one request a library: there is no other way (section 6).
func (d *Driver) Account(ctx context.Context, id media.AccountID) (media.Account, error) {
	u, err := d.user(ctx, id)
	if err != nil {
		return media.Account{}, err
	}
	libraries, err := d.libraries(ctx)
	if err != nil {
		return media.Account{}, err
	}
	all, err := d.permissions(ctx, libraries)
	if err != nil {
		return media.Account{}, err
	}
	return u.account(all.of(id)), nil
}

// UpdateAccount changes role and display name. The email address is the account's name, and stays.
func (d *Driver) UpdateAccount(ctx context.Context, id media.AccountID, change media.AccountChange) (media.Account, error) {
	if change.Email != nil {
		return media.Account{}, media.Errorf(media.Unsupported,
			"on a Dubby server the email address is the account's name: make another account for another address")
	}
	u, err := d.user(ctx, id)
	if err != nil {
		return media.Account{}, err
	}
	if change.Role != nil {
		if err := d.setRole(ctx, u, *change.Role); err != nil {
			return media.Account{}, err
		}
	}
	if change.DisplayName != nil {
		if err := d.setName(ctx, u, *change.DisplayName); err != nil {
			return media.Account{}, err
		}
	}
	return d.confirmed(ctx, id, func(a media.Account) bool {
		return (change.Role == nil || a.Role == *change.Role) && (change.DisplayName == nil || a.DisplayName == *change.DisplayName)
	})
}

// setRole gives an account another role. The owner's stays, nobody changes their own, and only the owner makes admins:
// the server refuses that (section 4).
func (d *Driver) setRole(ctx context.Context, u user, role media.Role) error {
	word, known := roleWords[role]
	switch {
	case roleOf(u.role) == role:
		return nil
	case role == media.RoleOwner || roleOf(u.role) == media.RoleOwner:
		return media.Errorf(media.Conflict, "a Dubby server has one owner, who stays")
	case !known:
		return media.Errorf(media.Unsupported, "a Dubby server knows no such role: it has Admin, Member and Guest")
	}
	if err := d.notSelf(ctx, u, "change its own role"); err != nil {
		return err
	}
	p, err := d.operations(ctx)
	if err != nil {
		return err
	}
	o, err := p.roleChange(word)
	if err != nil {
		return err
	}
	return d.run(ctx, o, map[string]any{o.request[keyRole]: word}, nil, nil, u.id)
}

func (d *Driver) setName(ctx context.Context, u user, name string) error {
	p, err := d.operations(ctx)
	switch {
	case err != nil:
		return err
	case !p.displayName():
		return media.Errorf(media.Unsupported, "this Dubby server shows no way to change a user's display name: leave it out")
	case u.name == name:
		return nil
	}
	o := p.found[opUpdateUser]
	return d.run(ctx, o, map[string]any{o.request[keyName]: name}, nil, nil, u.id)
}

// SetDisabled uses the server's isActive, which it checks at every request (section 3).
func (d *Driver) SetDisabled(ctx context.Context, id media.AccountID, disabled bool) (media.Account, error) {
	u, err := d.user(ctx, id)
	if err != nil {
		return media.Account{}, err
	}
	if err := d.setActive(ctx, u, !disabled); err != nil {
		return media.Account{}, err
	}
	return d.confirmed(ctx, id, func(a media.Account) bool { return a.Disabled == disabled })
}

func (d *Driver) setActive(ctx context.Context, u user, active bool) error {
	p, err := d.operations(ctx)
	switch {
	case err != nil:
		return err
	case !p.canDisable():
		return media.Errorf(media.Unsupported, "this Dubby server shows no way to disable a user: remove disabled and expiresAt")
	case u.active == active:
		return nil
	}
	if err := d.notSelf(ctx, u, "disable itself"); err != nil {
		return err
	}
	o := p.found[opUpdateUser]
	return d.run(ctx, o, map[string]any{o.request[keyActive]: active}, nil, nil, u.id)
}

// notSelf keeps the server's owner and Usher's own account as they are.
func (d *Driver) notSelf(ctx context.Context, u user, what string) error {
	self, err := d.whoami(ctx)
	switch {
	case err != nil:
		return err
	case u.id == string(self):
		return media.Errorf(media.Conflict, "the account that Usher uses may not %s", what)
	case roleOf(u.role) == media.RoleOwner:
		return media.Errorf(media.Conflict, "the server's owner stays as it is")
	}
	return nil
}

// confirmed reads an account back, which must then be as was asked.
func (d *Driver) confirmed(ctx context.Context, id media.AccountID, as func(media.Account) bool) (media.Account, error) {
	account, err := d.Account(ctx, id)
	if err == nil && !as(account) {
		return media.Account{}, media.Errorf(media.Ambiguous, "the server did not keep what was set")
	}
	return account, err
}

// SetPassword sets another's password where the server shows a way: none is documented (section 7).
func (d *Driver) SetPassword(ctx context.Context, id media.AccountID, password media.NewPassword) error {
	if password.MustChange {
		return media.Errorf(media.Unsupported, "a Dubby server cannot make a person choose another password")
	}
	if err := checkPassword(password.Password); err != nil {
		return err
	}
	p, err := d.operations(ctx)
	if err != nil {
		return err
	}
	o, err := p.need(opSetPassword)
	if err != nil {
		return err
	}
	return d.run(ctx, o, map[string]any{o.request[keyPassword]: password.Password}, nil, nil, string(id))
}

// DeleteAccount deletes an account and looks that it is gone.
func (d *Driver) DeleteAccount(ctx context.Context, id media.AccountID) error {
	p, err := d.operations(ctx)
	if err != nil {
		return err
	}
	o, err := p.need(opDeleteUser)
	if err != nil {
		return err
	}
	u, err := d.user(ctx, id)
	if err != nil {
		return err
	}
	if err := d.notSelf(ctx, u, "delete itself"); err != nil {
		return err
	}
	if err := d.run(ctx, o, nil, nil, nil, string(id)); err != nil {
		return err
	}
	switch _, err := d.user(ctx, id); media.CodeOf(err) {
	case media.NotFound:
		return nil
	case "":
		return media.Errorf(media.Ambiguous, "DELETE %s: the account is still there", o.path)
	default:
		return media.Errorf(media.Ambiguous, "DELETE %s: whether the account is gone could not be read", o.path).WithCause(err)
	}
}
