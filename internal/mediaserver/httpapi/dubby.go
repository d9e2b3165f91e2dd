package httpapi

import (
	"context"
	"net/http"
	"time"
)

// EmailUser is a user in the shape of Dubby's own sign-in, which says name for the display name.
type EmailUser struct {
	User
	Name string `json:"name"`
}

// EmailSignedIn is the answer to Dubby's sign-in (Dubby contract, section 3).
type EmailSignedIn struct {
	Redirect bool      `json:"redirect"`
	Token    string    `json:"token"`
	User     EmailUser `json:"user"`
}

// EmailSignedOut is the answer to Dubby's sign-out.
type EmailSignedOut struct {
	Success bool `json:"success"`
}

// EmailSession is who is signed in, in Dubby's shape.
type EmailSession struct {
	Session EmailSessionEnd `json:"session"`
	User    EmailUser       `json:"user"`
}

// EmailSessionEnd is a session without its token, which nobody is told again.
type EmailSessionEnd struct {
	ID        string    `json:"id"`
	UserID    string    `json:"userId"`
	ExpiresAt time.Time `json:"expiresAt"`
}

type emailCredentials struct {
	Body struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
}

// dubbyRoutes are the calls of Dubby outside of /v1 (Dubby contract, section 3), so that what speaks to Dubby signs in
// and out here, too.
func (a *api) dubbyRoutes() {
	add(a, route{method: http.MethodPost, path: "/api/auth/sign-in/email", id: "sign-in-email", tag: "dubby", public: true,
		summary: "Sign in with a mail address, answered in Dubby's shape"}, a.signInEmail)
	add(a, route{method: http.MethodPost, path: "/api/auth/sign-out", id: "sign-out-email", tag: "dubby", beforeChange: true,
		summary: "End this session, answered in Dubby's shape"}, a.signOutEmail)
	add(a, route{method: http.MethodGet, path: "/api/auth/get-session", id: "get-session-email", tag: "dubby", public: true,
		greets: true, summary: "Who is signed in, in Dubby's shape; null for strangers"}, a.getSessionEmail)
}

func (a *api) signInEmail(ctx context.Context, in *emailCredentials) (*body[EmailSignedIn], error) {
	session, err := a.checkAndStart(ctx, in.Body.Email, in.Body.Password, true)
	if err != nil {
		return nil, err
	}
	return &body[EmailSignedIn]{Body: EmailSignedIn{Token: session.Body.Token, User: emailUser(session.Body.User)}}, nil
}

func emailUser(user User) EmailUser { return EmailUser{User: user, Name: user.DisplayName} }

func (a *api) signOutEmail(ctx context.Context, _ *none) (*body[EmailSignedOut], error) {
	_, err := a.signOut(ctx, nil)
	return &body[EmailSignedOut]{Body: EmailSignedOut{Success: true}}, err
}

// getSessionEmail answers null to whoever is not signed in, as the library that Dubby uses does.
func (a *api) getSessionEmail(ctx context.Context, _ *none) (*body[*EmailSession], error) {
	who := knownCaller(ctx)
	if who == nil {
		return &body[*EmailSession]{}, nil
	}
	got, err := a.getSession(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &body[*EmailSession]{Body: &EmailSession{
		Session: EmailSessionEnd{ID: who.session.ID, UserID: who.account.ID, ExpiresAt: got.Body.ExpiresAt},
		User:    emailUser(got.Body.User),
	}}, nil
}
