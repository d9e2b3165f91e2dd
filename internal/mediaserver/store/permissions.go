package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// ErrPermissionNotFound says that an account has no stored permission for a library.
var ErrPermissionNotFound = errors.New("permission not found")

// UnknownLibrariesError says which entries of an access set name no library.
type UnknownLibrariesError struct {
	// Positions are indexes into the set, ascending.
	Positions []int
}

// Error counts them.
func (e *UnknownLibrariesError) Error() string {
	return fmt.Sprintf("%d unknown libraries", len(e.Positions))
}

// Permission lets one account see one library. Owner and admins need none; what is stored for them has no effect.
type Permission struct {
	bun.BaseModel `bun:"table:permissions,alias:p"`

	AccountID string            `bun:"account_id,pk"`
	LibraryID string            `bun:"library_id,pk"`
	Role      rules.LibraryRole `bun:"role"`
	GrantedAt Instant           `bun:"granted_at"`

	// CreatedBy is the library's owner. Only loading an account fills it in.
	CreatedBy string `bun:"created_by,scanonly"`
}

// Holder is a permission with the account that holds it. Among the members of a library it may be somebody who sees it without one:
// GrantedAt is 0 then.
type Holder struct {
	Permission `bun:",extend"`

	Seq         int64  `bun:"seq"`
	Username    string `bun:"username"`
	DisplayName string `bun:"display_name"`
	// Disabled says that they see nothing for now.
	Disabled bool `bun:"disabled"`
	// By is why they see the library; empty where only grants are listed.
	By By `bun:"by"`
}

// By is why somebody sees a library.
type By string

// The reasons, of which the first that holds is told.
const (
	// ByGrant is a permission for this library.
	ByGrant By = "grant"
	// ByRole is a role that sees every library.
	ByRole By = "role"
	// ByAll is an access to all libraries.
	ByAll By = "all"
)

// loadLibraries fills in the Libraries of the accounts with one statement.
func loadLibraries(ctx context.Context, db bun.IDB, accounts []*Account) error {
	if len(accounts) == 0 {
		return nil
	}
	byID := make(map[string]*Account, len(accounts))
	ids := make([]string, 0, len(accounts))
	for _, account := range accounts {
		account.Libraries = nil
		byID[account.ID] = account
		ids = append(ids, account.ID)
	}
	var rows []Permission
	err := db.NewSelect().Model(&rows).ColumnExpr("p.*").Column("l.created_by").Join("JOIN libraries AS l ON l.id = p.library_id").
		Where("account_id IN (?)", bun.List(ids)).Order("account_id", "granted_at", "library_id").Scan(ctx)
	for _, row := range rows {
		byID[row.AccountID].Libraries = append(byID[row.AccountID].Libraries, row)
	}
	return err
}

// SetAccess replaces the account's whole access, AccessAll and Libraries, in one transaction, and returns the account.
// decide returns the libraries that the account, as it is stored, is to have. A library that was granted before keeps
// its GrantedAt. Errors: ErrAccountNotFound, *UnknownLibrariesError, or decide's; nothing is changed then.
func (s *Store) SetAccess(
	ctx context.Context, id string, all bool, decide func(*Account) ([]Permission, error),
) (account *Account, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if account, err = loadAccount(ctx, tx, id); err != nil {
			return err
		}
		libraries, err := decide(account)
		if err != nil {
			return err
		}
		before := account.accessFacts()
		granted := make(map[string]Instant, len(account.Libraries))
		for _, old := range account.Libraries {
			granted[old.LibraryID] = old.GrantedAt
		}
		account.AccessAll, account.Libraries = all, nil
		for _, entry := range libraries {
			entry.GrantedAt = granted[entry.LibraryID]
			account.Libraries = append(account.Libraries, entry)
		}
		if _, err := tx.NewUpdate().Model(account).WherePK().Column("access_all").Exec(ctx); err != nil {
			return err
		}
		if err := s.replaceLibraries(ctx, tx, account); err != nil {
			return err
		}
		return s.recordAccess(ctx, tx, account, before)
	})
	return account, err
}

// accessFacts are what the audit log tells of an account's access: its role in each library.
func (a *Account) accessFacts() map[string]any {
	facts := map[string]any{"all": a.AccessAll}
	for _, permission := range a.Libraries {
		facts[permission.LibraryID] = string(permission.Role)
	}
	return facts
}

func (s *Store) recordAccess(ctx context.Context, tx bun.Tx, account *Account, before map[string]any) error {
	after := account.accessFacts()
	for library := range before {
		if _, kept := after[library]; !kept {
			after[library] = nil
		}
	}
	return s.recordChange(ctx, tx, "user.access", account.target(), before, after)
}

// replaceLibraries makes the stored permissions equal to the account's Libraries.
func (s *Store) replaceLibraries(ctx context.Context, tx bun.Tx, account *Account) error {
	wanted := make([]string, 0, len(account.Libraries))
	for _, entry := range account.Libraries {
		wanted = append(wanted, entry.LibraryID)
	}
	if err := checkLibrariesExist(ctx, tx, wanted); err != nil {
		return err
	}
	if _, err := tx.NewDelete().Table("permissions").Where("account_id = ?", account.ID).Exec(ctx); err != nil {
		return err
	}
	for i := range account.Libraries {
		account.Libraries[i].AccountID = account.ID
		if account.Libraries[i].GrantedAt.IsZero() {
			account.Libraries[i].GrantedAt = At(s.now())
		}
	}
	return insertAll(ctx, tx, account.Libraries)
}

// checkLibrariesExist counts a personal library among those that do not exist: nobody can be given it.
func checkLibrariesExist(ctx context.Context, tx bun.Tx, wanted []string) error {
	if len(wanted) == 0 {
		return nil
	}
	ids := make([]string, 0, len(wanted))
	for _, id := range wanted {
		ids = append(ids, lookup(id))
	}
	var found []string
	err := tx.NewSelect().Table("libraries").Column("id").Where("id IN (?)", bun.List(ids)).Where("NOT personal").Scan(ctx, &found)
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(found))
	for _, id := range found {
		known[id] = true
	}
	unknown := new(UnknownLibrariesError)
	for i, id := range ids {
		if !known[id] {
			unknown.Positions = append(unknown.Positions, i)
		}
	}
	if len(unknown.Positions) > 0 {
		return unknown
	}
	return nil
}

// Grant gives the account the library in the given role. With an empty role, a permission that is there stays as it is
// and a new one is for viewing. Check is asked about the role that the account has (empty: none) and the one that it gets.
// Errors: ErrAccountNotFound, ErrLibraryNotFound, rules.ErrPersonalShared, or check's.
func (s *Store) Grant(
	ctx context.Context, libraryID, accountID string, role rules.LibraryRole, check func(before, after rules.LibraryRole) error,
) (holder Holder, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		library, err := loadLibrary(ctx, tx, Viewer{everything: true}, libraryID)
		if err != nil {
			return err
		}
		if library.Personal {
			return rules.ErrPersonalShared
		}
		if err := exists(ctx, tx, "accounts", accountID, ErrAccountNotFound); err != nil {
			return err
		}
		before, err := roleIn(ctx, tx, library, accountID)
		if err != nil {
			return err
		}
		if err := check(before, cmp.Or(role, before, rules.Viewer)); err != nil {
			return err
		}
		permission := &Permission{AccountID: accountID, LibraryID: libraryID, Role: role, GrantedAt: At(s.now())}
		insert := tx.NewInsert().Model(permission)
		if role == "" {
			permission.Role = rules.Viewer
			insert = insert.On("CONFLICT (account_id, library_id) DO NOTHING")
		} else {
			insert = insert.On("CONFLICT (account_id, library_id) DO UPDATE").Set("role = EXCLUDED.role")
		}
		if _, err := insert.Exec(ctx); err != nil {
			return err
		}
		if err := holders(tx, &holder, libraryID).Where("p.account_id = ?", accountID).Scan(ctx); err != nil {
			return err
		}
		return s.recordMember(ctx, tx, "library.grant", library, holder)
	})
	return holder, err
}

// roleIn returns the role that the account was granted in the library, that of its owner for who made it, or none.
func roleIn(ctx context.Context, tx bun.Tx, library *Library, accountID string) (rules.LibraryRole, error) {
	var granted Holder
	err := holders(tx, &granted, library.ID).Where("p.account_id = ?", lookup(accountID)).Scan(ctx)
	if err != nil {
		return "", notFound(err, nil)
	}
	return granted.roleIn(library), nil
}

// roleIn returns the holder's role, which is the owner's for who made the library.
func (h Holder) roleIn(library *Library) rules.LibraryRole {
	if h.AccountID == library.CreatedBy {
		return rules.LibraryOwner
	}
	return h.Role
}

func (s *Store) recordMember(ctx context.Context, tx bun.Tx, action string, library *Library, holder Holder) error {
	return s.record(ctx, tx, event{action: action, target: library.target(), details: map[string]any{
		"userId": holder.AccountID, "username": holder.Username, "role": string(holder.Role),
	}})
}

func exists(ctx context.Context, tx bun.Tx, table, id string, missing error) error {
	found, err := tx.NewSelect().Table(table).Where("id = ?", lookup(id)).Exists(ctx)
	if err == nil && !found {
		return missing
	}
	return err
}

// Revoke takes the account's permission for the library away, unless check objects to the role that it has. Errors:
// ErrLibraryNotFound, ErrPermissionNotFound, or check's.
func (s *Store) Revoke(ctx context.Context, libraryID, accountID string, check func(rules.LibraryRole) error) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		library, err := loadLibrary(ctx, tx, Viewer{everything: true}, libraryID)
		if err != nil {
			return err
		}
		var holder Holder
		err = holders(tx, &holder, library.ID).Where("p.account_id = ?", lookup(accountID)).Scan(ctx)
		if err != nil {
			return notFound(err, ErrPermissionNotFound)
		}
		if err := check(holder.roleIn(library)); err != nil {
			return err
		}
		_, err = tx.NewDelete().Table("permissions").
			Where("library_id = ?", library.ID).Where("account_id = ?", holder.AccountID).Exec(ctx)
		if err != nil {
			return err
		}
		return s.recordMember(ctx, tx, "library.revoke", library, holder)
	})
}

// Holders returns a page of who was granted a library, and of nobody else, in the order in which the accounts were made: what Grant
// gives and Revoke takes. Members are all who see it. Error: ErrBadCursor.
func (s *Store) Holders(ctx context.Context, libraryID string, page Page) (List[Holder], error) {
	after, err := page.afterSeq()
	if err != nil {
		return List[Holder]{}, err
	}
	var rows []Holder
	err = holders(s.read, &rows, libraryID).Where("a.seq > ?", after).Order("a.seq").Limit(int64(page.Limit) + 1).Scan(ctx)
	return cut(rows, page.Limit, func(h Holder) string { return seqKey(h.Seq) }), err
}

func holders(db bun.IDB, into any, libraryID string) *bun.SelectQuery {
	return db.NewSelect().Model(into).ColumnExpr("p.*").Column("a.seq", "a.username", "a.display_name", "a.disabled").
		Join("JOIN accounts AS a ON a.id = p.account_id").Where("p.library_id = ?", libraryID)
}

// audience selects who sees a library that is nobody's own: by a grant, by their role or by an access to all.
func audience(db bun.IDB, into any, libraryID string) *bun.SelectQuery {
	administers := "a.role IN (?)"
	return db.NewSelect().Model(into).ModelTableExpr("accounts AS a").ColumnExpr("a.id AS account_id").
		ColumnExpr("? AS library_id", libraryID).ColumnExpr("COALESCE(p.granted_at, 0) AS granted_at").
		ColumnExpr("CASE WHEN p.role IS NOT NULL THEN p.role WHEN "+administers+" THEN ? ELSE ? END AS role",
			bun.List(administrators), rules.LibraryAdmin, rules.Viewer).
		ColumnExpr("CASE WHEN p.role IS NOT NULL THEN ? WHEN "+administers+" THEN ? ELSE ? END AS ?",
			ByGrant, bun.List(administrators), ByRole, ByAll, bun.Ident("by")).
		Column("a.seq", "a.username", "a.display_name", "a.disabled").
		Join("LEFT JOIN permissions AS p ON p.account_id = a.id AND p.library_id = ?", libraryID).
		Where("p.role IS NOT NULL OR a.access_all OR "+administers, bun.List(administrators)).
		Where("NOT EXISTS (SELECT 1 FROM libraries WHERE id = ? AND personal)", libraryID)
}

// administrators are the roles that see every library.
var administrators = []rules.Role{rules.Owner, rules.Admin}
