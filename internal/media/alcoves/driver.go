// Package alcoves is the driver of Alcoves. What its API can do goes by the API; what it cannot do goes by its
// PostgreSQL database, where the configuration has one (contract alcoves, sections 7 and 8):
//
//   - by the API: libraries, taking access away, roles within a library, links, the registration mode, trying a password;
//   - by the database: giving access to an account that exists, making, disabling and re-keying accounts, and listing
//     what the account that Usher uses cannot see.
//
// Without a database an account is made by minting a link for one use and registering with it. What remains impossible
// then answers Unsupported and says what to do.
//
// Accounts have no name but their email address: Username and Email are the same (Traits.NamedByEmail). The instance
// role "owner" is Owner, which sees no library by itself; "member" is Member. Owning a library is not access: it is never
// given, changed or taken. A personal library ("My Library") is never touched.
package alcoves

import (
	"context"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	// longestCall covers a list that asks for the members of each of some hundred libraries, one by one, twice.
	longestCall = 60 * time.Second
	concurrency = 4
	// minPassword is the server's; bcrypt takes no more than 72 bytes (section 3).
	minPassword, maxPassword = 8, 72
	cookieName               = "alcoves-session"
	tokenPrefix              = "alc_pat_"
)

// Driver speaks to one Alcoves. It is safe for use by many goroutines.
type Driver struct {
	client      *wire.Client
	session     *wire.Session
	credentials media.Credentials
	// database is nil where the configuration has none.
	database *database
	// cost of password hashes.
	cost int
}

var (
	_ media.Open           = Open
	_ media.Driver         = (*Driver)(nil)
	_ media.Registrar      = (*Driver)(nil)
	_ media.Authenticator  = (*Driver)(nil)
	_ media.Disabler       = (*Driver)(nil)
	_ media.LibraryDeleter = (*Driver)(nil)
	_ media.Inviter        = (*Driver)(nil)
)

// Open makes a driver and does no I/O. It answers Invalid for a URL, a CA or a database URL that can never work, and for
// credentials that hold neither a personal access token nor an email address with its password. A password comes before
// a token.
func Open(config media.Config) (media.Driver, error) { return open(config, bcrypt.DefaultCost) }

func open(config media.Config, cost int) (media.Driver, error) {
	d := &Driver{credentials: config.Credentials, cost: cost}
	switch {
	case d.login() != "" && d.credentials.Password != "":
		d.session = wire.NewSession(d.signIn)
	case strings.HasPrefix(d.credentials.Token, tokenPrefix):
		d.session = wire.FixedToken(d.credentials.Token)
	case d.credentials.Token != "":
		return nil, media.Errorf(media.Invalid, "the token must be a personal access token of Alcoves, which begins with %s", tokenPrefix)
	default:
		return nil, media.Errorf(media.Invalid, "the credentials need a personal access token, or email and password")
	}
	client, err := wire.New(config, wire.Options{
		Server: "an Alcoves media server", Session: d.session, Classify: classify, Authorize: authorize,
	})
	if err != nil {
		return nil, err
	}
	d.client = client
	if config.DatabaseURL != "" {
		if d.database, err = newDatabase(config); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Traits returns the server's facts. The server lower-cases the addresses of those who register with a password.
func (d *Driver) Traits() media.Traits {
	return media.Traits{
		FoldUsername: foldEmail, FoldEmail: foldEmail, KeyedByEmail: true, NamedByEmail: true,
		AccountIDsNeverReused: true, LibraryIDsNeverReused: true, // random
		LongestCall: longestCall, Concurrency: concurrency, MinPassword: minPassword, MaxPassword: maxPassword,
	}
}

// Close ends the connections. The session on the server ends by itself: signing out could block.
func (d *Driver) Close() error { return d.client.Close() }

// authorize shows a personal access token as such, and a session as its cookie.
func authorize(header http.Header, token string) {
	if strings.HasPrefix(token, tokenPrefix) {
		header.Set("Authorization", "Bearer "+token)
		return
	}
	header.Set("Cookie", (&http.Cookie{Name: cookieName, Value: token}).String())
}

// login is the address that Usher's account signs in with.
func (d *Driver) login() string {
	if d.credentials.Email != "" {
		return d.credentials.Email
	}
	return d.credentials.Username
}

func (d *Driver) signIn(ctx context.Context) (wire.Token, error) {
	_, token, err := d.trySignIn(ctx, d.login(), d.credentials.Password)
	return token, err
}

// trySignIn signs somebody in. What it does beyond that, a row in the person's list of sessions, signOut takes back.
func (d *Driver) trySignIn(ctx context.Context, email, password string) (account, wire.Token, error) {
	var who account
	answer, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: "/api/auth/login", Anonymous: true, Harmless: true,
		Body: map[string]string{"email": email, "password": password}, Into: &who,
	})
	if err != nil {
		return account{}, wire.Token{}, err
	}
	token, err := sessionOf(answer)
	return who, token, err
}

// sessionOf reads the session that an answer gave.
func sessionOf(answer wire.Answer) (wire.Token, error) {
	for _, cookie := range (&http.Response{Header: answer.Header}).Cookies() {
		if cookie.Name == cookieName && cookie.Value != "" {
			token := wire.Token{Value: cookie.Value}
			if cookie.MaxAge > 0 {
				token.Expires = time.Now().Add(time.Duration(cookie.MaxAge) * time.Second)
			}
			return token, nil
		}
	}
	return wire.Token{}, media.Errorf(media.Unavailable, "sign-in: the server gave no session: is the url right?")
}

// signOut ends a session of somebody else's. Failing changes nothing: the session ends by itself.
func (d *Driver) signOut(ctx context.Context, session wire.Token) {
	_, _ = d.client.DoAs(ctx, session.Value, wire.Call{Method: http.MethodPost, Path: "/api/auth/logout"})
}

// get reads something that must be there: where its path leads nowhere, something else answers at the URL.
func (d *Driver) get(ctx context.Context, path string, into any, args ...string) error {
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: path, Args: args, Into: into, List: true})
	return err
}
