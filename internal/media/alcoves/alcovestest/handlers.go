package alcovestest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// answer is what goes back.
type answer struct {
	status int
	cookie string
	body   any
}

type object = map[string]any

// refusal is an error in Echo's envelope.
type refusal struct {
	status int
	text   string
}

// Error implements error.
func (r refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.text) }

func refuse(status int, text string) error { return refusal{status, text} }

// user is a row of users.
type user struct{ id, email, name, role string }

func (u user) object() object {
	return object{"id": u.id, "email": u.email, "displayName": u.name, "avatarUrl": nil, "role": u.role}
}

type (
	// public is a handler that knows nobody.
	public func(*http.Request) (answer, error)
	// private is one that knows who asks.
	private func(*http.Request, user) (answer, error)
	// shared is one of a library, in which who asks has a role.
	shared func(r *http.Request, who user, library, role string) (answer, error)
)

// ServeHTTP implements http.Handler.
func (h public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := h(r)
	if err != nil {
		var refused refusal
		if !errors.As(err, &refused) {
			refused = refusal{500, "Internal Server Error"}
		}
		a = answer{status: refused.status, body: object{"message": refused.text}}
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if a.cookie != "" {
		http.SetCookie(w, &http.Cookie{Name: "alcoves-session", Value: a.cookie, Path: "/", HttpOnly: true, MaxAge: 30 * 24 * 3600})
	}
	w.WriteHeader(max(a.status, 200))
	_ = json.NewEncoder(w).Encode(a.body)
}

// signedIn finds out who asks: by token, else by session (section 3).
func (p *process) signedIn(h private) http.Handler {
	return public(func(r *http.Request) (answer, error) {
		var who user
		query, key := "", ""
		if token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer alc_pat_"); found {
			sum := sha256.Sum256([]byte("alc_pat_" + token))
			key = hex.EncodeToString(sum[:])
			query = `personal_access_tokens k ON k.user_id = u.id WHERE k.token_hash = $1 AND (k.expires_at IS NULL OR k.expires_at > now())`
		} else if cookie, err := r.Cookie("alcoves-session"); err == nil {
			key, query = cookie.Value, `sessions k ON k.user_id = u.id WHERE k.session_token = $1 AND k.expires_at > now()`
		}
		if query == "" {
			return answer{}, refuse(401, "Unauthorized")
		}
		err := p.pool.QueryRow(r.Context(), `SELECT u.id::text, u.email, u.display_name, u.role FROM users u JOIN `+query, key).
			Scan(&who.id, &who.email, &who.name, &who.role)
		if errors.Is(err, pgx.ErrNoRows) {
			return answer{}, refuse(401, "Unauthorized")
		}
		if err != nil {
			return answer{}, err
		}
		return h(r, who)
	})
}

// shared finds out which role who asks has in a library, and hides the library from who has none (section 4).
func (p *process) shared(h shared) private {
	return func(r *http.Request, who user) (answer, error) {
		id := r.PathValue("id")
		if uuid.Validate(id) != nil {
			return answer{}, refuse(400, "Invalid library ID")
		}
		var role string
		err := p.pool.QueryRow(r.Context(), `
			SELECT CASE WHEN l.owner_id = $2::uuid THEN 'owner' ELSE m.role END
			FROM libraries l LEFT JOIN library_members m ON m.library_id = l.id AND m.user_id = $2::uuid AND NOT l.is_default
			WHERE l.id = $1::uuid AND (l.owner_id = $2::uuid OR m.id IS NOT NULL)`, id, who.id).Scan(&role)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return answer{}, refuse(404, "Library not found")
		case err != nil:
			return answer{}, err
		case r.Method != http.MethodGet && role == "viewer":
			return answer{}, refuse(403, "Only library admins can perform this action")
		}
		return h(r, who, id, role)
	}
}

// bind reads a body as Echo does (section 2).
func bind(r *http.Request, into any) error {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if len(text) == 0 {
		return nil
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || json.Unmarshal(text, into) != nil {
		return refuse(400, "Invalid request body")
	}
	return nil
}

func stamp(at time.Time) string { return at.Format("2006-01-02T15:04:05.000Z") }

func (p *process) health(*http.Request) (answer, error) {
	return answer{body: object{"status": "ok", "mode": "api"}}, nil
}

func (p *process) version(*http.Request) (answer, error) {
	return answer{body: object{"version": "0.26.1", "commit": "c0ffee", "buildTime": "", "dirty": false, "mode": "api"}}, nil
}

func (p *process) providers(*http.Request) (answer, error) {
	return answer{body: object{"google": false}}, nil
}

func (p *process) registrationMode(*http.Request) (answer, error) {
	return answer{body: object{"mode": p.mode()}}, nil
}

func (p *process) mode() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.registration
}

func (p *process) me(_ *http.Request, who user) (answer, error) {
	return answer{body: who.object()}, nil
}

// owners lets only owners of the instance in.
func owners(who user) error {
	if who.role != "owner" {
		return refuse(403, "Forbidden")
	}
	return nil
}

func (p *process) users(r *http.Request, who user) (answer, error) {
	if err := owners(who); err != nil {
		return answer{}, err
	}
	list := []object{}
	if p.hides("users") {
		return answer{body: list}, nil
	}
	rows, err := p.pool.Query(r.Context(), `SELECT id::text, email, display_name, role, created_at, updated_at FROM users ORDER BY created_at`)
	if err != nil {
		return answer{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var one user
		var created, updated time.Time
		if err := rows.Scan(&one.id, &one.email, &one.name, &one.role, &created, &updated); err != nil {
			return answer{}, err
		}
		item := one.object()
		item["createdAt"], item["updatedAt"] = created, updated
		list = append(list, item)
	}
	return answer{body: list}, rows.Err()
}

func (p *process) stats(r *http.Request, who user) (answer, error) {
	if err := owners(who); err != nil {
		return answer{}, err
	}
	var users, libraries int
	err := p.pool.QueryRow(r.Context(), `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM libraries)`).Scan(&users, &libraries)
	return answer{body: object{"users": users, "libraries": libraries, "files": 0, "folders": 0, "totalSize": 0}}, err
}

// setSettings is seen by this process and the database, and by no other process until it starts anew (section 7).
func (p *process) setSettings(r *http.Request, who user) (answer, error) {
	if err := owners(who); err != nil {
		return answer{}, err
	}
	var body struct {
		Mode string `json:"registration_mode"`
	}
	if err := bind(r, &body); err != nil {
		return answer{}, err
	}
	switch body.Mode {
	case "":
		body.Mode = p.mode()
	case "open", "invite_only", "closed":
	default:
		return answer{}, refuse(400, "invalid registration_mode")
	}
	_, err := p.pool.Exec(r.Context(), `UPDATE app_settings SET settings = jsonb_build_object('registration_mode', $1::text), updated_by = $2::uuid`, body.Mode, who.id)
	if err != nil {
		return answer{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.registration = body.Mode
	return answer{body: object{"registration_mode": body.Mode, "whisper_model": "", "whisper_language": "", "audio_detect_model": ""}}, nil
}
