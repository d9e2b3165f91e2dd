package alcoves

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	linksPath  = "/api/libraries/{id}/users/invite-link"
	linkPath   = "/api/libraries/{id}/users/invites/{invite}"
	acceptPath = "/api/invites/{token}/accept"
)

// registeredWithin is how soon after an account was made its link is redeemed, when it was registered with that link:
// the server does both in one call (section 3). Who took longer had an account already.
const registeredWithin = 10 * time.Second

type linkBody struct {
	MaxUses   *int       `json:"maxUses,omitempty"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
}

// inviteID names a link with its library: the server has no call for a link alone.
func inviteID(library, id string) media.InviteID { return media.InviteID(library + "/" + id) }

func (l link) invite(library string) media.Invite {
	sum := sha256.Sum256([]byte(l.Token))
	settings := media.InviteSettings{Role: media.RoleMember, Libraries: map[media.LibraryID]media.LibraryRole{media.LibraryID(library): media.LibraryViewer}}
	if l.MaxUses != nil {
		settings.MaxUses = *l.MaxUses
	}
	if l.ExpiresAt != nil {
		settings.ExpiresAt = *l.ExpiresAt
	}
	return media.Invite{ID: inviteID(library, l.ID), CodeHash: hex.EncodeToString(sum[:]), Code: l.Token, Settings: settings, Uses: l.UseCount, LastUsedBy: l.lastUsedBy()}
}

func (l link) lastUsedBy() media.AccountID {
	if len(l.Uses) == 0 {
		return ""
	}
	last := slices.MaxFunc(l.Uses, func(a, b linkUse) int { return a.UsedAt.Compare(b.UsedAt) })
	return media.AccountID(last.User.ID)
}

// ListInvites returns the links that are not revoked, those that are used up or expired among them.
func (d *Driver) ListInvites(ctx context.Context) ([]media.Invite, error) {
	self, err := d.administrator(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := d.look(ctx, self, media.AccountID(self.ID))
	if err != nil {
		return nil, err
	}
	invites := []media.Invite{}
	for _, library := range seen.listing.Libraries {
		for _, one := range seen.links[library.ID] {
			invites = append(invites, one.invite(string(library.ID)))
		}
	}
	return invites, nil
}

// CreateInvite makes a link. The server chooses its code; NewInvite.Code and Reference are not used.
func (d *Driver) CreateInvite(ctx context.Context, want media.NewInvite) (media.Invite, error) {
	library, err := onlyLibrary(want.Settings)
	if err != nil {
		return media.Invite{}, err
	}
	found, err := d.readLibrary(ctx, library)
	switch {
	case media.CodeOf(err) == media.NotFound:
		return media.Invite{}, media.Errorf(media.PermissionDenied, "the account that Usher uses does not see the library: make it an admin there")
	case err != nil:
		return media.Invite{}, err
	case *found.IsDefault:
		return media.Invite{}, media.Errorf(media.Conflict, "a personal library is never shared")
	}
	body := linkBody{}
	if want.Settings.MaxUses > 0 {
		body.MaxUses = &want.Settings.MaxUses
	}
	if !want.Settings.ExpiresAt.IsZero() {
		body.ExpiresAt = &want.Settings.ExpiresAt
	}
	made, err := d.mint(ctx, string(library), body)
	return made.invite(string(library)), err
}

// onlyLibrary is the library that a link leads to. What else a link of this server cannot say is refused.
func onlyLibrary(settings media.InviteSettings) (media.LibraryID, error) {
	refuse := func(words string) (media.LibraryID, error) {
		return "", media.Errorf(media.Unsupported, "a link of this server %s", words)
	}
	switch {
	case len(settings.Libraries) != 1:
		return refuse("leads to one library: name exactly one in spec.libraries")
	case settings.Role != media.RoleMember:
		return refuse("makes members: set spec.role to Member")
	case settings.Email != "":
		return refuse("is bound to nobody: remove spec.email, and set maxUses to 1")
	case settings.Inviter != "":
		return refuse("names the account that Usher uses as who invites: remove spec.inviter")
	case settings.Welcome != "":
		return refuse("has no page of welcome: remove spec.welcome")
	case settings.Revoked:
		return refuse("is not made to be revoked")
	}
	for id, role := range settings.Libraries {
		if role != media.LibraryViewer {
			return refuse("makes viewers: set spec.libraryRole to Viewer")
		}
		if !isID(string(id)) {
			return "", media.Errorf(media.Invalid, "there is no such library")
		}
		return id, nil
	}
	return "", nil
}

// mint makes a link by the API. One that came out with a wider promise than asked for (a server that does not know a field
// ignores it) is revoked at once: its code has left the server to nobody but us.
func (d *Driver) mint(ctx context.Context, library string, body linkBody) (link, error) {
	var made link
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodPost, Path: linksPath, Args: []string{library}, Body: body, Into: &made})
	if err != nil {
		return link{}, err
	}
	if made.keeps(body) {
		return made, nil
	}
	if err := d.revokeLinks(ctx, library, []link{made}); err != nil {
		return link{}, media.Errorf(media.Ambiguous, "the server made a link that admits more than was asked for, and it could not be revoked: revoke it on the server's own pages").WithCause(ctx.Err())
	}
	return link{}, media.Errorf(media.Unavailable, "the server made a link that admits more than was asked for, so it was revoked: is the server new enough (0.20)?")
}

// keeps says whether a link admits no more than was asked for, and no longer. The server keeps microseconds.
func (l link) keeps(asked linkBody) bool {
	uses := asked.MaxUses == nil || l.MaxUses != nil && *l.MaxUses <= *asked.MaxUses
	end := asked.ExpiresAt == nil || l.ExpiresAt != nil && !l.ExpiresAt.After(asked.ExpiresAt.Add(time.Second))
	return uses && end
}

// SetInvite only revokes: the server has no call that changes a link.
func (d *Driver) SetInvite(ctx context.Context, id media.InviteID, settings media.InviteSettings) (media.Invite, error) {
	if !settings.Revoked {
		return media.Invite{}, media.Errorf(media.Unsupported, "a link of this server cannot be changed: revoke it and make another")
	}
	if err := d.DeleteInvite(ctx, id); err != nil {
		return media.Invite{}, err
	}
	return media.Invite{ID: id, Settings: settings}, nil
}

// DeleteInvite revokes a link. NotFound when there is none, it is revoked already, or its library is gone, since nobody
// comes by it then.
func (d *Driver) DeleteInvite(ctx context.Context, id media.InviteID) error {
	library, invite, err := splitInviteID(id)
	if err != nil {
		return err
	}
	var done reply
	_, err = d.client.Do(ctx, wire.Call{Method: http.MethodDelete, Path: linkPath, Args: []string{library, invite}, Into: &done})
	if media.CodeOf(err) == media.Unavailable && ctx.Err() == nil {
		if _, gone := d.Library(ctx, media.LibraryID(library)); media.CodeOf(gone) == media.NotFound {
			return media.Errorf(media.NotFound, "the library that the link led to is gone")
		}
	}
	return err
}

func splitInviteID(id media.InviteID) (library, invite string, err error) {
	library, invite, _ = strings.Cut(string(id), "/")
	if !isID(library) || !isID(invite) {
		return "", "", media.Errorf(media.NotFound, "there is no such link")
	}
	return library, invite, nil
}

// revokeLinks revokes the links of a library by which somebody could still come.
func (d *Driver) revokeLinks(ctx context.Context, library string, links []link) error {
	for _, one := range links {
		if err := d.DeleteInvite(ctx, inviteID(library, one.ID)); err != nil && media.CodeOf(err) != media.NotFound {
			return err
		}
	}
	return nil
}

// InviteUses returns who came by a link, oldest first. The API tells it of links that are not revoked, the database of
// all. More people may have come than the link says (section 6).
func (d *Driver) InviteUses(ctx context.Context, id media.InviteID) ([]media.InviteUse, error) {
	library, invite, err := splitInviteID(id)
	if err != nil {
		return nil, err
	}
	self, err := d.administrator(ctx)
	if err != nil {
		return nil, err
	}
	sql, err := d.knowsDatabase(ctx, self)
	if err != nil {
		return nil, err
	}
	var found []linkUse
	if sql {
		err = d.database.read(ctx, self.ID, func(ctx context.Context, s *session) (err error) {
			found, err = s.uses(ctx, invite)
			return err
		})
	} else {
		found, err = d.usesByAPI(ctx, library, invite)
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(a, b linkUse) int { return a.UsedAt.Compare(b.UsedAt) })
	uses := make([]media.InviteUse, 0, len(found))
	for _, one := range found {
		took := one.UsedAt.Sub(one.User.CreatedAt)
		uses = append(uses, media.InviteUse{
			Account: media.AccountID(one.User.ID), Username: one.User.Email, Email: one.User.Email, DisplayName: one.User.DisplayName,
			At: one.UsedAt, Registered: took >= 0 && took < registeredWithin,
			// A link cannot be changed, so that it says itself what it gave.
			Told: true, Role: media.RoleMember, Libraries: map[media.LibraryID]media.LibraryRole{media.LibraryID(library): media.LibraryViewer},
		})
	}
	return uses, nil
}

func (d *Driver) usesByAPI(ctx context.Context, library, invite string) ([]linkUse, error) {
	everybody, err := d.everybody(ctx) // says when accounts were made
	if err != nil {
		return nil, err
	}
	who, err := d.sharing(ctx, library)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(who.InviteLinks, func(one link) bool { return one.ID == invite })
	if at < 0 {
		return nil, media.Errorf(media.NotFound, "there is no such link")
	}
	uses := who.InviteLinks[at].Uses
	for i := range uses {
		for _, one := range everybody {
			if one.ID == uses[i].User.ID {
				uses[i].User = one
			}
		}
	}
	return uses, nil
}

// InvitePath is the page that the server serves for a code.
func (d *Driver) InvitePath(code string) string { return "/invites/" + code }
