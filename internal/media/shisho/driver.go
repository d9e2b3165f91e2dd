// Package shisho is the driver of Shisho, a server for books, comics and audiobooks.
//
// Credentials are username and password of an account that may read and write users and libraries and sees all
// libraries; the built-in role admin with all-library access is such. There are no tokens.
//
// # The placeholder library
//
// Shisho shows every list to an account that was granted no library at all (contract, section 6), also when the last
// library that it was granted is deleted, or when a change of its grants fails in the middle (section 4). So this
// driver never leaves an account without a grant: beside its libraries, each account that does not see all of them is
// granted an empty library, the placeholder, first in the list. "No library" is a grant on the placeholder alone.
// It is known by its name and its path together, and no caller ever sees it. Its path is a directory of the operating
// system in which nobody can keep a book.
//
// An account that has no grant (made by hand, say) is told as one that sees every list, which is what it does: it
// differs from whatever it should see, and so is repaired.
package shisho

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	// longestCall is more than two of the server's longest waits, 31 seconds each (contract, section 1).
	longestCall = 90 * time.Second
	// concurrency is low, since the server does one thing at a time with its database (contract, section 1).
	concurrency = 2
	// minPassword and maxPassword: fewer bytes are refused, with more the server fails (contract, section 4).
	minPassword, maxPassword = 8, 72
	// ownPasswordTriedAfter is how long a sign-in of Usher's own account says that its password is still good.
	ownPasswordTriedAfter = time.Minute
	// listLimit is room for some twenty thousand accounts, which come in one answer.
	listLimit = 32 << 20
)

const (
	loginPath  = "/auth/login"
	setupPath  = "/auth/setup"
	statusPath = "/auth/status"
	mePath     = "/auth/me"
	cookieName = "shisho_session"
)

// Driver speaks to one Shisho server. It is safe for use by many goroutines.
type Driver struct {
	client      *wire.Client
	session     *wire.Session
	credentials media.Credentials
	shelves     shelves

	mu   sync.Mutex
	self int
	// signedIn is when the own credentials were last good for a sign-in.
	signedIn time.Time
}

var (
	_ media.Open           = Open
	_ media.Driver         = (*Driver)(nil)
	_ media.Bootstrapper   = (*Driver)(nil)
	_ media.Authenticator  = (*Driver)(nil)
	_ media.Disabler       = (*Driver)(nil)
	_ media.LibraryDeleter = (*Driver)(nil)
	_ media.LibraryLister  = (*Driver)(nil)
	_ media.Guardian       = (*Driver)(nil)
)

// Open makes a driver and does no I/O. It answers Invalid for a URL or CA that can never work, and for credentials
// without a username and a password. The URL's path is kept: the official image has its API below /api.
func Open(config media.Config) (media.Driver, error) {
	if config.Credentials.Username == "" || config.Credentials.Password == "" {
		return nil, media.Errorf(media.Invalid, "the credentials need a username and a password: Shisho has no tokens for machines")
	}
	d := &Driver{credentials: config.Credentials, shelves: newShelves()}
	d.session = wire.NewSession(d.signIn)
	client, err := wire.New(config, wire.Options{
		Server:  "a Shisho server (whose API is below /api in the official image)",
		Session: d.session, Authorize: authorize, Classify: classify, ListLimit: listLimit,
	})
	if err != nil {
		return nil, err
	}
	d.client = client
	return d, nil
}

// Traits returns the server's facts: it folds the letters A to Z and no others. Its ids are counted, so that an older
// database gives them out again.
func (d *Driver) Traits() media.Traits {
	return media.Traits{
		FoldUsername: fold.ASCII, FoldEmail: fold.ASCII,
		LongestCall: longestCall, Concurrency: concurrency, MinPassword: minPassword, MaxPassword: maxPassword,
		MinPasswordCharacters: minPassword, MinUsername: minUsername, MaxUsername: maxUsername,
	}
}

// Close ends the connections. Sessions cannot be ended on the server (contract, section 2).
func (d *Driver) Close() error { return d.client.Close() }

// authorize shows the token in the cookie, by hand: a jar would keep back a cookie marked Secure.
func authorize(header http.Header, token string) {
	header.Set("Cookie", cookieName+"="+token)
}

// signIn gets the session's token and notes whose it is.
func (d *Driver) signIn(ctx context.Context) (wire.Token, error) {
	var in person
	token, err := d.enter(ctx, loginPath, d.credentials, &in)
	if err == nil {
		d.become(in.ID)
	}
	return token, err
}

// enter signs in, or sets up the server, and returns the token in the answer's cookie.
func (d *Driver) enter(ctx context.Context, path string, as media.Credentials, into *person) (wire.Token, error) {
	body := map[string]string{"username": as.Username, "password": as.Password}
	call := wire.Call{Method: http.MethodPost, Path: path, Anonymous: true, Body: body, Into: into}
	switch {
	case path == setupPath:
		if as.Email != "" {
			body["email"] = as.Email
		}
	case acceptable(as.Username, as.Password) != nil:
		// The server would say that the request is wrong, which is not what the caller asks.
		return wire.Token{}, media.Errorf(media.Unauthenticated, "nobody has such a username or password: one is too short or too long")
	default:
		call.Harmless = true
	}
	answer, err := d.client.Do(ctx, call)
	if err != nil {
		return wire.Token{}, err
	}
	for _, cookie := range (&http.Response{Header: answer.Header}).Cookies() {
		if cookie.Name == cookieName && cookie.Value != "" {
			return wire.Token{Value: cookie.Value, Expires: expiry(cookie.Value)}, nil
		}
	}
	return wire.Token{}, media.Errorf(media.Unavailable, "POST %s: the answer has no session cookie", path)
}

// expiry reads when a token ends from its claims; the zero time where it does not say. Nothing is believed but that.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	var claims struct {
		Exp int64 `json:"exp"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil || claims.Exp <= 0 {
		return time.Time{}
	}
	return time.Unix(claims.Exp, 0)
}

func (d *Driver) become(id int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.self, d.signedIn = id, time.Now()
}

// refuseSelf answers Conflict for the account that Usher uses: the server lets an account demote or deactivate itself,
// and keeps no last administrator (contract, section 4).
func (d *Driver) refuseSelf(ctx context.Context, id int) error {
	if _, err := d.session.Token(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.self == id {
		return media.Errorf(media.Conflict, "the account that Usher itself uses is never changed")
	}
	return nil
}

// get reads one object.
func (d *Driver) get(ctx context.Context, path string, into any, args ...string) error {
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: path, Args: args, Into: into})
	return err
}
