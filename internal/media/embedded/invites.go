package embedded

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	invitesPath    = "/v1/invites"
	invitePath     = "/v1/invites/{id}"
	inviteUsesPath = "/v1/invites/{id}/uses"
)

type (
	invite struct {
		ID         string        `json:"id"`
		CodeSHA256 string        `json:"codeSHA256"`
		Role       string        `json:"role"`
		Libraries  []accessEntry `json:"libraries"`
		MaxUses    *int          `json:"maxUses"`
		UseCount   *int          `json:"useCount"`
		PriorUses  int           `json:"priorUses"`
		LastUsedBy string        `json:"lastUsedBy"`
		ExpiresAt  *time.Time    `json:"expiresAt"`
		Revoked    *bool         `json:"revoked"`
		Held       bool          `json:"held"`
		Email      *string       `json:"email"`
		Inviter    inviter       `json:"inviter"`
		Welcome    string        `json:"welcome"`
		Reference  string        `json:"reference"`
		// Mine is null of a server from before it told.
		Mine      *bool     `json:"mine"`
		UpdatedAt time.Time `json:"updatedAt"`
	}
	inviter struct {
		DisplayName string `json:"displayName"`
	}
	inviteUse struct {
		UserID      string    `json:"userId"`
		Username    string    `json:"username"`
		DisplayName string    `json:"displayName"`
		Email       *string   `json:"email"`
		UsedAt      time.Time `json:"usedAt"`
		Registered  bool      `json:"registered"`
		// Null of a use from before the server kept them.
		Role      *string       `json:"role"`
		Libraries []accessEntry `json:"libraries"`
	}
	// inviteBody names every setting, null for none, so that what is replaced is replaced whole.
	inviteBody struct {
		Code      string        `json:"code,omitempty"`
		Reference string        `json:"reference,omitempty"`
		Role      string        `json:"role"`
		Libraries []accessEntry `json:"libraries"`
		MaxUses   *int          `json:"maxUses"`
		ExpiresAt *time.Time    `json:"expiresAt"`
		Revoked   bool          `json:"revoked"`
		Held      *bool         `json:"held,omitempty"`
		PriorUses *int          `json:"priorUses,omitempty"`
		Email     *string       `json:"email"`
		Inviter   inviter       `json:"inviter"`
		Welcome   string        `json:"welcome"`
	}
)

// Check implements wire.Checker.
func (i *invite) Check() error { return i.check() }

func (i invite) id() string { return i.ID }

func (i invite) check() error {
	_, known := roles[i.Role]
	good := i.ID != "" && i.CodeSHA256 != "" && known && i.Libraries != nil && i.UseCount != nil && i.Revoked != nil
	for _, entry := range i.Libraries {
		good = good && !entry.strange()
	}
	return form(good)
}

func (u inviteUse) id() string { return u.UserID }

func (u inviteUse) check() error {
	good := u.UserID != "" && u.Username != "" && !u.UsedAt.IsZero()
	if u.Role != nil {
		_, known := roles[*u.Role]
		good = good && known && u.Libraries != nil
	}
	for _, entry := range u.Libraries {
		good = good && !entry.strange()
	}
	return form(good)
}

// use converts what check found to be complete.
func (u inviteUse) use() media.InviteUse {
	use := media.InviteUse{Account: media.AccountID(u.UserID), Username: u.Username, DisplayName: u.DisplayName, At: u.UsedAt, Registered: u.Registered}
	if u.Email != nil {
		use.Email = *u.Email
	}
	if u.Role != nil {
		use.Told, use.Role, use.Libraries = true, roles[*u.Role], libraryAccess(u.Libraries)
	}
	return use
}

func libraryAccess(entries []accessEntry) map[media.LibraryID]media.LibraryRole {
	libraries := make(map[media.LibraryID]media.LibraryRole, len(entries))
	for _, entry := range entries {
		libraries[media.LibraryID(entry.LibraryID)] = libraryRoles[entry.Role]
	}
	return libraries
}

// invite converts what check found to be complete.
func (i invite) invite() media.Invite {
	settings := media.InviteSettings{
		Role: roles[i.Role], Libraries: libraryAccess(i.Libraries), PriorUses: i.PriorUses,
		Revoked: *i.Revoked, Held: i.Held, Inviter: i.Inviter.DisplayName, Welcome: i.Welcome,
	}
	if i.MaxUses != nil {
		settings.MaxUses = *i.MaxUses
	}
	if i.ExpiresAt != nil {
		settings.ExpiresAt = *i.ExpiresAt
	}
	if i.Email != nil {
		settings.Email = *i.Email
	}
	settings.Foreign = i.Mine != nil && !*i.Mine
	return media.Invite{ID: media.InviteID(i.ID), CodeHash: i.CodeSHA256, Reference: i.Reference, Settings: settings, Changed: i.UpdatedAt, Uses: *i.UseCount, LastUsedBy: media.AccountID(i.LastUsedBy)}
}

func inviteForm(settings media.InviteSettings) (inviteBody, error) {
	role, err := builtIn(settings.Role)
	if err != nil {
		return inviteBody{}, err
	}
	list, err := accessBody(media.Access{Libraries: settings.Libraries})
	if err != nil {
		return inviteBody{}, err
	}
	body := inviteBody{
		Role: role, Libraries: list.Libraries, Revoked: settings.Revoked, Held: &settings.Held, PriorUses: &settings.PriorUses, Inviter: inviter{settings.Inviter}, Welcome: settings.Welcome,
	}
	if settings.MaxUses > 0 {
		body.MaxUses = &settings.MaxUses
	}
	if !settings.ExpiresAt.IsZero() {
		body.ExpiresAt = &settings.ExpiresAt
	}
	if settings.Email != "" {
		body.Email = &settings.Email
	}
	return body, nil
}

// ListInvites reads all pages of invites.
func (d *Driver) ListInvites(ctx context.Context) ([]media.Invite, error) {
	listed, err := pages[invite](ctx, d, invitesPath, nil)
	if err != nil {
		return nil, err
	}
	invites := make([]media.Invite, 0, len(listed))
	for _, one := range listed {
		invites = append(invites, one.invite())
	}
	return invites, nil
}

// CreateInvite makes an invite of a given code.
func (d *Driver) CreateInvite(ctx context.Context, want media.NewInvite) (media.Invite, error) {
	body, err := inviteForm(want.Settings)
	if err != nil {
		return media.Invite{}, err
	}
	body.Code, body.Reference = want.Code, want.Reference
	if !want.Settings.Held && want.Settings.PriorUses == 0 {
		body.Held, body.PriorUses = nil, nil // a server from before it had them takes the rest
	}
	return d.writeInvite(ctx, wire.Call{
		Method: http.MethodPost, Path: invitesPath, Body: body, Want: http.StatusCreated,
		Codes: map[int]media.Code{http.StatusConflict: media.AlreadyExists},
	})
}

// SetInvite replaces all settings of an invite.
func (d *Driver) SetInvite(ctx context.Context, id media.InviteID, settings media.InviteSettings) (media.Invite, error) {
	body, err := inviteForm(settings)
	if err != nil {
		return media.Invite{}, err
	}
	return d.writeInvite(ctx, wire.Call{Method: http.MethodPatch, Path: invitePath, Args: []string{string(id)}, Body: body})
}

func (d *Driver) writeInvite(ctx context.Context, call wire.Call) (media.Invite, error) {
	var answer invite
	call.Into = &answer
	if _, err := d.client.Do(ctx, call); err != nil {
		return media.Invite{}, err
	}
	return answer.invite(), nil
}

// DeleteInvite kills an invite's link.
func (d *Driver) DeleteInvite(ctx context.Context, id media.InviteID) error {
	return d.remove(ctx, invitePath, string(id))
}

// InviteUses reads who came by an invite, oldest first, as the server lists them.
func (d *Driver) InviteUses(ctx context.Context, id media.InviteID) ([]media.InviteUse, error) {
	listed, err := pages[inviteUse](ctx, d, inviteUsesPath, []string{string(id)})
	if err != nil {
		return nil, err
	}
	uses := make([]media.InviteUse, 0, len(listed))
	for _, one := range listed {
		uses = append(uses, one.use())
	}
	return uses, nil
}

// InvitePath is the page that the server serves for a code.
func (d *Driver) InvitePath(code string) string { return "/invite/" + code }
