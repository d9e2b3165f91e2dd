package controller

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

// execute takes the steps of a plan, in their order. Each is read back; what only Usher knows of it is recorded before.
func (r *userReconciler) execute(ctx context.Context, p *userPass, next plan.Plan) *outcome {
	if next.Writes() || next.Finalizes() {
		if o := r.admit(ctx, p, next); o != nil {
			return o
		}
	}
	ctx = media.WithReason(ctx, next.Reasons()...)
	for _, step := range next.Steps {
		if o := r.take(ctx, p, step); o != nil || next.Obtains() {
			return o // what follows is planned anew with what was read back
		}
	}
	return nil
}

// admit asks all guards before the first step: the server is up, no grants are about to follow, the manifests are those of
// today, and not too many people are locked out at once.
func (r *userReconciler) admit(ctx context.Context, p *userPass, next plan.Plan) *outcome {
	if next.Has(plan.Adopt) {
		return r.mayObtain(ctx, p, true) // only the record is written
	}
	if o := p.mayWrite(); o != nil || next.Has(plan.Recover) {
		return o
	}
	if next.Has(plan.Create) {
		return r.mayCreate(ctx, p)
	}
	if o := p.grantsOnTheirWay(r.Clock.Now(), next); o != nil {
		return o
	}
	if o := r.confirm(ctx, p, next); o != nil {
		return o
	}
	if next.LocksOut() {
		return r.mayShutOut(ctx, p)
	}
	return nil
}

// confirm makes sure that the plan is one for the manifests of today. Where nobody can tell, since the API server does
// not answer, access is taken nevertheless, as at a time that a manifest named, and nothing else is done.
func (r *userReconciler) confirm(ctx context.Context, p *userPass, next plan.Plan) *outcome {
	if next.Finalizes() {
		if err := r.confirmDeleting(ctx, p.site, p.user); err != nil {
			return retry(err)
		}
		return nil
	}
	err := r.confirmCurrent(ctx, p.user)
	behind := apierrors.IsConflict(err) || apierrors.IsNotFound(err)
	if err == nil || (next.OnlyRevokes() && !behind && !next.Of.Renamed()) {
		return nil
	}
	return retry(err)
}

func (r *userReconciler) take(ctx context.Context, p *userPass, step plan.Step) *outcome {
	switch step.Action {
	case plan.Create:
		return r.create(ctx, p, step)
	case plan.Recover:
		return r.settle(ctx, p, p.account)
	case plan.Adopt:
		return r.adopt(ctx, p, step)
	case plan.SetOwedPassword:
		return r.settleOwed(ctx, p)
	case plan.Disable:
		return r.disable(ctx, p, step)
	case plan.SetAccess:
		if !step.Optional && p.account.Access.Equal(step.Access(p.account)) && !p.account.Exposed {
			return nil
		}
		return r.setAccess(ctx, p, step)
	case plan.Update:
		return r.update(ctx, p, step.Change)
	case plan.Enable:
		return r.enable(ctx, p)
	case plan.Delete:
		return r.deleteAccount(ctx, p)
	case plan.ForgetDisabled:
		p.record.Disabled, p.record.Method, p.record.Locked, p.record.OwesPassword = false, "", false, false
		return r.putRecord(ctx, p)
	}
	return nil
}

func (p *userPass) accountKey() media.AccountKey {
	if p.renamed() {
		return media.AccountKey{ID: p.account.ID, Username: p.account.Username}
	}
	return media.AccountKey{ID: p.account.ID, Username: p.user.Spec.Username}
}

// readBack keeps the account as the server answered it.
func (r *userReconciler) readBack(p *userPass, account media.Account) {
	before := p.account
	p.account = account
	r.noteHeld(p, before)
}

func (r *userReconciler) setAccess(ctx context.Context, p *userPass, step plan.Step) *outcome {
	account, _, err := p.to().SetAccess(ctx, p.accountKey(), step.Access)
	if code := media.CodeOf(err); step.Optional && (code == media.Unsupported || code == media.Conflict) {
		return nil
	}
	if err != nil {
		return r.callFailed(p.site, err)
	}
	r.readBack(p, account)
	return nil
}

func (r *userReconciler) setSwitch(ctx context.Context, p *userPass, disabled bool) *outcome {
	account, err := p.to().SetDisabled(ctx, p.accountKey(), disabled)
	if err != nil {
		return r.callFailed(p.site, err)
	}
	r.readBack(p, account)
	return nil
}

func (r *userReconciler) update(ctx context.Context, p *userPass, change media.AccountChange) *outcome {
	account, err := p.to().UpdateAccount(ctx, p.accountKey(), change)
	if err != nil {
		o := r.callFailed(p.site, err)
		if holder := p.emailHolder(); media.CodeOf(err) == media.AlreadyExists && change.Email != nil && holder != "" {
			o = stalled(v1alpha1.ReasonConflict, "account %q has the email address of this User: give %q another address, or none, and this one follows by itself (where two swap their addresses, one needs a third in between)", holder, holder)
		}
		return o
	}
	r.readBack(p, account)
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
