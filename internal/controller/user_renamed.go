package controller

import (
	"context"
	"strings"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// takeBack is all that is done to an account that was renamed on the server: what can be undone is taken, by the same
// manifests as ever, and nothing is given. It is not deleted, and gets no password, role or name.
func (r *userReconciler) takeBack(ctx context.Context, p *userPass) outcome {
	p.keepsRole()
	d := p.withdrawal()
	if p.observing() {
		p.status.Plan = firstListed(d.words)
		return *p.renamedConflict()
	}
	if len(d.words) > 0 {
		if o := r.withdraw(ctx, p, d); o != nil {
			p.status.Access = p.accessStatus(p.account)
			return *o
		}
	}
	p.describe()
	if p.status.State == p.want && p.wantDisabled && !p.account.Disabled {
		p.status.State = v1alpha1.UserActive
	}
	return *p.renamedConflict()
}

// withdrawal is what is to be taken from an account that was renamed, or whose User goes.
func (p *userPass) withdrawal() difference {
	p.keepDeparting()
	d := difference{target: p.takable(p.account)}
	if p.wantDisabled && !p.account.Disabled && p.able().Disable && p.to().Protection(p.connection.Probe, p.account) == "" {
		d.switching = access.SwitchDisable
		d.words = append(d.words, "disable the account")
	}
	if !p.account.Access.Equal(d.target) {
		d.words = append(d.words, p.accessWords(p.account.Access, d.target)...)
	}
	return d
}

// takable is an account's access without what Usher gave and the manifests do not give any more.
func (p *userPass) takable(current media.Account) media.Access {
	kept := p.desired()
	if p.seesAllByRole() {
		return current.Access
	}
	kept.Libraries = access.Target(current.Access.Libraries, kept.Libraries, p.declares(), !current.Access.All)
	return current.Access.Common(kept)
}

func (r *userReconciler) withdraw(ctx context.Context, p *userPass, d difference) *outcome {
	ctx = media.WithReason(ctx, d.words...)
	if o := p.mayWrite(); o != nil {
		return o
	}
	if err := r.confirmCurrent(ctx, p.user); err != nil {
		return retry(err)
	}
	shutsOut := access.ShutsOut(p.seen(p.account), p.seen(p.agreeing(d)))
	if (d.switching == access.SwitchDisable || shutsOut) && !p.account.Disabled {
		if o := r.mayShutOut(ctx, p); o != nil {
			return o
		}
	}
	if d.switching == access.SwitchDisable {
		p.record.Disabled, p.record.Method = true, v1alpha1.DisableSwitch
		if err := r.writeRecord(ctx, p.user, p.record); err != nil {
			return retry(err)
		}
		if o := r.setSwitch(ctx, p, true); o != nil {
			return o
		}
		r.normal(p.user, "Disabled", "Switch", "account %q, which was %q, is now disabled (%s)", p.account.Username, p.user.Spec.Username, v1alpha1.DisableSwitch)
	}
	return r.changeAccess(ctx, p, p.takable)
}

// renamedConflict says that the account has another name, what is still done to it, and how to follow the name.
func (p *userPass) renamedConflict() *outcome {
	name, now := p.user.Spec.Username, bounded(p.account.Username, 128)
	var cannot string
	if p.wantDisabled && !p.account.Disabled {
		cannot = " It cannot be disabled under that name: disable it on the server."
	}
	return stalled(v1alpha1.ReasonConflict, "this User's account (%s) is named %q on the server: access and sign-in are still taken from it, and nothing is given.%s Name it %q again there; or follow the new name: set spec.deletionPolicy of this User to Retain, delete it, and create a User with username %s and adoptionPolicy Always",
		p.account.ID, now, cannot, name, strings.TrimSpace(now))
}
