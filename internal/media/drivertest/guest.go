package drivertest

import (
	"context"
	"slices"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// guest is a driver on a live server: it shows a case nothing but what the case made, under the names that the case
// used, and refuses to touch anything else.
type guest struct {
	f      *fixture
	driver media.Driver
}

func (g *guest) Traits() media.Traits { return g.driver.Traits() }
func (g *guest) Close() error         { return g.driver.Close() }

// clean fails the case when an error holds one of its passwords, and returns the error.
func (g *guest) clean(err error) error {
	if err != nil {
		g.f.own.mu.Lock()
		defer g.f.own.mu.Unlock()
		for secret := range g.f.own.secrets {
			if strings.Contains(err.Error(), secret) {
				g.f.Error("R13: an error holds a password")
			}
		}
	}
	return err
}

// mayTouch fails the case before it touches what is somebody else's.
func (g *guest) mayTouch(account media.AccountID, library media.LibraryID) {
	g.f.own.mu.Lock()
	defer g.f.own.mu.Unlock()
	if g.f.own.foreignAccounts[account] || g.f.own.foreignLibraries[library] {
		panic("drivertest: a case would touch what it did not make")
	}
}

func (g *guest) account(a media.Account, err error) (media.Account, error) {
	if err == nil && g.f.own.is(a.Username) {
		g.f.own.mu.Lock()
		g.f.own.accounts[a.ID] = true
		g.f.own.mu.Unlock()
		a.Username, a.Email, a.DisplayName = g.f.own.bare(a.Username), g.f.own.bare(a.Email), g.f.own.bare(a.DisplayName)
	}
	return a, g.clean(err)
}

func (g *guest) library(l media.Library, err error) (media.Library, error) {
	if err == nil && g.f.own.is(l.Name) {
		g.f.own.mu.Lock()
		g.f.own.libraries[l.ID] = true
		g.f.own.mu.Unlock()
		l.Name = g.f.own.bare(l.Name)
	}
	return l, g.clean(err)
}

func (g *guest) Identity(ctx context.Context) (string, error) {
	identity, err := g.driver.Identity(ctx)
	return identity, g.clean(err)
}

func (g *guest) Probe(ctx context.Context) (media.Probe, error) {
	probe, err := g.driver.Probe(ctx)
	if g.f.own.is(probe.SelfName) {
		probe.SelfName = g.f.own.bare(probe.SelfName)
	}
	return probe, g.clean(err)
}

func (g *guest) List(ctx context.Context) (media.Listing, error) {
	whole, err := g.driver.List(ctx)
	if err != nil {
		return media.Listing{}, g.clean(err)
	}
	listing := g.f.own.saw(whole, g.f.probe.Self)
	for i, account := range listing.Accounts {
		listing.Accounts[i], _ = g.account(account, nil)
	}
	for i, library := range listing.Libraries {
		listing.Libraries[i], _ = g.library(library, nil)
	}
	return listing, nil
}

func (g *guest) Account(ctx context.Context, id media.AccountID) (media.Account, error) {
	return g.account(g.driver.Account(ctx, id))
}

func (g *guest) CreateAccount(ctx context.Context, want media.NewAccount) (media.Account, error) {
	want.Username, want.Email, want.Password = g.f.own.name(want.Username), g.f.own.name(want.Email), g.f.own.secret(want.Password)
	return g.account(g.driver.CreateAccount(ctx, want))
}

func (g *guest) UpdateAccount(ctx context.Context, id media.AccountID, change media.AccountChange) (media.Account, error) {
	g.mayTouch(id, "")
	if change.Email != nil {
		email := g.f.own.name(*change.Email)
		change.Email = &email
	}
	return g.account(g.driver.UpdateAccount(ctx, id, change))
}

func (g *guest) SetAccess(ctx context.Context, account media.Account, want media.Access) (media.Account, error) {
	g.mayTouch(account.ID, "")
	account.Username, account.Email = g.f.own.name(account.Username), g.f.own.name(account.Email)
	return g.account(g.driver.SetAccess(ctx, account, want))
}

func (g *guest) SetPassword(ctx context.Context, id media.AccountID, password media.NewPassword) error {
	g.mayTouch(id, "")
	password.Password = g.f.own.secret(password.Password)
	return g.clean(g.driver.SetPassword(ctx, id, password))
}

func (g *guest) Library(ctx context.Context, id media.LibraryID) (media.Library, error) {
	return g.library(g.driver.Library(ctx, id))
}

func (g *guest) CreateLibrary(ctx context.Context, want media.NewLibrary) (media.Library, error) {
	want.Name = g.f.own.name(want.Name)
	return g.library(g.driver.CreateLibrary(ctx, want))
}

func (g *guest) UpdateLibrary(ctx context.Context, id media.LibraryID, change media.LibraryChange) (media.Library, error) {
	g.mayTouch("", id)
	if change.Name != nil {
		name := g.f.own.name(*change.Name)
		change.Name = &name
	}
	return g.library(g.driver.UpdateLibrary(ctx, id, change))
}

// guestPerson is somebody whom a case made. Somebody who sees every library sees others' too, which is as it should be;
// anybody else who does is shown to.
type guestPerson struct {
	f        *fixture
	username string
	person   Person
}

func (p guestPerson) Libraries(ctx context.Context) ([]media.LibraryID, error) {
	seen, err := p.person.Libraries(ctx)
	if err != nil {
		return nil, err
	}
	foreign := func(id media.LibraryID) bool {
		p.f.own.mu.Lock()
		defer p.f.own.mu.Unlock()
		return !p.f.own.libraries[id]
	}
	if slices.ContainsFunc(seen, foreign) && p.seesAll(ctx) {
		seen = slices.DeleteFunc(seen, foreign)
	}
	return seen, nil
}

func (p guestPerson) seesAll(ctx context.Context) bool {
	listing, err := p.f.driver.List(ctx)
	fold := p.f.driver.Traits().FoldUsername
	return err == nil && slices.ContainsFunc(listing.Accounts, func(a media.Account) bool {
		return fold(a.Username) == fold(p.username) && (a.Access.All || p.f.can.Roles[a.Role].SeesAll)
	})
}

// guestHand is the hand on the names that the case's are on the server.
type guestHand struct {
	own  *own
	hand Hand
}

func (h guestHand) SetAccess(username string, access media.Access) {
	h.hand.SetAccess(h.own.name(username), access)
}

func (h guestHand) SetDisabled(username string, disabled bool) {
	h.hand.SetDisabled(h.own.name(username), disabled)
}

func (h guestHand) DeleteAccount(username string) { h.hand.DeleteAccount(h.own.name(username)) }

func (h guestHand) RenameLibrary(id media.LibraryID, name string) {
	h.hand.RenameLibrary(id, h.own.name(name))
}
