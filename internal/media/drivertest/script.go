package drivertest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

// Step is one call of a recording's script, and what the driver made of the server's answer.
type Step struct {
	Call string `json:"call"`
	// Class of the error; empty for success.
	Class  media.Code      `json:"class,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// script makes every call of a driver once or twice, on things that it makes itself and takes away again. Every name
// begins with the prefix.
type script struct {
	t      testing.TB
	ctx    context.Context
	driver media.Driver
	prefix string
	path   func(name string) string
	can    media.Capabilities
	steps  []Step
}

// step makes a call and keeps what came of it.
func step[T any](s *script, call string, result T, err error) T {
	made := Step{Call: call, Class: media.CodeOf(err)}
	if err == nil {
		text, failed := json.Marshal(result)
		if failed != nil {
			s.t.Fatalf("%s: %v", call, failed)
		}
		made.Result = text
	}
	s.steps = append(s.steps, made)
	return result
}

// done is step for a call that returns nothing but an error.
func (s *script) done(call string, err error) { step[any](s, call, nil, err) }

func (s *script) run() {
	s.probe()
	listing, err := s.driver.List(s.ctx)
	step(s, "List", listing, err)
	first, second := s.library("first"), s.library("second")
	library, err := s.driver.Library(s.ctx, first.ID)
	step(s, "Library", library, err)
	name := s.prefix + "renamed"
	library, err = s.driver.UpdateLibrary(s.ctx, first.ID, media.LibraryChange{Name: &name})
	step(s, "UpdateLibrary", library, err)
	account := s.account(first.ID)
	s.accessOf(account, first.ID, second.ID)
	s.fieldsOf(account)
	s.passwordOf(account)
	s.invites(first.ID)
	listing, err = s.driver.List(s.ctx)
	step(s, "List", listing, err)
	s.takeAway(account.ID, first.ID, second.ID)
}

func (s *script) probe() {
	probe, err := s.driver.Probe(s.ctx)
	s.can = step(s, "Probe", probe, err).Capabilities
}

func (s *script) library(name string) media.Library {
	want := media.NewLibrary{Name: s.prefix + name, Paths: []string{s.path(s.prefix + name)}}
	if len(s.can.MediaTypes) > 0 {
		want.MediaType = s.can.MediaTypes[0]
	}
	made, err := s.driver.CreateLibrary(s.ctx, want)
	return step(s, "CreateLibrary", made, err)
}

// account makes an account, and is refused a second of the same name.
func (s *script) account(library media.LibraryID) media.Account {
	want := media.NewAccount{
		Username: s.prefix + "mia", Role: media.RoleMember, Access: access(library), Password: "Aa1-" + rand.Text(),
	}
	if s.can.Email || s.driver.Traits().KeyedByEmail {
		want.Email = want.Username + "@example.org"
	}
	made, err := s.driver.CreateAccount(s.ctx, want)
	step(s, "CreateAccount", made, err)
	again, err := s.driver.CreateAccount(s.ctx, want)
	step(s, "CreateAccount", again, err)
	read, err := s.driver.Account(s.ctx, made.ID)
	return step(s, "Account", read, err)
}

func (s *script) accessOf(account media.Account, ids ...media.LibraryID) {
	for _, want := range []media.Access{access(ids...), access(ids[0], "there-is-no-such-library"), access(ids[1]), access(), {All: true}} {
		after, err := s.driver.SetAccess(s.ctx, account, want)
		step(s, "SetAccess", after, err)
	}
}

func (s *script) fieldsOf(account media.Account) {
	role, name := media.RoleMember, "Mia of the recording"
	for _, other := range []media.Role{media.RoleGuest, media.RoleEditor} {
		if s.can.Roles[other].Assignable {
			role = other
		}
	}
	for _, change := range []media.AccountChange{{Role: &role}, {DisplayName: &name}} {
		after, err := s.driver.UpdateAccount(s.ctx, account.ID, change)
		step(s, "UpdateAccount", after, err)
	}
	if able, ok := s.driver.(media.Disabler); ok {
		for _, disabled := range []bool{true, false} {
			after, err := able.SetDisabled(s.ctx, account.ID, disabled)
			step(s, "SetDisabled", after, err)
		}
	}
}

func (s *script) passwordOf(account media.Account) {
	secret := "Aa1-" + rand.Text()
	s.done("SetPassword", s.driver.SetPassword(s.ctx, account.ID, media.NewPassword{Password: secret}))
	if able, ok := s.driver.(media.Authenticator); ok {
		for _, try := range []string{secret, "Aa1-" + rand.Text()} {
			id, err := able.Authenticate(s.ctx, account.Username, try)
			step(s, "Authenticate", id, err)
		}
	}
}

func (s *script) invites(library media.LibraryID) {
	able, ok := s.driver.(media.Inviter)
	if !ok || !s.can.Invites {
		return
	}
	settings := media.InviteSettings{Role: media.RoleMember, Libraries: access(library).Libraries, MaxUses: 3, Inviter: "Alice"}
	made, err := able.CreateInvite(s.ctx, media.NewInvite{Code: "Aa1-" + rand.Text(), Reference: s.prefix + "invite", Settings: settings})
	step(s, "CreateInvite", made, err)
	settings.Revoked = true
	set, err := able.SetInvite(s.ctx, made.ID, settings)
	step(s, "SetInvite", set, err)
	list, err := able.ListInvites(s.ctx)
	step(s, "ListInvites", list, err)
	uses, err := able.InviteUses(s.ctx, made.ID)
	step(s, "InviteUses", uses, err)
	s.done("DeleteInvite", able.DeleteInvite(s.ctx, made.ID))
}

func (s *script) takeAway(account media.AccountID, libraries ...media.LibraryID) {
	if able, ok := s.driver.(media.AccountDeleter); ok {
		s.done("DeleteAccount", able.DeleteAccount(s.ctx, account))
		s.done("DeleteAccount", able.DeleteAccount(s.ctx, account))
	} else if able, ok := s.driver.(media.Disabler); ok && s.can.Disable {
		after, err := able.SetDisabled(s.ctx, account, true)
		step(s, "SetDisabled", after, err)
	}
	if able, ok := s.driver.(media.LibraryDeleter); ok {
		for _, id := range libraries {
			s.done("DeleteLibrary", able.DeleteLibrary(s.ctx, id))
		}
	}
}
