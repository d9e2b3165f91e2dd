// Package dubby is the driver of Dubby (dubby.tv), by what is published of it. Numbers in comments name the sections of
// the contract that was gathered from Dubby's documentation.
//
// Documented are sign-in, libraries and the permission calls. Nothing public tells the calls for users, roles, invites
// and registration: the running server's own OpenAPI document (GET /v1/openapi.json) decides. They are looked up in it
// among a few candidates and verified field by field before the first write; what is not there, differs or is ambiguous
// is Unsupported.
//
// People sign in by email, and accounts have no other name: Account.Username is the email address. Accounts come only by
// invites (section 8): one is made by minting an invite for one person and consuming it at once. That invite carries no
// library, and never Admin: were it left behind by a crash, it would open an empty account, for an hour.
//
// Credentials are email (or username, holding the email) and password of the server's owner or of an admin, or a token.
// Each sign-in is audited there (section 9), so the driver keeps its token until the server refuses it.
package dubby

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	// longestCall covers a listing that asks for the permissions of some hundreds of libraries, one by one.
	longestCall = time.Minute
	// concurrency is small: the server is one process over SQLite and limits its callers (sections 1 and 3).
	concurrency = 4
	// minPassword and maxPassword are the server's bounds (section 3).
	minPassword, maxPassword = 8, 128
)

// Driver speaks to one Dubby server. It is safe for use by many goroutines.
type Driver struct {
	client      *wire.Client
	session     *wire.Session
	credentials media.Credentials
	// creating lets one account be made at a time: registrations are limited by address (section 3).
	creating chan struct{}

	mu   sync.Mutex
	self media.AccountID
	plan *plan
	// leftovers are invites that could not be deleted yet.
	leftovers []string
}

var (
	_ media.Open           = Open
	_ media.Driver         = (*Driver)(nil)
	_ media.Authenticator  = (*Driver)(nil)
	_ media.Disabler       = (*Driver)(nil)
	_ media.AccountDeleter = (*Driver)(nil)
	_ media.LibraryDeleter = (*Driver)(nil)
)

// Open makes a driver and does no I/O. It answers Invalid for a URL or CA that can never work, and for credentials that
// hold neither an email address with its password nor a token. A password comes before a token, which ends for good
// after seven days without use.
func Open(config media.Config) (media.Driver, error) {
	d := &Driver{credentials: config.Credentials, creating: make(chan struct{}, 1)}
	switch {
	case d.login() != "" && d.credentials.Password != "":
		d.session = wire.NewSession(d.signIn)
	case d.credentials.Token != "":
		d.session = wire.FixedToken(d.credentials.Token)
	default:
		return nil, media.Errorf(media.Invalid, "the credentials need an email address and its password, or a token")
	}
	// The transport keeps no cookies and the client sends no Origin: with either, better-auth asks for both (section 3).
	client, err := wire.New(config, wire.Options{Server: "a Dubby server", Session: d.session, Classify: classify})
	if err != nil {
		return nil, err
	}
	d.client = client
	return d, nil
}

// Traits returns the server's facts: email addresses are compared in lower case (section 7), and only ASCII ones are made.
func (d *Driver) Traits() media.Traits {
	return media.Traits{
		FoldUsername: fold.ASCII, FoldEmail: fold.ASCII, KeyedByEmail: true, NamedByEmail: true,
		AccountIDsNeverReused: true, LibraryIDsNeverReused: true, // random
		LongestCall: longestCall, Concurrency: concurrency, MinPassword: minPassword, MaxPassword: maxPassword,
	}
}

// Close ends the connections. The session on the server ends by itself: signing out could block.
func (d *Driver) Close() error { return d.client.Close() }

func (d *Driver) login() string {
	if d.credentials.Email != "" {
		return d.credentials.Email
	}
	return d.credentials.Username
}

// signIn gets the session's token, and learns whose it is.
func (d *Driver) signIn(ctx context.Context) (wire.Token, error) {
	in, err := d.trySignIn(ctx, d.login(), d.credentials.Password)
	if err != nil {
		return wire.Token{}, err
	}
	d.mu.Lock()
	d.self = media.AccountID(in.User.ID)
	d.mu.Unlock()
	return wire.Token{Value: in.Token}, nil
}

func (d *Driver) trySignIn(ctx context.Context, email, password string) (signedIn, error) {
	var in signedIn
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: "/api/auth/sign-in/email", Anonymous: true, Harmless: true, Codes: wrongServer,
		Body: map[string]string{"email": email, "password": password}, Into: &in,
	})
	return in, err
}

// whoami returns Usher's own account. With a token it asks better-auth, which answers null to one that has ended.
func (d *Driver) whoami(ctx context.Context) (media.AccountID, error) {
	if _, err := d.session.Token(ctx); err != nil {
		return "", err
	}
	d.mu.Lock()
	self := d.self
	d.mu.Unlock()
	if self != "" {
		return self, nil
	}
	var session session
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodGet, Path: "/api/auth/get-session", Into: &session, Codes: wrongServer,
	})
	switch {
	case err != nil:
		return "", err
	case session.User == nil:
		return "", media.Errorf(media.Unauthenticated, "the server refuses the token")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.self = media.AccountID(session.User.ID)
	return d.self, nil
}

// Authenticate signs in and out again.
func (d *Driver) Authenticate(ctx context.Context, username, password string) (media.AccountID, error) {
	if !emailForm.MatchString(username) || password == "" {
		return "", media.Errorf(media.Unauthenticated, "people sign in by email and password")
	}
	in, err := d.trySignIn(ctx, username, password)
	if err != nil {
		return "", err
	}
	d.signOut(ctx, in.Token)
	return media.AccountID(in.User.ID), nil
}

// signOut ends somebody's session. That it fails changes nothing about what was done: the session ends by itself.
func (d *Driver) signOut(ctx context.Context, token string) {
	if token != "" {
		_, _ = d.client.DoAs(ctx, token, wire.Call{Method: http.MethodPost, Path: "/api/auth/sign-out", Body: struct{}{}})
	}
}
