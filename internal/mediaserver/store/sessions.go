package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
)

// ErrNoSession says that a token is unknown, has expired, or belongs to a disabled account.
var ErrNoSession = errors.New("no such session")

// ErrSessionNotFound says that an account has no session with that id.
var ErrSessionNotFound = errors.New("session not found")

// ErrCredentialsChanged says that an account was disabled, deleted or given another password while it signed in.
var ErrCredentialsChanged = errors.New("credentials changed meanwhile")

// Session is one sign-in. Of its token only the hash is stored.
type Session struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`

	TokenHash string `bun:"token_hash,pk"`
	// ID names the session to its holder, who cannot tell the token from it.
	ID        string  `bun:"id"`
	AccountID string  `bun:"account_id"`
	CreatedAt Instant `bun:"created_at"`
	ExpiresAt Instant `bun:"expires_at"`
	// Client and UserAgent say where the sign-in came from.
	Client    string `bun:"client"`
	UserAgent string `bun:"user_agent"`
	// Network is what of Client counts as one network. It is kept apart from the session, which it outlives.
	Network string `bun:"-"`
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
		if _, err := tx.NewInsert().Model(session).Exec(ctx); err != nil {
			return err
		}
		if err := s.noteNetwork(ctx, tx, session.AccountID, session.Network); err != nil {
			return err
		}
		if err := s.forgetOldAudit(ctx, tx); err != nil {
			return err
		}
		account, err := loadAccount(ctx, tx, session.AccountID)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "session.start", target: account.target(), by: account})
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
	return session, account, loadCustom(ctx, s.read, []*Account{account})
}

// Sessions returns a page of the account's sessions that still last, the oldest first. Error: ErrBadCursor.
func (s *Store) Sessions(ctx context.Context, accountID string, page Page) (List[*Session], error) {
	created, id, err := page.afterTime()
	if err != nil {
		return List[*Session]{}, err
	}
	var rows []*Session
	err = s.read.NewSelect().Model(&rows).Where("account_id = ?", accountID).Where("expires_at > ?", At(s.now())).
		Where("(created_at, id) > (?, ?)", created, id).Order("created_at", "id").Limit(int64(page.Limit) + 1).Scan(ctx)
	return cut(rows, page.Limit, func(s *Session) string { return pathKey(seqKey(int64(s.CreatedAt)), s.ID) }), err
}

// EndSession ends one of the account's sessions. Error: ErrSessionNotFound.
func (s *Store) EndSession(ctx context.Context, account *Account, id string) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		found, err := affected(tx.NewDelete().Table("sessions").Where("id = ?", lookup(id)).
			Where("account_id = ?", account.ID).Exec(ctx))
		if err != nil {
			return err
		}
		if !found {
			return ErrSessionNotFound
		}
		return s.record(ctx, tx, event{action: "session.end", target: account.target()})
	})
}

// EndOtherSessions ends all of the account's sessions but one. Without others it changes nothing, and notes nothing.
func (s *Store) EndOtherSessions(ctx context.Context, account *Account, keepTokenHash string) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		ended, err := affected(endSessions(ctx, tx, account.ID, keepTokenHash))
		if err != nil || !ended {
			return err
		}
		return s.record(ctx, tx, event{action: "session.end-others", target: account.target()})
	})
}

// SetPassword stores a new password hash and ends the account's sessions, all but the one with the token hash
// keepSession (empty: really all, since it is somebody else who gives the password), unless check objects. Errors: ErrAccountNotFound, or check's.
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
		account.PasswordHash, account.MustChangePassword, account.PasswordChosen = hash, mustChange, keepSession != ""
		account.PasswordSetAt = At(s.now())
		_, err = tx.NewUpdate().Model(account).WherePK().Column("password_hash", "must_change_password", "password_chosen", "password_set_at").Exec(ctx)
		if err != nil {
			return err
		}
		if _, err := endSessions(ctx, tx, id, keepSession); err != nil {
			return err
		}
		return s.record(ctx, tx, event{
			action: "user.password", target: account.target(), details: map[string]any{"mustChangePassword": mustChange},
		})
	})
}

func endSessions(ctx context.Context, tx bun.Tx, accountID, exceptTokenHash string) (sql.Result, error) {
	return tx.NewDelete().Table("sessions").Where("account_id = ?", accountID).
		Where("token_hash <> ?", exceptTokenHash).Exec(ctx)
}
