package store

import (
	"context"
	"errors"

	"github.com/uptrace/bun"
)

// ErrNoSession says that a token is unknown, has expired, or belongs to a disabled account.
var ErrNoSession = errors.New("no such session")

// ErrCredentialsChanged says that an account was disabled, deleted or given another password while it signed in.
var ErrCredentialsChanged = errors.New("credentials changed meanwhile")

// Session is one sign-in. Of its token only the hash is stored.
type Session struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`

	TokenHash string  `bun:"token_hash,pk"`
	AccountID string  `bun:"account_id"`
	CreatedAt Instant `bun:"created_at"`
	ExpiresAt Instant `bun:"expires_at"`
}

// StartSession stores the session of an account whose password was found to match checkedHash, and notes the sign-in.
// Expired sessions of everybody go away on this occasion. Error: ErrCredentialsChanged.
func (s *Store) StartSession(ctx context.Context, session *Session, checkedHash string) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		valid, err := affected(tx.NewUpdate().Table("accounts").Set("last_sign_in_at = ?", session.CreatedAt).
			Where("id = ?", session.AccountID).Where("password_hash = ?", checkedHash).
			Where("disabled = ?", false).Exec(ctx))
		if err != nil {
			return err
		}
		if !valid {
			return ErrCredentialsChanged
		}
		if _, err := tx.NewDelete().Table("sessions").Where("expires_at <= ?", At(s.now())).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(session).Exec(ctx)
		return err
	})
}

// SessionAccount returns the session with that token hash and its account, without Libraries, as both are now. Error:
// ErrNoSession.
func (s *Store) SessionAccount(ctx context.Context, tokenHash string) (*Session, *Account, error) {
	session, account := new(Session), new(Account)
	err := s.read.NewSelect().Model(session).Where("token_hash = ?", tokenHash).
		Where("expires_at > ?", At(s.now())).Scan(ctx)
	if err != nil {
		return nil, nil, notFound(err, ErrNoSession)
	}
	err = s.read.NewSelect().Model(account).Where("id = ?", session.AccountID).Where("disabled = ?", false).Scan(ctx)
	if err != nil {
		return nil, nil, notFound(err, ErrNoSession)
	}
	return session, account, nil
}

// EndSession forgets the session with that token hash. A session that is gone already is no error.
func (s *Store) EndSession(ctx context.Context, tokenHash string) error {
	_, err := s.write.NewDelete().Table("sessions").Where("token_hash = ?", tokenHash).Exec(ctx)
	return err
}

// SetPassword stores a new password hash and ends the account's sessions, all but the one with the token hash
// keepSession (empty: really all), unless check objects. Errors: ErrAccountNotFound, or check's.
func (s *Store) SetPassword(
	ctx context.Context, id, hash string, mustChange bool, keepSession string, check func(*Account) error,
) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		account, err := loadAccount(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := check(account); err != nil {
			return err
		}
		account.PasswordHash, account.MustChangePassword = hash, mustChange
		_, err = tx.NewUpdate().Model(account).WherePK().Column("password_hash", "must_change_password").Exec(ctx)
		if err != nil {
			return err
		}
		return endSessions(ctx, tx, id, keepSession)
	})
}

func endSessions(ctx context.Context, tx bun.Tx, accountID, exceptTokenHash string) error {
	_, err := tx.NewDelete().Table("sessions").Where("account_id = ?", accountID).
		Where("token_hash <> ?", exceptTokenHash).Exec(ctx)
	return err
}
