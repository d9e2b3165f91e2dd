package shisho

import (
	"context"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	userPath     = "/users/{id}"
	passwordPath = "/users/{id}/reset-password"

	minUsername, maxUsername = 3, 50
)

// The forms of requests. What is left out is left alone by the server, and a null, too.
type (
	newUser struct {
		Username   string `json:"username"`
		Email      string `json:"email,omitempty"`
		Password   string `json:"password"`
		RoleID     int    `json:"role_id"`
		MustChange bool   `json:"require_password_reset"`
		grants
	}
	userChange struct {
		Email    *string `json:"email,omitempty"`
		RoleID   *int    `json:"role_id,omitempty"`
		IsActive *bool   `json:"is_active,omitempty"`
		*grants
	}
	// grants are all libraries or those named: with both, all would win.
	grants struct {
		All       bool  `json:"all_library_access"`
		Libraries []int `json:"library_ids"`
	}
	newPassword struct {
		Password   string `json:"new_password"`
		MustChange bool   `json:"require_password_reset"`
	}
)

// Account reads one account.
func (d *Driver) Account(ctx context.Context, id media.AccountID) (media.Account, error) {
	u, err := d.user(ctx, number(id))
	if err != nil {
		return media.Account{}, err
	}
	return d.account(ctx, u)
}

func (d *Driver) account(ctx context.Context, u user) (media.Account, error) {
	s, err := d.shelfFor(ctx, u)
	if err != nil {
		return media.Account{}, err
	}
	return s.account(u), nil
}

func (d *Driver) user(ctx context.Context, id int) (user, error) {
	if id == 0 {
		return user{}, noAccount()
	}
	var u user
	err := d.get(ctx, userPath, &u, strconv.Itoa(id))
	if err == nil && u.ID != id {
		err = media.Errorf(media.Unavailable, "GET %s: the server answered with another account", userPath)
	}
	return u, d.confirm(ctx, id, err)
}

// confirm takes "not found" only when the list agrees: the server says it of any failure to read (contract, section 1).
func (d *Driver) confirm(ctx context.Context, id int, err error) error {
	if media.CodeOf(err) != media.NotFound {
		return err
	}
	users, failed := d.users(ctx)
	if failed != nil {
		return failed
	}
	for _, u := range users {
		if u.ID == id {
			return media.Errorf(media.Unavailable, "the server does not find an account that it lists")
		}
	}
	return err
}

// UpdateAccount changes the named fields in one call.
func (d *Driver) UpdateAccount(ctx context.Context, id media.AccountID, change media.AccountChange) (media.Account, error) {
	switch {
	case change.IsZero():
		return d.Account(ctx, id)
	case change.DisplayName != nil:
		return media.Account{}, noDisplayName()
	case change.Email != nil && *change.Email == "":
		return media.Account{}, media.Errorf(media.Unsupported, "an email address can be replaced on this server, but never removed")
	}
	body := userChange{Email: change.Email}
	if change.Role != nil {
		if err := d.refuseSelf(ctx, number(id)); err != nil {
			return media.Account{}, err
		}
		role, err := d.role(ctx, *change.Role)
		if err != nil {
			return media.Account{}, err
		}
		body.RoleID = &role
	}
	u, err := d.change(ctx, number(id), body)
	if media.CodeOf(err) == media.Ambiguous && change.Email != nil && d.isTaken(ctx, number(id), *change.Email) {
		err = media.Errorf(media.AlreadyExists, "the email address is taken")
	}
	if err != nil {
		return media.Account{}, err
	}
	return d.account(ctx, u)
}

// isTaken says whether an account other than one has an email address: the server answers 500 for it on an update.
func (d *Driver) isTaken(ctx context.Context, id int, email string) bool {
	users, err := d.users(ctx)
	if err != nil {
		return false
	}
	for _, u := range users {
		if u.ID != id && fold.ASCII(u.Email) == fold.ASCII(email) {
			return true
		}
	}
	return false
}

// change sends a change of one account and returns the account that the server answers with, which it reads back.
func (d *Driver) change(ctx context.Context, id int, body userChange) (user, error) {
	if id == 0 {
		return user{}, noAccount()
	}
	var u user
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: userPath, Args: []string{strconv.Itoa(id)}, Body: body, Into: &u, Want: http.StatusOK,
	})
	if err == nil && u.ID != id {
		err = media.Errorf(media.Ambiguous, "POST %s: the server answered with another account", userPath)
	}
	return u, d.confirm(ctx, id, err)
}

// role finds a role that may be given by Usher's word for it. Unsupported when there is none.
func (d *Driver) role(ctx context.Context, want media.Role) (int, error) {
	roles, err := d.roles(ctx)
	if err != nil {
		return 0, err
	}
	for _, r := range roles {
		if roleOf(r.Name) == want && !reserved(r.Name) {
			return r.ID, nil
		}
	}
	return 0, media.Errorf(media.Unsupported, "the server has no such role: its own are given by name, and Admin, Editor and Member are its admin, editor and viewer")
}

// SetDisabled uses the server's switch. Access, role and password stay. An account without a grant is granted the
// placeholder before it is enabled, since it would be shown every list.
func (d *Driver) SetDisabled(ctx context.Context, id media.AccountID, disabled bool) (media.Account, error) {
	if err := d.refuseSelf(ctx, number(id)); err != nil {
		return media.Account{}, err
	}
	if !disabled {
		if err := d.coverIfExposed(ctx, number(id)); err != nil {
			return media.Account{}, err
		}
	}
	active := !disabled
	u, err := d.change(ctx, number(id), userChange{IsActive: &active})
	if err != nil {
		return media.Account{}, err
	}
	if *u.IsActive != active {
		return media.Account{}, media.Errorf(media.Ambiguous, "POST %s: the server did not switch the account", userPath)
	}
	return d.account(ctx, u)
}

// coverIfExposed grants the placeholder to an account that would lack it once it is enabled.
func (d *Driver) coverIfExposed(ctx context.Context, id int) error {
	u, err := d.user(ctx, id)
	if err != nil {
		return err
	}
	s, err := d.shelfFor(ctx, u)
	active := true
	if u.IsActive = &active; err != nil || len(u.Grants) > 0 && !s.exposes(u) {
		return err
	}
	if s, err = d.fresh(ctx); err != nil {
		return err
	}
	_, err = d.cover(ctx, s, u)
	if media.CodeOf(err) == media.Unsupported && len(u.Grants) > 0 {
		return nil // it has a library, and the server no directory for a placeholder
	}
	return err
}

// SetPassword sets a password. The server answers the same for an account that there is not, so it is looked at first.
// It ends no session (contract, section 2).
func (d *Driver) SetPassword(ctx context.Context, id media.AccountID, password media.NewPassword) error {
	if err := acceptablePassword(password.Password); err != nil {
		return err
	}
	if err := d.refuseSelf(ctx, number(id)); err != nil {
		return err
	}
	if _, err := d.user(ctx, number(id)); err != nil {
		return err
	}
	return d.reset(ctx, number(id), password)
}

func (d *Driver) reset(ctx context.Context, id int, password media.NewPassword) error {
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: passwordPath, Args: []string{strconv.Itoa(id)}, Want: http.StatusNoContent,
		Body: newPassword{Password: password.Password, MustChange: password.MustChange},
	})
	return err
}

func acceptable(username, password string) error {
	if n := utf8.RuneCountInString(username); n < minUsername || n > maxUsername {
		return media.Errorf(media.Invalid, "a username needs %d to %d characters on this server", minUsername, maxUsername)
	}
	return acceptablePassword(password)
}

func acceptablePassword(password string) error {
	if utf8.RuneCountInString(password) < minPassword || len(password) > maxPassword {
		return media.Errorf(media.Invalid, "a password needs %d characters to %d bytes on this server", minPassword, maxPassword)
	}
	return nil
}

func noDisplayName() error {
	return media.Errorf(media.Unsupported, "accounts of this server have no display name")
}
