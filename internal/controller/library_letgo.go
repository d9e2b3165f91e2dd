package controller

import (
	"context"
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// letGo takes back the access that Usher gave to a library, then deletes it or leaves it, as its policy says. It is for a
// Library that is deleted, and for each of a MediaServer that is deleted with policy Cascade.
func (r *libraryReconciler) letGo(ctx context.Context, p *libraryPass) outcome {
	r.terminating(ctx, p.library.Namespace) // a namespace that is being deleted takes no events
	switch {
	case controllerutil.ContainsFinalizer(p.library, v1alpha1.Finalizer):
	case deleted(p.library):
		return outcome{kind: kindGone}
	default:
		return *waiting(v1alpha1.ReasonDeleting, "MediaServer %s is being deleted: no library is managed any more", p.server.Name)
	}
	leaving, o := r.fate(ctx, p.library, p.site)
	switch {
	case o != nil:
		return *o
	case leaving:
		return r.leave(ctx, p, ", with who sees it, since MediaServer "+p.server.Name+" is left altogether")
	case p.observing():
		return r.leave(ctx, p, ", with who sees it, since MediaServer "+p.server.Name+" is in mode Observe, which writes nothing")
	}
	if p.site, o = r.letGoSite(ctx, p.library.Namespace, p.library.Spec.ServerRef.Name); o == nil {
		o = r.dispose(ctx, p)
	}
	if o != nil {
		if o = r.patience(ctx, p.library, p.site, o, "the library"); o != nil {
			return *o
		}
	}
	return *r.released(ctx, p.library)
}

// leave releases the Library, and leaves the library as it is.
func (r *libraryReconciler) leave(ctx context.Context, p *libraryPass, why string) outcome {
	r.normal(p.library, "Released", "Release", "library %q is left on the server as it is%s", p.library.Spec.DisplayName, why)
	return *r.released(ctx, p.library)
}

// dispose returns nil when the library is as the policy wants it. An empty library is deleted with who sees it: nobody
// loses one that then turns out not to be empty.
func (r *libraryReconciler) dispose(ctx context.Context, p *libraryPass) *outcome {
	p.record = readRecord(p.library, p.identity())
	name := p.library.Spec.DisplayName
	if o := r.listBeside(ctx, p); o != nil {
		return o
	}
	if o := r.formerHeld(ctx, p); o != nil {
		return o
	}
	if p.record.ID == "" {
		r.normal(p.library, "Released", "Release", "library %q is left on the server as it is", name)
		return nil
	}
	id := media.LibraryID(p.record.ID)
	doubted := p.standing.belief == access.BeliefDoubt || p.standing.rival != nil
	deletes := p.library.Spec.DeletionPolicy == v1alpha1.LibraryDeletionDelete
	if deletes && !doubted && p.able().DeleteLibrary {
		return r.delete(ctx, p, id)
	}
	holding := r.holders
	if doubted { // it may be somebody else's, whose readers are not waited for
		holding = r.givenTo
	}
	holders, err := holding(ctx, p.site, p.library, id)
	if err != nil {
		return retry(err)
	}
	switch {
	case len(holders) > 0:
		return waiting(v1alpha1.ReasonAccessStillHeld, "waits until the access that Usher gave is taken back from every User that has it: %d still (first: %s)", len(holders), holders[0])
	case doubted:
		r.warn(p.library, "Retained", "Release", "the library with the id %s (%s) is left on the server as it is: nobody can tell whether it is this one", id, described(p.standing.found.Name, nil, p.standing.found.Created))
	case deletes:
		r.warn(p.library, "NotDeleted", "Delete", "library %q is not deleted as deletionPolicy says, since the server cannot delete libraries: delete it there by hand", name)
	}
	return nil
}

// delete deletes the library on the server, if it is empty and still the one that was recorded.
func (r *libraryReconciler) delete(ctx context.Context, p *libraryPass, id media.LibraryID) *outcome {
	if o := p.mayWrite(); o != nil {
		return o
	}
	if err := r.confirmDeleting(ctx, p.site, p.library); err != nil {
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
		o := stalled(v1alpha1.ReasonLibraryNotEmpty, "%s; nobody has lost it: empty the library, or set deletionPolicy to Retain", err)
		o.after = safetyPoll
		return o
	default:
		return r.callFailed(p.site, err)
	}
}
