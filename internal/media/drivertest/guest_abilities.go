package drivertest

import (
	"context"

	"github.com/usher-media/usher/internal/media"
)

// The optional interfaces of a guest: Unsupported where the driver has no such method.

func absent() error { return media.Errorf(media.Unsupported, "the driver has no such method") }

func (g *guest) Bootstrap(context.Context) error { return absent() }

func (g *guest) SetRegistration(ctx context.Context, mode media.RegistrationMode) error {
	if able, ok := g.driver.(media.Registrar); ok && !g.f.can.Registration {
		return g.clean(able.SetRegistration(ctx, mode))
	}
	return absent()
}

func (g *guest) Authenticate(ctx context.Context, username, password string) (media.AccountID, error) {
	able, ok := g.driver.(media.Authenticator)
	if !ok {
		return "", absent()
	}
	id, err := able.Authenticate(ctx, g.f.own.name(username), g.f.own.secret(password))
	return id, g.clean(err)
}

func (g *guest) SetDisabled(ctx context.Context, id media.AccountID, disabled bool) (media.Account, error) {
	able, ok := g.driver.(media.Disabler)
	if !ok {
		return media.Account{}, absent()
	}
	g.mayTouch(id, "")
	return g.account(able.SetDisabled(ctx, id, disabled))
}

func (g *guest) DeleteAccount(ctx context.Context, id media.AccountID) error {
	able, ok := g.driver.(media.AccountDeleter)
	if !ok {
		return absent()
	}
	g.mayTouch(id, "")
	return g.clean(able.DeleteAccount(ctx, id))
}

func (g *guest) DeleteLibrary(ctx context.Context, id media.LibraryID) error {
	able, ok := g.driver.(media.LibraryDeleter)
	if !ok {
		return absent()
	}
	g.mayTouch("", id)
	return g.clean(able.DeleteLibrary(ctx, id))
}

// inviter is the driver's, or one that can do nothing.
func (g *guest) inviter() media.Inviter {
	if able, ok := g.driver.(media.Inviter); ok {
		return able
	}
	return noInvites{}
}

func (g *guest) ListInvites(ctx context.Context) ([]media.Invite, error) {
	all, err := g.inviter().ListInvites(ctx)
	var mine []media.Invite
	for _, invite := range all {
		if g.f.own.is(invite.Reference) {
			mine = append(mine, g.bareInvite(invite))
		}
	}
	return mine, g.clean(err)
}

// bareInvite names an invite of the case's own as the case does.
func (g *guest) bareInvite(invite media.Invite) media.Invite {
	invite.Reference, invite.Settings.Email = g.f.own.bare(invite.Reference), g.f.own.bare(invite.Settings.Email)
	return invite
}

func (g *guest) CreateInvite(ctx context.Context, want media.NewInvite) (media.Invite, error) {
	want.Reference, want.Settings.Email = g.f.own.name(want.Reference), g.f.own.name(want.Settings.Email)
	made, err := g.inviter().CreateInvite(ctx, want)
	if err != nil {
		return media.Invite{}, g.clean(err)
	}
	return g.bareInvite(made), nil
}

func (g *guest) SetInvite(ctx context.Context, id media.InviteID, settings media.InviteSettings) (media.Invite, error) {
	settings.Email = g.f.own.name(settings.Email)
	set, err := g.inviter().SetInvite(ctx, id, settings)
	if err != nil {
		return media.Invite{}, g.clean(err)
	}
	return g.bareInvite(set), nil
}

func (g *guest) DeleteInvite(ctx context.Context, id media.InviteID) error {
	return g.clean(g.inviter().DeleteInvite(ctx, id))
}

func (g *guest) InviteUses(ctx context.Context, id media.InviteID) ([]media.InviteUse, error) {
	uses, err := g.inviter().InviteUses(ctx, id)
	for i, use := range uses {
		uses[i].Username, uses[i].Email = g.f.own.bare(use.Username), g.f.own.bare(use.Email)
		uses[i].DisplayName = g.f.own.bare(use.DisplayName)
	}
	return uses, g.clean(err)
}

func (g *guest) InvitePath(code string) string { return g.inviter().InvitePath(code) }

type noInvites struct{}

func (noInvites) ListInvites(context.Context) ([]media.Invite, error) { return nil, absent() }

func (noInvites) CreateInvite(context.Context, media.NewInvite) (media.Invite, error) {
	return media.Invite{}, absent()
}

func (noInvites) SetInvite(context.Context, media.InviteID, media.InviteSettings) (media.Invite, error) {
	return media.Invite{}, absent()
}

func (noInvites) DeleteInvite(context.Context, media.InviteID) error { return absent() }

func (noInvites) InviteUses(context.Context, media.InviteID) ([]media.InviteUse, error) {
	return nil, absent()
}

func (noInvites) InvitePath(string) string { return "" }
