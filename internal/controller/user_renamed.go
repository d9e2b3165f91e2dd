package controller

import (
	"context"
	"strings"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access/plan"
)

// revoke is all that is done to an account that was renamed on the server: what can be undone is taken, by the same
// manifests as ever, and nothing is given.
func (r *userReconciler) revoke(ctx context.Context, p *userPass, next plan.Plan) outcome {
	if o := r.execute(ctx, p, next); o != nil {
		p.status.Access = p.accessStatus(p.account, next.Of.Effective)
		return p.orDuplicate(*o)
	}
	p.describe(next)
	if p.status.State == p.snapshot.Want && p.snapshot.WantDisabled && !p.account.Disabled {
		p.status.State = v1alpha1.UserActive
	}
	return p.orDuplicate(*p.renamedConflict())
}

// orDuplicate is the outcome of an account that was renamed, unless its former name is another User's by now.
func (p *userPass) orDuplicate(o outcome) outcome {
	if p.problem != nil && p.problem.reason == v1alpha1.ReasonDuplicateClaim && o.kind == kindStalled {
		return *p.problem
	}
	return o
}

// renamedConflict says that the account has another name, what is still done to it, and how to follow the name.
func (p *userPass) renamedConflict() *outcome {
	name, now := p.user.Spec.Username, bounded(p.account.Username, 128)
	var cannot string
	if p.snapshot.WantDisabled && !p.account.Disabled {
		cannot = " It cannot be disabled under that name: disable it on the server."
	}
	return stalled(v1alpha1.ReasonConflict, "this User's account (%s) is named %q on the server: access and sign-in are still taken from it, and nothing is given.%s Name it %q again there; or follow the new name: set spec.deletionPolicy of this User to Retain, delete it, and create a User with username %s and adoptionPolicy Always",
		p.account.ID, now, cannot, name, strings.TrimSpace(now))
}
