package httpapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// SignedIn is the answer to a sign-in.
type SignedIn struct {
	Token     string    `json:"token" doc:"Send it as: Authorization: Bearer TOKEN"`
	ExpiresAt time.Time `json:"expiresAt"`
	User      User      `json:"user"`
}

// Session is who is signed in and until when.
type Session struct {
	User      User      `json:"user"`
	ExpiresAt time.Time `json:"expiresAt"`
	// OpenReferencedInvites tells who keeps invites elsewhere that there is something to list.
	OpenReferencedInvites *int `json:"openReferencedInvites,omitempty" doc:"How many invites with a reference are neither revoked nor held; only for who may invite"`
}

type (
	registration struct {
		Body struct {
			Username    string       `json:"username" minLength:"1" maxLength:"64"`
			Email       OptionalText `json:"email,omitempty"`
			DisplayName OptionalText `json:"displayName,omitempty" doc:"Absent: the username"`
			Password    string       `json:"password" minLength:"8" maxLength:"128"`
			InviteCode  OptionalText `json:"inviteCode,omitempty" doc:"Gives the account the invite's role and libraries"`
		}
	}
	credentials struct {
		Body struct {
			Login    string `json:"login" doc:"Username or mail address, in any letter case"`
			Password string `json:"password"`
		}
	}
)

func (a *api) sessionRoutes() {
	add(a, route{method: http.MethodPost, path: "/v1/auth/register", id: "register", tag: "auth", public: true,
		status: http.StatusCreated, summary: "Make an account for oneself; the first one becomes the owner"}, a.register)
	add(a, route{method: http.MethodPost, path: "/v1/auth/sign-in", id: "sign-in", tag: "auth", public: true,
		summary: "Sign in with a username or mail address"}, a.signIn)
	add(a, route{method: http.MethodPost, path: "/v1/auth/sign-out", id: "sign-out", tag: "auth", beforeChange: true,
		status: http.StatusNoContent, summary: "End this session"}, a.signOut)
	add(a, route{method: http.MethodGet, path: "/v1/auth/session", id: "get-session", tag: "auth", beforeChange: true,
		summary: "Who is signed in"}, a.getSession)
	add(a, route{method: http.MethodPost, path: "/v1/auth/password", id: "change-password", tag: "auth", beforeChange: true,
		status: http.StatusNoContent, summary: "Change one's own password and end one's other sessions"}, a.changePassword)
	sessions := route{path: "/v1/auth/sessions", tag: "auth"}
	add(a, sessions.with(http.MethodGet, "list-sessions", "Where one is signed in", 0), a.listSessions)
	add(a, sessions.with(http.MethodDelete, "end-other-sessions", "End one's other sessions", http.StatusNoContent), a.endOtherSessions)
	sessions.path += "/{id}"
	add(a, sessions.with(http.MethodDelete, "end-session", "End one of one's sessions", http.StatusNoContent), a.endSession)
	profile := route{path: "/v1/auth/profile", tag: "auth", needs: rules.ManageOwnProfile}
	add(a, profile.with(http.MethodPatch, "update-profile", "Change one's own display name and mail address", 0), a.patchProfile)
}

func (a *api) register(ctx context.Context, in *registration) (*body[SignedIn], error) {
	account := newAccount(in.Body.Username, in.Body.Email.Value, in.Body.DisplayName.Value)
	if err := a.enroll(ctx, account, in.Body.Password, codeHash(in.Body.InviteCode.Value)); err != nil {
		return nil, err
	}
	return a.startSession(ctx, account)
}

// enroll makes the account for a stranger, with the invite whose code has that hash, or without one.
func (a *api) enroll(ctx context.Context, account *store.Account, password, codeHash string) error {
	if err := a.limits.allow(ctx); err != nil {
		return err
	}
	if err := a.store.Admit(ctx, account, codeHash); err != nil {
		return err
	}
	if err := checkAccount(account, password).Err(); err != nil {
		return err
	}
	hash, err := a.hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	account.PasswordHash = hash
	return a.store.Register(ctx, account, codeHash)
}

func (a *api) signIn(ctx context.Context, in *credentials) (*body[SignedIn], error) {
	return a.checkAndStart(ctx, in.Body.Login, in.Body.Password, false)
}

func (a *api) checkAndStart(
	ctx context.Context, login, password string, emailOnly bool,
) (*body[SignedIn], error) {
	account, err := a.checkCredentials(ctx, login, password, emailOnly)
	if err != nil {
		return nil, err
	}
	return a.startSession(ctx, account)
}

// checkCredentials returns the account that login and password belong to. A wrong password, an unknown login and a
// disabled account get the same answer after the same work.
func (a *api) checkCredentials(
	ctx context.Context, login, password string, emailOnly bool,
) (*store.Account, error) {
	if err := a.limits.allow(ctx); err != nil {
		return nil, err
	}
	account, err := a.store.AccountByLogin(ctx, login, emailOnly)
	if errors.Is(err, store.ErrAccountNotFound) {
		account, err = new(store.Account), nil
	}
	if err != nil {
		return nil, err
	}
	// An account's name and address share their tries.
	tried := cmp.Or(account.ID, "login "+rules.Fold(login))
	if err := a.limits.allowAccount(ctx, tried); err != nil {
		return nil, err
	}
	match, err := a.hasher.Matches(ctx, password, account.PasswordHash)
	if err != nil {
		return nil, err
	}
	if !match || account.Disabled {
		if err := a.store.NoteFailedSignIn(ctx, account); err != nil {
			return nil, err
		}
		return nil, newProblem(http.StatusUnauthorized, textBadLogin)
	}
	return account, nil
}

func (a *api) startSession(ctx context.Context, account *store.Account) (*body[SignedIn], error) {
	token, now := auth.NewToken(), a.now()
	session := &store.Session{
		TokenHash: auth.TokenHash(token), ID: auth.NewID(), AccountID: account.ID, Client: clientOf(ctx), Network: network(clientOf(ctx)),
		CreatedAt: store.At(now), ExpiresAt: store.At(now.Add(sessionLife)),
	}
	err := a.store.StartSession(ctx, session, account.PasswordHash)
	if errors.Is(err, store.ErrCredentialsChanged) {
		return nil, newProblem(http.StatusUnauthorized, textBadLogin)
	}
	if err != nil {
		return nil, err
	}
	account, err = a.store.Account(ctx, account.ID)
	if err != nil {
		return nil, err
	}
	return &body[SignedIn]{Body: SignedIn{
		Token: token, ExpiresAt: session.ExpiresAt.Time(), User: userView(account),
	}}, nil
}

func (a *api) signOut(ctx context.Context, _ *none) (*none, error) {
	who := callerOf(ctx)
	err := a.store.EndSession(ctx, who.account, who.session.ID)
	if errors.Is(err, store.ErrSessionNotFound) {
		err = nil
	}
	return nil, err
}

func (a *api) getSession(ctx context.Context, _ *none) (*body[Session], error) {
	who := callerOf(ctx)
	account, err := a.store.Account(ctx, who.account.ID)
	if err != nil {
		return nil, err
	}
	session := Session{User: userView(account), ExpiresAt: who.session.ExpiresAt.Time()}
	if who.account.Actor().Can(rules.InviteUsers) {
		open, err := a.store.OpenReferencedInvites(ctx)
		if err != nil {
			return nil, err
		}
		session.OpenReferencedInvites = &open
	}
	return &body[Session]{Body: session}, nil
}
