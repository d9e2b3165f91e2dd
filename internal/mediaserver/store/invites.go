package store

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// What can be wrong with a wish about an invite.
var (
	ErrInviteNotFound = errors.New("invite not found")
	ErrCodeTaken      = errors.New("invite code taken")
)

// Invite is a link that lets people in. Of its code only the hash is stored.
type Invite struct {
	bun.BaseModel `bun:"table:invites,alias:v"`

	Seq int64  `bun:"seq,pk,autoincrement"`
	ID  string `bun:"id"`
	// CodeSHA256 is auth.CodeHash of the code.
	CodeSHA256 string     `bun:"code_sha256"`
	Role       rules.Role `bun:"role"`
	// MaxUses is nil for an invite without a limit.
	MaxUses *int `bun:"max_uses"`
	// UseCount is how many people have used it. Only a use changes it.
	UseCount int `bun:"use_count"`
	// PriorUses count as well: uses that this database does not know, since it was put back to an earlier time, or the
	// invite made anew.
	PriorUses int `bun:"prior_uses"`
	// LastUsedBy is the id of the account that used it last; empty for none. Only a use changes it.
	LastUsedBy string `bun:"last_used_by"`
	// ExpiresAt is nil for never; the zero Instant is a time like any other here.
	ExpiresAt *Instant `bun:"expires_at"`
	Revoked   bool     `bun:"revoked"`
	// Held invites let nobody in for now: who holds the link is told to come again.
	Held bool `bun:"held"`
	// Email is the address that the invite is bound to, or empty.
	Email       string `bun:"email,nullzero"`
	InviterName string `bun:"inviter_name"`
	// Welcome is the inviter's words to who has joined, as Markdown; empty for none.
	Welcome string `bun:"welcome"`
	// Reference is what who made it wrote to know it again. It means nothing here.
	Reference string  `bun:"reference"`
	CreatedAt Instant `bun:"created_at"`
	UpdatedAt Instant `bun:"updated_at"`
	// CreatedBy is the account that answers for what the invite gives: who made it, or changed it last.
	CreatedBy string `bun:"created_by"`

	// Powerless says that who answers for it may give nothing of it any longer. Reading fills it in; a look by
	// code leaves in Libraries only what they may still give.
	Powerless bool `bun:"-"`
	// Libraries are what the invite gives, in the order in which they were named.
	Libraries []InviteLibrary `bun:"-"`
}

// InviteLibrary is one library that an invite gives.
type InviteLibrary struct {
	bun.BaseModel `bun:"table:invite_libraries,alias:il"`

	InviteID  string            `bun:"invite_id,pk"`
	LibraryID string            `bun:"library_id,pk"`
	Position  int               `bun:"position"`
	Role      rules.LibraryRole `bun:"role"`

	// Name and Emoji are the library's own. Only reading fills them in.
	Name  string `bun:"name,scanonly"`
	Emoji string `bun:"emoji,scanonly"`
}

// Terms returns what the invite's status follows from.
func (v *Invite) Terms() rules.InviteTerms {
	return rules.InviteTerms{Revoked: v.Revoked, Held: v.Held, Powerless: v.Powerless, ExpiresAt: v.Expiry(), MaxUses: v.MaxUses, Uses: v.UseCount + v.PriorUses}
}

// Expiry returns ExpiresAt as a time, or nil for never.
func (v *Invite) Expiry() *time.Time {
	if v.ExpiresAt == nil {
		return nil
	}
	t := v.ExpiresAt.Time()
	return &t
}

// CreateInvite stores a new invite with its Libraries, never used. It fills in Seq and the times. Errors: ErrCodeTaken,
// *UnknownLibrariesError.
func (s *Store) CreateInvite(ctx context.Context, invite *Invite) error {
	return s.createInvite(ctx, invite, func(context.Context, bun.Tx) error { return nil })
}

func (s *Store) createInvite(ctx context.Context, invite *Invite, also func(context.Context, bun.Tx) error) error {
	invite.CreatedAt = At(s.now())
	invite.UpdatedAt, invite.UseCount, invite.LastUsedBy = invite.CreatedAt, 0, ""
	invite.CreatedBy = cmp.Or(invite.CreatedBy, authorOf(ctx).AccountID)
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		taken, err := tx.NewSelect().Table("invites").Where("code_sha256 = ?", invite.CodeSHA256).Exists(ctx)
		if err != nil {
			return err
		}
		if taken {
			return ErrCodeTaken
		}
		if _, err := tx.NewInsert().Model(invite).Exec(ctx); err != nil {
			return err
		}
		if err := replaceInviteLibraries(ctx, tx, invite); err != nil {
			return err
		}
		if err := also(ctx, tx); err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "invite.create", target: invite.target(), details: invite.facts()})
	})
}

// facts are what the audit log tells of an invite. Its code is not among them.
func (v *Invite) facts() map[string]any {
	facts := map[string]any{
		"role": string(v.Role), "revoked": v.Revoked, "held": v.Held, "priorUses": v.PriorUses, "email": v.Email, "inviter": v.InviterName, "maxUses": nil, "expiresAt": nil,
	}
	if v.MaxUses != nil {
		facts["maxUses"] = *v.MaxUses
	}
	if expiry := v.Expiry(); expiry != nil {
		facts["expiresAt"] = expiry.Format(time.RFC3339)
	}
	ids := make([]string, 0, len(v.Libraries))
	for _, library := range v.Libraries {
		ids = append(ids, library.LibraryID+":"+string(library.Role))
	}
	facts["libraries"] = strings.Join(ids, " ")
	return facts
}

// replaceInviteLibraries makes the stored libraries equal to the invite's.
func replaceInviteLibraries(ctx context.Context, tx bun.Tx, invite *Invite) error {
	wanted := make([]string, 0, len(invite.Libraries))
	for i := range invite.Libraries {
		invite.Libraries[i].InviteID, invite.Libraries[i].Position = invite.ID, i
		wanted = append(wanted, invite.Libraries[i].LibraryID)
	}
	if err := checkLibrariesExist(ctx, tx, wanted); err != nil {
		return err
	}
	if _, err := tx.NewDelete().Table("invite_libraries").Where("invite_id = ?", invite.ID).Exec(ctx); err != nil {
		return err
	}
	return insertAll(ctx, tx, invite.Libraries)
}

// Invite returns the invite with its Libraries, or ErrInviteNotFound.
func (s *Store) Invite(ctx context.Context, id string) (*Invite, error) {
	invite, err := loadInvite(ctx, s.read, "id", lookup(id))
	if err != nil {
		return nil, err
	}
	_, err = stillGiven(ctx, s.read, []*Invite{invite})
	return invite, err
}

// InviteByCode returns the invite whose code has that hash, with those of its Libraries that it gives now, or ErrInviteNotFound.
func (s *Store) InviteByCode(ctx context.Context, codeHash string) (*Invite, error) {
	return loadByCode(ctx, s.read, codeHash)
}

func loadByCode(ctx context.Context, db bun.IDB, codeHash string) (*Invite, error) {
	invite, err := loadInvite(ctx, db, "code_sha256", codeHash)
	if err != nil {
		return nil, err
	}
	return invite, narrow(ctx, db, invite)
}

// Dead says why the invite, loaded by its code, lets nobody in; nil while it does.
func (v *Invite) Dead(now time.Time) error {
	terms := v.Terms()
	if status := terms.Status(now); status != rules.InvitePending {
		return &rules.DeadInvite{Status: status, Powerless: terms.Powerless}
	}
	return nil
}

func loadInvite(ctx context.Context, db bun.IDB, column, value string) (*Invite, error) {
	invite := new(Invite)
	if err := db.NewSelect().Model(invite).Where("? = ?", bun.Ident(column), value).Scan(ctx); err != nil {
		return nil, notFound(err, ErrInviteNotFound)
	}
	return invite, loadInviteLibraries(ctx, db, []*Invite{invite})
}

// loadInviteLibraries fills in the Libraries of the invites with one statement.
func loadInviteLibraries(ctx context.Context, db bun.IDB, invites []*Invite) error {
	if len(invites) == 0 {
		return nil
	}
	byID := make(map[string]*Invite, len(invites))
	ids := make([]string, 0, len(invites))
	for _, invite := range invites {
		invite.Libraries = nil
		byID[invite.ID] = invite
		ids = append(ids, invite.ID)
	}
	var rows []InviteLibrary
	err := db.NewSelect().Model(&rows).ColumnExpr("il.*").Column("l.name", "l.emoji").
		Join("JOIN libraries AS l ON l.id = il.library_id").Where("il.invite_id IN (?)", bun.List(ids)).
		Order("il.invite_id", "il.position").Scan(ctx)
	for _, row := range rows {
		byID[row.InviteID].Libraries = append(byID[row.InviteID].Libraries, row)
	}
	return err
}

// Invites returns a page of invites with their Libraries, in the order of making. It takes the same few SQL statements,
// however long the page is. Error: ErrBadCursor.
func (s *Store) Invites(ctx context.Context, page Page) (List[*Invite], error) {
	return s.listInvites(ctx, page, func(query *bun.SelectQuery) *bun.SelectQuery { return query })
}

// OpenReferencedInvites counts the invites that carry a Reference and let people in, as far as nobody has revoked or held them.
func (s *Store) OpenReferencedInvites(ctx context.Context) (int, error) {
	n, err := s.read.NewSelect().Table("invites").Where("reference <> ''").Where("revoked = ?", false).Where("held = ?", false).Count(ctx)
	return int(n), err
}

func (s *Store) listInvites(ctx context.Context, page Page, filter func(*bun.SelectQuery) *bun.SelectQuery) (List[*Invite], error) {
	after, err := page.afterSeq()
	if err != nil {
		return List[*Invite]{}, err
	}
	var rows []*Invite
	err = filter(s.read.NewSelect().Model(&rows)).Where("seq > ?", after).Order("seq").
		Limit(int64(page.Limit) + 1).Scan(ctx)
	if err != nil {
		return List[*Invite]{}, err
	}
	list := cut(rows, page.Limit, func(v *Invite) string { return seqKey(v.Seq) })
	if err := loadInviteLibraries(ctx, s.read, list.Items); err != nil {
		return list, err
	}
	_, err = stillGiven(ctx, s.read, list.Items)
	return list, err
}

// UpdateInvite lets change edit the invite's Role, MaxUses, PriorUses, ExpiresAt, Revoked, Held, Email, InviterName, Welcome and
// Libraries, in one transaction, and returns what is stored then. An error of change stops everything. Errors:
// ErrInviteNotFound, *UnknownLibrariesError.
func (s *Store) UpdateInvite(ctx context.Context, id string, change func(*Invite) error) (invite *Invite, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if invite, err = loadInvite(ctx, tx, "id", lookup(id)); err != nil {
			return err
		}
		before := invite.facts()
		if err := change(invite); err != nil {
			return err
		}
		invite.UpdatedAt = At(s.now())
		invite.CreatedBy = cmp.Or(authorOf(ctx).AccountID, invite.CreatedBy)
		_, err = tx.NewUpdate().Model(invite).WherePK().
			Column("role", "max_uses", "prior_uses", "expires_at", "revoked", "held", "email", "inviter_name", "welcome", "updated_at", "created_by").Exec(ctx)
		if err != nil {
			return err
		}
		if err := replaceInviteLibraries(ctx, tx, invite); err != nil {
			return err
		}
		if _, err := stillGiven(ctx, tx, []*Invite{invite}); err != nil {
			return err
		}
		return s.recordChange(ctx, tx, "invite.update", invite.target(), before, invite.facts())
	})
	return invite, err
}

// DeleteInvite kills the link and forgets who used it, unless check objects; the people stay. Errors: ErrInviteNotFound, or
// check's.
func (s *Store) DeleteInvite(ctx context.Context, id string, check func(*Invite) error) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		invite, err := loadInvite(ctx, tx, "id", lookup(id))
		if err != nil {
			return err
		}
		if err := check(invite); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Table("invites").Where("id = ?", invite.ID).Exec(ctx); err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "invite.delete", target: invite.target()})
	})
}
