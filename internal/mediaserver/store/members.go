package store

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// ErrMemberNotFound says that an account is no member of a library.
var ErrMemberNotFound = errors.New("member not found")

// ownerKey is the key of the library's owner in the pages of its members: before every sequence number.
const ownerKey = 0

// Members returns a page of the library's members: its owner first (Alcoves seed, line 66), then who else sees it, in the order in
// which the accounts were made. Error: ErrBadCursor.
func (s *Store) Members(ctx context.Context, library *Library, page Page) (List[Holder], error) {
	after, err := page.afterSeq()
	if err != nil {
		return List[Holder]{}, err
	}
	var rows []Holder
	if page.Cursor == "" {
		var owner Holder
		err := s.read.NewSelect().Table("accounts").Column("username", "display_name", "disabled").
			ColumnExpr("id AS account_id").ColumnExpr("created_at AS granted_at").Where("id = ?", library.CreatedBy).
			Scan(ctx, &owner)
		if err != nil && notFound(err, nil) != nil {
			return List[Holder]{}, err
		}
		if err == nil {
			owner.LibraryID, owner.Role, owner.Seq, owner.GrantedAt, owner.By = library.ID, rules.LibraryOwner, ownerKey, library.CreatedAt, ByGrant
			rows = append(rows, owner)
		}
	}
	var granted []Holder
	err = audience(s.read, &granted, library.ID).Where("a.seq > ?", after).Where("a.id <> ?", library.CreatedBy).
		Order("a.seq").Limit(int64(page.Limit) + 1).Scan(ctx)
	rows = append(rows, granted...)
	return cut(rows, page.Limit, func(h Holder) string { return seqKey(h.Seq) }), err
}

// SetMemberRole changes a member's role, unless check objects to the library, or allowed to the member's role. Errors: ErrLibraryNotFound,
// ErrMemberNotFound, or check's.
func (s *Store) SetMemberRole(
	ctx context.Context, viewer Viewer, libraryID, accountID string, role rules.LibraryRole, check func(*Library) error, allowed func(rules.LibraryRole) error,
) (holder Holder, err error) {
	err = s.changeMember(ctx, viewer, libraryID, accountID, check, allowed, func(ctx context.Context, tx bun.Tx, l *Library, h Holder) error {
		_, err := tx.NewUpdate().Table("permissions").Set("role = ?", role).
			Where("library_id = ?", l.ID).Where("account_id = ?", h.AccountID).Exec(ctx)
		if err != nil {
			return err
		}
		before := string(h.Role)
		h.Role, holder = role, h
		holder.Role, holder.By = role, ByGrant
		return s.record(ctx, tx, event{action: "member.role", target: l.target(), details: map[string]any{
			"userId": h.AccountID, "username": h.Username, "role": []any{before, string(role)},
		}})
	})
	return holder, err
}

// RemoveMember takes the library from a member, unless check objects to the library, or allowed to the member's role. Errors:
// ErrLibraryNotFound, ErrMemberNotFound, or check's.
func (s *Store) RemoveMember(
	ctx context.Context, viewer Viewer, libraryID, accountID string, check func(*Library) error, allowed func(rules.LibraryRole) error,
) error {
	return s.changeMember(ctx, viewer, libraryID, accountID, check, allowed, func(ctx context.Context, tx bun.Tx, l *Library, h Holder) error {
		_, err := tx.NewDelete().Table("permissions").
			Where("library_id = ?", l.ID).Where("account_id = ?", h.AccountID).Exec(ctx)
		if err != nil {
			return err
		}
		return s.recordMember(ctx, tx, "member.remove", l, h)
	})
}

func (s *Store) changeMember(
	ctx context.Context, viewer Viewer, libraryID, accountID string, check func(*Library) error, allowed func(rules.LibraryRole) error,
	change func(context.Context, bun.Tx, *Library, Holder) error,
) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		library, err := loadLibrary(ctx, tx, viewer, libraryID)
		if err != nil {
			return err
		}
		if err := check(library); err != nil {
			return err
		}
		var holder Holder
		err = holders(tx, &holder, library.ID).Where("p.account_id = ?", lookup(accountID)).Scan(ctx)
		if err != nil {
			return notFound(err, s.noMember(ctx, tx, library.ID, accountID))
		}
		if err := allowed(holder.roleIn(library)); err != nil {
			return err
		}
		return change(ctx, tx, library, holder)
	})
}

// noMember says why somebody without a grant cannot be changed or removed as a member.
func (s *Store) noMember(ctx context.Context, tx bun.Tx, libraryID, accountID string) error {
	sees, err := audience(tx, new(Holder), libraryID).Where("a.id = ?", lookup(accountID)).Exists(ctx)
	switch {
	case err != nil:
		return err
	case sees:
		return rules.ErrSeesAll
	}
	return ErrMemberNotFound
}

type libraryInvite struct {
	bun.BaseModel `bun:"table:library_invites"`

	InviteID  string `bun:"invite_id,pk"`
	LibraryID string `bun:"library_id"`
}

// CreateLibraryInvite stores a new invite that the library issues, as CreateInvite does.
func (s *Store) CreateLibraryInvite(ctx context.Context, invite *Invite, libraryID string) error {
	return s.createInvite(ctx, invite, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&libraryInvite{InviteID: invite.ID, LibraryID: libraryID}).Exec(ctx)
		return err
	})
}

// LibraryInvites returns a page of the invites that give the library, whoever issued them, in the order of making. Error:
// ErrBadCursor.
func (s *Store) LibraryInvites(ctx context.Context, libraryID string, page Page) (List[*Invite], error) {
	return s.listInvites(ctx, page, func(query *bun.SelectQuery) *bun.SelectQuery {
		return query.Where("id IN (SELECT invite_id FROM library_invites WHERE library_id = ? "+
			"UNION SELECT invite_id FROM invite_libraries WHERE library_id = ?)", libraryID, libraryID)
	})
}

// LibraryInvite returns an invite that the library issued, or ErrInviteNotFound.
func (s *Store) LibraryInvite(ctx context.Context, libraryID, id string) (*Invite, error) {
	issued, err := s.read.NewSelect().Table("library_invites").Where("library_id = ?", libraryID).
		Where("invite_id = ?", lookup(id)).Exists(ctx)
	if err != nil {
		return nil, err
	}
	if !issued {
		return nil, ErrInviteNotFound
	}
	return s.Invite(ctx, id)
}

// deleteOwnInvites removes the invites of a library that goes away: they would give nothing.
func deleteOwnInvites(ctx context.Context, tx bun.Tx, libraryID string) error {
	_, err := tx.NewDelete().Table("invites").
		Where("id IN (SELECT invite_id FROM library_invites WHERE library_id = ?)", libraryID).Exec(ctx)
	return err
}
