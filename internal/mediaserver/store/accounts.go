package store

import (
	"cmp"
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// What can be wrong with a wish about an account.
var (
	ErrAccountNotFound = errors.New("account not found")
	ErrUsernameTaken   = errors.New("username taken")
	ErrEmailTaken      = errors.New("email taken")
	ErrIDTaken         = errors.New("id taken")
)

// Account is somebody who can sign in.
type Account struct {
	bun.BaseModel `bun:"table:accounts,alias:a"`

	Seq            int64  `bun:"seq,pk,autoincrement"`
	ID             string `bun:"id"`
	Username       string `bun:"username"`
	UsernameFolded string `bun:"username_folded"`
	// Email is empty for an account without one.
	Email       string `bun:"email,nullzero"`
	EmailFolded string `bun:"email_folded,nullzero"`
	// EmailChosen says that the holder wrote the address, which proves nothing about who they are.
	EmailChosen        bool       `bun:"email_chosen"`
	DisplayName        string     `bun:"display_name"`
	Role               rules.Role `bun:"role"`
	Disabled           bool       `bun:"disabled"`
	MustChangePassword bool       `bun:"must_change_password"`
	PasswordHash       string     `bun:"password_hash"`
	// PasswordChosen says that the holder has changed the password since it was last given to them.
	PasswordChosen bool `bun:"password_chosen"`
	// PasswordSetAt is when the password was last set or changed; zero where that was before it was kept.
	PasswordSetAt Instant `bun:"password_set_at"`
	// AccessAll gives every library, future ones included.
	AccessAll    bool    `bun:"access_all"`
	CreatedAt    Instant `bun:"created_at"`
	LastSignInAt Instant `bun:"last_sign_in_at"`

	// Custom is set for who has a role of the server's own; Role is Guest then.
	Custom *rules.Custom `bun:"-"`
	// Libraries are the stored permissions, in the order of granting. Only the calls that say so fill it in.
	Libraries []Permission `bun:"-"`
	// owned are the libraries that the account has made and sees, loaded with Libraries.
	owned []string
}

// RoleName is the name of the account's role, be it built in or the server's own.
func (a *Account) RoleName() string {
	if a.Custom != nil {
		return a.Custom.Name
	}
	return string(a.Role)
}

// Viewer returns the account as somebody who looks for libraries.
func (a *Account) Viewer() Viewer {
	return Viewer{AccountID: a.ID, All: a.Actor().SeesAll(a.AccessAll)}
}

// Actor returns the account as somebody who asks for something.
func (a *Account) Actor() rules.Actor { return rules.Actor{ID: a.ID, Role: a.Role, Custom: a.Custom} }

// Subject returns the account as somebody to whom something is done.
func (a *Account) Subject() rules.Subject {
	return rules.Subject{Holding: a.Holding(), Disabled: a.Disabled}
}

func (a *Account) fold() {
	a.UsernameFolded, a.EmailFolded = rules.Fold(a.Username), rules.Fold(a.Email)
}

// CreateAccount stores a new account together with its Libraries and its personal library, or nothing. It fills in Seq,
// CreatedAt and the folded names. Errors: ErrIDTaken, ErrUsernameTaken, ErrEmailTaken, *UnknownLibrariesError, ErrRoleNotFound.
func (s *Store) CreateAccount(ctx context.Context, account *Account) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.insertAccount(ctx, tx, account); err != nil {
			return err
		}
		if err := s.replaceLibraries(ctx, tx, account); err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "user.create", target: account.target(), details: account.facts()})
	})
}

// facts are what the audit log tells of an account.
func (a *Account) facts() map[string]any {
	return map[string]any{
		"email": a.Email, "displayName": a.DisplayName, "role": a.RoleName(), "disabled": a.Disabled,
		"mustChangePassword": a.MustChangePassword,
	}
}

func (s *Store) insertAccount(ctx context.Context, tx bun.Tx, account *Account) error {
	account.CreatedAt = At(s.now())
	account.PasswordSetAt = account.CreatedAt
	account.fold()
	if err := checkID(ctx, tx, account); err != nil {
		return err
	}
	if err := checkNames(ctx, tx, account); err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(account).Exec(ctx); err != nil {
		return err
	}
	if err := replaceRole(ctx, tx, account); err != nil {
		return err
	}
	return s.addPersonal(ctx, tx, account.ID)
}

// checkID makes sure that an id that was chosen from outside is nobody's, and never was.
func checkID(ctx context.Context, tx bun.Tx, account *Account) error {
	taken, err := tx.NewSelect().Table("accounts").Where("id = ?", account.ID).Exists(ctx)
	if taken || err != nil {
		return cmp.Or(err, ErrIDTaken)
	}
	// What is kept by the id of an account that is gone, its files among it, is not another's.
	if taken, err = tx.NewSelect().Table("former_accounts").Where("id = ?", account.ID).Exists(ctx); taken {
		return ErrIDTaken
	}
	return err
}

// checkNames makes sure that no other account answers to the account's names. A username may not equal somebody else's
// mail address either, since both sign in.
func checkNames(ctx context.Context, tx bun.Tx, account *Account) error {
	taken, err := answersTo(ctx, tx, account.ID, account.UsernameFolded)
	if err != nil {
		return err
	}
	if taken {
		return ErrUsernameTaken
	}
	if account.EmailFolded == "" {
		return nil
	}
	if taken, err = answersTo(ctx, tx, account.ID, account.EmailFolded); taken {
		return ErrEmailTaken
	}
	return err
}

func answersTo(ctx context.Context, tx bun.Tx, exceptID, folded string) (bool, error) {
	return tx.NewSelect().Table("accounts").Where("id <> ?", exceptID).
		Where("username_folded = ? OR email_folded = ?", folded, folded).Exists(ctx)
}

// Account returns the account with its Libraries, or ErrAccountNotFound.
func (s *Store) Account(ctx context.Context, id string) (*Account, error) {
	return loadAccount(ctx, s.read, id)
}

func loadAccount(ctx context.Context, db bun.IDB, id string) (*Account, error) {
	account := new(Account)
	if err := db.NewSelect().Model(account).Where("id = ?", lookup(id)).Scan(ctx); err != nil {
		return nil, notFound(err, ErrAccountNotFound)
	}
	return account, loadRest(ctx, db, []*Account{account})
}

// loadRest fills in the Libraries and custom roles of the accounts, with one statement each.
func loadRest(ctx context.Context, db bun.IDB, accounts []*Account) error {
	if err := loadLibraries(ctx, db, accounts); err != nil {
		return err
	}
	if err := loadOwned(ctx, db, accounts); err != nil {
		return err
	}
	return loadCustom(ctx, db, accounts)
}

// AccountByLogin returns the account, without Libraries, that signs in with this username or mail address in any
// spelling; with emailOnly, only by mail address. Error: ErrAccountNotFound.
func (s *Store) AccountByLogin(ctx context.Context, login string, emailOnly bool) (*Account, error) {
	account, folded := new(Account), rules.Fold(login)
	query := s.read.NewSelect().Model(account).Where("email_folded = ?", folded)
	if !emailOnly {
		query = query.WhereOr("username_folded = ?", folded)
	}
	if err := query.Limit(1).Scan(ctx); err != nil {
		return nil, notFound(err, ErrAccountNotFound)
	}
	return account, nil
}

// Accounts returns a page of accounts with their Libraries, in the order of making. It takes the same few SQL statements,
// however long the page is. Error: ErrBadCursor.
func (s *Store) Accounts(ctx context.Context, page Page) (List[*Account], error) {
	after, err := page.afterSeq()
	if err != nil {
		return List[*Account]{}, err
	}
	var rows []*Account
	err = s.read.NewSelect().Model(&rows).Where("seq > ?", after).Order("seq").Limit(int64(page.Limit) + 1).Scan(ctx)
	if err != nil {
		return List[*Account]{}, err
	}
	list := cut(rows, page.Limit, func(a *Account) string { return seqKey(a.Seq) })
	return list, loadRest(ctx, s.read, list.Items)
}

// UpdateAccount lets change edit the account's Email, EmailChosen, DisplayName, Role, Custom and Disabled, in one transaction, and
// returns the account with its Libraries. An error of change stops everything. Disabling ends the account's sessions.
// Errors: ErrAccountNotFound, ErrEmailTaken, ErrRoleNotFound.
func (s *Store) UpdateAccount(ctx context.Context, id string, change func(*Account) error) (account *Account, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if account, err = loadAccount(ctx, tx, id); err != nil {
			return err
		}
		before := account.facts()
		if err := change(account); err != nil {
			return err
		}
		account.fold()
		if err := checkNames(ctx, tx, account); err != nil {
			return err
		}
		if account.Disabled {
			if _, err := endSessions(ctx, tx, id, ""); err != nil {
				return err
			}
		}
		_, err = tx.NewUpdate().Model(account).WherePK().
			Column("email", "email_folded", "email_chosen", "display_name", "role", "disabled").Exec(ctx)
		if err != nil {
			return err
		}
		if err := replaceRole(ctx, tx, account); err != nil {
			return err
		}
		return s.recordChange(ctx, tx, "user.update", account.target(), before, account.facts())
	})
	return account, err
}

// formerAccount is an id that no account will have again.
type formerAccount struct {
	bun.BaseModel `bun:"table:former_accounts"`

	ID string `bun:"id,pk"`
}

// DeleteAccount removes the account, its sessions, its permissions and its personal library, whose files stay, unless
// check objects. The server's owner becomes the owner of the other libraries that it made. Error: ErrAccountNotFound, or
// check's.
func (s *Store) DeleteAccount(ctx context.Context, id string, check func(*Account) error) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		account, err := loadAccount(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := check(account); err != nil {
			return err
		}
		if err := removePersonal(ctx, tx, id); err != nil {
			return err
		}
		if err := passOn(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Table("accounts").Where("id = ?", id).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&formerAccount{ID: id}).Exec(ctx); err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "user.delete", target: account.target()})
	})
}
