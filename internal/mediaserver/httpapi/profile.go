package httpapi

import (
	"context"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// OwnSession is one of the caller's sign-ins.
type OwnSession struct {
	ID        string    `json:"id"`
	Current   bool      `json:"current" doc:"True for the session that asks"`
	Client    string    `json:"client" doc:"The network address of the sign-in"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
}

type (
	passwordChange struct {
		Body struct {
			CurrentPassword string `json:"currentPassword,omitempty" doc:"Not needed when the password must be changed"`
			NewPassword     string `json:"newPassword" minLength:"8" maxLength:"128"`
		}
	}
	profileChange struct {
		Body struct {
			Email       OptionalText `json:"email,omitempty" doc:"Null or empty clears it"`
			DisplayName *string      `json:"displayName,omitempty" minLength:"1" maxLength:"200"`
		}
	}
)

func (a *api) listSessions(ctx context.Context, in *PageQuery) (*body[Page[OwnSession]], error) {
	who := callerOf(ctx)
	list, err := a.store.Sessions(ctx, who.account.ID, in.page())
	return pageOf(list, func(s *store.Session) OwnSession {
		return OwnSession{
			ID: s.ID, Current: s.ID == who.session.ID, Client: s.Client,
			CreatedAt: s.CreatedAt.Time(), ExpiresAt: s.ExpiresAt.Time(),
		}
	}), err
}

func (a *api) endSession(ctx context.Context, in *byID) (*none, error) {
	return nil, a.store.EndSession(ctx, callerOf(ctx).account, in.ID)
}

func (a *api) endOtherSessions(ctx context.Context, _ *none) (*none, error) {
	who := callerOf(ctx)
	return nil, a.store.EndOtherSessions(ctx, who.account, who.session.TokenHash)
}

// patchProfile lets people change what they are called. Their role and access are not theirs to change.
func (a *api) patchProfile(ctx context.Context, in *profileChange) (*body[User], error) {
	return a.ownBody(a.store.UpdateAccount(ctx, callerOf(ctx).account.ID, func(account *store.Account) error {
		if err := stillEnabled(account); err != nil {
			return err
		}
		before := account.Email
		in.Body.Email.apply(&account.Email)
		account.EmailChosen = account.EmailChosen || account.Email != before
		set(&account.DisplayName, in.Body.DisplayName)
		check := new(rules.Check)
		checkProfile(check, account)
		return check.Err()
	}))
}

func (a *api) changePassword(ctx context.Context, in *passwordChange) (*none, error) {
	who := callerOf(ctx)
	if err := a.limits.allowSession(ctx, who.session.ID); err != nil {
		return nil, err
	}
	if err := a.checkPasswordChange(ctx, who.account, in); err != nil {
		return nil, err
	}
	hash, err := a.hasher.Hash(ctx, in.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	unchanged := func(account *store.Account) error {
		if account.PasswordHash != who.account.PasswordHash {
			return store.ErrNoSession
		}
		return nil
	}
	return nil, a.store.SetPassword(ctx, who.account.ID, hash, false, who.session.TokenHash, unchanged)
}

// checkPasswordChange asks for the current password, or, where it must be changed, for one that differs from it
// (Shisho seed, line 40: "that forced-reset form only asks for the new password").
func (a *api) checkPasswordChange(ctx context.Context, account *store.Account, in *passwordChange) error {
	proof := in.Body.CurrentPassword
	if account.MustChangePassword {
		proof = in.Body.NewPassword
	}
	match, err := a.hasher.Matches(ctx, proof, account.PasswordHash)
	switch {
	case err != nil:
		return err
	case account.MustChangePassword && match:
		return invalidField("newPassword", "must differ from the present password")
	case !account.MustChangePassword && !match:
		return invalidField("currentPassword", "is not the present password")
	}
	return invalidField("newPassword", rules.CheckPassword(in.Body.NewPassword))
}
