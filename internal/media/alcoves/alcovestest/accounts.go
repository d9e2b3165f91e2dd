package alcovestest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// registration is the body of a sign-up.
type registration struct {
	Name        string `json:"name"`
	Email       string `json:"email"`
	Password    string `json:"password"`
	InviteToken string `json:"inviteToken"`
}

func (b *registration) check() error {
	b.Email = strings.ToLower(b.Email)
	local, domain, _ := strings.Cut(b.Email, "@")
	switch {
	case b.Name == "":
		return refuse(400, "name is required")
	case local == "" || !strings.Contains(domain, ".") || strings.ContainsAny(b.Email, " \t"):
		return refuse(400, "Invalid email address")
	case len(b.Password) < 8:
		return refuse(400, "password must be at least 8 characters")
	}
	return nil
}

func (p *process) signUp(r *http.Request) (answer, error) {
	var body registration
	if err := bind(r, &body); err != nil {
		return answer{}, err
	}
	if err := body.check(); err != nil {
		return answer{}, err
	}
	switch {
	case p.mode() == "closed":
		return answer{}, refuse(403, "Registration is disabled")
	case body.InviteToken != "":
		if _, err := p.redeemable(r.Context(), body.InviteToken); err != nil {
			return answer{}, refuse(403, "Invite is not valid: "+err.Error())
		}
	case p.mode() == "invite_only":
		return answer{}, refuse(403, "Registration requires an invite")
	}
	who, err := p.register(r.Context(), body)
	if err != nil {
		return answer{}, err
	}
	if body.InviteToken != "" {
		if err := p.redeemAtSignUp(r.Context(), body.InviteToken, who); err != nil {
			return answer{}, refuse(500, "Account created but invite redemption failed: "+err.Error())
		}
	}
	token, err := p.session(r, who)
	return answer{body: who.object(), cookie: token}, err
}

func (p *process) redeemAtSignUp(ctx context.Context, token string, who user) error {
	p.Server.mu.Lock()
	fails := p.unredeemed > 0
	if fails {
		p.unredeemed--
	}
	p.Server.mu.Unlock()
	if fails {
		return errors.New("database is busy")
	}
	found, err := p.redeemable(ctx, token)
	if err == nil {
		_, err = p.redeem(ctx, found, who)
	}
	return err
}

// register is one transaction: user, account and personal library. The first user owns the instance.
func (s *Server) register(ctx context.Context, body registration) (user, error) {
	hashed, err := hash(body.Password)
	if err != nil {
		return user{}, err // longer than 72 bytes
	}
	who := user{email: body.Email, name: body.Name}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO users (email, display_name, password_hash, role)
			VALUES ($1, $2, $3, CASE WHEN EXISTS (SELECT 1 FROM users) THEN 'member' ELSE 'owner' END) RETURNING id::text, role`,
			body.Email, body.Name, hashed).Scan(&who.id, &who.role)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO accounts (user_id, provider, provider_account_id) VALUES ($1, 'credentials', $2)`, who.id, body.Email); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO libraries (name, is_default, owner_id) VALUES ('My Library', true, $1)`, who.id)
		return err
	})
	var failed *pgconn.PgError
	if errors.As(err, &failed) && failed.Code == "23505" {
		return user{}, refuse(409, "Email already registered")
	}
	return who, err
}

func (p *process) signIn(r *http.Request) (answer, error) {
	var body registration
	if err := bind(r, &body); err != nil {
		return answer{}, err
	}
	body.Name = "-"
	if err := body.check(); err != nil {
		return answer{}, err
	}
	var who user
	var hashed *string
	err := p.pool.QueryRow(r.Context(), `SELECT id::text, email, display_name, role, password_hash FROM users WHERE email = $1`, body.Email).
		Scan(&who.id, &who.email, &who.name, &who.role, &hashed)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return answer{}, err
	}
	if err != nil || hashed == nil || !fits(*hashed, body.Password) {
		return answer{}, refuse(401, "Invalid email or password")
	}
	token, err := p.session(r, who)
	return answer{body: who.object(), cookie: token}, err
}

func (p *process) session(r *http.Request, who user) (string, error) {
	token := rand.Text()
	_, err := p.pool.Exec(r.Context(), `INSERT INTO sessions (user_id, session_token, user_agent, expires_at) VALUES ($1, $2, $3, $4)`,
		who.id, token, r.UserAgent(), time.Now().Add(30*24*time.Hour))
	return token, err
}

func (p *process) signOut(r *http.Request) (answer, error) {
	cookie, err := r.Cookie("alcoves-session")
	if err == nil {
		_, err = p.pool.Exec(r.Context(), `DELETE FROM sessions WHERE session_token = $1`, cookie.Value)
	}
	if errors.Is(err, http.ErrNoCookie) {
		err = nil
	}
	return answer{body: object{"ok": true}}, err
}

func (p *process) makeToken(r *http.Request, who user) (answer, error) {
	var body struct{ Name string }
	if err := bind(r, &body); err != nil {
		return answer{}, err
	}
	if body.Name == "" {
		return answer{}, refuse(400, "name is required")
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	token := "alc_pat_" + base64.RawURLEncoding.EncodeToString(secret)
	sum := sha256.Sum256([]byte(token))
	var id string
	err := p.pool.QueryRow(r.Context(), `INSERT INTO personal_access_tokens (user_id, token_hash, name) VALUES ($1, $2, $3) RETURNING id::text`,
		who.id, hex.EncodeToString(sum[:]), body.Name).Scan(&id)
	return answer{status: 201, body: object{"id": id, "name": body.Name, "token": token, "lastUsedAt": nil, "expiresAt": nil, "createdAt": time.Now()}}, err
}
