package drivertest

import (
	"context"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// inviteRefused: no invite admits an administrator, nor to what does not exist.
var inviteRefused = withInvites(func(i inviting) {
	for name, spoil := range map[string]func(*media.InviteSettings){
		"owner":        func(s *media.InviteSettings) { s.Role = media.RoleOwner },
		"admin":        func(s *media.InviteSettings) { s.Role = media.RoleAdmin },
		"emperor":      func(s *media.InviteSettings) { s.Role = "Emperor" },
		"library":      func(s *media.InviteSettings) { s.Libraries["there-is-no-such-library"] = media.LibraryViewer },
		"library role": func(s *media.InviteSettings) { s.Libraries[i.library] = "Emperor" },
	} {
		settings := i.settings()
		spoil(&settings)
		_, err := i.CreateInvite(i.ctx(), media.NewInvite{Code: inviteCode(), Reference: reference, Settings: settings})
		i.Logf("%s: %v", name, err)
		i.wantCode(err, media.Invalid, media.PermissionDenied, media.Unsupported)
		i.wantNoCanary(err)
	}
})

var inviteRedaction = withInvites(func(i inviting) {
	_, code := i.invite(i.settings())
	for _, wrong := range []string{code, code + "!", strings.Repeat(canary, 100)} {
		_, err := i.CreateInvite(i.ctx(), media.NewInvite{Code: wrong, Settings: i.settings()})
		i.wantCode(err, media.AlreadyExists, media.Invalid)
		i.wantNoCanary(err)
	}
	stop := i.lose()
	_, err := i.CreateInvite(i.ctx(), media.NewInvite{Code: inviteCode(), Reference: reference, Settings: i.settings()})
	stop()
	i.wantCode(err, media.Ambiguous)
	i.wantNoCanary(err)
	stopped, cancel := context.WithCancel(i.ctx())
	cancel()
	_, err = i.CreateInvite(stopped, media.NewInvite{Code: inviteCode(), Settings: i.settings()})
	i.wantCode(err, media.Unavailable)
	i.wantNoCanary(err)
})

// newInvite is an invite to a subject's second library, with a new code.
func (s subject) newInvite() media.NewInvite {
	return media.NewInvite{Code: inviteCode(), Reference: reference, Settings: media.InviteSettings{
		Role: media.RoleMember, Inviter: "Alice",
		Libraries: map[media.LibraryID]media.LibraryRole{s.second.ID: media.LibraryViewer},
	}}
}

// inviteCalls are the calls of media.Inviter, for the cases that make every call.
func (f *fixture) inviteCalls(inviter media.Inviter, s subject) []operation {
	fresh := s.newInvite()
	changed := fresh.Settings
	changed.MaxUses = 9
	return []operation{
		{name: "ListInvites", run: func(ctx context.Context) error { _, err := inviter.ListInvites(ctx); return err }},
		{name: "InviteUses", run: func(ctx context.Context) error { _, err := inviter.InviteUses(ctx, s.invite); return err }},
		{name: "CreateInvite", write: true, again: codes(media.AlreadyExists), run: func(ctx context.Context) error {
			_, err := inviter.CreateInvite(ctx, fresh)
			return err
		}},
		{name: "SetInvite", write: true, run: func(ctx context.Context) error {
			_, err := inviter.SetInvite(ctx, s.invite, changed)
			return err
		}},
		{name: "DeleteInvite", write: true, again: codes(media.NotFound), run: func(ctx context.Context) error {
			return inviter.DeleteInvite(ctx, s.invite)
		}},
	}
}
