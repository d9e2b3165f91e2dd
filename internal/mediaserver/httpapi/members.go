package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// Member is somebody in a library: its owner, who was granted it, or who sees every library.
type Member struct {
	UserID      string            `json:"userId"`
	Username    string            `json:"username"`
	DisplayName string            `json:"displayName"`
	Role        rules.LibraryRole `json:"role" enum:"owner,admin,viewer"`
	By          store.By          `json:"by" enum:"grant,role,all" doc:"Why they see it: it is theirs or was granted, their role sees every library, or their access has all"`
	Since       *time.Time        `json:"since" nullable:"true" doc:"Null: it was not granted"`
	Disabled    bool              `json:"disabled" doc:"True: the account is deactivated, and sees nothing until it is enabled"`
}

type (
	memberChange struct {
		ID     string `path:"id"`
		UserID string `path:"userId"`
		Body   struct {
			Role rules.LibraryRole `json:"role" enum:"viewer,admin"`
		}
	}
	newLibraryInvite struct {
		ID   string `path:"id"`
		Body struct {
			MaxUses   Optional[int]       `json:"maxUses,omitempty" minimum:"1" doc:"Absent or null: no limit"`
			ExpiresAt Optional[time.Time] `json:"expiresAt,omitempty" doc:"Absent or null: never; in the past: expired"`
			Welcome   string              `json:"welcome,omitempty" maxLength:"4096" doc:"Markdown, for the page that who has joined sees"`
		}
	}
	oneLibraryInvite struct {
		ID       string `path:"id"`
		InviteID string `path:"inviteId"`
	}
)

// memberRoutes are a library's settings page in the Alcoves seed: for the library's owner and admins, be they members of
// the server only.
func (a *api) memberRoutes() {
	r := route{path: "/v1/libraries/{id}/members", tag: "members", needs: rules.BrowseMedia}
	add(a, r.with(http.MethodGet, "list-members", "Who is in a library, its owner first", 0), a.listMembers)
	one := r.at(r.path + "/{userId}")
	add(a, one.with(http.MethodPatch, "update-member", "Make a member viewer or admin", 0), a.patchMember)
	add(a, one.with(http.MethodDelete, "remove-member", "Take a library from a member", http.StatusNoContent), a.removeMember)
	invites := r.at("/v1/libraries/{id}/invites")
	add(a, invites.with(http.MethodGet, "list-library-invites", "The invite links that give a library, whoever made them", 0), a.listLibraryInvites)
	add(a, invites.with(http.MethodPost, "create-library-invite", "Make a link that makes people viewers of a library",
		http.StatusCreated), a.createLibraryInvite)
	add(a, invites.at(invites.path+"/{inviteId}").with(http.MethodDelete, "revoke-library-invite",
		"Revoke an invite link that a library issued; its members stay", http.StatusNoContent), a.revokeLibraryInvite)
}

func memberView(h store.Holder) Member {
	return Member{UserID: h.AccountID, Username: h.Username, DisplayName: h.DisplayName, Role: h.Role, By: h.By, Since: timeView(h.GrantedAt), Disabled: h.Disabled}
}

// libraryToGovern returns a library that the caller may see and whose members it may change.
func (a *api) libraryToGovern(ctx context.Context, id string) (*store.Library, error) {
	account := callerOf(ctx).account
	library, err := a.store.Library(ctx, account.Viewer(), id)
	if err != nil {
		return nil, err
	}
	return library, library.In(account).CheckMembers()
}

func (a *api) listMembers(ctx context.Context, in *libraryPage) (*body[Page[Member]], error) {
	library, err := a.libraryToGovern(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := a.store.Members(ctx, library, in.page())
	return pageOf(list, memberView), err
}

// memberCheck asks, inside the transaction, whether the caller may change that member.
func memberCheck(account *store.Account, memberID string, remove bool) func(*store.Library) error {
	return func(library *store.Library) error {
		in := library.In(account)
		if err := in.CheckMembers(); err != nil {
			return err
		}
		return in.CheckMemberChange(memberID, remove)
	}
}

func (a *api) patchMember(ctx context.Context, in *memberChange) (*body[Member], error) {
	account := callerOf(ctx).account
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	allowed := func(role rules.LibraryRole) error {
		return rules.HandOn(giver, rules.ChangeMember, inLibrary(in.ID, in.Body.Role), inLibrary(in.ID, role))
	}
	holder, err := a.store.SetMemberRole(ctx, account.Viewer(), in.ID, in.UserID, in.Body.Role, memberCheck(account, in.UserID, false), allowed)
	return &body[Member]{Body: memberView(holder)}, err
}

func (a *api) removeMember(ctx context.Context, in *onePermission) (*none, error) {
	account := callerOf(ctx).account
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	return nil, a.store.RemoveMember(ctx, account.Viewer(), in.ID, in.UserID, memberCheck(account, in.UserID, true), func(role rules.LibraryRole) error {
		return rules.HandOn(giver, rules.RemoveMember, rules.Holding{}, inLibrary(in.ID, role))
	})
}

func (a *api) listLibraryInvites(ctx context.Context, in *libraryPage) (*body[Page[Invite]], error) {
	if _, err := a.libraryToGovern(ctx, in.ID); err != nil {
		return nil, err
	}
	list, err := a.store.LibraryInvites(ctx, in.ID, in.page())
	return a.visibleInvites(ctx, rules.SeeLibraryInvite, list, err)
}

// createLibraryInvite makes a link that gives one library, for viewing (Alcoves seed, line 47).
func (a *api) createLibraryInvite(ctx context.Context, in *newLibraryInvite) (*body[CreatedInvite], error) {
	library, err := a.libraryToGovern(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	invite := &store.Invite{
		Role: rules.Member, MaxUses: in.Body.MaxUses.Value, ExpiresAt: instantOf(in.Body.ExpiresAt.Value),
		InviterName: callerOf(ctx).account.DisplayName, Welcome: in.Body.Welcome,
		Libraries: []store.InviteLibrary{{LibraryID: library.ID, Role: rules.Viewer}},
	}
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	if err := rules.HandOn(giver, rules.MakeLibraryInvite, invite.Gift(), rules.Holding{}); err != nil {
		return nil, err
	}
	return a.storeInvite(ctx, new(rules.Check), invite, "", in.Body.ExpiresAt.Value, func() error {
		return a.store.CreateLibraryInvite(ctx, invite, library.ID)
	})
}

func (a *api) revokeLibraryInvite(ctx context.Context, in *oneLibraryInvite) (*none, error) {
	if _, err := a.libraryToGovern(ctx, in.ID); err != nil {
		return nil, err
	}
	if _, err := a.store.LibraryInvite(ctx, in.ID, in.InviteID); err != nil {
		return nil, a.notIssued(ctx, in, err)
	}
	_, err := a.store.UpdateInvite(ctx, in.InviteID, func(invite *store.Invite) error {
		invite.Revoked = true
		return nil
	})
	return nil, err
}

// notIssued tells an invite that the library lists, and others made, from one that is none of its own.
func (a *api) notIssued(ctx context.Context, in *oneLibraryInvite, err error) error {
	giver, failed := a.holding(ctx)
	invite, missing := a.store.Invite(ctx, in.InviteID)
	switch {
	case failed != nil:
		return failed
	case missing != nil, inviteVisible(giver, rules.SeeLibraryInvite)(invite) != nil, !slices.Contains(inviteLibraryIDs(invite), in.ID):
		return err
	}
	return rules.ErrForbidden
}
