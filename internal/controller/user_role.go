package controller

import (
	"context"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// setRoleAndAccess makes role, access list and the rest of the profile what they are to be. What an account sees comes of
// its role and of its list together, so both are written in an order in which it never sees more than before or after.
func (r *userReconciler) setRoleAndAccess(ctx context.Context, p *userPass, d difference) *outcome {
	switch {
	case p.problem != nil:
		return r.changeAccess(ctx, p, p.target)
	case d.profile.Role == nil:
		if o := r.changeAccess(ctx, p, p.target); o != nil {
			return o
		}
		return r.setProfile(ctx, p, d.profile)
	case p.able().Roles[p.account.Role].SeesAll && !p.seesAllByRole():
		return r.demote(ctx, p, d)
	}
	// With the old role or with the new one, the account sees no more than what it sees with both.
	common := func(current media.Account) media.Access { return current.Access.Common(p.target(current)) }
	if !p.able().ZeroAccess && p.seen(media.Account{Access: common(p.account)}) == 0 {
		common = p.target
	}
	if o := r.changeAccess(ctx, p, common); o != nil {
		return o
	}
	if o := r.setProfile(ctx, p, d.profile); o != nil {
		return o
	}
	return r.changeAccess(ctx, p, p.target)
}

// changeAccess is setAccess where something differs.
func (r *userReconciler) changeAccess(ctx context.Context, p *userPass, plan func(media.Account) media.Access) *outcome {
	if p.account.Access.Equal(plan(p.account)) && !p.account.Exposed {
		return nil
	}
	return r.setAccess(ctx, p, plan)
}

// demote gives an account that sees everything by its role a role that does not. Its list, which gave nothing, is made
// right before: what it holds from an earlier time would show at once. A server that keeps no list for such an account
// gets the role first.
func (r *userReconciler) demote(ctx context.Context, p *userPass, d difference) *outcome {
	account, _, err := p.to().SetAccess(ctx, p.accountKey(), p.target)
	switch media.CodeOf(err) {
	case "":
		before := p.account
		p.account = account
		r.noteHeld(p, before)
	case media.Unsupported, media.Conflict:
	default:
		return r.callFailed(p.site, err)
	}
	if o := r.setProfile(ctx, p, d.profile); o != nil {
		return o
	}
	return r.changeAccess(ctx, p, p.target)
}

func (r *userReconciler) setProfile(ctx context.Context, p *userPass, change media.AccountChange) *outcome {
	if change.IsZero() {
		return nil
	}
	account, err := p.to().UpdateAccount(ctx, p.accountKey(), change)
	if err != nil {
		o := r.callFailed(p.site, err)
		if holder := p.emailHolder(); media.CodeOf(err) == media.AlreadyExists && change.Email != nil && holder != "" {
			o = stalled(v1alpha1.ReasonConflict, "account %q has the email address of this User: give %q another address, or none, and this one follows by itself (where two swap their addresses, one needs a third in between)", holder, holder)
		}
		return o
	}
	before := p.account
	p.account = account
	r.noteHeld(p, before)
	return nil
}

// emailHolder is the name of another account that has the email address which this User asks for; empty for none.
func (p *userPass) emailHolder() string {
	fold := p.to().Traits().FoldEmail
	for account := range p.inventory().All() {
		if account.ID != p.account.ID && fold(account.Email) == fold(p.user.Spec.Email) {
			return bounded(account.Username, 128)
		}
	}
	return ""
}
