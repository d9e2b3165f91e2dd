package alcovestest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// link is a row of library_invites.
type link struct {
	id, library, token string
	maxUses            *int
	uses               int
	expires, revoked   *time.Time
	created            time.Time
}

const selectLink = `SELECT id::text, library_id::text, token, max_uses, use_count, expires_at, revoked_at, created_at FROM library_invites `

func scanLink(row pgx.Row) (l link, err error) {
	err = row.Scan(&l.id, &l.library, &l.token, &l.maxUses, &l.uses, &l.expires, &l.revoked, &l.created)
	return l, err
}

// status in the contract's order (section 6).
func (l link) status() string {
	switch {
	case l.revoked != nil:
		return "revoked"
	case l.expires != nil && !l.expires.After(time.Now()):
		return "expired"
	case l.maxUses != nil && l.uses >= *l.maxUses:
		return "exhausted"
	}
	return "pending"
}

var errLink = map[string]error{
	"revoked": refuse(410, "Invite has been revoked"), "expired": refuse(410, "Invite has expired"),
	"exhausted": refuse(410, "Invite has no remaining uses"),
}

func (p *process) makeLink(r *http.Request, who user, id, _ string) (answer, error) {
	var body struct {
		MaxUses   *int
		ExpiresAt *time.Time
	}
	if err := bind(r, &body); err != nil {
		return answer{}, err
	}
	switch {
	case body.MaxUses != nil && *body.MaxUses <= 0:
		return answer{}, refuse(400, "maxUses must be positive")
	case body.ExpiresAt != nil && !body.ExpiresAt.After(time.Now()):
		return answer{}, refuse(400, "expiresAt must be in the future")
	}
	token := uuid.NewString()
	made, err := scanLink(p.pool.QueryRow(r.Context(), `INSERT INTO library_invites (library_id, invited_by_user_id, token, max_uses, expires_at)
		VALUES ($1, $2, $3, $4, $5) RETURNING id::text, library_id::text, token, max_uses, use_count, expires_at, revoked_at, created_at`,
		id, who.id, token, body.MaxUses, body.ExpiresAt))
	return answer{body: object{"id": made.id, "token": made.token, "inviteUrl": "/invites/" + made.token, "maxUses": made.maxUses, "expiresAt": made.expires}}, err
}

// linkList holds what is not revoked: expired and used up ones, too. It hides an error of its query (section 9).
func (p *process) linkList(ctx context.Context, library string) ([]object, error) {
	if p.hides("links") {
		return []object{}, nil
	}
	rows, err := p.pool.Query(ctx, selectLink+`WHERE library_id = $1 AND revoked_at IS NULL ORDER BY created_at DESC`, library)
	if err != nil {
		return nil, err
	}
	links, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (link, error) { return scanLink(row) })
	if err != nil {
		return nil, err
	}
	list := []object{}
	for _, one := range links {
		uses, err := p.useList(ctx, one.id)
		if err != nil {
			return nil, err
		}
		list = append(list, object{
			"id": one.id, "token": one.token, "maxUses": one.maxUses, "useCount": one.uses, "expiresAt": one.expires, "createdAt": one.created,
			"inviteUrl": "/invites/" + one.token, "invitedBy": object{"displayName": "Usher"}, "uses": uses,
		})
	}
	return list, nil
}

// useList is nil, and so null in JSON, when nobody came.
func (p *process) useList(ctx context.Context, invite string) ([]object, error) {
	rows, err := p.pool.Query(ctx, `SELECT u.id::text, u.email, u.display_name, v.used_at FROM library_invite_uses v JOIN users u ON u.id = v.user_id WHERE v.invite_id = $1`, invite)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []object
	for rows.Next() {
		var who user
		var at time.Time
		if err := rows.Scan(&who.id, &who.email, &who.name, &at); err != nil {
			return nil, err
		}
		list = append(list, object{"usedAt": at, "user": object{"id": who.id, "email": who.email, "displayName": who.name, "avatarUrl": nil}})
	}
	return list, rows.Err()
}

func (p *process) revokeLink(r *http.Request, _ user, id, _ string) (answer, error) {
	return p.touched(r, `UPDATE library_invites SET revoked_at = now(), updated_at = now() WHERE library_id = $1 AND id = $2 AND revoked_at IS NULL`,
		"Invite not found", id, r.PathValue("invite"))
}

func (p *process) preview(r *http.Request) (answer, error) {
	found, err := scanLink(p.pool.QueryRow(r.Context(), selectLink+`WHERE token = $1`, r.PathValue("token")))
	if errors.Is(err, pgx.ErrNoRows) {
		return answer{}, refuse(404, "Invite not found")
	}
	status := found.status()
	return answer{body: object{"id": found.id, "status": status, "canAccept": status == "pending", "maxUses": found.maxUses, "useCount": found.uses}}, err
}

// redeemable looks a link up. It is looked at first, and used later.
func (s *Server) redeemable(ctx context.Context, token string) (link, error) {
	found, err := scanLink(s.pool.QueryRow(ctx, selectLink+`WHERE token = $1`, token))
	if errors.Is(err, pgx.ErrNoRows) {
		return link{}, refuse(404, "Invite not found")
	}
	if err != nil {
		return link{}, err
	}
	return found, errLink[found.status()]
}

func (p *process) accept(r *http.Request, who user) (answer, error) {
	found, err := p.redeemable(r.Context(), r.PathValue("token"))
	if err != nil {
		return answer{}, err
	}
	role, err := p.redeem(r.Context(), found, who)
	return answer{body: object{"libraryId": found.library, "role": role}}, err
}

// redeem is one transaction that locks nothing: two people can get the last use (section 6). Who used the link before
// becomes a member again without using it up.
func (s *Server) redeem(ctx context.Context, found link, who user) (role string, err error) {
	var owner string
	if err := s.pool.QueryRow(ctx, `SELECT owner_id::text FROM libraries WHERE id = $1`, found.library).Scan(&owner); err != nil {
		return "", err
	}
	if owner == who.id {
		return "owner", nil
	}
	return "viewer", pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO library_invite_uses (invite_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, found.id, who.id)
		if err != nil {
			return err
		}
		first := tag.RowsAffected() == 1
		if first && found.maxUses != nil {
			var uses int
			if err := tx.QueryRow(ctx, `SELECT use_count FROM library_invites WHERE id = $1`, found.id).Scan(&uses); err != nil {
				return err
			}
			if uses >= *found.maxUses {
				return errLink["exhausted"]
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO library_members (library_id, user_id, role) VALUES ($1, $2, 'viewer') ON CONFLICT DO NOTHING`, found.library, who.id); err != nil {
			return err
		}
		if first {
			_, err = tx.Exec(ctx, `UPDATE library_invites SET use_count = use_count + 1 WHERE id = $1`, found.id)
		}
		return err
	})
}
