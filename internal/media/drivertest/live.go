package drivertest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"github.com/usher-media/usher/internal/media"
)

const (
	tooMany      = "it makes hundreds of accounts or libraries"
	needsAnother = "it needs a second server"
	needsEmpty   = "it needs a server that has no account yet"
	locksOut     = "it signs in to Usher's own account with a wrong password, which could lock it out"
	manyStay     = "it makes hundreds of accounts, which this server cannot delete; ONLY=matrix runs it"
	wholeServer  = "it would change something of the whole server"
)

// notLive are the cases that are not run on a server that others use, and why.
var notLive = map[string]string{
	"R2/credentials": locksOut, "R13/credentials": locksOut,
	"R2/ids":    "a driver that has a fault here would delete what is not the suite's",
	"R4/paging": tooMany, "R4/while_others_write": tooMany, "R6/fifty_libraries": tooMany,
	"R5/bootstrap": needsEmpty, "R5/bootstrap_twice_at_once": needsEmpty, "R9/server_identity": needsAnother, "network/another_server": needsAnother,
	"R11/registration": wholeServer, "accounts/owner_never": wholeServer,
	"matrix/SetRegistration":     wholeServer,
	"libraries/delete_not_empty": "it puts an item into a library, which cannot be taken out again",
}

// byHand are the cases that need Server.Hand.
var byHand = map[string]bool{
	"R6/changed_by_hand": true, "R9/library_names": true, "accounts/disabled_by_hand": true,
	"accounts/deleted_by_hand": true, "passwords/authenticate": true,
}

// notAsGuest says why a rule is not tested on a live server with those capabilities, unless it is asked for by name.
func (h Harness) notAsGuest(rule string, can media.Capabilities) string {
	if h.Live && rule == "matrix" && !can.DeleteAccount && !slices.Contains(h.Only, rule) {
		return manyStay
	}
	return ""
}

// own is what a case made on a live server, and how its names and passwords become ones that nobody else has.
type own struct {
	// prefix of every name, and key of every password.
	prefix, key string

	mu        sync.Mutex
	accounts  map[media.AccountID]bool
	libraries map[media.LibraryID]bool
	// foreign is what was there and is somebody else's.
	foreignAccounts  map[media.AccountID]bool
	foreignLibraries map[media.LibraryID]bool
	// secrets are the passwords that were used; no error may hold one.
	secrets map[string]bool
}

func newOwn() *own {
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	return &own{
		prefix: "us" + hex.EncodeToString(random), key: rand.Text(),
		accounts: map[media.AccountID]bool{}, libraries: map[media.LibraryID]bool{},
		foreignAccounts: map[media.AccountID]bool{}, foreignLibraries: map[media.LibraryID]bool{}, secrets: map[string]bool{},
	}
}

// name is what a name of the suite is on the server; an empty one stays empty, since that is refused.
func (o *own) name(name string) string {
	if name == "" {
		return ""
	}
	return o.prefix + name
}

func (o *own) bare(name string) string { return strings.TrimPrefix(name, o.prefix) }

func (o *own) is(name string) bool {
	return len(name) >= len(o.prefix) && strings.EqualFold(name[:len(o.prefix)], o.prefix)
}

// secret is the password that stands for one of the suite: of the same length, and known to nobody.
func (o *own) secret(password string) string {
	if password == "" {
		return ""
	}
	var text strings.Builder
	text.WriteString("Aa1-")
	for block := sha256.Sum256([]byte(o.key + password)); text.Len() < len(password); block = sha256.Sum256(block[:]) {
		text.WriteString(hex.EncodeToString(block[:]))
	}
	secret := text.String()[:len(password)]
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(secret) > 8 {
		o.secrets[secret] = true
	}
	return secret
}

// saw takes a listing of the whole server and returns what of it is the case's own and Usher's account.
func (o *own) saw(listing media.Listing, self media.AccountID) media.Listing {
	o.mu.Lock()
	defer o.mu.Unlock()
	var mine media.Listing
	for _, account := range listing.Accounts {
		if o.is(account.Username) || o.accounts[account.ID] {
			o.accounts[account.ID] = true
		} else {
			o.foreignAccounts[account.ID] = true
		}
		if o.accounts[account.ID] || account.ID == self {
			mine.Accounts = append(mine.Accounts, account)
		}
	}
	for _, library := range listing.Libraries {
		if o.is(library.Name) || o.libraries[library.ID] {
			o.libraries[library.ID] = true
			mine.Libraries = append(mine.Libraries, library)
		} else {
			o.foreignLibraries[library.ID] = true
		}
	}
	return mine
}

// beOnlyAGuest has every driver and person of the fixture see the case's own things only, and takes those away at the
// end.
func (f *fixture) beOnlyAGuest() {
	f.own = newOwn()
	open, signIn, join, path, hand := f.server.Open, f.server.SignIn, f.server.Join, f.server.Path, f.server.Hand
	config := f.server.Config
	f.server.Open = func(config media.Config) (media.Driver, error) {
		config.Credentials = f.guestCredentials(config.Credentials)
		driver, err := open(config)
		if err != nil {
			return nil, err
		}
		return &guest{f: f, driver: driver}, nil
	}
	f.server.Path = func(name string) string { return path(f.own.name(name)) }
	f.server.SignIn = func(ctx context.Context, username, password string) (Person, error) {
		person, err := signIn(ctx, f.own.name(username), f.own.secret(password))
		return guestPerson{f, username, person}, err
	}
	if join != nil {
		f.server.Join = func(ctx context.Context, code string, j Joiner) error {
			return join(ctx, code, Joiner{f.own.name(j.Username), f.own.name(j.Email), f.own.secret(j.Password)})
		}
	}
	if hand != nil {
		f.server.Hand = guestHand{f.own, hand}
	}
	f.Cleanup(func() { f.tidyUp(open, config) })
}

// guestCredentials are those of Usher's account as they are, and those of the suite's people as they are on the server.
func (f *fixture) guestCredentials(c media.Credentials) media.Credentials {
	if c == f.server.Config.Credentials || c.Token != "" || c.Password != password {
		return c
	}
	c.Username, c.Email, c.Password = f.own.name(c.Username), f.own.name(c.Email), f.own.secret(c.Password)
	return c
}

// tidyUp takes away what the case made, by its names, whatever the case knows of it.
func (f *fixture) tidyUp(open media.Open, config media.Config) {
	driver, err := open(config)
	if err != nil {
		f.Errorf("tidying up: %v", err)
		return
	}
	defer func() { _ = driver.Close() }()
	probe, err := driver.Probe(f.ctx())
	if err != nil {
		f.Errorf("tidying up: %v", err)
		return
	}
	listing, err := driver.List(f.ctx())
	if err != nil {
		f.Errorf("tidying up: %v", err)
		return
	}
	mine := f.own.saw(listing, probe.Self)
	if inviter, able := driver.(media.Inviter); able && probe.Capabilities.Invites {
		invites, err := inviter.ListInvites(f.ctx())
		f.tidied("list of", "invites", err)
		for _, invite := range invites {
			if f.own.is(invite.Reference) {
				f.tidied("invite", string(invite.ID), inviter.DeleteInvite(f.ctx(), invite.ID))
			}
		}
	}
	for _, account := range mine.Accounts {
		if account.ID != probe.Self && f.own.is(account.Username) {
			f.tidyAccount(driver, probe.Capabilities, account)
		}
	}
	for _, library := range mine.Libraries {
		if deleter, able := driver.(media.LibraryDeleter); able && probe.Capabilities.DeleteLibrary {
			f.tidied("library", library.Name, deleter.DeleteLibrary(f.ctx(), library.ID))
		} else {
			f.left("library " + library.Name)
		}
	}
}

// tidyAccount deletes an account; where there is no way to, nobody can use it any more.
func (f *fixture) tidyAccount(driver media.Driver, can media.Capabilities, account media.Account) {
	if deleter, able := driver.(media.AccountDeleter); able && can.DeleteAccount {
		f.tidied("account", account.Username, deleter.DeleteAccount(f.ctx(), account.ID))
		return
	}
	if can.ZeroAccess {
		_, _ = driver.SetAccess(f.ctx(), account, media.Access{})
	}
	err := driver.SetPassword(f.ctx(), account.ID, media.NewPassword{Password: "Aa1-" + rand.Text()})
	if disabler, able := driver.(media.Disabler); able && can.Disable {
		_, err = disabler.SetDisabled(f.ctx(), account.ID, true)
	}
	if err != nil {
		f.Errorf("account %s is left behind usable: %v", account.Username, err)
	}
	f.left("account " + account.Username)
}

func (f *fixture) tidied(what, name string, err error) {
	if err != nil && media.CodeOf(err) != media.NotFound {
		f.Errorf("%s %s is left behind: %v", what, name, err)
		f.left(what + " " + name)
	}
}

func (f *fixture) left(what string) {
	if f.h.Report != nil {
		f.h.Report(Result{Outcome: LeftBehind, Why: what})
	}
}
