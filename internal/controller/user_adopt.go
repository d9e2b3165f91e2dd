package controller

import (
	"context"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

func (p *userPass) adoptable(account media.Account) bool {
	switch p.adoptionPolicy() {
	case v1alpha1.AccountAdoptionAlways:
		// Who may set Always on a User, or a role that administers, was asked for that; a default of the server asks nobody.
		return p.user.Spec.AdoptionPolicy == v1alpha1.AccountAdoptionAlways || p.strong() != "" || !p.administers(account)
	case v1alpha1.AccountAdoptionIfDisabled:
		// One that the server locked out is in use: anybody can have that done who reaches its sign-in page.
		return account.Disabled && !account.LockedOut && !p.administers(account)
	}
	return false
}

// administers says whether the account's role does, or is one that nobody knows.
func (p *userPass) administers(account media.Account) bool {
	role, known := p.able().Roles[account.Role]
	return !known || role.Administers
}

func (p *userPass) adoptionPolicy() v1alpha1.AccountAdoptionPolicy {
	switch policy := p.user.Spec.AdoptionPolicy; {
	case policy != "":
		return policy
	case p.unasked():
		return v1alpha1.AccountAdoptionIfDisabled // which asks nobody
	}
	return p.server.Spec.AdoptionPolicy
}

// unasked says whether the MediaServer takes over accounts that are in use, and nobody was asked for permission when this User
// was written.
func (p *userPass) unasked() bool {
	always := p.user.Spec.AdoptionPolicy == "" && p.server.Spec.AdoptionPolicy == v1alpha1.AccountAdoptionAlways
	return always && !p.askedToTakeOver(p.user) && p.strong() == ""
}

func (p *userPass) conflict(facts access.OwnershipFacts, candidates []media.Account) *outcome {
	name := p.user.Spec.Username
	switch {
	case facts.Named == access.NamedSeveral:
		return stalled(v1alpha1.ReasonAmbiguousName, "%d accounts of the server differ from %q only in letter case: rename or delete all but one there", len(candidates), name)
	case len(candidates) == 0:
		return stalled(v1alpha1.ReasonConflict, "the server has no account %q, and an owner is never made, only taken over: name the owner's account, or choose another role", name)
	case p.unproven:
		return stalled(v1alpha1.ReasonConflict, "cannot verify that Usher created account %q: its password changed during creation. Restore the old password in the Secret, delete the account, or set adoptionPolicy: Always", name)
	case p.user.Spec.AdoptionPolicy != v1alpha1.AccountAdoptionAlways && p.adoptionPolicy() != v1alpha1.AccountAdoptionNever && p.administers(candidates[0]):
		return stalled(v1alpha1.ReasonConflict, "an account %q exists whose role %s administers the server, or may: set spec.adoptionPolicy Always here to take it over, or choose another username", name, candidates[0].Role)
	case p.unasked():
		return stalled(v1alpha1.ReasonConflict, "an account %q exists and somebody can sign in with it: MediaServer %s has adoptionPolicy Always, but this User may be older than that, so that nobody was asked for permission: add the line \"adoptionPolicy: Always\" to spec here to take the account over, or accept all Users and Libraries that are there (%s); both need permission to administer the MediaServer", name, p.server.Name, p.acceptingAll())
	case p.adoptionPolicy() == v1alpha1.AccountAdoptionIfDisabled:
		return stalled(v1alpha1.ReasonConflict, "an account %q exists and somebody can sign in with it: set adoptionPolicy Always to take it over, disable it on the server first, or choose another username", name)
	}
	return stalled(v1alpha1.ReasonConflict, "an account %q exists and adoptionPolicy is %s: set it to Always to take the account over, or choose another username", name, p.adoptionPolicy())
}

// adopt records an existing account as this User's. Its password stays, and counts as applied, unless the account is disabled:
// then it follows the manifest from now on, its password too.
func (r *userReconciler) adopt(ctx context.Context, p *userPass, step plan.Step) *outcome {
	p.record = record{
		ID: string(p.account.ID), Origin: v1alpha1.OriginAdopted, Server: p.identity(),
		Rotation: p.user.Annotations[v1alpha1.AnnotationRotatePassword], FormerIDs: p.former(),
	}
	if step.Method != "" {
		p.record.Disabled, p.record.Method, p.record.Locked, p.record.OwesPassword = true, step.Method, step.Method == v1alpha1.DisableLockOut, true
	} else if o := r.countAsApplied(ctx, p); o != nil {
		return o
	}
	p.record = p.witnesses(p.record, p.account)
	p.record.FormerIDs = p.record.without(p.record.ID)
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	r.normal(p.user, "Adopted", "Adopt", "took over account %q of MediaServer %s", p.account.Username, p.server.Name)
	return nil
}

// disabledWhenFound says how an account is disabled that is to be adopted; empty for one that somebody can use. Whoever had it
// before knows its password, unless it was locked out.
func (r *userReconciler) disabledWhenFound(ctx context.Context, p *userPass, account media.Account) (v1alpha1.DisableMethod, *outcome) {
	if account.LockedOut { // by the server, which ends that as well
		return "", nil
	}
	if account.Disabled {
		return v1alpha1.DisableSwitch, nil
	}
	switch method := p.rung(p.user.Spec.Role); {
	case method == v1alpha1.DisableLockOut && !p.observing():
		if locked, o := r.lockedOut(ctx, p, account); o != nil || locked {
			return method, o
		}
	case method == v1alpha1.DisableNoAccess:
		if !p.view().Opens(account) {
			return method, nil
		}
	}
	return "", nil
}

// lockedOut says whether the account has the password that Usher locks out with, which can only be tried.
func (r *userReconciler) lockedOut(ctx context.Context, p *userPass, account media.Account) (bool, *outcome) {
	if !p.able().Authenticate {
		return false, nil
	}
	return r.tryPasswords(ctx, p, account, []string{r.Keyring.LockOutPassword(p.identity(), account.ID)})
}

// settleOwed gives an account that was disabled when it was adopted the manifest's password, before it is enabled: its
// former holder may know the one that it has.
func (r *userReconciler) settleOwed(ctx context.Context, p *userPass) *outcome {
	want, o := r.wantedPassword(ctx, p)
	if o != nil {
		return o
	}
	if o := r.deliverPassword(ctx, p, want, true); o != nil {
		return o
	}
	p.record.applyAt(want, r.Clock.Now())
	p.record.OwesPassword = false
	if o := r.putRecord(ctx, p); o != nil {
		return o
	}
	r.normal(p.user, "PasswordSet", "SetPassword", "set the password of account %q, which was disabled when it was adopted", p.user.Spec.Username)
	return nil
}
