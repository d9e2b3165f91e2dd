package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// difference is how an account differs from what its User asks for.
type difference struct {
	switching access.Switching
	target    media.Access
	profile   media.AccountChange
	// words says all of it for people.
	words []string
}

// agree makes the account what the manifest asks for, in an order in which nobody ever has more than before or after:
// shut out, take or give access, role and profile, let in, password.
func (r *userReconciler) agree(ctx context.Context, p *userPass) outcome {
	if p.problem == nil && !p.observing() {
		if o := r.disabledBefore(ctx, p); o != nil {
			return *o
		}
		if p.problem = p.guardRole(p.account); p.problem == nil {
			p.problem = r.settleDebt(ctx, p)
		}
	}
	if p.problem != nil {
		p.keepsRole()
	}
	p.keepDeparting()
	diff := p.difference()
	if o := r.mayRaise(ctx, p, diff); o != nil && p.problem == nil {
		p.problem = o
		p.keepsRole()
		diff = p.difference()
	}
	if p.observing() {
		if p.record.Generated && p.passwordRef() == nil && !p.chosenByHolder() && !r.exists(ctx, types.NamespacedName{Namespace: p.user.Namespace, Name: credentialsSecretName(p.user)}) {
			diff.words = append(diff.words, "its password kept in Secret "+credentialsSecretName(p.user))
		}
		return p.observe(diff)
	}
	same := sameAccess(p.status.Access, p.accessStatus(p.agreeing(diff))) && (p.status.State == p.want || p.status.State == v1alpha1.UserDisabledOnServer)
	drift := r.foundDrift("User", p.agreed && same, diff.words)
	if len(diff.words) > 0 {
		if o := r.apply(ctx, p, diff); o != nil {
			p.status.Access = p.accessStatus(p.account) // a part may be done
			return *o
		}
		r.reportDrift(ctx, p, drift)
	}
	p.describe()
	if p.problem != nil {
		return *p.problem
	}
	if o := r.forgetSwitch(ctx, p); o != nil {
		return *o
	}
	if o := r.agreePassword(ctx, p); o != nil {
		return *o
	}
	return p.summary()
}

func (p *userPass) difference() difference {
	var d difference
	d.switching, _ = access.Switch(p.want, p.wantDisabled, p.shutOut(), p.record.Disabled)
	if d.switching != access.SwitchNothing {
		d.words = append(d.words, strings.ToLower(string(d.switching))+" the account")
	}
	d.target = p.target(p.account)
	if !p.account.Access.Equal(d.target) {
		d.words = append(d.words, p.accessWords(p.account.Access, d.target)...)
	}
	if p.account.Exposed {
		d.words = append(d.words, "lists of the server closed, which showed or could show more than was given")
	}
	spec := p.user.Spec
	if role := media.Role(spec.Role); p.account.Role != role {
		d.profile.Role = &role
		d.words = append(d.words, fmt.Sprintf("role from %s to %s", p.account.Role, role))
	}
	if spec.Email != "" && p.to().Traits().FoldEmail(p.account.Email) != p.to().Traits().FoldEmail(spec.Email) {
		d.profile.Email = &spec.Email
		d.words = append(d.words, "email to "+spec.Email)
	}
	if spec.DisplayName != "" && p.able().DisplayName && p.account.DisplayName != spec.DisplayName {
		d.profile.DisplayName = &spec.DisplayName
		d.words = append(d.words, fmt.Sprintf("display name to %q", spec.DisplayName))
	}
	return d
}

func (r *userReconciler) apply(ctx context.Context, p *userPass, d difference) *outcome {
	ctx = media.WithReason(ctx, d.words...)
	if o := p.mayWrite(); o != nil {
		return o
	}
	if o := p.grantsOnTheirWay(r.Clock.Now(), d); o != nil {
		return o
	}
	if o := r.confirm(ctx, p, d); o != nil {
		return o
	}
	shutsOut := access.ShutsOut(p.seen(p.account), p.seen(p.agreeing(d)))
	if d.switching == access.SwitchDisable || (shutsOut && !p.shutOut()) {
		if o := r.mayShutOut(ctx, p); o != nil {
			return o
		}
	}
	if d.switching == access.SwitchDisable {
		if o := r.disable(ctx, p); o != nil {
			return o
		}
	}
	if o := r.setRoleAndAccess(ctx, p, d); o != nil || p.problem != nil {
		return o
	}
	if d.switching == access.SwitchEnable {
		return r.enable(ctx, p)
	}
	return nil
}

// confirm makes sure that the difference is one to the manifests of today. Where nobody can tell, since the API server does
// not answer, access is taken nevertheless, as at a time that a manifest named, and nothing else is done.
func (r *userReconciler) confirm(ctx context.Context, p *userPass, d difference) *outcome {
	err := r.confirmCurrent(ctx, p.user)
	takes := d.switching == access.SwitchNothing && d.profile.IsZero() && p.account.Access.Includes(d.target)
	behind := apierrors.IsConflict(err) || apierrors.IsNotFound(err)
	if err == nil || (takes && !behind) {
		return nil
	}
	return retry(err)
}

func (p *userPass) accountKey() media.AccountKey {
	if p.renamed {
		return media.AccountKey{ID: p.account.ID, Username: p.account.Username}
	}
	return media.AccountKey{ID: p.account.ID, Username: p.user.Spec.Username}
}

func (r *userReconciler) setAccess(ctx context.Context, p *userPass, plan func(media.Account) media.Access) *outcome {
	account, _, err := p.to().SetAccess(ctx, p.accountKey(), plan)
	if err != nil {
		return r.callFailed(p.site, err)
	}
	before := p.account
	p.account = account
	r.noteHeld(p, before)
	return nil
}

// guardRole refuses what would demote a protected account or make an owner.
func (p *userPass) guardRole(account media.Account) *outcome {
	want := media.Role(p.user.Spec.Role)
	if account.Role == want {
		return nil
	}
	if want == media.RoleOwner {
		return stalled(v1alpha1.ReasonInvalidSpec, "account %q is not the server's owner (it is %s), and an owner is never made: choose another role", p.user.Spec.Username, account.Role)
	}
	if why := p.to().Protection(p.connection.Probe, account); why != "" {
		return stalled(v1alpha1.ReasonProtected, "account %q keeps its role %s: %s; set spec.role to %s", p.user.Spec.Username, account.Role, why, account.Role)
	}
	if !p.able().Roles[want].Assignable {
		return stalled(v1alpha1.ReasonUnsupported, "Usher's account %q may not give the role %s on this server: use the owner's account in the MediaServer's Secret", p.connection.Probe.SelfName, want)
	}
	return nil
}

// observe reports the difference and leaves it.
func (p *userPass) observe(d difference) outcome {
	words := slices.Concat(p.planned, d.words, p.awaitedWords())
	p.status.Plan = firstListed(words)
	if len(words) > 0 {
		return *observed(words)
	}
	p.describe()
	return p.summary()
}

func (r *userReconciler) reportDrift(ctx context.Context, p *userPass, drift *v1alpha1.Drift) {
	if drift == nil {
		return
	}
	p.status.Drift = repaired(drift, r.Clock.Now())
	r.counters.driftRepaired.WithLabelValues("User").Inc()
	r.normal(p.user, "DriftRepaired", "Repair", "changed by hand on the server, and repaired: %s", bounded(strings.Join(drift.Differences, "; "), 500))
}

// describe fills the status of an account that agrees.
func (p *userPass) describe() {
	s := p.status
	s.ExternalID, s.Origin = string(p.account.ID), p.record.Origin
	s.Access = p.accessStatus(p.account)
	s.Plan = nil
	switching, state := access.Switch(p.want, p.wantDisabled, p.shutOut(), p.record.Disabled)
	if switching == access.SwitchEnable {
		state = v1alpha1.UserDisabledOnServer // it was to be opened, and is not
	}
	s.State = state
	s.DisableMethod = ""
	if p.shutOut() && p.record.Disabled {
		s.DisableMethod = p.method()
	}
}

// summary says that the server agrees, and what is to be said besides.
func (p *userPass) summary() outcome {
	o := p.agreement()
	if p.note != "" {
		o.message += "; " + p.note
	}
	o.after = p.after
	return o
}

func (p *userPass) agreement() outcome {
	switch p.status.State {
	case v1alpha1.UserDisabledOnServer:
		return done(v1alpha1.ReasonSynced, "the media server agrees, but the account is disabled there, and nothing on record says by Usher: somebody, or the server itself, disabled it; or a restored backup holds it disabled, or Usher did, before the cluster was restored. Usher leaves it so: enable it on the server to let the person in")
	case v1alpha1.UserExpired, v1alpha1.UserDisabled:
		if p.status.DisableMethod == v1alpha1.DisableNoAccess {
			return done(v1alpha1.ReasonSynced, "the media server agrees: it cannot disable accounts, so this one sees no library")
		}
		return done(v1alpha1.ReasonSynced, "the media server agrees: nobody can sign in with the account")
	}
	return done(v1alpha1.ReasonSynced, "the media server agrees")
}

func sameAccess(a, b *v1alpha1.UserAccessStatus) bool {
	return a != nil && b != nil && a.Total == b.Total && fmt.Sprint(a.Items) == fmt.Sprint(b.Items)
}
