package drivertest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
)

const (
	// caseTime bounds every call of the suite, so that a driver that hangs fails its case.
	caseTime = time.Minute
	// password is what accounts of the suite begin with.
	password = "A first password 1"
)

// fixture is one server with one driver that is signed in.
type fixture struct {
	testing.TB
	h      Harness
	server Server
	faults *faults
	driver media.Driver
	probe  media.Probe
	can    media.Capabilities
	// early are the accounts that were there from the start: Usher's own, and the owner's if that is another.
	early map[media.AccountID]bool
	// lacking says what the server cannot do of what the case is about.
	lacking string
	// notLive says why the case is not run on a live server that is like this one.
	notLive string
	// own is what the case may touch on a live server; nil elsewhere.
	own *own
}

// fixture starts a server and connects. Where it has an account, the driver has probed, and so signed in.
func (h Harness) fixture(t testing.TB, start func(testing.TB) Server) *fixture {
	f := &fixture{TB: t, h: h, server: start(t), faults: &faults{}}
	if h.Live {
		f.beOnlyAGuest()
	}
	f.driver = f.open()
	f.reprobe()
	if f.early = map[media.AccountID]bool{}; !f.probe.SetupRequired {
		accounts, _ := f.listing()
		for id := range accounts {
			f.early[id] = true
		}
	}
	return f
}

// open connects once more.
func (f *fixture) open() media.Driver {
	f.Helper()
	config := f.server.Config
	if f.h.HTTP {
		config.Transport = f.faults.wrap
	}
	return f.openWith(config)
}

// openWith opens a driver that is closed with the test.
func (f *fixture) openWith(config media.Config) media.Driver {
	f.Helper()
	driver, err := f.server.Open(config)
	f.must(err)
	f.Cleanup(func() { _ = driver.Close() })
	return driver
}

func (f *fixture) reprobe() {
	f.Helper()
	probe, err := f.driver.Probe(f.ctx())
	f.must(err)
	f.probe, f.can = probe, probe.Capabilities
}

func (f *fixture) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), caseTime)
	f.Cleanup(cancel)
	return ctx
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("failed: %v (%s)", err, media.CodeOf(err))
	}
}

// wantCode fails unless the error is a *media.Error of one of the classes.
func (f *fixture) wantCode(err error, codes ...media.Code) {
	f.Helper()
	if failed := new(media.Error); err != nil && !errors.As(err, &failed) {
		f.Errorf("R2: an error without a class: %v", err)
	}
	if code := media.CodeOf(err); !slices.Contains(codes, code) {
		f.Errorf("got %q (%v), want one of %q", code, err, codes)
	}
}

// email is an address for a name, where accounts have one or need one.
func (f *fixture) email(username string) string {
	traits := f.driver.Traits()
	if traits.NamedByEmail {
		username = traits.FoldEmail(username)
	}
	if f.can.Email || traits.KeyedByEmail {
		return username + "@example.org"
	}
	return ""
}

// name is what an account is called: its address, where it has no other name.
func (f *fixture) name(username string) string {
	if f.driver.Traits().NamedByEmail && username != "" {
		return f.email(username)
	}
	return username
}

// access is what an account of the suite is given when it does not matter: none, or all that the server can say.
func access(ids ...media.LibraryID) media.Access {
	a := media.Access{}.Clone()
	for _, id := range ids {
		a.Libraries[id] = media.LibraryViewer
	}
	return a
}

func (f *fixture) wanted(username string, a media.Access) media.NewAccount {
	return media.NewAccount{
		Username: f.name(username), Email: f.email(username), Role: media.RoleMember, Access: a, Password: password,
	}
}

// anotherRole is a role other than Member that can be given, if the server has one.
func (f *fixture) anotherRole() media.Role {
	for _, role := range []media.Role{media.RoleGuest, media.RoleEditor} {
		if f.can.Roles[role].Assignable {
			return role
		}
	}
	return media.RoleMember
}

// account makes a member with that access.
func (f *fixture) account(username string, a media.Access) media.Account {
	f.Helper()
	account, err := f.driver.CreateAccount(f.ctx(), f.wanted(username, a))
	f.must(err)
	return account
}

// anybody makes a member with some access that the server can give, with a library made for it where it must be.
func (f *fixture) anybody(username string) media.Account {
	f.Helper()
	if f.can.ZeroAccess {
		return f.account(username, access())
	}
	return f.account(username, access(f.library("for "+username).ID))
}

func (f *fixture) newLibrary(name string) media.NewLibrary {
	return media.NewLibrary{Name: name, MediaType: f.can.MediaTypes[0], Paths: f.paths(name)}
}

// paths are directories that the server sees, where its libraries have some.
func (f *fixture) paths(names ...string) []string {
	if f.can.Pathless {
		return nil
	}
	var paths []string
	for _, name := range names {
		paths = append(paths, f.server.Path(name))
	}
	return paths
}

func (f *fixture) library(name string) media.Library {
	f.Helper()
	library, err := f.driver.CreateLibrary(f.ctx(), f.newLibrary(name))
	f.must(err)
	return library
}

// libraries makes some and returns their ids.
func (f *fixture) libraries(names ...string) []media.LibraryID {
	f.Helper()
	ids := make([]media.LibraryID, 0, len(names))
	for _, name := range names {
		ids = append(ids, f.library(name).ID)
	}
	return ids
}

// read reads an account live.
func (f *fixture) read(id media.AccountID) media.Account {
	f.Helper()
	account, err := f.driver.Account(f.ctx(), id)
	f.must(err)
	return account
}

// signIn signs a person in.
func (f *fixture) signIn(username, secret string) Person {
	f.Helper()
	person, err := f.server.SignIn(f.ctx(), username, secret)
	if err != nil {
		f.Fatalf("%s cannot sign in: %v", username, err)
	}
	return person
}

func (f *fixture) refusedSignIn(username, secret string) {
	f.Helper()
	if _, err := f.server.SignIn(f.ctx(), username, secret); err == nil {
		f.Errorf("%s can sign in", username)
	}
}

// wantView fails unless the person sees exactly those libraries.
func (f *fixture) wantView(person Person, want ...media.LibraryID) {
	f.Helper()
	got, err := person.Libraries(f.ctx())
	if err != nil {
		f.Fatalf("the person's view: %v", err)
	}
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		f.Errorf("the person sees %q, want %q", got, want)
	}
}

// wantSees signs a person in and fails unless they see exactly those libraries.
func (f *fixture) wantSees(username string, want ...media.LibraryID) {
	f.Helper()
	f.wantView(f.signIn(username, password), want...)
}

func (f *fixture) wantAccess(got, want media.Access) {
	f.Helper()
	if !got.Equal(want) {
		f.Errorf("got access %v, want %v", got, want)
	}
}

// listing is everything there is that Usher may touch, by id: people's own libraries, which come and go with their
// accounts, are left out.
func (f *fixture) listing() (map[media.AccountID]media.Account, map[media.LibraryID]media.Library) {
	f.Helper()
	listing, err := f.driver.List(f.ctx())
	f.must(err)
	accounts, libraries := map[media.AccountID]media.Account{}, map[media.LibraryID]media.Library{}
	for _, a := range listing.Accounts {
		accounts[a.ID] = a
	}
	personal := map[media.LibraryID]bool{}
	for _, l := range listing.Libraries {
		if l.Personal {
			personal[l.ID] = true
			continue
		}
		// A server counts items in its own time.
		l.Items = 0
		libraries[l.ID] = l
	}
	if len(accounts) != len(listing.Accounts) || len(libraries)+len(personal) != len(listing.Libraries) {
		f.Error("R4: the listing names something twice")
	}
	return accounts, libraries
}
