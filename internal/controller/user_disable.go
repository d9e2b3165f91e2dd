package controller

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

// method is how this account is disabled, or would be.
func (p *userPass) method() v1alpha1.DisableMethod { return p.view().Method() }

// disabled says whether nobody can use the account now.
func (p *userPass) disabled() bool { return p.view().Disabled() }

// disable disables the account. That Usher does it is recorded before it is done, so that Usher may undo it.
func (r *userReconciler) disable(ctx context.Context, p *userPass, step plan.Step) *outcome {
	// Asked again, since the other administrators may have been disabled since the plan was made.
	if why := p.to().Protection(p.connection.Probe, p.account); why != "" {
		return stalled(v1alpha1.ReasonProtected, "account %q is never disabled: %s", p.user.Spec.Username, why)
	}
	unrecorded := r.recordDisabled(ctx, p, step.Method)
	// What can never be recorded, since somebody filled the annotations, holds back no disabling: it counts as done by hand.
	if unrecorded != nil && !apierrors.IsInvalid(unrecorded) {
		return retry(unrecorded)
	}
	var o *outcome
	switch step.Method {
	case v1alpha1.DisableSwitch:
		o = r.setSwitch(ctx, p, true)
	case v1alpha1.DisableLockOut:
		o = r.lockOut(ctx, p)
	case v1alpha1.DisableNoAccess:
		o = r.setAccess(ctx, p, step)
	}
	switch name := p.user.Spec.Username; {
	case o != nil:
		return o
	case p.displaced, p.snapshot.Leaving && !p.renamed(): // what became of it is said once all is done
	case p.renamed():
		r.normal(p.user, "Disabled", "Switch", "account %q, which was %q, is now disabled (%s)", p.account.Username, name, step.Method)
	default:
		r.normal(p.user, "Disabled", "Switch", "account %q is now disabled (%s)", name, step.Method)
	}
	if unrecorded != nil {
		return retry(unrecorded)
	}
	return nil
}

// recordDisabled records that Usher disables the account, and how.
func (r *userReconciler) recordDisabled(ctx context.Context, p *userPass, method v1alpha1.DisableMethod) error {
	switch {
	case p.displaced, p.record.Disabled && p.record.method() == method:
		return nil
	case !p.record.Disabled:
		p.record.Taken = p.view().RevokedWith(method)
	}
	p.record.Disabled, p.record.Method = true, method
	if deleted(p.user) && !p.renamed() {
		return nil // it is done for good
	}
	return r.writeRecord(ctx, p.user, p.record)
}

// enable lets the holder in again.
func (r *userReconciler) enable(ctx context.Context, p *userPass) *outcome {
	switch p.method() {
	case v1alpha1.DisableSwitch:
		if o := r.setSwitch(ctx, p, false); o != nil {
			return o
		}
	case v1alpha1.DisableLockOut:
		if o := r.unlock(ctx, p); o != nil {
			return o
		}
	}
	if p.method() == v1alpha1.DisableSwitch {
		p.record.EnabledAt = media.Moment(r.Clock.Now())
	}
	p.record.Disabled, p.record.Method, p.record.Locked, p.record.Taken = false, "", false, nil
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	r.normal(p.user, "Enabled", "Switch", "account %q is now enabled", p.user.Spec.Username)
	return nil
}

// lockOut gives the account a password that nobody knows.
func (r *userReconciler) lockOut(ctx context.Context, p *userPass) *outcome {
	if err := p.to().SetPassword(ctx, p.accountKey(), media.NewPassword{Password: r.Keyring.LockOutPassword(p.identity(), p.account.ID)}); err != nil {
		return r.callFailed(p.site, err)
	}
	p.record.Locked, p.record.Password = true, ""
	p.record.PasswordAt, p.record.PasswordTold, p.record.Unproven, p.record.Outdated = time.Time{}, time.Time{}, false, ""
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// unlock gives the account a password that its holder can have: that of the Secret, else a generated one, since nobody
// has the one from before.
func (r *userReconciler) unlock(ctx context.Context, p *userPass) *outcome {
	want, o := r.wantedPassword(ctx, p)
	if o != nil {
		return o
	}
	want.kept = want.kept || !want.fromSecret
	if o := r.deliverPassword(ctx, p, want, true); o != nil {
		return o
	}
	p.record.applyAt(want, r.Clock.Now())
	p.record.OwesPassword = false
	if !want.fromSecret {
		r.normal(p.user, "PasswordSet", "SetPassword", "account %q was locked out by its password, and has a new one: give its holder the one in Secret %s", p.user.Spec.Username, credentialsSecretName(p.user))
	}
	return nil
}

// reportDisabled says what became of the account.
func (r *userReconciler) reportDisabled(p *userPass, method v1alpha1.DisableMethod) {
	name, server := p.user.Spec.Username, p.server.Name
	switch {
	case method == "" && p.able().ZeroAccess:
		r.warn(p.user, "NotShutOut", "Disable", "account %q of MediaServer %s lost the access that Usher gave, but people can go on signing in with it: the server cannot disable accounts of its role", name, server)
	case method == "":
		r.warn(p.user, "NotShutOut", "Disable", "account %q of MediaServer %s stays as it is: the server cannot disable it, nor take its access", name, server)
	default:
		r.normal(p.user, "Retired", "Disable", "shut account %q of MediaServer %s out (%s) and took back its access", name, server, method)
	}
	if p.user.Spec.DeletionPolicy == v1alpha1.UserDeletionDelete && !p.able().DeleteAccount {
		r.warn(p.user, "NotDeleted", "Delete", "account %q is not deleted as deletionPolicy says, since the server cannot delete accounts: delete it there by hand", name)
	}
	if p.user.DeletionTimestamp.IsZero() {
		p.snapshot.Want, p.snapshot.WantDisabled, p.snapshot.Effective = v1alpha1.UserDisabled, method != "", nil
		p.describe(plan.Plan{Of: p.view()})
	}
}
