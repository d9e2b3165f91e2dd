package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// byCode names an invite by its code, which is a secret: it is hashed at once and goes nowhere else.
type byCode struct {
	Code string `path:"code"`
}

// invitationRoutes are what the holder of a link can do. Opening one consumes nothing, since mail scanners and link
// previews open links as well.
func (a *api) invitationRoutes() {
	r := route{path: "/v1/invitations/{code}", tag: "invitations"}
	look := r.with(http.MethodGet, "get-invitation", "What an invite link offers; looking consumes nothing", 0)
	look.public, look.greets = true, true
	add(a, look, a.getInvitation)
	r.path += "/accept"
	add(a, r.with(http.MethodPost, "accept-invitation", "Take what an invite offers; again is fine", 0), a.acceptInvitation)
}

// codeHash returns the hash under which a code is stored; empty for no code.
func codeHash(code string) string {
	if code == "" {
		return ""
	}
	return auth.CodeHash(code)
}

func (a *api) getInvitation(ctx context.Context, in *byCode) (*body[Invitation], error) {
	if err := a.limits.allowLook(ctx); err != nil {
		return nil, err
	}
	invite, err := a.store.InviteByCode(ctx, auth.CodeHash(in.Code))
	if err != nil {
		return nil, err
	}
	view := invitationView(invite, a.now(), false)
	if who := knownCaller(ctx); who != nil {
		standing, err := a.store.Standing(ctx, invite, who.account.ID)
		if err != nil {
			return nil, ifGone(err)
		}
		view = invitationView(invite, a.now(), standing.Member)
		if standing.Used && !standing.Member {
			view.CanAccept, view.Reason = false, rules.ErrUsedInvite.Error()
		}
		view.CanAccept = view.CanAccept && rules.CheckMemberEmail(invite.Email, who.account.Email, who.account.EmailChosen) == nil
	}
	return &body[Invitation]{Body: view}, nil
}

func (a *api) acceptInvitation(ctx context.Context, in *byCode) (*body[Accepted], error) {
	if err := a.limits.allowLook(ctx); err != nil {
		return nil, err
	}
	acceptance, err := a.store.Accept(ctx, auth.CodeHash(in.Code), callerOf(ctx).account.ID, stillEnabled)
	if err != nil {
		return nil, ifGone(err)
	}
	return &body[Accepted]{Body: acceptedView(acceptance)}, nil
}

// stillEnabled is asked inside the transaction: an account may be disabled after its session was looked at.
func stillEnabled(account *store.Account) error {
	if account.Disabled {
		return store.ErrNoSession
	}
	return nil
}

// ifGone treats a caller whose account was deleted after its session was looked at like any ended session.
func ifGone(err error) error {
	if errors.Is(err, store.ErrAccountNotFound) {
		return store.ErrNoSession
	}
	return err
}
