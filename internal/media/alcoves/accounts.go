package alcoves

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/usher-media/usher/internal/media"
)

// checked is an account to be made that the server takes.
type checked struct {
	email, name, password string
	access                media.Access
	disabled              bool
}

// check refuses what the server does not take, before anything is sent: the database would take anything.
func check(want media.NewAccount) (checked, error) {
	email, err := newEmail(want.Username)
	if err == nil {
		err = media.NoChosenID(want)
	}
	switch {
	case err != nil:
		return checked{}, err
	case foldEmail(want.Email) != email:
		return checked{}, media.Errorf(media.Invalid, "accounts of this server have no name but their email address: give it as username and as email")
	case want.MustChangePassword:
		return checked{}, media.Errorf(media.Unsupported, "the server cannot make a person choose another password")
	}
	if err := assignable(want.Role); err != nil {
		return checked{}, err
	}
	if err := checkPassword(want.Password); err != nil {
		return checked{}, err
	}
	if err := checkAccess(want.Access); err != nil {
		return checked{}, err
	}
	name := strings.TrimSpace(want.DisplayName)
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	return checked{email: email, name: name, password: want.Password, access: want.Access, disabled: want.Disabled}, nil
}

func checkPassword(password string) error {
	if len(password) < minPassword || len(password) > maxPassword {
		return media.Errorf(media.Invalid, "the server takes passwords of %d to %d bytes", minPassword, maxPassword)
	}
	return nil
}

// hash is how the server stores a password.
func (d *Driver) hash(password string) (string, error) {
	hashed, err := bcrypt.GenerateFromPassword([]byte(password), d.cost)
	if err != nil {
		return "", media.Errorf(media.Invalid, "the password cannot be stored")
	}
	return string(hashed), nil
}

// CreateAccount makes an account with its access: in one transaction where there is a database, else by registering.
func (d *Driver) CreateAccount(ctx context.Context, want media.NewAccount) (media.Account, error) {
	fit, err := check(want)
	if err != nil {
		return media.Account{}, err
	}
	self, err := d.administrator(ctx)
	if err != nil {
		return media.Account{}, err
	}
	if d.database != nil {
		made, err := d.createBySQL(ctx, self, fit)
		if !errors.Is(err, errSchema) {
			return made, err
		}
	}
	switch {
	case want.Disabled:
		return media.Account{}, d.needsDatabase("an account cannot be disabled")
	case want.DisplayName != "":
		return media.Account{}, d.needsDatabase("a display name cannot be kept: remove displayName")
	}
	return d.register(ctx, fit)
}

func (d *Driver) createBySQL(ctx context.Context, self account, fit checked) (media.Account, error) {
	hash, err := d.hash(fit.password)
	if err != nil {
		return media.Account{}, err
	}
	if fit.disabled {
		hash = locked + hash
	}
	return d.database.writeAccount(ctx, self, func(ctx context.Context, s *session) (media.AccountID, error) {
		return s.make(ctx, fit.email, fit.name, hash, fit.access)
	})
}

// needsDatabase says what cannot be done without a database, or with one of an unknown schema.
func (d *Driver) needsDatabase(what string) error {
	if d.database != nil {
		return media.Errorf(media.Unsupported, "%s: %s", what, unknownSchema)
	}
	return media.Errorf(media.Unsupported, "%s, since the API of Alcoves has no call for it: give the MediaServer spec.database", what)
}

// onDatabase runs a write that only the database can do, and reads the account back.
func (d *Driver) onDatabase(ctx context.Context, id media.AccountID, cannot string, f func(context.Context, *session) error) (media.Account, error) {
	if !isID(string(id)) {
		return media.Account{}, noAccount()
	}
	self, err := d.administrator(ctx)
	if err != nil {
		return media.Account{}, err
	}
	if d.database == nil {
		return media.Account{}, d.needsDatabase(cannot)
	}
	return d.database.writeAccount(ctx, self, func(ctx context.Context, s *session) (media.AccountID, error) {
		return id, f(ctx, s)
	})
}

// UpdateAccount changes the display name. Address and role of an account stay what they are.
func (d *Driver) UpdateAccount(ctx context.Context, id media.AccountID, change media.AccountChange) (media.Account, error) {
	now, err := d.Account(ctx, id)
	if err != nil {
		return media.Account{}, err
	}
	if change.Email != nil && foldEmail(*change.Email) != foldEmail(now.Email) {
		return media.Account{}, media.Errorf(media.Unsupported, "the email address of an account is its name, and stays: declare another User for the other address")
	}
	if change.Role != nil && *change.Role != now.Role {
		if err := assignable(*change.Role); err != nil {
			return media.Account{}, err
		}
		return media.Account{}, media.Errorf(media.Conflict, "an owner of the instance is never demoted by Usher: change the role on the server's own pages")
	}
	if change.DisplayName == nil || (*change.DisplayName == now.DisplayName && d.database != nil) {
		return now, nil
	}
	name := *change.DisplayName
	if strings.TrimSpace(name) == "" {
		return media.Account{}, media.Errorf(media.Invalid, "a display name must not be empty")
	}
	return d.onDatabase(ctx, id, "the display name of an account cannot be changed", func(ctx context.Context, s *session) error {
		return s.change(ctx, `UPDATE users SET display_name = $2, updated_at = now() WHERE id = $1::uuid`, id, name)
	})
}

// SetPassword sets a password and ends the account's sessions and tokens. An account that is locked out stays so.
func (d *Driver) SetPassword(ctx context.Context, id media.AccountID, password media.NewPassword) error {
	if err := checkPassword(password.Password); err != nil {
		return err
	}
	if password.MustChange {
		return media.Errorf(media.Unsupported, "the server cannot make a person choose another password")
	}
	hash, err := d.hash(password.Password)
	if err != nil {
		return err
	}
	_, err = d.onDatabase(ctx, id, "the password of an account cannot be set", func(ctx context.Context, s *session) error {
		const keepLock = `UPDATE users SET password_hash = CASE WHEN left(password_hash, 1) = '!' THEN '!' ELSE '' END || $2, updated_at = now() WHERE id = $1::uuid`
		if err := s.change(ctx, keepLock, id, hash); err != nil {
			return err
		}
		return s.signOutEverywhere(ctx, id)
	})
	return err
}

// SetDisabled locks an account out, or lets it in again with the password that it had. The lock is a password hash that
// fits no password; sessions and tokens end. An owner of the instance is never locked out. Who also signs in with
// Google still can, which is a Conflict: the server asks Google then, and not for the password.
func (d *Driver) SetDisabled(ctx context.Context, id media.AccountID, disabled bool) (media.Account, error) {
	after, err := d.onDatabase(ctx, id, "an account cannot be disabled", func(ctx context.Context, s *session) error {
		if !disabled {
			return s.change(ctx, `UPDATE users SET password_hash = nullif(ltrim(password_hash, '!'), ''), updated_at = now() WHERE id = $1::uuid`, id)
		}
		owner, err := s.exec(ctx, `SELECT 1 FROM users WHERE id = $1::uuid AND role <> 'member'`, string(id))
		if err != nil {
			return err
		}
		if owner > 0 {
			return media.Errorf(media.Conflict, "an owner of the instance is never locked out")
		}
		if err := s.change(ctx, `UPDATE users SET password_hash = '!' || ltrim(coalesce(password_hash, ''), '!'), updated_at = now() WHERE id = $1::uuid`, id); err != nil {
			return err
		}
		return s.signOutEverywhere(ctx, id)
	})
	if err == nil && !disabled && after.Disabled {
		return media.Account{}, media.Errorf(media.Conflict, "the account has no password to let it in again with: set one (spec.password)")
	}
	if err == nil && disabled && !after.Disabled {
		return media.Account{}, media.Errorf(media.Conflict, "password, sessions and tokens of the account are locked, but it is linked to an account elsewhere (Google), with which the person still signs in: take its libraries away, or its row in the table accounts of Alcoves")
	}
	return after, err
}
