package controller

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// letGo does with the account what the deletion policy says, and releases the User.
func (r *userReconciler) letGo(ctx context.Context, p *userPass) outcome {
	if !controllerutil.ContainsFinalizer(p.user, v1alpha1.Finalizer) {
		return outcome{kind: kindGone}
	}
	if p.user.Spec.DeletionPolicy == v1alpha1.UserDeletionRetain {
		r.normal(p.user, "Released", "Release", "account %q is left on the server as it is", p.user.Spec.Username)
		return r.end(ctx, p)
	}
	var o *outcome
	if p.site, o = r.letGoSite(ctx, p.user, p.user.Spec.ServerRef.Name, "the account"); o != nil {
		return *o
	}
	if o := r.dispose(ctx, p); o != nil {
		return *o
	}
	return r.end(ctx, p)
}

// end deletes what Usher keeps in the cluster for the User, and releases it.
func (r *userReconciler) end(ctx context.Context, p *userPass) outcome {
	if err := r.deleteSecret(ctx, p.user, credentialsSecretName(p.user)); err != nil {
		return *retry(err)
	}
	return *r.released(ctx, p.user)
}

// dispose returns nil when the account is as the policy wants it.
func (r *userReconciler) dispose(ctx context.Context, p *userPass) *outcome {
	ctx = media.WithReason(ctx, "the User is being deleted: deletionPolicy "+string(p.user.Spec.DeletionPolicy))
	p.record = readRecord(p.user, p.identity())
	policy := p.user.Spec.DeletionPolicy
	if p.record.open() && !p.observing() {
		if o := r.recoverIntent(ctx, p); o != nil {
			return o
		}
	}
	if o := r.gatherDeclared(ctx, p); o != nil {
		return o
	}
	account, there := p.inventory().Account(media.AccountID(p.record.ID))
	switch {
	case p.record.ID == "":
		return nil
	case p.observing():
		r.normal(p.user, "Released", "Release", "account %q is left on the server as it is", p.user.Spec.Username)
		return nil
	case !there:
		return r.disposeMissing(ctx, p)
	}
	p.account = account
	if why := p.to().Protection(p.connection.Probe, account); why != "" {
		r.warn(p.user, "Retained", "Release", "account %q is left on the server as it is: %s", p.user.Spec.Username, why)
		return nil
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	if err := r.confirmDeleting(ctx, p.user); err != nil {
		return retry(err)
	}
	if !p.shutOut() {
		if o := r.mayShutOut(ctx, p); o != nil {
			return o
		}
	}
	if policy == v1alpha1.UserDeletionDelete {
		return r.deleteAccount(ctx, p)
	}
	return r.retire(ctx, p)
}

// recoverIntent finds out what became of a creation that was announced and never recorded, so that no account that
// Usher made is left behind unseen.
func (r *userReconciler) recoverIntent(ctx context.Context, p *userPass) *outcome {
	if !p.settledIntent(p.record) {
		return r.lookAgain(p.site, p.record, v1alpha1.ReasonDeleting, "looking whether the account that was being made exists")
	}
	for _, account := range p.candidates() {
		ours, o := r.provenOurs(ctx, p, account)
		if o != nil {
			return o
		}
		switch {
		case ours:
			p.record.ID = string(account.ID)
		case p.unproven:
			r.warn(p.user, "Retained", "Release", "account %q is left on the server as it is: it came into being while Usher was making one, but the password has changed since, so that nothing tells whose it is", account.Username)
		}
	}
	return nil
}

// disposeMissing waits until an account that is missing from the list is missing beyond doubt.
func (r *userReconciler) disposeMissing(ctx context.Context, p *userPass) *outcome {
	switch r.recorded(ctx, p) {
	case access.RecordedPresent, access.RecordedRenamed: // the list is short; the next pass finds it in the inventory
	case access.RecordedAbsent:
		r.normal(p.user, "Gone", "Release", "account %q was gone from the server already", p.user.Spec.Username)
		return nil
	}
	return r.lookAgain(p.site, p.record, v1alpha1.ReasonConfirmingAbsence, "the account is missing from the server's list: looking again before it is believed")
}

func (r *userReconciler) deleteAccount(ctx context.Context, p *userPass) *outcome {
	if !p.able().DeleteAccount {
		return stalled(v1alpha1.ReasonUnsupported, "this server cannot delete accounts: set deletionPolicy to Disable or Retain")
	}
	deleted, err := p.to().DeleteAccount(ctx, p.accountKey())
	if err != nil {
		return r.callFailed(p.site, err)
	}
	if !deleted {
		r.normal(p.user, "Gone", "Release", "account %q was gone from the server already", p.user.Spec.Username)
		return nil
	}
	r.normal(p.user, "Deleted", "Delete", "deleted account %q from MediaServer %s", p.user.Spec.Username, p.server.Name)
	return nil
}

// gatherDeclared finds out which libraries are declared, and so whose access is Usher's to take back.
func (r *userReconciler) gatherDeclared(ctx context.Context, p *userPass) *outcome {
	var libraries v1alpha1.LibraryList
	if err := r.Client.List(ctx, &libraries, ofServer(p.user.Namespace, p.server.Name)...); err != nil {
		return retry(err)
	}
	p.libraries, p.beliefs = libraries.Items, p.believe(libraries.Items)
	p.ids = p.beliefs.given
	return nil
}
