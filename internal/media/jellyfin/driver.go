// Package jellyfin is the driver of Jellyfin, 10.10 to 12. Numbers in comments name the sections of the Jellyfin contract,
// letters its corrections (A), additions (B) and lines for the fake (C).
//
// Credentials are an API key (token), or username and password of an administrator; with both, the key is used. A key has
// no account on the server: it is told as an account of a name that no person can have (see apiKeyName).
//
// # Policies
//
// What an account may do is one document, its policy, which each write replaces whole, and in which what is left out becomes
// permissive (section 5). So every write reads the document, changes a few of its fields and posts it with all others as
// they came, also those that this driver does not know; and reads it back. There is no locking on the server: writes of one
// account wait for each other here.
//
// # How an account is made
//
// The server makes an account in the open: it sees every library until its policy is written (section 4). So an account is
// made under a name and with a password that nobody knows, is given its policy, which is read back, then the password of its
// holder, and last its name. Whoever finds an account under its name finds it complete. One that a crash leaves behind under
// the other name is in no list, and Mend deletes it.
//
// # Libraries
//
// The server makes a library's id of its name (section 7). A library that is renamed has another id, which is in nobody's
// list, and one that is made under an earlier name has the earlier id, which may still be in some lists. So a library is known
// here by the id that it had when it was first seen, and found again by its folders (see shelf). Renaming one moves it in all
// lists; ids of libraries that are gone count as a hole (media.Account.Exposed), which SetAccess closes.
package jellyfin

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	// longestCall covers moving a library in some hundreds of lists.
	longestCall = 2 * time.Minute
	concurrency = 4
	// The server refuses no password but the empty one, which would let anybody in (section 4).
	minPassword, maxPassword = 1, 128
	minUsername, maxUsername = 1, 255
	// listLimit is room for some five thousand accounts, which come in one answer with their policies.
	listLimit = 32 << 20
	// closeWithin bounds how long Close tries to end the session.
	closeWithin = 2 * time.Second
)

// Driver speaks to one Jellyfin server. It is safe for use by many goroutines.
type Driver struct {
	client      *wire.Client
	session     *wire.Session
	credentials media.Credentials
	// device tells this process from others that sign in with the same account: a sign-in replaces the token of the same
	// account on the same device.
	device string
	shelf  shelf
	turns  turns
	feuds  feuds
	now    func() time.Time

	mu sync.Mutex
	// self is the account that the password belongs to, or that the token does; selfName is its name.
	self     string
	selfName string
	// keyed: the token is an API key, which has no account.
	keyed bool
	// version that the server told last, and whether its wizard was seen to be over.
	version version
	setUp   map[string]bool
	// making are accounts on their way, by name; leftBehind is when such a name was first seen that nobody is making.
	making     map[string]bool
	leftBehind map[string]time.Time
	// blocked are warnings of the last list.
	blocked []string
	// amiss are the words for what Mend has to do.
	amiss []string
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
	_ media.Guardian       = (*Driver)(nil)
)

// Open makes a driver and does no I/O. It answers Invalid for a URL or CA that can never work, and for credentials that hold
// neither a token nor a username with its password.
func Open(config media.Config) (media.Driver, error) {
	d := &Driver{
		credentials: config.Credentials, device: "usher-" + random(), now: time.Now, setUp: map[string]bool{},
		making: map[string]bool{}, leftBehind: map[string]time.Time{}, shelf: newShelf(), turns: newTurns(), feuds: newFeuds(),
	}
	switch c := d.credentials; {
	case c.Token != "":
		d.session = wire.FixedToken(c.Token)
	case c.Username != "" && c.Password != "":
		d.session = wire.NewSession(d.signIn)
	default:
		return nil, media.Errorf(media.Invalid, "the credentials need a token, which is an API key, or username and password of an administrator")
	}
	client, err := wire.New(config, wire.Options{
		Server: "a Jellyfin server", Session: d.session, Authorize: authorize, Classify: classify,
		BodyLimit: listLimit, ListLimit: listLimit, // what people keep in an account of their own has no limit of the server's
	})
	if err != nil {
		return nil, err
	}
	d.client = client
	return d, nil
}

// Traits returns the server's facts. Ids of accounts are random; those of libraries are made of their names, so that another
// library may have one later (section 7). A library of a name that is taken is not refused, but gets another name.
func (d *Driver) Traits() media.Traits {
	return media.Traits{
		FoldUsername: foldName, FoldEmail: foldName, AccountIDsNeverReused: true,
		LongestCall: longestCall, Concurrency: concurrency, MinPassword: minPassword, MaxPassword: maxPassword,
		MinUsername: minUsername, MaxUsername: maxUsername,
	}
}

// Close ends the session of a password, so that no device of Usher's is left on the server, and the connections.
func (d *Driver) Close() error {
	d.mu.Lock()
	signedIn := d.self != "" && d.credentials.Token == ""
	d.mu.Unlock()
	if signedIn {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		if token, err := d.session.Token(ctx); err == nil {
			d.signOut(ctx, token)
		}
	}
	return d.client.Close()
}

// authorize shows the token in the one form that no version refuses (section 1).
func authorize(header http.Header, token string) {
	header.Set("Authorization", `MediaBrowser Token="`+url.QueryEscape(token)+`"`)
}

// introduction names a device to the server, for a sign-in.
func introduction(device string) http.Header {
	return http.Header{"Authorization": {
		`MediaBrowser Client="Usher", Device="Usher", DeviceId="` + url.QueryEscape(device) + `", Version="1"`,
	}}
}

// signIn gets the session's token and notes whose it is.
func (d *Driver) signIn(ctx context.Context) (wire.Token, error) {
	in, err := d.enter(ctx, d.credentials.Username, d.credentials.Password, d.device)
	if err != nil {
		return wire.Token{}, err
	}
	d.become(in.User.ID, in.User.Name, false)
	return wire.Token{Value: in.Token}, nil
}

func (d *Driver) enter(ctx context.Context, username, password, device string) (signedIn, error) {
	var in signedIn
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: "/Users/AuthenticateByName", Anonymous: true, Harmless: true, Codes: wrongServer,
		Header: introduction(device), Body: map[string]string{"Username": username, "Pw": password}, Into: &in,
	})
	return in, err
}

// signOut ends the session of a token. That it fails changes nothing about what was done.
func (d *Driver) signOut(ctx context.Context, token string) {
	_, _ = d.client.DoAs(ctx, token, wire.Call{Method: http.MethodPost, Path: "/Sessions/Logout", Harmless: true})
}

func (d *Driver) become(id, name string, keyed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.self, d.selfName, d.keyed = id, name, keyed
}

// own says which account is Usher's: empty for an API key.
func (d *Driver) own(ctx context.Context) (string, error) {
	if _, err := d.session.Token(ctx); err != nil {
		return "", err
	}
	d.mu.Lock()
	self, known := d.self, d.self != "" || d.keyed
	d.mu.Unlock()
	if known {
		return self, nil
	}
	err := d.introduce(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.self, err
}

// refuseSelf answers Conflict for the account that Usher uses.
func (d *Driver) refuseSelf(ctx context.Context, id media.AccountID) error {
	self, err := d.own(ctx)
	if err == nil && (id == apiKeyID || self == string(id) && self != "") {
		err = media.Errorf(media.Conflict, "the account that Usher itself uses is never changed")
	}
	return err
}

// get reads one object.
func (d *Driver) get(ctx context.Context, path string, into any, args ...string) error {
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: path, Args: args, Into: into})
	return err
}

// read reads what is there on every server.
func (d *Driver) read(ctx context.Context, path string, into any) error {
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: path, List: true, Into: into, Codes: wrongServer})
	return err
}

// random returns 32 hexadecimal digits that nobody can guess.
func random() string {
	var bytes [16]byte
	_, _ = rand.Read(bytes[:]) // never fails
	return hex.EncodeToString(bytes[:])
}
