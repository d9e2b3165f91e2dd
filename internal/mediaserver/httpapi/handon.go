package httpapi

import (
	"context"
	"errors"
	"slices"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// What handlers here ask before somebody hands something on, they ask rules.HandOn; none compares roles by itself.

// holding returns what the caller has now.
func (a *api) holding(ctx context.Context) (rules.Holding, error) {
	account, err := a.store.Account(ctx, callerOf(ctx).account.ID)
	if err != nil {
		return rules.Holding{}, ifGone(err)
	}
	return account.Holding(), nil
}

// nameHidden notes libraries of a gift that do not exist for the giver with the fields that name them, as it is done with those
// that do not exist at all; other errors pass.
func nameHidden(err error, check *rules.Check, prefix string, ids []string) error {
	var hidden *rules.HiddenLibraries
	if !errors.As(err, &hidden) {
		return err
	}
	for i, id := range ids {
		if slices.Contains(hidden.IDs, id) {
			check.Field(libraryField(prefix, i), textUnknownLibrary)
		}
	}
	return nil
}

// inLibrary returns the holding of somebody in one library only; of nobody, for no role.
func inLibrary(libraryID string, role rules.LibraryRole) rules.Holding {
	if role == "" {
		return rules.Holding{}
	}
	return rules.Holding{Libraries: map[string]rules.LibraryRole{libraryID: role}}
}

// inviteVisible asks whether the invite exists for who has the holding: what it gives is not more than they have.
func inviteVisible(giver rules.Holding, path rules.Path) func(*store.Invite) error {
	return func(invite *store.Invite) error {
		if rules.HandOn(giver, path, invite.Gift(), rules.Holding{}) != nil {
			return store.ErrInviteNotFound
		}
		return nil
	}
}

// visibleInvites leaves of a page those that exist for the caller. What their makers wrote into them, and who came, is for those who
// see every invite that gives no more than they have, and for who made it.
func (a *api) visibleInvites(
	ctx context.Context, path rules.Path, list store.List[*store.Invite], err error,
) (*body[Page[Invite]], error) {
	if err != nil {
		return nil, err
	}
	giver, err := a.holding(ctx)
	visible, now, me := inviteVisible(giver, path), a.now(), callerOf(ctx).account.ID
	list.Items = slices.DeleteFunc(list.Items, func(invite *store.Invite) bool { return visible(invite) != nil })
	whole := inviteVisible(giver, rules.SeeInvite)
	return pageOf(list, func(v *store.Invite) Invite {
		view := inviteView(v, now, me)
		if !view.Mine && whole(v) != nil {
			view.CodeSHA256, view.LastUsedBy, view.Email, view.Welcome, view.Reference = "", "", nil, "", ""
		}
		return view
	}), err
}
