package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

type (
	newInvite struct {
		Body struct {
			Code      string              `json:"code,omitempty" doc:"22 to 128 of A-Z, a-z, 0-9, _ and -. Absent: the server makes one and answers with it once"`
			Role      rules.Role          `json:"role,omitempty" enum:"member,guest,editor" default:"member"`
			Libraries []AccessEntry       `json:"libraries,omitempty" nullable:"false" maxItems:"5000"`
			MaxUses   Optional[int]       `json:"maxUses,omitempty" minimum:"1" doc:"Absent or null: no limit"`
			ExpiresAt Optional[time.Time] `json:"expiresAt,omitempty" doc:"Absent or null: never; in the past: expired"`
			Email     OptionalText        `json:"email,omitempty" doc:"The only mail address that may use it: a label for who registers, since nothing here can verify what they write"`
			Inviter   *Inviter            `json:"inviter,omitempty" doc:"Absent: the caller"`
			Welcome   string              `json:"welcome,omitempty" maxLength:"4096" doc:"Markdown, for the page that who has joined sees"`
			Revoked   bool                `json:"revoked,omitempty"`
			Held      bool                `json:"held,omitempty" doc:"True: it lets nobody in for now"`
			PriorUses int                 `json:"priorUses,omitempty" doc:"Uses that count though this server does not know them"`
			Reference string              `json:"reference,omitempty" maxLength:"512" doc:"A note of whoever makes it, to know it again"`
		}
	}
	inviteChange struct {
		ID   string `path:"id"`
		Body struct {
			Role      rules.Role          `json:"role,omitempty" enum:"member,guest,editor"`
			Libraries *[]AccessEntry      `json:"libraries,omitempty" maxItems:"5000" doc:"Replaces them all"`
			MaxUses   Optional[int]       `json:"maxUses,omitempty" minimum:"1" doc:"Null: no limit"`
			ExpiresAt Optional[time.Time] `json:"expiresAt,omitempty" doc:"Null: never"`
			Email     OptionalText        `json:"email,omitempty" doc:"Null or empty: for everybody"`
			Revoked   *bool               `json:"revoked,omitempty"`
			Held      *bool               `json:"held,omitempty" doc:"True: it lets nobody in for now"`
			PriorUses *int                `json:"priorUses,omitempty" doc:"Uses that count though this server does not know them"`
			Inviter   *Inviter            `json:"inviter,omitempty"`
			Welcome   *string             `json:"welcome,omitempty" maxLength:"4096" doc:"Empty: none"`
		}
	}
	usesPage struct {
		ID string `path:"id"`
		PageQuery
	}
)

func (a *api) inviteRoutes() {
	r := route{path: "/v1/invites", tag: "invites", needs: rules.InviteUsers}
	one := r
	one.path += "/{id}"
	uses := one
	uses.path += "/uses"
	add(a, r.with(http.MethodGet, "list-invites", "List invites with their status", 0), a.listInvites)
	add(a, r.with(http.MethodPost, "create-invite", "Make an invite link", http.StatusCreated), a.createInvite)
	add(a, one.with(http.MethodGet, "get-invite", "One invite", 0), a.getInvite)
	add(a, one.with(http.MethodPatch, "update-invite", "Change, revoke or revive an invite", 0), a.patchInvite)
	add(a, one.with(http.MethodDelete, "delete-invite", "Kill an invite's link and leave the people",
		http.StatusNoContent), a.deleteInvite)
	add(a, uses.with(http.MethodGet, "list-invite-uses", "Who used an invite, and when", 0), a.listUses)
}

func (a *api) inviteBody(ctx context.Context, invite *store.Invite, err error) (*body[Invite], error) {
	if err != nil {
		return nil, err
	}
	return &body[Invite]{Body: inviteView(invite, a.now(), callerOf(ctx).account.ID)}, nil
}

func (a *api) listInvites(ctx context.Context, in *PageQuery) (*body[Page[Invite]], error) {
	list, err := a.store.Invites(ctx, in.page())
	return a.visibleInvites(ctx, rules.SeeInvite, list, err)
}

func (a *api) getInvite(ctx context.Context, in *byID) (*body[Invite], error) {
	invite, err := a.inviteFor(ctx, in.ID)
	return a.inviteBody(ctx, invite, err)
}

func (a *api) createInvite(ctx context.Context, in *newInvite) (*body[CreatedInvite], error) {
	invite := &store.Invite{
		Role: in.Body.Role, MaxUses: in.Body.MaxUses.Value, ExpiresAt: instantOf(in.Body.ExpiresAt.Value),
		Revoked: in.Body.Revoked, Held: in.Body.Held, PriorUses: in.Body.PriorUses, Email: in.Body.Email.Value, Reference: in.Body.Reference,
		InviterName: callerOf(ctx).account.DisplayName, Welcome: in.Body.Welcome,
	}
	if in.Body.Inviter != nil {
		invite.InviterName = in.Body.Inviter.DisplayName
	}
	if invite.Role == "" {
		invite.Role = rules.Member
	}
	check := new(rules.Check)
	invite.Libraries = inviteLibrariesOf(check, in.Body.Libraries)
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	err = rules.HandOn(giver, rules.MakeInvite, invite.Gift(), rules.Holding{})
	if err := nameHidden(err, check, "", inviteLibraryIDs(invite)); err != nil {
		return nil, err
	}
	return a.storeInvite(ctx, check, invite, in.Body.Code, in.Body.ExpiresAt.Value, func() error {
		return a.store.CreateInvite(ctx, invite)
	})
}

// inviteFor returns an invite that exists for the caller.
func (a *api) inviteFor(ctx context.Context, id string) (*store.Invite, error) {
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	invite, err := a.store.Invite(ctx, id)
	if err != nil {
		return nil, err
	}
	return invite, inviteVisible(giver, rules.SeeInvite)(invite)
}

func inviteLibraryIDs(invite *store.Invite) []string {
	ids := make([]string, 0, len(invite.Libraries))
	for _, library := range invite.Libraries {
		ids = append(ids, library.LibraryID)
	}
	return ids
}

// storeInvite gives a new invite its id and code, the chosen one or its own, checks it, and stores it.
func (a *api) storeInvite(
	ctx context.Context, check *rules.Check, invite *store.Invite, code string, expiry *time.Time, create func() error,
) (*body[CreatedInvite], error) {
	made, link := "", ""
	if code == "" {
		code = auth.NewCode()
		made, link = code, linkTo(ctx, invitesPath, code)
	}
	invite.ID, invite.CodeSHA256 = auth.NewID(), auth.CodeHash(code)
	check.Field("code", rules.CheckInviteCode(code))
	checkInvite(check, invite, expiry)
	if err := check.Err(); err != nil {
		return nil, err
	}
	if err := create(); err != nil {
		return nil, nameUnknown(err, "")
	}
	return &body[CreatedInvite]{Body: CreatedInvite{Invite: inviteView(invite, a.now(), callerOf(ctx).account.ID), Code: made, URL: link}}, nil
}

// checkInvite looks at what an invite says. The expiry is that of the request, before it is rounded to be stored.
func checkInvite(check *rules.Check, invite *store.Invite, expiry *time.Time) {
	check.Field("role", rules.CheckInviteRole(invite.Role))
	if invite.MaxUses != nil {
		check.Field("maxUses", rules.CheckMaxUses(*invite.MaxUses))
	}
	check.Field("priorUses", rules.CheckPriorUses(invite.PriorUses))
	if expiry != nil {
		check.Field("expiresAt", rules.CheckExpiry(*expiry))
	}
	if invite.Email != "" {
		check.Field("email", rules.CheckEmail(invite.Email))
	}
	check.Field("inviter.displayName", rules.CheckDisplayName(invite.InviterName))
	check.Field("welcome", rules.CheckWelcome(invite.Welcome))
	check.Field("reference", rules.CheckText(invite.Reference, true))
}

func instantOf(t *time.Time) *store.Instant {
	if t == nil {
		return nil
	}
	i := store.At(*t)
	return &i
}

func inviteLibrariesOf(check *rules.Check, entries []AccessEntry) []store.InviteLibrary {
	libraries := make([]store.InviteLibrary, 0, len(entries))
	for _, p := range permissionsOf(check, "", entries) {
		libraries = append(libraries, store.InviteLibrary{LibraryID: p.LibraryID, Role: p.Role})
	}
	return libraries
}

func (a *api) patchInvite(ctx context.Context, in *inviteChange) (*body[Invite], error) {
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	invite, err := a.store.UpdateInvite(ctx, in.ID, func(invite *store.Invite) error {
		if err := inviteVisible(giver, rules.SeeInvite)(invite); err != nil {
			return err
		}
		check, before := new(rules.Check), invite.Gift()
		in.apply(check, invite)
		checkInvite(check, invite, in.Body.ExpiresAt.Value)
		err := rules.HandOn(giver, rules.EditInvite, invite.Gift(), before)
		if err := nameHidden(err, check, "", inviteLibraryIDs(invite)); err != nil {
			return err
		}
		return check.Err()
	})
	return a.inviteBody(ctx, invite, nameUnknown(err, ""))
}

func (in *inviteChange) apply(check *rules.Check, invite *store.Invite) {
	if in.Body.Role != "" {
		invite.Role = in.Body.Role
	}
	if in.Body.Libraries != nil {
		invite.Libraries = inviteLibrariesOf(check, *in.Body.Libraries)
	}
	if in.Body.MaxUses.Set {
		invite.MaxUses = in.Body.MaxUses.Value
	}
	if in.Body.ExpiresAt.Set {
		invite.ExpiresAt = instantOf(in.Body.ExpiresAt.Value)
	}
	in.Body.Email.apply(&invite.Email)
	set(&invite.Revoked, in.Body.Revoked)
	set(&invite.Held, in.Body.Held)
	set(&invite.PriorUses, in.Body.PriorUses)
	if in.Body.Inviter != nil {
		invite.InviterName = in.Body.Inviter.DisplayName
	}
	set(&invite.Welcome, in.Body.Welcome)
}

func (a *api) deleteInvite(ctx context.Context, in *byID) (*none, error) {
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	return nil, a.store.DeleteInvite(ctx, in.ID, inviteVisible(giver, rules.SeeInvite))
}

func (a *api) listUses(ctx context.Context, in *usesPage) (*body[Page[InviteUse]], error) {
	if _, err := a.inviteFor(ctx, in.ID); err != nil {
		return nil, err
	}
	list, err := a.store.InviteUses(ctx, in.ID, in.page())
	return pageOf(list, useView), err
}
