package store

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// Holding returns what the account, loaded with its Libraries, has.
func (a *Account) Holding() rules.Holding {
	h := rules.Holding{Actor: a.Actor(), All: a.AccessAll, Libraries: make(map[string]rules.LibraryRole, len(a.Libraries)+len(a.owned))}
	for _, permission := range a.Libraries {
		h.Libraries[permission.LibraryID] = permission.Role
	}
	for _, id := range a.owned {
		h.Libraries[id] = rules.LibraryOwner
	}
	return h
}

// loadOwned notes which of the libraries that they see the accounts have made.
func loadOwned(ctx context.Context, db bun.IDB, accounts []*Account) error {
	var all []string
	byID := map[string]*Account{}
	for _, account := range accounts {
		account.owned = nil
		for _, permission := range account.Libraries {
			if permission.CreatedBy == account.ID {
				account.owned = append(account.owned, permission.LibraryID)
			}
		}
		if account.AccessAll {
			all, byID[account.ID] = append(all, account.ID), account
			account.owned = nil
		}
	}
	if len(all) == 0 {
		return nil
	}
	var rows []struct{ ID, CreatedBy string }
	err := db.NewSelect().Table("libraries").Column("id", "created_by").Where("created_by IN (?)", bun.List(all)).
		Where("NOT personal").Scan(ctx, &rows)
	for _, row := range rows {
		byID[row.CreatedBy].owned = append(byID[row.CreatedBy].owned, row.ID)
	}
	return err
}

// Gift returns what the invite gives.
func (v *Invite) Gift() rules.Holding {
	gift := rules.Holding{Actor: rules.Actor{Role: v.Role}, Libraries: make(map[string]rules.LibraryRole, len(v.Libraries))}
	for _, library := range v.Libraries {
		gift.Libraries[library.LibraryID] = library.Role
	}
	return gift
}

// narrow leaves of an invite what who answers for it may give now: nothing, when that account is gone or disabled.
func narrow(ctx context.Context, db bun.IDB, invite *Invite) error {
	left, err := stillGiven(ctx, db, []*Invite{invite})
	if err != nil || invite.Powerless {
		return err
	}
	libraries := invite.Libraries
	invite.Libraries = nil
	for _, library := range libraries {
		if _, kept := left[invite.ID].Libraries[library.LibraryID]; kept {
			invite.Libraries = append(invite.Libraries, library)
		}
	}
	return nil
}

// stillGiven notes which of the invites are powerless, and returns by id what the others give now, with the same few statements
// however many there are.
func stillGiven(ctx context.Context, db bun.IDB, invites []*Invite) (map[string]rules.Holding, error) {
	ids, makers := make([]string, 0, len(invites)), make([]string, 0, len(invites))
	for _, invite := range invites {
		ids, makers = append(ids, invite.ID), append(makers, invite.CreatedBy)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	holdings, err := holdingsOf(ctx, db, makers)
	if err != nil {
		return nil, err
	}
	var issued []string
	err = db.NewSelect().Table("library_invites").Column("invite_id").Where("invite_id IN (?)", bun.List(ids)).Scan(ctx, &issued)
	if err != nil {
		return nil, err
	}
	given := make(map[string]rules.Holding, len(invites))
	for _, invite := range invites {
		path := rules.MakeInvite
		if slices.Contains(issued, invite.ID) {
			path = rules.MakeLibraryInvite
		}
		left, gives := rules.StillGives(holdings[invite.CreatedBy], path, invite.Gift())
		given[invite.ID], invite.Powerless = left, !gives
	}
	return given, nil
}

// holdingsOf returns by id what the accounts have that made links: nothing, for one that is gone or disabled.
func holdingsOf(ctx context.Context, db bun.IDB, ids []string) (map[string]rules.Holding, error) {
	var accounts []*Account
	err := db.NewSelect().Model(&accounts).Where("id IN (?)", bun.List(ids)).Where("disabled = ?", false).Scan(ctx)
	if err != nil {
		return nil, err
	}
	if err := loadRest(ctx, db, accounts); err != nil {
		return nil, err
	}
	holdings := make(map[string]rules.Holding, len(accounts))
	for _, account := range accounts {
		holdings[account.ID] = account.Holding()
	}
	return holdings, nil
}
