package store

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// What can be wrong with a wish about a role of the server's own.
var (
	ErrRoleNotFound = errors.New("role not found")
	ErrRoleTaken    = errors.New("role name taken")
	ErrRoleInUse    = errors.New("role in use")
)

// Role is a role of the server's own: a name and what it allows.
type Role struct {
	bun.BaseModel `bun:"table:roles,alias:r"`

	Seq        int64   `bun:"seq,pk,autoincrement"`
	ID         string  `bun:"id"`
	Name       string  `bun:"name"`
	NameFolded string  `bun:"name_folded"`
	CreatedAt  Instant `bun:"created_at"`
	UpdatedAt  Instant `bun:"updated_at"`

	Pairs []rules.Pair `bun:"-"`
}

type rolePermission struct {
	bun.BaseModel `bun:"table:role_permissions"`

	RoleID    string          `bun:"role_id,pk"`
	Resource  rules.Resource  `bun:"resource,pk"`
	Operation rules.Operation `bun:"operation,pk"`
}

type accountRole struct {
	bun.BaseModel `bun:"table:account_roles"`

	AccountID string `bun:"account_id,pk"`
	RoleID    string `bun:"role_id"`
}

// Custom returns the role as somebody has it.
func (r *Role) Custom() *rules.Custom { return &rules.Custom{ID: r.ID, Name: r.Name, Pairs: r.Pairs} }

func (r *Role) facts() map[string]any {
	facts := map[string]any{"name": r.Name}
	for _, pair := range r.Pairs {
		facts[string(pair.Resource)+":"+string(pair.Operation)] = true
	}
	return facts
}

// CreateRole stores a new role. It fills in Seq, the folded name and the times. Error: ErrRoleTaken.
func (s *Store) CreateRole(ctx context.Context, role *Role) error {
	role.CreatedAt = At(s.now())
	role.UpdatedAt = role.CreatedAt
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := checkRoleName(ctx, tx, role); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(role).Exec(ctx); err != nil {
			return err
		}
		if err := replacePairs(ctx, tx, role); err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "role.create", target: role.target(), details: role.facts()})
	})
}

func checkRoleName(ctx context.Context, tx bun.Tx, role *Role) error {
	role.NameFolded = rules.Fold(role.Name)
	taken, err := tx.NewSelect().Table("roles").Where("name_folded = ?", role.NameFolded).Where("id <> ?", role.ID).Exists(ctx)
	if err == nil && taken {
		return ErrRoleTaken
	}
	return err
}

func replacePairs(ctx context.Context, tx bun.Tx, role *Role) error {
	if _, err := tx.NewDelete().Table("role_permissions").Where("role_id = ?", role.ID).Exec(ctx); err != nil {
		return err
	}
	rows := make([]rolePermission, 0, len(role.Pairs))
	for _, pair := range role.Pairs {
		rows = append(rows, rolePermission{RoleID: role.ID, Resource: pair.Resource, Operation: pair.Operation})
	}
	return insertAll(ctx, tx, rows)
}

// Role returns the role, or ErrRoleNotFound.
func (s *Store) Role(ctx context.Context, id string) (*Role, error) {
	return loadRole(ctx, s.read, "id", lookup(id))
}

// RoleByName returns the role of that name in any letter case, or ErrRoleNotFound.
func (s *Store) RoleByName(ctx context.Context, name string) (*Role, error) {
	return loadRole(ctx, s.read, "name_folded", rules.Fold(name))
}

func loadRole(ctx context.Context, db bun.IDB, column, value string) (*Role, error) {
	role := new(Role)
	if err := db.NewSelect().Model(role).Where("? = ?", bun.Ident(column), value).Scan(ctx); err != nil {
		return nil, notFound(err, ErrRoleNotFound)
	}
	return role, loadPairs(ctx, db, []*Role{role})
}

// loadPairs fills in the Pairs of the roles with one statement.
func loadPairs(ctx context.Context, db bun.IDB, roles []*Role) error {
	if len(roles) == 0 {
		return nil
	}
	byID, ids := make(map[string]*Role, len(roles)), make([]string, 0, len(roles))
	for _, role := range roles {
		byID[role.ID], role.Pairs = role, []rules.Pair{}
		ids = append(ids, role.ID)
	}
	var rows []rolePermission
	err := db.NewSelect().Model(&rows).Where("role_id IN (?)", bun.List(ids)).
		Order("role_id", "resource", "operation").Scan(ctx)
	for _, row := range rows {
		byID[row.RoleID].Pairs = append(byID[row.RoleID].Pairs, rules.Pair{Resource: row.Resource, Operation: row.Operation})
	}
	for _, role := range roles {
		role.Pairs = rules.CheckPairs(new(rules.Check), role.Pairs)
	}
	return err
}

// Roles returns a page of the server's own roles, in the order of making. Error: ErrBadCursor.
func (s *Store) Roles(ctx context.Context, page Page) (List[*Role], error) {
	after, err := page.afterSeq()
	if err != nil {
		return List[*Role]{}, err
	}
	var rows []*Role
	err = s.read.NewSelect().Model(&rows).Where("seq > ?", after).Order("seq").Limit(int64(page.Limit) + 1).Scan(ctx)
	if err != nil {
		return List[*Role]{}, err
	}
	list := cut(rows, page.Limit, func(r *Role) string { return seqKey(r.Seq) })
	return list, loadPairs(ctx, s.read, list.Items)
}

// UpdateRole lets change edit the role's Name and Pairs, which bites at once for everybody who has it, and returns what
// is stored then. Errors: ErrRoleNotFound, ErrRoleTaken, or change's.
func (s *Store) UpdateRole(ctx context.Context, id string, change func(*Role) error) (role *Role, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if role, err = loadRole(ctx, tx, "id", lookup(id)); err != nil {
			return err
		}
		before := role.facts()
		if err := change(role); err != nil {
			return err
		}
		if err := checkRoleName(ctx, tx, role); err != nil {
			return err
		}
		role.UpdatedAt = At(s.now())
		_, err := tx.NewUpdate().Model(role).WherePK().Column("name", "name_folded", "updated_at").Exec(ctx)
		if err != nil {
			return err
		}
		if err := replacePairs(ctx, tx, role); err != nil {
			return err
		}
		after := role.facts()
		for pair := range before {
			if _, kept := after[pair]; !kept {
				after[pair] = false
			}
		}
		return s.recordChange(ctx, tx, "role.update", role.target(), before, after)
	})
	return role, err
}

// DeleteRole removes a role that nobody has. Errors: ErrRoleNotFound, ErrRoleInUse, or check's.
func (s *Store) DeleteRole(ctx context.Context, id string, check func(*Role) error) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		role, err := loadRole(ctx, tx, "id", lookup(id))
		if err != nil {
			return err
		}
		if err := check(role); err != nil {
			return err
		}
		used, err := tx.NewSelect().Table("account_roles").Where("role_id = ?", role.ID).Exists(ctx)
		if err != nil {
			return err
		}
		if used {
			return ErrRoleInUse
		}
		if _, err := tx.NewDelete().Table("roles").Where("id = ?", role.ID).Exec(ctx); err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "role.delete", target: role.target()})
	})
}

// replaceRole stores which role of the server's own the account has, if any. Error: ErrRoleNotFound.
func replaceRole(ctx context.Context, tx bun.Tx, account *Account) error {
	if _, err := tx.NewDelete().Table("account_roles").Where("account_id = ?", account.ID).Exec(ctx); err != nil {
		return err
	}
	if account.Custom == nil {
		return nil
	}
	if err := exists(ctx, tx, "roles", account.Custom.ID, ErrRoleNotFound); err != nil {
		return err
	}
	_, err := tx.NewInsert().Model(&accountRole{AccountID: account.ID, RoleID: account.Custom.ID}).Exec(ctx)
	return err
}

// loadCustom fills in the Custom of the accounts.
func loadCustom(ctx context.Context, db bun.IDB, accounts []*Account) error {
	if len(accounts) == 0 {
		return nil
	}
	ids := make([]string, 0, len(accounts))
	for _, account := range accounts {
		ids = append(ids, account.ID)
	}
	var rows []accountRole
	err := db.NewSelect().Model(&rows).Where("account_id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	var roles []*Role
	err = db.NewSelect().Model(&roles).Where("id IN (SELECT role_id FROM account_roles WHERE account_id IN (?))", bun.List(ids)).
		Scan(ctx)
	if err != nil {
		return err
	}
	if err := loadPairs(ctx, db, roles); err != nil {
		return err
	}
	byID := make(map[string]*Role, len(roles))
	for _, role := range roles {
		byID[role.ID] = role
	}
	roleOf := make(map[string]string, len(rows))
	for _, row := range rows {
		roleOf[row.AccountID] = row.RoleID
	}
	for _, account := range accounts {
		if role := byID[roleOf[account.ID]]; role != nil {
			account.Custom = role.Custom()
		}
	}
	return nil
}
