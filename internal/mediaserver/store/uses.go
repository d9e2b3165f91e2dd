package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// InviteUse is one person's use of an invite, with who they were then. It outlives the account.
type InviteUse struct {
	bun.BaseModel `bun:"table:invite_uses,alias:u"`

	Seq         int64  `bun:"seq,pk,autoincrement"`
	InviteID    string `bun:"invite_id"`
	AccountID   string `bun:"account_id"`
	Username    string `bun:"username"`
	DisplayName string `bun:"display_name"`
	Email       string `bun:"email,nullzero"`
	// Registered says that the account was made with the invite.
	Registered bool    `bun:"registered"`
	UsedAt     Instant `bun:"used_at"`
	// Role and Libraries are what the invite gave then. The role is empty, and the libraries are nil, of a use from before
	// that was kept; the role of somebody who had an account (not Registered) was not changed by it.
	Role      rules.Role      `bun:"role"`
	Libraries []InviteLibrary `bun:"-"`
}

// useLibrary is one library that a use gave.
type useLibrary struct {
	bun.BaseModel `bun:"table:invite_use_libraries"`

	UseSeq    int64             `bun:"use_seq,pk"`
	LibraryID string            `bun:"library_id,pk"`
	Position  int               `bun:"position"`
	Role      rules.LibraryRole `bun:"role"`
}

// InviteUses returns a page of who used the invite, the oldest use first. Errors: ErrInviteNotFound, ErrBadCursor.
func (s *Store) InviteUses(ctx context.Context, id string, page Page) (List[*InviteUse], error) {
	after, err := page.afterSeq()
	if err != nil {
		return List[*InviteUse]{}, err
	}
	found, err := s.read.NewSelect().Table("invites").Where("id = ?", lookup(id)).Exists(ctx)
	if err == nil && !found {
		err = ErrInviteNotFound
	}
	if err != nil {
		return List[*InviteUse]{}, err
	}
	var rows []*InviteUse
	err = s.read.NewSelect().Model(&rows).Where("invite_id = ?", id).Where("seq > ?", after).Order("seq").
		Limit(int64(page.Limit) + 1).Scan(ctx)
	if err != nil {
		return List[*InviteUse]{}, err
	}
	list := cut(rows, page.Limit, func(u *InviteUse) string { return seqKey(u.Seq) })
	return list, loadUseLibraries(ctx, s.read, list.Items)
}

// loadUseLibraries fills in what the uses gave, with one statement.
func loadUseLibraries(ctx context.Context, db bun.IDB, uses []*InviteUse) error {
	if len(uses) == 0 {
		return nil
	}
	bySeq := make(map[int64]*InviteUse, len(uses))
	seqs := make([]int64, 0, len(uses))
	for _, use := range uses {
		bySeq[use.Seq] = use
		seqs = append(seqs, use.Seq)
		if use.Role != "" {
			use.Libraries = []InviteLibrary{}
		}
	}
	var rows []useLibrary
	err := db.NewSelect().Model(&rows).Where("use_seq IN (?)", bun.List(seqs)).Order("use_seq", "position").Scan(ctx)
	for _, row := range rows {
		use := bySeq[row.UseSeq]
		use.Libraries = append(use.Libraries, InviteLibrary{InviteID: use.InviteID, LibraryID: row.LibraryID, Position: row.Position, Role: row.Role})
	}
	return err
}

// use counts one use of the invite by the account. The count moves in one statement that asks again whether the invite
// is alive, so that it never passes the limit, whoever races. Error: *rules.DeadInvite.
func (s *Store) use(ctx context.Context, tx bun.Tx, invite *Invite, account *Account, registered bool) error {
	now := At(s.now())
	counted, err := affected(tx.NewUpdate().Table("invites").Set("use_count = use_count + 1").Set("last_used_by = ?", account.ID).
		Where("id = ?", invite.ID).Where("revoked = ?", false).Where("held = ?", false).
		Where("expires_at IS NULL OR expires_at > ?", now).
		Where("max_uses IS NULL OR use_count + prior_uses < max_uses").Exec(ctx))
	if err != nil {
		return err
	}
	if !counted {
		return s.deadNow(ctx, tx, invite.ID)
	}
	use := &InviteUse{
		InviteID: invite.ID, AccountID: account.ID, Username: account.Username, DisplayName: account.DisplayName,
		Email: account.Email, Registered: registered, UsedAt: now, Role: invite.Role,
	}
	if _, err := tx.NewInsert().Model(use).Exec(ctx); err != nil {
		return err
	}
	gave := make([]useLibrary, 0, len(invite.Libraries))
	for i, library := range invite.Libraries {
		gave = append(gave, useLibrary{UseSeq: use.Seq, LibraryID: library.LibraryID, Position: i, Role: library.Role})
	}
	if err := insertAll(ctx, tx, gave); err != nil {
		return err
	}
	return s.record(ctx, tx, event{action: "invite.use", target: invite.target(), by: account})
}

// deadNow says why an invite could not be used just now.
func (s *Store) deadNow(ctx context.Context, tx bun.Tx, id string) error {
	invite, err := loadInvite(ctx, tx, "id", id)
	if err != nil {
		return err
	}
	status := invite.Terms().Status(s.now())
	if status == rules.InvitePending {
		// It came alive between the two statements; refused it was all the same.
		status = rules.InviteExhausted
	}
	return &rules.DeadInvite{Status: status}
}

// give adds the invite's libraries to what the account may see; where it has one already, the higher role wins.
func (s *Store) give(ctx context.Context, tx bun.Tx, invite *Invite, account *Account) error {
	have := make(map[string]rules.LibraryRole, len(account.Libraries))
	for _, permission := range account.Libraries {
		have[permission.LibraryID] = permission.Role
	}
	for _, library := range invite.Libraries {
		permission := &Permission{
			AccountID: account.ID, LibraryID: library.LibraryID, GrantedAt: At(s.now()),
			Role: rules.HigherLibraryRole(have[library.LibraryID], library.Role),
		}
		_, err := tx.NewInsert().Model(permission).On("CONFLICT (account_id, library_id) DO UPDATE").
			Set("role = EXCLUDED.role").Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// Acceptance is what came of accepting an invite.
type Acceptance struct {
	// AlreadyMember says that there was nothing to do, and that no use was counted.
	AlreadyMember bool
	// LibraryIDs are those of the invite's libraries that the account sees now.
	LibraryIDs []string
}

// Accept gives the libraries of the invite whose code has that hash to the account, and counts one use, unless check
// objects. Who sees all its libraries changes nothing, and may come again even when the invite is dead (Alcoves seed, line 60:
// "accepting an invite you already accepted is a no-op"); who has used it and was removed is not let in again. Errors:
// ErrInviteNotFound, ErrAccountNotFound, *rules.DeadInvite, rules.ErrUsedInvite, rules.ErrOtherEmail, or check's.
func (s *Store) Accept(
	ctx context.Context, codeHash, accountID string, check func(*Account) error,
) (acceptance Acceptance, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		invite, account, err := loadBoth(ctx, tx, codeHash, accountID)
		if err != nil {
			return err
		}
		if err := check(account); err != nil {
			return err
		}
		standing, err := standingTo(ctx, tx, invite, account)
		if err != nil {
			return err
		}
		if acceptance.AlreadyMember = standing.Member; !standing.Member {
			if err := s.join(ctx, tx, invite, account, standing); err != nil {
				return err
			}
		}
		acceptance.LibraryIDs, err = visible(ctx, tx, invite, account.ID)
		return err
	})
	return acceptance, err
}

func loadBoth(ctx context.Context, db bun.IDB, codeHash, accountID string) (*Invite, *Account, error) {
	invite, err := loadByCode(ctx, db, codeHash)
	if err != nil {
		return nil, nil, err
	}
	account, err := loadAccount(ctx, db, accountID)
	return invite, account, err
}

// join lets somebody in who has an account.
func (s *Store) join(ctx context.Context, tx bun.Tx, invite *Invite, account *Account, standing Standing) error {
	// Who has used it up is told that, and not that it is used up.
	if standing.Used {
		return rules.ErrUsedInvite
	}
	if err := invite.Dead(s.now()); err != nil {
		return err
	}
	if err := rules.CheckMemberEmail(invite.Email, account.Email, account.EmailChosen); err != nil {
		return err
	}
	if err := s.use(ctx, tx, invite, account, false); err != nil {
		return err
	}
	return s.give(ctx, tx, invite, account)
}

// visible lists those of the invite's libraries that the account may see.
func visible(ctx context.Context, db bun.IDB, invite *Invite, accountID string) ([]string, error) {
	account, err := loadAccount(ctx, db, accountID)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, library := range invite.Libraries {
		if account.sees(library.LibraryID) {
			ids = append(ids, library.LibraryID)
		}
	}
	return ids, nil
}

// sees reports whether the account, loaded with its Libraries, may see the library.
func (a *Account) sees(libraryID string) bool {
	if a.Viewer().All {
		return true
	}
	for _, permission := range a.Libraries {
		if permission.LibraryID == libraryID {
			return true
		}
	}
	return false
}

// Standing is how an account stands to an invite.
type Standing struct {
	// Member says that there is nothing to accept: the account sees all that the invite gives.
	Member bool
	// Used says that the account has used the invite, whatever it sees now.
	Used bool
}

// Standing returns how the account stands to the invite. Error: ErrAccountNotFound.
func (s *Store) Standing(ctx context.Context, invite *Invite, accountID string) (Standing, error) {
	account, err := loadAccount(ctx, s.read, accountID)
	if err != nil {
		return Standing{}, err
	}
	return standingTo(ctx, s.read, invite, account)
}

func standingTo(ctx context.Context, db bun.IDB, invite *Invite, account *Account) (standing Standing, err error) {
	standing.Used, err = db.NewSelect().Table("invite_uses").Where("invite_id = ?", invite.ID).
		Where("account_id = ?", account.ID).Exists(ctx)
	standing.Member = true
	for _, library := range invite.Libraries {
		standing.Member = standing.Member && account.sees(library.LibraryID)
	}
	return standing, err
}
