package drivertest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// inviteCases: design D5: a server's own invites keep Usher's promises, or the driver does not claim them.
var inviteCases = []testCase{
	{"not_claimed", invitesNotClaimed},
	{"read_back", inviteReadBack},
	{"exact_count", inviteExactCount},
	{"exact_access", inviteAccess},
	{"replaced_whole", inviteReplaced},
	{"uses_keep_what_they_gave", inviteUsesKept},
	{"revoked", inviteRevoked},
	{"held", inviteHeld},
	{"prior_uses", invitePriorUses},
	{"expired", inviteExpired},
	{"bound_to_an_address", inviteBound},
	{"deleted", inviteDeleted},
	{"code_taken", inviteTaken},
	{"refused", inviteRefused},
	{"roles", inviteRoles},
	{"code_in_no_error", inviteRedaction},
}

// reference is what the suite writes into its invites.
const reference = "test/invite"

// inviting is a fixture whose server has invites.
type inviting struct {
	*fixture
	media.Inviter
	library media.LibraryID
}

// withInvites runs a case where the server has invites of its own that can be used by a harness.
func withInvites(run func(i inviting)) func(f *fixture) {
	return func(f *fixture) {
		inviter, able := f.driver.(media.Inviter)
		switch {
		case !f.can.Invites:
			f.lacks("Invites")
		case !able:
			f.Error("Invites is claimed, but there is no method for it")
		case f.server.Join == nil:
			f.Error("the harness needs Server.Join: Invites is claimed")
		default:
			run(inviting{f, inviter, f.library("Invited").ID})
		}
	}
}

func invitesNotClaimed(f *fixture) {
	inviter, able := f.driver.(media.Inviter)
	if f.can.Invites || f.can.WeakInvites || !able {
		return
	}
	_, err := inviter.ListInvites(f.ctx())
	f.wantCode(err, media.Unsupported)
	_, err = inviter.CreateInvite(f.ctx(), media.NewInvite{Code: inviteCode(), Settings: media.InviteSettings{Role: media.RoleMember}})
	f.wantCode(err, media.Unsupported)
}

// inviteCode is a code of 160 bits that a person could type, and that a search for the canary finds.
func inviteCode() string {
	secret := make([]byte, 20)
	_, _ = rand.Read(secret) // never fails
	return canary + hex.EncodeToString(secret)
}

func (i inviting) settings() media.InviteSettings {
	return media.InviteSettings{
		Role: media.RoleMember, Libraries: map[media.LibraryID]media.LibraryRole{i.library: media.LibraryViewer}, Inviter: "Alice",
	}
}

func (i inviting) invite(settings media.InviteSettings) (media.Invite, string) {
	i.Helper()
	code := inviteCode()
	made, err := i.CreateInvite(i.ctx(), media.NewInvite{Code: code, Reference: reference, Settings: settings})
	i.must(err)
	return made, code
}

// only returns the one invite there is.
func (i inviting) only() media.Invite {
	i.Helper()
	list, err := i.ListInvites(i.ctx())
	i.must(err)
	if len(list) != 1 {
		i.Fatalf("listed %v", list)
	}
	return list[0]
}

func (i inviting) join(code, username string) error {
	return i.server.Join(i.ctx(), code, Joiner{Username: username, Email: i.email(username), Password: password})
}

// wantJoins fails unless joining works, or is refused, as said.
func (i inviting) wantJoins(code, username string, want bool) {
	i.Helper()
	if err := i.join(code, username); (err == nil) != want {
		i.Errorf("%s joins: %v, want it to work: %t", username, err, want)
	}
}

var inviteReadBack = withInvites(func(i inviting) {
	list, err := i.ListInvites(i.ctx())
	i.must(err)
	if list == nil && !i.h.Live || len(list) != 0 {
		i.Errorf("listed %v before there was one", list)
	}
	full := i.settings()
	full.MaxUses, full.ExpiresAt = 3, time.Date(2099, 6, 1, 12, 0, 0, 0, time.UTC)
	full.Email, full.Welcome = "mia@example.org", "# Hi\n\n*you*"
	made, code := i.invite(full)
	sum := sha256.Sum256([]byte(code))
	if made.ID == "" || made.CodeHash != hex.EncodeToString(sum[:]) || made.Reference != reference || made.Uses != 0 {
		i.Errorf("made %+v", made)
	}
	if got := i.only(); !got.Settings.Equal(full) || got.ID != made.ID || got.CodeHash != made.CodeHash {
		i.Errorf("listed %+v, want %+v", got, full)
	}
	if path := i.InvitePath(code); !strings.HasPrefix(path, "/") || !strings.Contains(path, code) {
		i.Error("the path of the invite's page lacks its code")
	}
})

// inviteRoles: every role that the driver says is given by an invite can be, and no other is: one that can never be given leaves
// nothing on the server.
var inviteRoles = withInvites(func(i inviting) {
	for role, info := range i.can.Roles {
		settings := i.settings()
		settings.Role = role
		made, err := i.CreateInvite(i.ctx(), media.NewInvite{Code: inviteCode(), Reference: reference, Settings: settings})
		switch {
		case info.Administers || info.NotByInvite || !info.Assignable:
			i.wantCode(err, media.Invalid, media.PermissionDenied, media.Unsupported)
			if list, err := i.ListInvites(i.ctx()); err != nil || len(list) > 0 {
				i.Errorf("%s: refused, and listed %v, %v", role, list, err)
			}
		case err != nil || made.Settings.Role != role:
			i.Errorf("an invite gives the role %s, says the driver: %+v, %v", role, made.Settings, err)
		default:
			i.must(i.DeleteInvite(i.ctx(), made.ID))
		}
	}
})

// inviteExactCount: more people than uses come at the same moment.
var inviteExactCount = withInvites(func(i inviting) {
	const uses, people = 3, 10
	settings := i.settings()
	settings.MaxUses = uses
	made, code := i.invite(settings)
	var admitted atomic.Int32
	var all sync.WaitGroup
	for n := range people {
		all.Go(func() {
			if i.join(code, fmt.Sprintf("joiner%d", n)) == nil {
				admitted.Add(1)
			}
		})
	}
	all.Wait()
	list, err := i.InviteUses(i.ctx(), made.ID)
	i.must(err)
	accounts, _ := i.listing()
	if admitted.Load() != uses || len(list) != uses || i.only().Uses != uses || len(accounts) != len(i.early)+uses {
		i.Errorf("%d of %d people were admitted, %d listed, %d counted, %d accounts", admitted.Load(), people, len(list),
			i.only().Uses, len(accounts)-len(i.early))
	}
	for n, use := range list {
		if accounts[use.Account].Username != use.Username || !use.Registered || use.At.IsZero() {
			i.Errorf("use %+v", use)
		}
		if n > 0 && use.At.Before(list[n-1].At) {
			i.Error("uses are not listed oldest first")
		}
	}
})

var inviteAccess = withInvites(func(i inviting) {
	i.library2()
	_, code := i.invite(i.settings())
	i.wantJoins(code, "mia", true)
	i.wantSees("mia", i.library)
	if i.can.ZeroAccess {
		none := i.settings()
		none.Libraries = nil
		_, code = i.invite(none)
		i.wantJoins(code, "ben", true)
		i.wantSees("ben")
	}
})

// library2 makes a library that no invite names.
func (i inviting) library2() media.LibraryID { return i.fixture.library("Not invited").ID }

var inviteReplaced = withInvites(func(i inviting) {
	settings := i.settings()
	settings.MaxUses, settings.Welcome, settings.ExpiresAt = 5, "Hi", time.Date(2099, 6, 1, 12, 0, 0, 0, time.UTC)
	made, code := i.invite(settings)
	i.wantJoins(code, "mia", true)
	bare := media.InviteSettings{
		Role: i.anotherRole(), Libraries: map[media.LibraryID]media.LibraryRole{i.library2(): media.LibraryViewer}, Inviter: "Bob",
	}
	set, err := i.SetInvite(i.ctx(), made.ID, bare)
	i.must(err)
	if got := i.only(); !got.Settings.Equal(bare) || !set.Settings.Equal(bare) || got.Uses != 1 || got.CodeHash != made.CodeHash {
		i.Errorf("got %+v, want %+v", got, bare)
	}
	// A bound below what was used already admits nobody.
	bare.MaxUses = 1
	_, err = i.SetInvite(i.ctx(), made.ID, bare)
	i.must(err)
	i.wantJoins(code, "ben", false)
	_, err = i.SetInvite(i.ctx(), "there-is-no-such-invite", bare)
	i.wantCode(err, media.NotFound)
})

var inviteRevoked = withInvites(func(i inviting) {
	settings := i.settings()
	made, code := i.invite(settings)
	i.wantJoins(code, "mia", true)
	settings.Revoked = true
	_, err := i.SetInvite(i.ctx(), made.ID, settings)
	i.must(err)
	i.wantJoins(code, "ben", false)
	i.wantSees("mia", i.library)
	settings.Revoked = false
	_, err = i.SetInvite(i.ctx(), made.ID, settings)
	i.must(err)
	i.wantJoins(code, "zoe", true)
})

// inviteExpired: an expiry in the past is legal and means expired.
var inviteExpired = withInvites(func(i inviting) {
	settings := i.settings()
	made, code := i.invite(settings)
	settings.ExpiresAt = time.Date(2020, 6, 1, 12, 0, 0, 0, time.UTC)
	_, err := i.SetInvite(i.ctx(), made.ID, settings)
	i.must(err)
	i.wantJoins(code, "mia", false)
	if got := i.only(); !got.Settings.Equal(settings) {
		i.Errorf("got %+v, want %+v", got, settings)
	}
	_, code = i.invite(settings)
	i.wantJoins(code, "mia", false)
})

var inviteBound = withInvites(func(i inviting) {
	if !i.can.Email {
		i.lacks("Email")
		return
	}
	settings := i.settings()
	settings.Email = i.email("mia")
	_, code := i.invite(settings)
	i.wantJoins(code, "ben", false)
	i.wantJoins(code, "mia", true)
})

var inviteDeleted = withInvites(func(i inviting) {
	made, code := i.invite(i.settings())
	i.wantJoins(code, "mia", true)
	i.must(i.DeleteInvite(i.ctx(), made.ID))
	i.wantCode(i.DeleteInvite(i.ctx(), made.ID), media.NotFound)
	_, err := i.InviteUses(i.ctx(), made.ID)
	i.wantCode(err, media.NotFound)
	i.wantJoins(code, "ben", false)
	i.wantSees("mia", i.library)
})

var inviteTaken = withInvites(func(i inviting) {
	made, code := i.invite(i.settings())
	other := i.settings()
	other.MaxUses = 7
	_, err := i.CreateInvite(i.ctx(), media.NewInvite{Code: code, Reference: "test/other", Settings: other})
	i.wantCode(err, media.AlreadyExists)
	if got := i.only(); got.ID != made.ID || !got.Settings.Equal(made.Settings) {
		i.Errorf("the refused invite changed the other: %+v", got)
	}
})
