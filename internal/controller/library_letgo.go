package controller

import (
	"context"
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// letGo takes back the access that Usher gave to a library, then deletes it or leaves it, as its policy says.
func (r *libraryReconciler) letGo(ctx context.Context, p *libraryPass) outcome {
	if !controllerutil.ContainsFinalizer(p.library, v1alpha1.Finalizer) {
		return outcome{kind: kindGone}
	}
	var o *outcome
	if p.site, o = r.letGoSite(ctx, p.library, p.library.Spec.ServerRef.Name, "the library"); o != nil {
		return *o
	}
	p.record = readRecord(p.library, p.identity())
	if p.record.ID == "" || p.observing() {
		r.normal(p.library, "Released", "Release", "library %q is left on the server as it is", p.library.Spec.DisplayName)
		return *r.released(ctx, p.library)
	}
	if o := r.listBeside(ctx, p); o != nil {
		return *o
	}
	id := media.LibraryID(p.record.ID)
	doubted := p.standing.belief == access.BeliefDoubt || p.standing.rival != nil
	holding := r.holders
	if doubted { // it may be somebody else's, whose readers are not waited for
		holding = r.givenTo
	}
	holders, err := holding(ctx, p.site, p.library, id)
	if err != nil {
		return *retry(err)
	}
	if len(holders) > 0 {
		return *waiting(v1alpha1.ReasonAccessStillHeld, "waits until the access that Usher gave is taken back from every User that has it: %d still (first: %s)", len(holders), holders[0])
	}
	if doubted {
		r.warn(p.library, "Retained", "Release", "the library with the id %s (%s) is left on the server as it is: nobody can tell whether it is this one", id, described(p.standing.found.Name, nil, p.standing.found.Created))
		return *r.released(ctx, p.library)
	}
	if p.library.Spec.DeletionPolicy == v1alpha1.LibraryDeletionDelete {
		if o := r.delete(ctx, p, id); o != nil {
			return *o
		}
	}
	return *r.released(ctx, p.library)
}

// delete deletes the library on the server, if it is empty and still the one that was recorded.
func (r *libraryReconciler) delete(ctx context.Context, p *libraryPass, id media.LibraryID) *outcome {
	if o := p.mayWrite(); o != nil {
		return o
	}
	if err := r.confirmDeleting(ctx, p.library); err != nil {
		return retry(err)
	}
	ctx = media.WithReason(ctx, "the Library is being deleted: deletionPolicy Delete")
	err := p.to().DeleteLibrary(ctx, id, p.stillTheSame)
	if errors.Is(err, media.ErrNotTheSame) {
		o := stalled(v1alpha1.ReasonConflict, "%s: make it on the server what it was, or set deletionPolicy Retain", err)
		o.after = safetyPoll
		return o
	}
	switch media.CodeOf(err) {
	case "":
		r.normal(p.library, "Deleted", "Delete", "deleted library %q from MediaServer %s", p.library.Spec.DisplayName, p.server.Name)
		return nil
	case media.Conflict:
		o := stalled(v1alpha1.ReasonLibraryNotEmpty, "%s: empty the library, or set deletionPolicy Retain", err)
		o.after = safetyPoll
		return o
	default:
		return r.callFailed(p.site, err)
	}
}
