package controller

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// setStanding finds out what the newest look at the server says of this Library, beside those of the same server.
func (p *libraryPass) setStanding() {
	for _, st := range standings(p.site, p.beside) {
		if st.library.UID == p.library.UID {
			p.standing = st
		}
	}
}

// settleDoubt goes on with a Library whose recorded id is believed, and acts on what a person decided about one that is
// not. Nothing is written to the library of the server meanwhile.
func (r *libraryReconciler) settleDoubt(ctx context.Context, p *libraryPass, gone bool) *outcome {
	st := p.standing
	doubted := st.belief == access.BeliefDoubt || st.rival != nil || gone && st.restored
	switch {
	case p.record.ID == "", p.observing() && !doubted:
		return nil
	case !doubted && p.record.Doubt != nil && st.listed:
		p.record.Doubt = nil // all witnesses agree again
		return r.writeLibraryRecord(ctx, p)
	case !doubted:
		return nil
	}
	p.status.Members, p.status.ExternalID = nil, p.record.ID
	if o := r.decided(ctx, p); o != nil || p.record.ID == "" || p.record.Doubt == nil && !p.observing() {
		return o
	}
	o := stalled(v1alpha1.ReasonInDoubt, "%s", p.doubtWords())
	o.after = safetyPoll
	return o
}

// decided records the doubt, and acts on the annotation that answers it.
func (r *libraryReconciler) decided(ctx context.Context, p *libraryPass) *outcome {
	if p.observing() {
		return nil
	}
	confirm, forget := p.library.Annotations[v1alpha1.AnnotationConfirmID], p.library.Annotations[v1alpha1.AnnotationForgetID]
	was := p.record.Doubt
	switch {
	case was == nil:
		p.record.Doubt = &doubt{Restored: p.standing.restored, Confirm: confirm, Forget: forget}
		return r.writeLibraryRecord(ctx, p)
	case confirm == p.record.ID && confirm != was.Confirm && p.standing.listed && p.standing.rival == nil:
		p.record.Library, p.record.Doubt = witnessOf(p.standing.found), nil
		p.standing.own, p.standing.belief = access.BeliefSame, access.BeliefSame
		r.normal(p.library, "Confirmed", "Confirm", "the library %s with the id %s is this one, as the annotation %s says", described(p.standing.found.Name, nil, p.standing.found.Created), p.record.ID, v1alpha1.AnnotationConfirmID)
		return r.writeLibraryRecord(ctx, p)
	case forget == p.record.ID && forget != was.Forget:
		return r.forget(ctx, p)
	case was.Confirm != "" && was.Confirm != confirm, was.Forget != "" && was.Forget != forget:
		// An old answer was taken away: the same one is a new answer from now on.
		p.record.Doubt = &doubt{Restored: was.Restored}
		return r.writeLibraryRecord(ctx, p)
	}
	return nil
}

// forget drops the recorded id, once everybody who was given the library has lost it.
func (r *libraryReconciler) forget(ctx context.Context, p *libraryPass) *outcome {
	id := media.LibraryID(p.record.ID)
	holders, err := r.givenTo(ctx, p.site, p.library, id)
	if err != nil {
		return retry(err)
	}
	if len(holders) > 0 {
		return waiting(v1alpha1.ReasonAccessStillHeld, "waits until the access that Usher gave to the library with the id %s is taken back from every User that has it: %d still (first: %s)", id, len(holders), holders[0])
	}
	r.normal(p.library, "Forgotten", "Forget", "the library with the id %s is not this one any more, as the annotation %s says: it is left as it is", id, v1alpha1.AnnotationForgetID)
	p.record = p.record.succeeded(p.library, record{Server: p.identity()}, p.standing.listed)
	p.standing = standing{library: p.library}
	p.status.ExternalID, p.status.Origin = "", ""
	return r.writeLibraryRecord(ctx, p)
}

func (r *libraryReconciler) writeLibraryRecord(ctx context.Context, p *libraryPass) *outcome {
	if err := r.writeRecord(ctx, p.library, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// doubtWords name both libraries and the ways out.
func (p *libraryPass) doubtWords() string {
	st, id := p.standing, p.record.ID
	was := described(p.library.Spec.DisplayName, paths(p.library.Spec), time.Time{})
	if p.record.Library != nil {
		was = p.record.Library.String()
	}
	command := func(annotation string) string {
		return fmt.Sprintf("kubectl annotate -n %s library %s --overwrite %s=%s", p.library.Namespace, p.library.Name, annotation, id)
	}
	const untouched = "Nobody is given it, and nothing is written to it. "
	forget := command(v1alpha1.AnnotationForgetID)
	switch {
	case !st.listed:
		return fmt.Sprintf("library %s with the recorded id %s is gone from the server, and others have gone or changed with it, as after a restore of an older database. "+
			"Restore the newer one; or run: %s (then one is looked for by name, or made)", was, id, forget)
	case st.rival != nil:
		return fmt.Sprintf("library %s had the recorded id %s, which is the one of Library %s now: %s. %sRun: %s (then one is looked for by name, or made)",
			was, id, st.rival.Name, described(st.found.Name, st.found.Paths, st.found.Created), untouched, forget)
	}
	return fmt.Sprintf("library %s had the recorded id %s, and %s has it now. %sIf it is the same one, run: %s; if it is another, run: %s (then one is looked for by name, or made)",
		was, id, described(st.found.Name, st.found.Paths, st.found.Created), untouched, command(v1alpha1.AnnotationConfirmID), forget)
}

// recordAgain makes the record again of a Library that lost it, from what its status says. That is a witness like others:
// the library with that id must have the name and the folders of the manifest, and be no other Library's.
func (r *libraryReconciler) recordAgain(ctx context.Context, p *libraryPass) *outcome {
	id := media.LibraryID(p.library.Status.ExternalID)
	found, listed := p.inventory().Library(id)
	if p.library.Annotations[v1alpha1.AnnotationOwned] != "" || p.observing() || !listed || found.Personal {
		return nil
	}
	for _, st := range standings(p.site, p.beside) {
		if st.id == id {
			return nil
		}
	}
	if access.BelieveLibrary(recordedLooks(p.library, record{}), lookOf(found), false) != access.BeliefSame {
		return nil
	}
	p.record = record{ID: string(id), Origin: p.status.Origin, Server: p.identity(), Library: witnessOf(found)}
	p.standing = standing{library: p.library, record: p.record, id: id, found: found, listed: true, own: access.BeliefSame, belief: access.BeliefSame}
	return r.writeLibraryRecord(ctx, p)
}
