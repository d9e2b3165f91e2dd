// Package audiobookshelf is the driver of Audiobookshelf, a server for audiobooks, e-books and podcasts, from version 2.26.
//
// Credentials are an API key (Token) of an administrator who sees all libraries, tags and explicit content, or username and
// password of one: then the driver signs in, and renews the access token, which lasts an hour, by its refresh token.
//
// # What ends the server
//
// A request that the server does not expect ends its process, and some are stored before they do, so that no later start
// succeeds (contract, section 1). So every body goes through one function that checks it first (see body), no list in it is
// ever null, no scan schedule is ever sent, and an account whose stored permissions are not whole is left alone.
//
// # Who sees what
//
// The flag accessAllLibraries and the list librariesAccessible say it together, and disagree in two ways (contract, section
// 5). Without the flag and with an empty list, every library is listed, though none opens: such an account is Exposed, and
// "no library" is a list of one id that no library has. With the flag and a list, every library opens, though only those of
// the list are shown: that is told as an access that nothing wanted equals, and so is repaired.
package audiobookshelf

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
	// longestCall bounds a call: the server never answers some requests (contract, section 1).
	longestCall = 45 * time.Second
	// concurrency is low: the server is one process over SQLite.
	concurrency = 4
	// minPassword and maxPassword: an empty one is refused, and what comes after 72 bytes is ignored (contract, section 4).
	minPassword, maxPassword = 1, 72
	// listLimit is room for some twenty thousand accounts, which come in one answer.
	listLimit = 32 << 20
	// bodyLimit is room for one account, whose answer holds its progress in every book.
	bodyLimit = 16 << 20
)

const (
	statusPath    = "/status"
	initPath      = "/init"
	loginPath     = "/login"
	refreshPath   = "/auth/refresh"
	logoutPath    = "/logout"
	mePath        = "/api/me"
	usersPath     = "/api/users"
	userPath      = "/api/users/{id}"
	librariesPath = "/api/libraries"
	libraryPath   = "/api/libraries/{id}"
	itemsPath     = "/api/libraries/{id}/items"
	browsePath    = "/api/filesystem"
	openIDPath    = "/api/auth-settings"
	mailPath      = "/api/emails/settings"
	devicesPath   = "/api/emails/ereader-devices"
)

// Driver speaks to one Audiobookshelf server. It is safe for use by many goroutines.
type Driver struct {
	client      *wire.Client
	session     *wire.Session
	credentials media.Credentials
	// creating lets one account be made at a time: the server looks for the name, and makes the account a while later
	// (contract, section 4).
	creating chan struct{}

	mu   sync.Mutex
	self string
	// refresh is the session's refresh token; a secret.
	refresh string
	// known are the libraries of the last listing, so that reading one account does not need all of them.
	known map[string]bool
	// ended counts the writes to an account with which the server ended, one after the other.
	ended map[string]int
}

var (
	_ media.Open           = Open
	_ media.Driver         = (*Driver)(nil)
	_ media.Bootstrapper   = (*Driver)(nil)
	_ media.Authenticator  = (*Driver)(nil)
	_ media.Disabler       = (*Driver)(nil)
	_ media.AccountDeleter = (*Driver)(nil)
	_ media.LibraryDeleter = (*Driver)(nil)
	_ media.LibraryLister  = (*Driver)(nil)
)

// Open makes a driver and does no I/O. It answers Invalid for a URL or CA that can never work, and for credentials that
// hold neither a token nor a username with its password.
func Open(config media.Config) (media.Driver, error) {
	d := &Driver{
		credentials: config.Credentials, creating: make(chan struct{}, 1), known: map[string]bool{}, ended: map[string]int{},
	}
	switch c := config.Credentials; {
	case c.Token != "":
		d.session = wire.FixedToken(c.Token)
	case c.Username != "" && c.Password != "":
		d.session = wire.NewSession(d.signIn)
	default:
		return nil, media.Errorf(media.Invalid, "the credentials need an API key as token, or a username and a password")
	}
	client, err := wire.New(config, wire.Options{
		Server: "an Audiobookshelf server", Session: d.session, Classify: classify, ListLimit: listLimit, BodyLimit: bodyLimit,
	})
	if err != nil {
		return nil, err
	}
	d.client = client
	return d, nil
}

// Traits returns the server's facts. Its own check of a name tells letter cases apart, and its sign-in does not (contract,
// section 4): two accounts that a sign-in may confuse are one name here.
func (d *Driver) Traits() media.Traits {
	return media.Traits{
		FoldUsername: fold.Unicode, FoldEmail: fold.Unicode,
		AccountIDsNeverReused: true, LibraryIDsNeverReused: true, // random
		LongestCall: longestCall, Concurrency: concurrency, MinPassword: minPassword, MaxPassword: maxPassword,
		MaxUsername: maxUsername,
	}
}

// Close ends the connections. The session on the server ends by itself: signing out could block.
func (d *Driver) Close() error { return d.client.Close() }

// get reads one object.
func (d *Driver) get(ctx context.Context, path string, into any, args ...string) error {
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: path, Args: args, Into: into})
	return err
}

// list reads a list.
func (d *Driver) list(ctx context.Context, path string, into any) error {
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: path, Into: into, List: true})
	return err
}

// body is what a request that writes carries. Its check says whether the server takes it and goes on.
type body interface{ check() error }

// send is the only way by which a body reaches the server: what may end its process is refused here.
func (d *Driver) send(ctx context.Context, call wire.Call, b body) (wire.Answer, error) {
	if err := b.check(); err != nil {
		return wire.Answer{}, err
	}
	call.Body = b
	return d.client.Do(ctx, call)
}
