package controller

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

// finalize does with the account what the deletion policy says, and releases the User. It is for a User that is deleted, and
// for each of a MediaServer that is deleted with policy Cascade.
func (r *userReconciler) finalize(ctx context.Context, p *userPass) outcome {
	r.terminating(ctx, p.user.Namespace) // a namespace that is being deleted takes no events
	if !controllerutil.ContainsFinalizer(p.user, v1alpha1.Finalizer) {
		if deleted(p.user) {
			return p.nothingKnown(outcome{kind: kindGone})
		}
		return *waiting(v1alpha1.ReasonDeleting, "MediaServer %s is being deleted: no account is managed any more", p.server.Name)
	}
	if p.user.Spec.DeletionPolicy == v1alpha1.UserDeletionRetain {
		return r.retain(ctx, p, "")
	}
	leaving, o := r.fate(ctx, p.user, p.site)
	switch {
	case o != nil:
		return *o
	case leaving:
		return r.retain(ctx, p, ", since MediaServer "+p.server.Name+" is left altogether")
	case p.observing():
		return r.retainObserved(ctx, p)
	}
	if p.site, o = r.letGoSite(ctx, p.user.Namespace, p.user.Spec.ServerRef.Name); o == nil {
		if o = r.cleanUp(ctx, p); o != nil {
			*o = r.unlessRenamed(p, *o)
		}
	}
	if o != nil {
		if o = r.patience(ctx, p.user, p.site, o, "the account"+r.endDate(p)); o != nil {
			return *o
		}
	}
	return r.removeFinalizer(ctx, p)
}

// retain releases the User, and leaves the account as it is.
func (r *userReconciler) retain(ctx context.Context, p *userPass, why string) outcome {
	r.normal(p.user, "Released", "Release", "account %q%s is left on the server as it is%s", p.user.Spec.Username, r.endDate(p), why)
	log.FromContext(ctx).Info("released a User; the account stays on the server as it is", "mediaServer", p.key, "endDate", r.endDate(p) != "")
	return r.removeFinalizer(ctx, p)
}

// retainObserved releases a User of a MediaServer that only observes: nothing is written to the server, and so nothing of it is
// waited for. What its policy asks for is left to a person.
func (r *userReconciler) retainObserved(ctx context.Context, p *userPass) outcome {
	recorded, status := parseRecord(p.user), p.user.Status
	if recorded.ID == "" && !recorded.announced() && len(recorded.FormerIDs) == 0 {
		return r.removeFinalizer(ctx, p)
	}
	libraries := "no declared library"
	if status.Access != nil {
		libraries = cmp.Or(strings.Join(appendCount(nil, int(status.Access.Total), "declared library", "declared libraries"), ""), libraries)
	}
	r.warn(p.user, "Retained", "Release", "account %q%s is left on the server as it is (%s, with access to %s), since MediaServer %s is in mode Observe, which writes nothing: what deletionPolicy %s asks for is not done; do it there by hand",
		p.user.Spec.Username, r.endDate(p), cmp.Or(status.State, v1alpha1.UserPending), libraries, p.server.Name, p.user.Spec.DeletionPolicy)
	log.FromContext(ctx).Info("released a User in mode Observe; the account stays on the server as it is", "mediaServer", p.key)
	return r.removeFinalizer(ctx, p)
}

// endDate says in words that an account has an end which nobody brings about any more.
func (r *userReconciler) endDate(p *userPass) string {
	if !endsLater(p.user, r.Clock.Now()) {
		return ""
	}
	return fmt.Sprintf(" (which was to end at %s: nothing ends it now)", bounded(string(*p.user.Spec.ExpiresAt), 64))
}

// endsLater says whether an account has an end that is still to come.
func endsLater(user *v1alpha1.User, now time.Time) bool {
	if user.Spec.ExpiresAt == nil {
		return false
	}
	at, err := user.Spec.ExpiresAt.Parse()
	return err == nil && now.Before(at)
}

// removeFinalizer deletes what Usher keeps in the cluster for a deleted User, and releases it.
func (r *userReconciler) removeFinalizer(ctx context.Context, p *userPass) outcome {
	if !p.user.DeletionTimestamp.IsZero() {
		if err := r.deleteSecret(ctx, p.user, "User", credentialsSecretName(p.user)); err != nil {
			return *retry(err)
		}
	}
	r.noteLeft(p)
	return p.nothingKnown(*r.released(ctx, p.user))
}

// nothingKnown ends what the status says of the account of a User that is let go, for as long as others' finalizers hold it.
func (p *userPass) nothingKnown(o outcome) outcome {
	if o.kind == kindGone {
		p.status.State, p.status.Access, p.status.DisableMethod, p.status.Plan = v1alpha1.UserPending, nil, "", nil
	}
	return o
}

// cleanUp returns nil when the account is as the policy wants it.
func (r *userReconciler) cleanUp(ctx context.Context, p *userPass) *outcome {
	if o := r.recall(ctx, p); o != nil {
		return o
	}
	if p.record.open() {
		if o := r.recoverCreation(ctx, p); o != nil {
			return o
		}
	}
	if o := r.gatherDeclared(ctx, p); o != nil {
		return o
	}
	if p.record.ID == "" && len(p.record.FormerIDs) == 0 {
		return nil
	}
	done, o := r.cleanUpOther(ctx, p)
	if o == nil {
		o = r.revokeFormer(ctx, p)
	}
	if done || o != nil {
		return o
	}
	p.account, _ = p.inventory().Account(media.AccountID(p.record.ID))
	p.snapshot.Ownership, p.snapshot.Leaving = access.ActionManage, true
	next := p.finalization(false)
	if next.Problem != nil {
		r.warn(p.user, "Retained", "Release", "%s", next.Problem.Message)
		return nil
	}
	if o := r.execute(ctx, p, next); o != nil || next.Has(plan.Delete) {
		return o
	}
	r.reportDisabled(p, p.method())
	return nil
}

// finalization is the plan of what the deletion does to the account.
func (p *userPass) finalization(refused bool) plan.Plan {
	s := p.view()
	s.Server.Names = p.names(p.account.Access.Libraries)
	s.Protected = p.to().Protection(p.connection.Probe, p.account)
	return plan.Finalize(s, refused)
}

// recoverCreation finds out what became of a creation that was announced and never recorded, so that no account that
// Usher made is left behind unseen.
func (r *userReconciler) recoverCreation(ctx context.Context, p *userPass) *outcome {
	if !p.settledIntent(p.record) {
		return r.lookAgain(p.site, p.record, v1alpha1.ReasonDeleting, "looking whether the account that was being made exists")
	}
	for _, account := range p.candidates() {
		ours, o := r.provenOurs(ctx, p, account)
		unread := o != nil && o.reason == v1alpha1.ReasonSecretNotFound
		left := r.ReleaseAfter - r.Clock.Since(p.goneSince(p.user, r.started))
		switch {
		case unread && left > 0:
			o.after = min(left, time.Minute)
			return o
		case o != nil && !unread:
			return o
		case ours:
			p.record.ID = string(account.ID)
		case unread:
			r.warn(p.user, "Retained", "Release", "account %q is left on the server as it is: it came into being while Usher was making one, and the Secret with its password is gone, so that nothing tells whose it is", account.Username)
		case p.unproven:
			r.warn(p.user, "Retained", "Release", "account %q is left on the server as it is: it came into being while Usher was making one, but the password has changed since, so that nothing tells whose it is", account.Username)
		}
	}
	return nil
}

// cleanUpOther deals with an account that is not what was recorded: done when nothing is left to do.
func (r *userReconciler) cleanUpOther(ctx context.Context, p *userPass) (done bool, o *outcome) {
	recorded, o := r.recorded(ctx, p)
	if o != nil {
		return false, o
	}
	switch recorded {
	case access.RecordedPresent:
		return false, nil
	case access.RecordedRenamed:
		return true, r.revokeRenamed(ctx, p)
	case access.RecordedDoubted:
		if err := r.confirmDeleting(ctx, p.site, p.user); err != nil {
			return false, retry(err)
		}
		r.warn(p.user, "LeftBehind", "Release", "account %s is left on the server as it is: %s", p.record.ID, p.otherThanRecorded(nil))
		return true, nil
	case access.RecordedNone:
		return true, nil
	case access.RecordedAbsent:
		r.normal(p.user, "Gone", "Release", "account %q was gone from the server already", p.user.Spec.Username)
		return true, nil
	}
	return false, r.lookAgain(p.site, p.record, v1alpha1.ReasonConfirmingAbsence, "the account is missing from the server's list: looking again before it is believed")
}

// revokeRenamed takes what can be undone from an account that has another name now, and says what is left.
func (r *userReconciler) revokeRenamed(ctx context.Context, p *userPass) *outcome {
	if err := r.confirmDeleting(ctx, p.site, p.user); err != nil {
		return retry(err)
	}
	p.snapshot.Ownership, p.snapshot.Leaving, p.snapshot.WantDisabled = access.ActionTake, true, true
	if o := r.execute(ctx, p, r.plan(ctx, p)); o != nil {
		return o
	}
	left := "it is disabled, and stays"
	if !p.account.Disabled {
		left = "it is still open: disable it on the server"
	}
	r.warn(p.user, "LeftBehind", "Release", "account %s, which was %q, is named %q on the server: access that Usher gave is taken back; %s", p.account.ID, p.user.Spec.Username, bounded(p.account.Username, 128), left)
	return nil
}

// deleteAccount deletes the account. One that the server refuses to delete is disabled instead.
func (r *userReconciler) deleteAccount(ctx context.Context, p *userPass) *outcome {
	deleted, err := p.to().DeleteAccount(ctx, p.accountKey())
	if err != nil {
		if o := r.callFailed(p.site, err); o.kind != kindStalled {
			return o
		}
		for _, step := range p.finalization(true).Steps {
			if o := r.take(ctx, p, step); o != nil {
				return o
			}
		}
		r.reportDisabled(p, p.method())
		r.warn(p.user, "NotDeleted", "Delete", "account %q is not deleted as deletionPolicy says: %s", p.user.Spec.Username, err)
		return nil
	}
	p.record = record{Server: p.identity(), FormerIDs: p.former()}
	if !deleted {
		r.normal(p.user, "Gone", "Release", "account %q was gone from the server already", p.user.Spec.Username)
	} else {
		r.normal(p.user, "Deleted", "Delete", "deleted account %q from MediaServer %s", p.user.Spec.Username, p.server.Name)
	}
	return r.keep(ctx, p)
}

// keep writes the record of a User that is not deleted itself, so that its MediaServer, made again, goes on from there.
func (r *userReconciler) keep(ctx context.Context, p *userPass) *outcome {
	if !p.user.DeletionTimestamp.IsZero() {
		return nil
	}
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// gatherDeclared finds out which libraries are declared, and so whose access is Usher's to take back.
func (r *userReconciler) gatherDeclared(ctx context.Context, p *userPass) *outcome {
	var libraries v1alpha1.LibraryList
	if err := r.Client.List(ctx, &libraries, ofServer(p.user.Namespace, p.server.Name)...); err != nil {
		return retry(err)
	}
	p.snapshot.Server, p.snapshot.Libraries, p.snapshot.Beliefs = p.serverFacts(), libraries.Items, p.believe(libraries.Items)
	return nil
}
