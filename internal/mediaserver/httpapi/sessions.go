package httpapi

import (
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
}

// EmailUser is a user in the shape of Dubby's sign-in.
type EmailUser struct {
	User
	Name string `json:"name"`
}

// EmailSignedIn is the answer to Dubby's sign-in (contract, section 3).
type EmailSignedIn struct {
	Redirect bool      `json:"redirect"`
	Token    string    `json:"token"`
	User     EmailUser `json:"user"`
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
	emailCredentials struct {
		Body struct {
			Email    string `json:"email"`
			Password string `json:"password"`
		}
	}
	passwordChange struct {
		Body struct {
			CurrentPassword string `json:"currentPassword,omitempty" doc:"Not needed when the password must be changed"`
			NewPassword     string `json:"newPassword" minLength:"8" maxLength:"128"`
		}
	}
)

func (a *api) sessionRoutes() {
	add(a, route{method: http.MethodPost, path: "/v1/auth/register", id: "register", tag: "auth", public: true,
		status: http.StatusCreated, summary: "Make an account for oneself; the first one becomes the owner"}, a.register)
	add(a, route{method: http.MethodPost, path: "/v1/auth/sign-in", id: "sign-in", tag: "auth", public: true,
		summary: "Sign in with a username or mail address"}, a.signIn)
	add(a, route{method: http.MethodPost, path: "/api/auth/sign-in/email", id: "sign-in-email", tag: "auth", public: true,
		summary: "Sign in with a mail address, answered in Dubby's shape"}, a.signInEmail)
	add(a, route{method: http.MethodPost, path: "/v1/auth/sign-out", id: "sign-out", tag: "auth", beforeChange: true,
		status: http.StatusNoContent, summary: "End this session"}, a.signOut)
	add(a, route{method: http.MethodGet, path: "/v1/auth/session", id: "get-session", tag: "auth", beforeChange: true,
		summary: "Who is signed in"}, a.getSession)
	add(a, route{method: http.MethodPost, path: "/v1/auth/password", id: "change-password", tag: "auth", beforeChange: true,
		status: http.StatusNoContent, summary: "Change one's own password and end one's other sessions"}, a.changePassword)
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
	if err := a.limits.allow(clientOf(ctx), ""); err != nil {
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

func (a *api) signInEmail(ctx context.Context, in *emailCredentials) (*body[EmailSignedIn], error) {
	session, err := a.checkAndStart(ctx, in.Body.Email, in.Body.Password, true)
	if err != nil {
		return nil, err
	}
	user := session.Body.User
	return &body[EmailSignedIn]{Body: EmailSignedIn{
		Token: session.Body.Token, User: EmailUser{User: user, Name: user.DisplayName},
	}}, nil
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
	if err := a.limits.allow(clientOf(ctx), rules.Fold(login)); err != nil {
		return nil, err
	}
	account, err := a.store.AccountByLogin(ctx, login, emailOnly)
	if errors.Is(err, store.ErrAccountNotFound) {
		account, err = new(store.Account), nil
	}
	if err != nil {
		return nil, err
	}
	match, err := a.hasher.Matches(ctx, password, account.PasswordHash)
	if err != nil {
		return nil, err
	}
	if !match || account.Disabled {
		return nil, newProblem(http.StatusUnauthorized, textBadLogin)
	}
	return account, nil
}

func (a *api) startSession(ctx context.Context, account *store.Account) (*body[SignedIn], error) {
	token, now := auth.NewToken(), a.now()
	session := &store.Session{
		TokenHash: auth.TokenHash(token), AccountID: account.ID,
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
	return nil, a.store.EndSession(ctx, callerOf(ctx).session.TokenHash)
}

func (a *api) getSession(ctx context.Context, _ *none) (*body[Session], error) {
	who := callerOf(ctx)
	account, err := a.store.Account(ctx, who.account.ID)
	if err != nil {
		return nil, err
	}
	return &body[Session]{Body: Session{User: userView(account), ExpiresAt: who.session.ExpiresAt.Time()}}, nil
}

func (a *api) changePassword(ctx context.Context, in *passwordChange) (*none, error) {
	who := callerOf(ctx)
	if err := a.limits.allow(clientOf(ctx), who.account.UsernameFolded); err != nil {
		return nil, err
	}
	if err := a.checkPasswordChange(ctx, who.account, in); err != nil {
		return nil, err
	}
	hash, err := a.hasher.Hash(ctx, in.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	unchanged := func(account *store.Account) error {
		if account.PasswordHash != who.account.PasswordHash {
			return store.ErrNoSession
		}
		return nil
	}
	return nil, a.store.SetPassword(ctx, who.account.ID, hash, false, who.session.TokenHash, unchanged)
}

// checkPasswordChange asks for the current password, or, where it must be changed, for one that differs from it
// (Shisho seed: "that forced-reset form only asks for the new password").
func (a *api) checkPasswordChange(ctx context.Context, account *store.Account, in *passwordChange) error {
	proof := in.Body.CurrentPassword
	if account.MustChangePassword {
		proof = in.Body.NewPassword
	}
	match, err := a.hasher.Matches(ctx, proof, account.PasswordHash)
	switch {
	case err != nil:
		return err
	case account.MustChangePassword && match:
		return invalidField("newPassword", "must differ from the present password")
	case !account.MustChangePassword && !match:
		return invalidField("currentPassword", "is not the present password")
	}
	return invalidField("newPassword", rules.CheckPassword(in.Body.NewPassword))
}
