package store

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// PersonalName is what every account's personal library is called at first (Alcoves seed, line 16).
const PersonalName = "My Library"

// addPersonal gives a new account its personal library, in the transaction that makes the account.
func (s *Store) addPersonal(ctx context.Context, tx bun.Tx, accountID string) error {
	now := At(s.now())
	library := &Library{
		ID: auth.NewID(), Name: PersonalName, Type: rules.PersonalType, Personal: true, CreatedBy: accountID,
		CreatedAt: now, UpdatedAt: now, ScanState: ScanIdle, Paths: s.personalPaths(accountID),
	}
	if _, err := tx.NewInsert().Model(library).Exec(ctx); err != nil {
		return err
	}
	return replacePaths(ctx, tx, library)
}

func (s *Store) personalPaths(accountID string) []string {
	if s.personal == "" {
		return nil
	}
	return []string{filepath.Join(s.personal, accountID)}
}

// ensurePersonal gives a personal library to accounts from before there were any, and moves those that there are when
// the server keeps their directories elsewhere now.
func (s *Store) ensurePersonal(ctx context.Context, tx bun.Tx) error {
	var without []string
	err := tx.NewSelect().Table("accounts").Column("id").
		Where("id NOT IN (SELECT created_by FROM libraries WHERE personal AND created_by IS NOT NULL)").
		Order("seq").Scan(ctx, &without)
	for i := 0; err == nil && i < len(without); i++ {
		err = s.addPersonal(ctx, tx, without[i])
	}
	if err != nil {
		return err
	}
	return s.movePersonal(ctx, tx)
}

func (s *Store) movePersonal(ctx context.Context, tx bun.Tx) error {
	var libraries []*Library
	if err := tx.NewSelect().Model(&libraries).Where("personal").Scan(ctx); err != nil {
		return err
	}
	if err := loadPaths(ctx, tx, libraries); err != nil {
		return err
	}
	for _, library := range libraries {
		wanted := s.personalPaths(library.CreatedBy)
		if slices.Equal(library.Paths, wanted) {
			continue
		}
		if len(library.Paths) == 1 && len(wanted) == 1 {
			_, err := tx.NewUpdate().Table("items").Set("root = ?", wanted[0]).Where("library_id = ?", library.ID).Exec(ctx)
			if err != nil {
				return err
			}
		}
		library.Paths = wanted
		if err := replacePaths(ctx, tx, library); err != nil {
			return err
		}
	}
	return nil
}

// removePersonal removes the personal library of an account that goes away, and what the database holds of its items.
// Files stay where they are.
func removePersonal(ctx context.Context, tx bun.Tx, accountID string) error {
	own := tx.NewSelect().Table("libraries").Column("id").Where("personal").Where("created_by = ?", accountID)
	if _, err := tx.NewDelete().Table("items").Where("library_id IN (?)", own).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewDelete().Table("libraries").Where("personal").Where("created_by = ?", accountID).Exec(ctx)
	return err
}

// passOn makes the server's owner the owner of the libraries of an account that goes away (Alcoves seed, line 72: "there
// is always exactly one owner per library").
func passOn(ctx context.Context, tx bun.Tx, accountID string) error {
	_, err := tx.NewUpdate().Table("libraries").
		Set("created_by = (SELECT id FROM accounts WHERE role = ?)", rules.Owner).
		Where("created_by = ?", accountID).Where("NOT personal").Exec(ctx)
	return err
}
