package dubby

import (
	"context"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
)

const (
	// inviteLife is how long an invite lives that was minted for an account: far longer than a creation takes, so that
	// clocks may differ, and short for one that a crash left behind.
	inviteLife = time.Hour
	// maxLeftovers bounds what is remembered of invites that could not be deleted; they expire.
	maxLeftovers = 100
)

// maker makes one account.
type maker struct {
	*Driver
	plan                    *plan
	mint, discard, register *operation
	want                    media.NewAccount
	invite                  string
	expires                 time.Time
	// there are the libraries that the server has; token is that of the session that the registration began.
	there []media.Library
	token string
}

// CreateAccount mints an invite for one person and consumes it at once (section 8). The invite carries the role Member or
// Guest and no library, so that the account has less than wanted, never more, until its access is given by the
// documented calls; and so that an invite that a crash left behind opens nothing. It expires after an hour.
//
// What may have been made is Ambiguous: whether the account is the caller's shows by its password, which nobody else has.
func (d *Driver) CreateAccount(ctx context.Context, want media.NewAccount) (media.Account, error) {
	p, err := d.operations(ctx)
	if err != nil {
		return media.Account{}, err
	}
	if err := p.checkNew(want); err != nil {
		return media.Account{}, err
	}
	m := &maker{Driver: d, plan: p, want: want}
	if err := m.tools(); err != nil {
		return media.Account{}, err
	}
	select {
	case d.creating <- struct{}{}:
		defer func() { <-d.creating }()
	case <-ctx.Done():
		return media.Account{}, media.Errorf(media.Unavailable, "no answer in time").WithCause(ctx.Err())
	}
	if err := m.look(ctx); err != nil {
		return media.Account{}, err
	}
	id, err := m.enter(ctx)
	if err != nil {
		return media.Account{}, err
	}
	return m.finish(ctx, id)
}

// checkNew refuses what the server cannot hold, before anything is minted.
func (p *plan) checkNew(want media.NewAccount) error {
	switch err := media.NoChosenID(want); {
	case err != nil:
		return err
	case want.Username == "" || want.Password == "":
		return media.Errorf(media.Invalid, "an account needs an email address and a password")
	case want.Email != "" && fold.ASCII(want.Email) != fold.ASCII(want.Username):
		return media.Errorf(media.Invalid, "accounts of a Dubby server have no username but their email address: give the same as both")
	case !emailForm.MatchString(want.Username):
		return media.Errorf(media.Invalid, "a Dubby server knows people by email address: name@example.org, in ASCII")
	case want.MustChangePassword:
		return media.Errorf(media.Unsupported, "a Dubby server cannot make a person choose another password")
	case want.DisplayName != "" && !p.displayName():
		return media.Errorf(media.Unsupported, "this Dubby server shows no way to change a user's display name: leave it out")
	case want.Disabled && !p.canDisable():
		return media.Errorf(media.Unsupported, "this Dubby server shows no way to disable a user: remove disabled and expiresAt")
	case want.Role == media.RoleOwner:
		return media.Errorf(media.Conflict, "a Dubby server has one owner, who stays")
	}
	word, known := roleWords[want.Role]
	if !known {
		return media.Errorf(media.Unsupported, "a Dubby server knows no such role: it has Admin, Member and Guest")
	}
	if word == wordAdmin {
		if _, err := p.roleChange(word); err != nil {
			return err
		}
	}
	if err := wantedAccess(want.Access); err != nil {
		return err
	}
	return checkPassword(want.Password)
}

// tools finds the operations that making an account takes: without one of them, not a single one is used.
func (m *maker) tools() (err error) {
	if m.mint, err = m.plan.need(opCreateInvite); err != nil {
		return err
	}
	if m.discard, err = m.plan.need(opDeleteInvite); err != nil {
		return err
	}
	if m.register, err = m.plan.need(opRegister); err != nil {
		return err
	}
	switch {
	case !m.mint.takes(keyExpires) && !m.mint.takes(keyDays):
		return media.Errorf(media.Unsupported, "this Dubby server shows no way to let an invite expire, and accounts come only by invites: make the account on the server, and take it over with adoptionPolicy Always")
	case !m.plan.invites(m.roleWord()):
		return media.Errorf(media.Unsupported, "invites of this Dubby server do not give that role")
	}
	return nil
}

// roleWord is the role that the invite gives: an Admin is promoted afterwards.
func (m *maker) roleWord() string {
	if m.want.Role == media.RoleGuest {
		return wordGuest
	}
	return wordMember
}

// look makes sure, before the first write, that the account is new, its libraries are there, and the role may be given.
func (m *maker) look(ctx context.Context) error {
	users, err := m.users(ctx)
	if err != nil {
		return err
	}
	self, err := m.whoami(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		switch {
		case m.isWanted(u):
			return media.Errorf(media.AlreadyExists, "the email address is taken")
		case u.id == string(self) && m.want.Role == media.RoleAdmin && roleOf(u.role) != media.RoleOwner:
			return media.Errorf(media.PermissionDenied, "only the owner of a Dubby server makes admins")
		}
	}
	if m.there, err = m.libraries(ctx); err != nil {
		return err
	}
	return unknownLibraries(m.want.Access, m.there)
}
