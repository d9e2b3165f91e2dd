package controller

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// rung is how an account of a role is shut out of a server; empty where that is not possible.
func (s site) rung(role v1alpha1.AccountRole) v1alpha1.DisableMethod {
	able := s.able()
	return access.Rung(access.Abilities{
		Switch: able.Disable, LockOut: able.LockOut, ZeroAccess: able.ZeroAccess, SeesAll: able.Roles[media.Role(role)].SeesAll,
	})
}

// method is the rung that this account is, or would be, shut out by. One that is in use stays in use until the account
// is let in again, also when the server learns a better one.
func (p *userPass) method() v1alpha1.DisableMethod {
	if p.record.Disabled {
		return p.record.method()
	}
	return p.rung(p.user.Spec.Role)
}

// shutOut says whether nobody can use the account now. Whether a password locks an account out cannot be read back
// from a server, so that is taken from the record: locked only once that was seen done, and to be unlocked as soon as
// it was begun.
func (p *userPass) shutOut() bool {
	switch {
	case p.account.Disabled:
		return true
	case !p.record.Disabled || p.method() == v1alpha1.DisableSwitch:
		return false
	case p.method() == v1alpha1.DisableLockOut && p.wantDisabled:
		return p.record.Locked
	}
	return true
}

// withheld says whether the account is shut out by seeing no library, also while it waits for its password.
func (p *userPass) withheld() bool {
	return (p.wantDisabled || p.record.OwesPassword) && p.method() == v1alpha1.DisableNoAccess
}

// disable shuts the account out. That Usher does it is recorded before it is done, so that Usher may undo it.
func (r *userReconciler) disable(ctx context.Context, p *userPass) *outcome {
	if why := p.to().Protection(p.connection.Probe, p.account); why != "" {
		return stalled(v1alpha1.ReasonProtected, "account %q is never disabled: %s", p.user.Spec.Username, why)
	}
	var unrecorded error
	if !p.record.Disabled {
		p.record.Disabled, p.record.Method, p.record.Taken = true, p.method(), p.undeclaredAccess()
		unrecorded = r.writeRecord(ctx, p.user, p.record)
		// What can never be recorded, since somebody filled the annotations, holds back no disabling: it counts as done by hand.
		if unrecorded != nil && !apierrors.IsInvalid(unrecorded) {
			return retry(unrecorded)
		}
	}
	var o *outcome
	switch p.method() {
	case v1alpha1.DisableSwitch:
		o = r.setSwitch(ctx, p, true)
	case v1alpha1.DisableLockOut:
		o = r.lockOut(ctx, p)
	case v1alpha1.DisableNoAccess:
		o = r.setAccess(ctx, p, p.target)
	}
	if o == nil {
		r.normal(p.user, "Disabled", "Switch", "account %q is now disabled (%s)", p.user.Spec.Username, p.method())
	}
	if o == nil && unrecorded != nil {
		return retry(unrecorded)
	}
	return o
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

func (r *userReconciler) setSwitch(ctx context.Context, p *userPass, disabled bool) *outcome {
	account, err := p.to().SetDisabled(ctx, p.accountKey(), disabled)
	if err != nil {
		return r.callFailed(p.site, err)
	}
	before := p.account
	p.account = account
	r.noteHeld(p, before)
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

// undeclaredAccess is what the account sees of libraries that no manifest declares, where shutting it out takes that too.
func (p *userPass) undeclaredAccess() map[media.LibraryID]media.LibraryRole {
	if p.method() != v1alpha1.DisableNoAccess {
		return nil
	}
	return p.withoutDeclared(p.account).Libraries
}

// giveBack adds to an access what was taken from the account to shut it out and was not Usher's, as far as it is still
// there.
func (p *userPass) giveBack(want media.Access) {
	declared := p.declares()
	for id, role := range p.record.Taken {
		if _, there := p.inventory().Library(id); there && !declared(id) && want.Libraries[id] == "" {
			want.Libraries[id] = role
		}
	}
}

// forgetSwitch forgets that Usher disabled an account that somebody enabled again: whoever disables it next is not Usher.
func (r *userReconciler) forgetSwitch(ctx context.Context, p *userPass) *outcome {
	if p.account.Disabled || p.wantDisabled || !p.record.Disabled {
		return nil
	}
	p.record.Disabled, p.record.Method = false, ""
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// retire shuts the account out for good, and takes back what Usher granted. Where the server has no way to shut it out, a
// Warning says what is left: nobody waits for what cannot be.
func (r *userReconciler) retire(ctx context.Context, p *userPass) *outcome {
	method := p.method()
	if method != "" && !p.record.Disabled {
		p.record.Disabled, p.record.Method, p.record.Taken = true, method, p.undeclaredAccess()
		if o := r.keep(ctx, p); o != nil {
			return o
		}
	}
	keep := p.withoutDeclared
	var o *outcome
	switch method {
	case v1alpha1.DisableSwitch:
		o = r.setSwitch(ctx, p, true)
	case v1alpha1.DisableLockOut:
		o = r.lockOut(ctx, p)
	case v1alpha1.DisableNoAccess:
		keep = func(media.Account) media.Access { return media.Access{} }
	}
	if o == nil && p.able().ZeroAccess {
		o = r.setAccess(ctx, p, keep)
	}
	if o != nil {
		return o
	}
	r.reportRetired(p, method)
	return nil
}

// reportRetired says what became of the account.
func (r *userReconciler) reportRetired(p *userPass, method v1alpha1.DisableMethod) {
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
		p.want, p.wantDisabled, p.effective = v1alpha1.UserDisabled, method != "", nil
		p.describe()
	}
}
