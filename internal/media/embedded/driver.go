// Package embedded is the driver of the embedded media server (cmd/mediaserver), which it knows only by its HTTP
// interface: the paths below /v1 that its OpenAPI document describes.
//
// Credentials are username (or email) and password of an account that administers the server, or a token. With a
// password the driver signs in when it needs to, keeps the token in memory and can make a brand-new server's first
// account. With a token it can do neither: once the token has ended, every call is Unauthenticated.
package embedded

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	// longestCall covers a list of some ten thousand accounts, and a password hashed while many others are.
	longestCall = 30 * time.Second
	// concurrency is more than one SQLite writer can use, so that reads and hashing go on beside it.
	concurrency = 8
	// minPassword and maxPassword are the server's bounds. It counts characters and Traits counts bytes: what has at
	// most 128 bytes has at most 128 characters.
	minPassword, maxPassword = 8, 128
)

// Driver speaks to one embedded media server. It is safe for use by many goroutines.
type Driver struct {
	client      *wire.Client
	session     *wire.Session
	credentials media.Credentials
}

var (
	_ media.Open           = Open
	_ media.Driver         = (*Driver)(nil)
	_ media.Bootstrapper   = (*Driver)(nil)
	_ media.Registrar      = (*Driver)(nil)
	_ media.Authenticator  = (*Driver)(nil)
	_ media.Disabler       = (*Driver)(nil)
	_ media.AccountDeleter = (*Driver)(nil)
	_ media.LibraryDeleter = (*Driver)(nil)
	_ media.Inviter        = (*Driver)(nil)
)

// Open makes a driver and does no I/O. It answers Invalid for a URL or CA that can never work, and for credentials
// that hold neither a token nor a username (or email) with its password. A password comes before a token.
func Open(config media.Config) (media.Driver, error) {
	d := &Driver{credentials: config.Credentials}
	switch {
	case d.login() != "" && d.credentials.Password != "":
		d.session = wire.NewSession(d.signIn)
	case d.credentials.Token != "":
		d.session = wire.FixedToken(d.credentials.Token)
	default:
		return nil, media.Errorf(media.Invalid, "the credentials need a username and a password, or a token")
	}
	client, err := wire.New(config, wire.Options{
		Server: "an Embedded media server", Session: d.session, Classify: classify,
	})
	if err != nil {
		return nil, err
	}
	d.client = client
	return d, nil
}

// Traits returns the server's facts: names and mail addresses meet in any letter case of any alphabet.
func (d *Driver) Traits() media.Traits {
	return media.Traits{
		FoldUsername: fold.Unicode, FoldEmail: fold.Unicode,
		AccountIDsNeverReused: true, LibraryIDsNeverReused: true, // random
		LongestCall: longestCall, Concurrency: concurrency, MinPassword: minPassword, MaxPassword: maxPassword,
	}
}

// Close ends the connections. The session on the server ends by itself: signing out could block.
func (d *Driver) Close() error { return d.client.Close() }

// login is what the account signs in with.
func (d *Driver) login() string {
	if d.credentials.Username != "" {
		return d.credentials.Username
	}
	return d.credentials.Email
}

// signIn gets the session's token.
func (d *Driver) signIn(ctx context.Context) (wire.Token, error) {
	var in signedIn
	err := d.trySignIn(ctx, d.login(), d.credentials.Password, &in)
	return in.token(), err
}

func (d *Driver) trySignIn(ctx context.Context, login, password string, into *signedIn) error {
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: "/v1/auth/sign-in", Anonymous: true, Harmless: true,
		Body: map[string]string{"login": login, "password": password}, Into: into,
	})
	return err
}

// get reads one object.
func (d *Driver) get(ctx context.Context, path string, into any, args ...string) error {
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: path, Args: args, Into: into})
	return err
}

// remove deletes one object.
func (d *Driver) remove(ctx context.Context, path, id string) error {
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodDelete, Path: path, Args: []string{id}, Want: http.StatusNoContent,
	})
	return err
}
