package alcovestest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const selectLibrary = `SELECT l.id::text, l.name, l.emoji, l.is_default, l.face_recognition_enabled, l.object_detection_enabled,
	l.sharing_enabled, l.owner_id::text, l.created_at, l.updated_at FROM libraries l `

func scanLibrary(row pgx.Row, role func(owner string) string) (object, error) {
	var id, name, owner string
	var emoji *string
	var personal, faces, objects, sharing bool
	var created, updated time.Time
	err := row.Scan(&id, &name, &emoji, &personal, &faces, &objects, &sharing, &owner, &created, &updated)
	mine := role(owner)
	return object{
		"id": id, "name": name, "emoji": emoji, "isDefault": personal, "faceRecognitionEnabled": faces, "objectDetectionEnabled": objects,
		"sharingEnabled": sharing, "ownerId": owner, "currentUserRole": mine, "canManageUsers": mine != "viewer" && !personal,
		"createdAt": stamp(created), "updatedAt": stamp(updated),
	}, err
}

// libraries lists the owned ones and then the others. Rows of personal ones show here, though nothing else gives access
// to them (section 6).
func (p *process) libraries(r *http.Request, who user) (answer, error) {
	list := []object{}
	if p.hides("libraries") {
		return answer{body: list}, nil
	}
	for _, part := range []struct{ query, list string }{
		{`WHERE l.owner_id = $1 ORDER BY l.created_at`, ""},
		{`JOIN library_members m ON m.library_id = l.id WHERE m.user_id = $1 AND l.owner_id <> $1 ORDER BY l.created_at`, "shared"},
	} {
		if p.hides(part.list) {
			continue
		}
		rows, err := p.pool.Query(r.Context(), selectLibrary+part.query, who.id)
		if err != nil {
			return answer{}, err
		}
		defer rows.Close()
		for rows.Next() {
			one, err := scanLibrary(rows, func(owner string) string {
				if owner == who.id {
					return "owner"
				}
				return "viewer"
			})
			if err != nil {
				return answer{}, err
			}
			list = append(list, one)
		}
		if err := rows.Err(); err != nil {
			return answer{}, err
		}
	}
	for _, one := range list {
		if one["currentUserRole"] == "viewer" {
			var role string
			if err := p.pool.QueryRow(r.Context(), `SELECT role FROM library_members WHERE library_id = $1 AND user_id = $2`, one["id"], who.id).Scan(&role); err == nil {
				one["currentUserRole"], one["canManageUsers"] = role, role == "admin" && one["isDefault"] == false
			}
		}
	}
	return answer{body: list}, nil
}

func (p *process) one(ctx context.Context, id, role string) (answer, error) {
	one, err := scanLibrary(p.pool.QueryRow(ctx, selectLibrary+`WHERE l.id = $1`, id), func(string) string { return role })
	return answer{body: one}, err
}

func (p *process) library(r *http.Request, _ user, id, role string) (answer, error) {
	return p.one(r.Context(), id, role)
}

// createLibrary takes a name and nothing else.
func (p *process) createLibrary(r *http.Request, who user) (answer, error) {
	var body struct{ Name string }
	if err := bind(r, &body); err != nil {
		return answer{}, err
	}
	if body.Name == "" {
		return answer{}, refuse(400, "name is required")
	}
	var id string
	if err := p.pool.QueryRow(r.Context(), `INSERT INTO libraries (name, owner_id) VALUES ($1, $2) RETURNING id::text`, body.Name, who.id).Scan(&id); err != nil {
		return answer{}, err
	}
	return p.one(r.Context(), id, "owner")
}

// changeLibrary queues every image again whenever a detection is set, even if it was set before (section 4).
func (p *process) changeLibrary(r *http.Request, _ user, id, role string) (answer, error) {
	var body struct {
		Name, Emoji                                                    *string
		FaceRecognitionEnabled, ObjectDetectionEnabled, SharingEnabled *bool
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil {
		return answer{}, refuse(400, "Invalid request body")
	}
	if body.Name == nil && body.Emoji == nil && body.FaceRecognitionEnabled == nil && body.ObjectDetectionEnabled == nil && body.SharingEnabled == nil {
		return answer{}, refuse(400, "No fields to update")
	}
	for _, flag := range []*bool{body.FaceRecognitionEnabled, body.ObjectDetectionEnabled} {
		if flag != nil && *flag {
			p.Server.mu.Lock()
			p.requeued++
			p.Server.mu.Unlock()
		}
	}
	_, err := p.pool.Exec(r.Context(), `UPDATE libraries SET name = coalesce($2, name), emoji = CASE WHEN $3::text IS NULL THEN emoji ELSE nullif($3, '') END,
		face_recognition_enabled = coalesce($4, face_recognition_enabled), object_detection_enabled = coalesce($5, object_detection_enabled),
		sharing_enabled = coalesce($6, sharing_enabled), updated_at = now() WHERE id = $1`,
		id, body.Name, body.Emoji, body.FaceRecognitionEnabled, body.ObjectDetectionEnabled, body.SharingEnabled)
	if err != nil {
		return answer{}, err
	}
	return p.one(r.Context(), id, role)
}

// deleteLibrary leaves the rows of members and links behind (section 4).
func (p *process) deleteLibrary(r *http.Request, _ user, id, role string) (answer, error) {
	if role != "owner" {
		return answer{}, refuse(403, "Only the library owner can delete it")
	}
	var personal, full bool
	err := p.pool.QueryRow(r.Context(), `SELECT is_default, EXISTS (SELECT 1 FROM files WHERE library_id = $1) FROM libraries WHERE id = $1`, id).Scan(&personal, &full)
	switch {
	case err != nil:
		return answer{}, err
	case personal:
		return answer{}, refuse(400, "Cannot delete your default library")
	case full:
		return answer{}, refuse(400, "Library must be empty before it can be deleted")
	}
	_, err = p.pool.Exec(r.Context(), `DELETE FROM libraries WHERE id = $1`, id)
	return answer{body: object{"success": true}}, err
}

func (p *process) members(r *http.Request, _ user, id, role string) (answer, error) {
	members, err := p.memberList(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	links := []object{}
	if role != "viewer" {
		if links, err = p.linkList(r.Context(), id); err != nil {
			return answer{}, err
		}
	}
	return answer{body: object{"libraryId": id, "canManageUsers": role != "viewer", "members": members, "inviteLinks": links}}, nil
}

// memberList hides an error of its second query: then there is only the owner in it (section 9).
func (p *process) memberList(ctx context.Context, id string) ([]object, error) {
	query := `SELECT '', u.id::text, 'owner', TIMESTAMPTZ '0001-01-01', u.email, u.display_name, true FROM libraries l JOIN users u ON u.id = l.owner_id WHERE l.id = $1`
	if !p.hides("members") {
		query += ` UNION ALL (SELECT m.id::text, u.id::text, m.role, m.created_at, u.email, u.display_name, false
			FROM library_members m JOIN users u ON u.id = m.user_id WHERE m.library_id = $1 ORDER BY m.created_at)`
	}
	rows, err := p.pool.Query(ctx, query, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	members := []object{}
	for rows.Next() {
		var membership, role string
		var who user
		var created time.Time
		var owner bool
		if err := rows.Scan(&membership, &who.id, &role, &created, &who.email, &who.name, &owner); err != nil {
			return nil, err
		}
		members = append(members, object{
			"id": membership, "userId": who.id, "role": role, "isOwner": owner, "createdAt": created,
			"user": object{"id": who.id, "email": who.email, "displayName": who.name, "avatarUrl": nil},
		})
	}
	return members, rows.Err()
}

func (p *process) changeMember(r *http.Request, _ user, id, _ string) (answer, error) {
	var body struct{ Role string }
	if err := bind(r, &body); err != nil {
		return answer{}, err
	}
	if body.Role != "admin" && body.Role != "viewer" {
		return answer{}, refuse(400, "role is invalid")
	}
	return p.touched(r, `UPDATE library_members SET role = $3, updated_at = now() WHERE library_id = $1 AND user_id = $2`, "Member not found", id, r.PathValue("user"), body.Role)
}

func (p *process) removeMember(r *http.Request, who user, id, _ string) (answer, error) {
	if r.PathValue("user") == who.id {
		return answer{}, refuse(400, "Cannot remove yourself from the library")
	}
	return p.touched(r, `DELETE FROM library_members WHERE library_id = $1 AND user_id = $2`, "Member not found", id, r.PathValue("user"))
}

// touched runs a statement that must touch a row; its second argument is an id of the path.
func (p *process) touched(r *http.Request, statement, missing string, args ...any) (answer, error) {
	if uuid.Validate(args[1].(string)) != nil {
		return answer{}, refuse(404, missing)
	}
	tag, err := p.pool.Exec(r.Context(), statement, args...)
	if err == nil && tag.RowsAffected() == 0 {
		err = refuse(404, missing)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		err = refuse(404, missing)
	}
	return answer{body: object{"ok": true}}, err
}
