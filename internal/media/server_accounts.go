package media

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"
)

// NewAccountID returns an id for an account that is to be made with it (Capabilities.ChosenIDs): one that nobody can
// guess, 21 characters of A-Z, a-z, 0-9, "_" and "-".
func NewAccountID() AccountID {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return AccountID(base64.RawURLEncoding.EncodeToString(random[:])[:21])
}

// AccountKey names an account twice, so that nothing is done to another one: both must match the live account.
type AccountKey struct {
	ID       AccountID
	Username string
}

// ReadAccount reads an account live. Conflict when its name is not the one that the key has.
func (s *Server) ReadAccount(ctx context.Context, key AccountKey) (account Account, err error) {
	ticket := s.inventory.begin(s.now())
	err = s.read(ctx, "GetAccount", func(ctx context.Context) error {
		account, err = s.driver.Account(ctx, key.ID)
		return aboutAccount(key.ID, account, err, Unavailable)
	})
	if err != nil {
		return Account{}, err
	}
	s.inventory.observeAccount(ticket, account)
	if s.traits.FoldUsername(account.Username) != s.traits.FoldUsername(key.Username) {
		return Account{}, &Error{Code: Conflict, Op: "GetAccount", Message: presentable("the account is now named "+account.Username, nil)}
	}
	return account, nil
}

// CreateAccount makes an account and checks that it came out with the role and access that were asked for.
// A Conflict error means that it did not; nobody has been given a password then.
func (s *Server) CreateAccount(ctx context.Context, want NewAccount) (account Account, err error) {
	if err := s.checkNewAccount(want); err != nil {
		return Account{}, classify("CreateAccount", err)
	}
	err = s.do(ctx, task{operation: "CreateAccount", write: true, target: want.Username, secrets: []string{want.Password}}, func(ctx context.Context) error {
		account, err = s.driver.CreateAccount(ctx, want)
		return aboutAccount(cmp.Or(want.ID, account.ID), account, err, Ambiguous)
	})
	if err != nil {
		return Account{}, err
	}
	s.inventory.recordAccount(account)
	if account.Role != want.Role {
		return Account{}, &Error{Code: Conflict, Op: "CreateAccount", Message: "the new account did not come out with the role that was asked for"}
	}
	if !account.Access.Equal(want.Access) {
		return account, &Error{Code: Conflict, Op: "CreateAccount", Message: "the new account did not come out with the access that was asked for"}
	}
	return account, nil
}

// UpdateAccount changes those of the named fields that differ, after reading the account live. Who changes a role asks
// Protection first.
func (s *Server) UpdateAccount(ctx context.Context, key AccountKey, change AccountChange) (account Account, err error) {
	current, err := s.ReadAccount(ctx, key)
	if err != nil {
		return Account{}, err
	}
	if change = change.from(current); change.IsZero() {
		return current, nil
	}
	return s.writeAccount(ctx, "UpdateAccount", key, func(ctx context.Context) (Account, error) {
		return s.driver.UpdateAccount(ctx, key.ID, change)
	})
}

// SetAccess reads the account live, lets plan say what access it should have, and writes when that differs.
// It returns the account as it is then, and whether anything was written.
func (s *Server) SetAccess(ctx context.Context, key AccountKey, plan func(Account) Access) (Account, bool, error) {
	current, err := s.ReadAccount(ctx, key)
	if err != nil {
		return Account{}, false, err
	}
	want := plan(current)
	if current.Access.Equal(want) && !current.Exposed {
		return current, false, nil
	}
	account, err := s.writeAccount(ctx, "SetAccess", key, func(ctx context.Context) (Account, error) {
		return s.driver.SetAccess(ctx, current, want)
	})
	if err == nil && (!account.Access.Equal(want) || account.Exposed) {
		err = &Error{Code: Ambiguous, Op: "SetAccess", Message: "the server did not keep the access that was set"}
	}
	return account, true, err
}

// SetDisabled disables or enables an account by the server's own switch, after reading it live.
func (s *Server) SetDisabled(ctx context.Context, key AccountKey, disabled bool) (Account, error) {
	current, err := s.ReadAccount(ctx, key)
	if err != nil || current.Disabled == disabled {
		return current, err
	}
	return s.writeAccount(ctx, "SetDisabled", key, func(ctx context.Context) (Account, error) {
		if able, ok := s.driver.(Disabler); ok {
			return able.SetDisabled(ctx, key.ID, disabled)
		}
		return Account{}, unsupported("disable an account")
	})
}

// SetPassword sets an account's password, after reading it live.
func (s *Server) SetPassword(ctx context.Context, key AccountKey, password NewPassword) error {
	if err := s.checkPassword(password.Password); err != nil {
		return classify("SetPassword", err)
	}
	account, err := s.ReadAccount(ctx, key)
	if err != nil {
		return err
	}
	err = s.do(ctx, task{operation: "SetPassword", write: true, target: key.Username, secrets: []string{password.Password}}, func(ctx context.Context) error {
		return s.driver.SetPassword(ctx, key.ID, password)
	})
	if err == nil {
		s.guard.passwordSet(key.ID)
		account.MustChangePassword, account.PasswordChosen, account.PasswordSet = password.MustChange, false, time.Time{}
		s.inventory.recordAccount(account)
	}
	return err
}

// PasswordLost says that the password which SetPassword last set may be another server's: afterwards it turned out that
// another one had answered.
func (s *Server) PasswordLost(id AccountID) bool { return s.guard.passwordLost(id) }

// Authenticate tries a password and returns whose it is; Unauthenticated for a wrong one.
func (s *Server) Authenticate(ctx context.Context, username, password string) (id AccountID, err error) {
	err = s.do(ctx, task{operation: "Authenticate", secrets: []string{password}}, func(ctx context.Context) error {
		able, ok := s.driver.(Authenticator)
		if !ok {
			return unsupported("try a password")
		}
		if err := s.guard.Check(ctx); CodeOf(err) == Unauthenticated { // of Usher's own account: it is no answer to the try
			return &Error{Code: Unavailable, Message: "the server does not say who it is, and no password is tried", Answered: true, cause: err}
		} else if err != nil {
			return err
		}
		id, err = able.Authenticate(ctx, username, password)
		return err
	})
	return id, err
}

// DeleteAccount deletes an account, after reading it live. One that is gone already is no error; deleted says whether
// it was this call that deleted it.
func (s *Server) DeleteAccount(ctx context.Context, key AccountKey) (deleted bool, err error) {
	if _, err := s.ReadAccount(ctx, key); err != nil {
		return false, s.forgetIfGone(key.ID, err)
	}
	err = s.write(ctx, "DeleteAccount", key.Username, func(ctx context.Context) error {
		if able, ok := s.driver.(AccountDeleter); ok {
			return able.DeleteAccount(ctx, key.ID)
		}
		return unsupported("delete an account")
	})
	if err == nil {
		s.inventory.removeAccount(key.ID)
	}
	return err == nil, s.forgetIfGone(key.ID, err)
}

func (s *Server) forgetIfGone(id AccountID, err error) error {
	if CodeOf(err) == NotFound {
		s.inventory.removeAccount(id)
		return nil
	}
	return err
}

func (s *Server) writeAccount(ctx context.Context, operation string, key AccountKey, write func(context.Context) (Account, error)) (account Account, err error) {
	err = s.write(ctx, operation, key.Username, func(ctx context.Context) error {
		account, err = write(ctx)
		return aboutAccount(key.ID, account, err, Ambiguous)
	})
	if err == nil {
		s.inventory.recordAccount(account)
	}
	return account, err
}
