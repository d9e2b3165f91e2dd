package drivertest

import (
	"maps"

	"github.com/usher-media/usher/internal/media"
)

// inviteUsesKept: what somebody got does not change with the invite.
var inviteUsesKept = withInvites(func(i inviting) {
	settings := i.settings()
	made, code := i.invite(settings)
	i.wantJoins(code, "mia", true)
	changed := settings
	changed.Role, changed.Libraries = i.anotherRole(), map[media.LibraryID]media.LibraryRole{i.library2(): media.LibraryViewer}
	_, err := i.SetInvite(i.ctx(), made.ID, changed)
	i.must(err)
	i.wantJoins(code, "ben", true)
	uses, err := i.InviteUses(i.ctx(), made.ID)
	i.must(err)
	for n, gave := range []media.InviteSettings{settings, changed} {
		if len(uses) != 2 || !uses[n].Told || uses[n].Role != gave.Role || !maps.Equal(uses[n].Libraries, gave.Libraries) {
			i.Errorf("uses %+v, want %+v at %d", uses, gave, n)
			return
		}
	}
	if last := i.only().LastUsedBy; last != uses[1].Account {
		i.Errorf("last used by %q, want %q", last, uses[1].Account)
	}
})

// inviteHeld: it admits nobody for a while, and reads back as held, not as revoked.
var inviteHeld = withInvites(func(i inviting) {
	settings := i.settings()
	settings.Held = true
	made, code := i.invite(settings)
	i.wantJoins(code, "mia", false)
	if got := i.only(); !got.Settings.Equal(settings) {
		i.Errorf("got %+v, want %+v", got, settings)
	}
	settings.Held = false
	_, err := i.SetInvite(i.ctx(), made.ID, settings)
	i.must(err)
	i.wantJoins(code, "mia", true)
})

// invitePriorUses: uses that the server does not know count.
var invitePriorUses = withInvites(func(i inviting) {
	settings := i.settings()
	settings.MaxUses, settings.PriorUses = 3, 2
	made, code := i.invite(settings)
	i.wantJoins(code, "mia", true)
	i.wantJoins(code, "ben", false)
	if got := i.only(); !got.Settings.Equal(settings) || got.Uses != 1 {
		i.Errorf("got %+v, want %+v and one use", got, settings)
	}
	settings.PriorUses = 1
	_, err := i.SetInvite(i.ctx(), made.ID, settings)
	i.must(err)
	i.wantJoins(code, "ben", true)
})
