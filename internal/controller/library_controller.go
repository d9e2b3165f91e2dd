package controller

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// libraryReconciler makes a library of a server agree with its Library.
type libraryReconciler struct{ *Kit }

// +kubebuilder:rbac:groups=usher.media,resources=libraries,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=usher.media,resources=libraries/status,verbs=patch

// libraryPass is one reconcile of a Library.
type libraryPass struct {
	site
	library *v1alpha1.Library
	status  *v1alpha1.LibraryStatus
	record  record
	// beside are all Libraries of the server, this one among them, and standing is what is believed of its recorded id.
	beside   []v1alpha1.Library
	standing standing
	// found is the library on the server, once it is known to be this one's.
	found media.Library
	// planned is what mode Observe would do before comparing.
	planned []string
	// agreed: before this pass, the server agreed with this generation.
	agreed bool
}

// Reconcile compares once and repairs.
func (r *libraryReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	library := &v1alpha1.Library{}
	if err := r.Client.Get(ctx, request.NamespacedName, library); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := library.DeepCopy()
	p := &libraryPass{library: library, status: library.Status.DeepCopy(), agreed: agreed(library, library.Status.ObservedGeneration)}
	result := p.unlessUnseen(r.reconcile(ctx, p))
	library.Status = *p.status
	return finish(ctx, r.Kit, before, library, result)
}

func (r *libraryReconciler) reconcile(ctx context.Context, p *libraryPass) outcome {
	if paused(p.library) {
		return held(v1alpha1.ReasonPaused, "paused by the annotation "+v1alpha1.AnnotationPaused)
	}
	var o *outcome
	p.site, o = r.site(ctx, p.library.Namespace, p.library.Spec.ServerRef.Name)
	switch {
	case o != nil && o.kind == kindRetry:
		return *o
	case !p.library.DeletionTimestamp.IsZero() || p.cascading():
		return r.letGo(ctx, p)
	}
	if left := r.left(ctx, p.site, p.library.Namespace); left != nil {
		return *left
	}
	if o != nil {
		return *o
	}
	for _, phase := range []func(context.Context, *libraryPass) *outcome{r.validate, r.claim, r.own, r.agree} {
		if o := phase(ctx, p); o != nil {
			return *o
		}
	}
	r.describe(ctx, p)
	return done(v1alpha1.ReasonSynced, "the media server agrees"+p.formerWords())
}

// validate repeats what the API server cannot check: what depends on the server's type.
func (r *libraryReconciler) validate(_ context.Context, p *libraryPass) *outcome {
	spec := p.library.Spec
	if !p.able().HasMediaType(media.MediaType(spec.MediaType)) {
		return stalled(v1alpha1.ReasonUnsupported, "%s libraries are unknown to a %s server; it knows %v", spec.MediaType, p.server.Spec.Type, p.able().MediaTypes)
	}
	if p.able().Pathless && len(spec.Paths) > 0 {
		return stalled(v1alpha1.ReasonUnsupported, "libraries of a %s server have no paths: remove spec.paths", p.server.Spec.Type)
	}
	block, kind := settingsBlock(spec)
	if kind != "" && kind != p.server.Spec.Type {
		return stalled(v1alpha1.ReasonInvalidSpec, "spec.%s is for a server of another type: MediaServer %s is %s", block, p.server.Name, p.server.Spec.Type)
	}
	return nil
}

// claim makes sure that no other Library stands for the same library. Of several that recorded one id, the one has it that
// its witnesses speak for; the others of these are in doubt.
func (r *libraryReconciler) claim(ctx context.Context, p *libraryPass) *outcome {
	if o := r.listBeside(ctx, p); o != nil {
		return o
	}
	if p.standing.rival != nil && p.standing.own == access.BeliefSame {
		return claimedBy(p.standing.rival.Name)
	}
	var claimants []access.Claimant
	for i := range p.beside {
		other := &p.beside[i]
		recorded := readRecord(other, p.identity()).ID
		if other.UID == p.library.UID || sameLibrary(other, p.library, p.identity()) && (recorded == "" || recorded != p.standing.record.ID) {
			claimants = append(claimants, access.Claimant{Object: other, Recorded: recorded != ""})
		}
	}
	if winner := access.ClaimWinner(claimants); winner != nil && winner.GetUID() != p.library.UID {
		return claimedBy(winner.GetName())
	}
	return nil
}

// listBeside reads the Libraries of the same server, and what is believed of this one's recorded id.
func (r *libraryReconciler) listBeside(ctx context.Context, p *libraryPass) *outcome {
	var all v1alpha1.LibraryList
	if err := r.Client.List(ctx, &all, ofServer(p.library.Namespace, p.library.Spec.ServerRef.Name)...); err != nil {
		return retry(err)
	}
	p.beside = all.Items
	p.setStanding()
	return nil
}

func claimedBy(name string) *outcome {
	return stalled(v1alpha1.ReasonDuplicateClaim, "Library %s stands for the same library of the server: change displayName or externalID here, or delete one of the two", name)
}

// sameLibrary says whether two Libraries stand for the same library: by id where both have one, else by name.
func sameLibrary(a, b *v1alpha1.Library, identity string) bool {
	aID, bID := libraryID(a, identity), libraryID(b, identity)
	if aID != "" && bID != "" {
		return aID == bID
	}
	return foldBroadly(a.Spec.DisplayName) == foldBroadly(b.Spec.DisplayName)
}

// libraryID is the id on the server that a Library has or asks for; empty when only its name says which it is.
func libraryID(library *v1alpha1.Library, identity string) media.LibraryID {
	if id := readRecord(library, identity).ID; id != "" {
		return media.LibraryID(id)
	}
	return media.LibraryID(library.Spec.ExternalID)
}

// own finds out which library of the server is this one's, and makes or takes over one where that is allowed.
func (r *libraryReconciler) own(ctx context.Context, p *libraryPass) *outcome {
	p.record = readRecord(p.library, p.identity())
	if o := r.recordAgain(ctx, p); o != nil {
		return o
	}
	recorded := r.recorded(ctx, p)
	if o := r.settleDoubt(ctx, p, recorded == access.RecordedAbsent); o != nil {
		return o
	}
	if p.record.ID == "" {
		recorded = access.RecordedNone
	}
	if former, back := p.returned(recorded); back {
		return r.takeAgain(ctx, p, former)
	}
	candidates, taken := r.candidates(p)
	if len(candidates) == 0 && taken != nil && recorded != access.RecordedPresent {
		return claimedBy(taken.Name)
	}
	facts := access.OwnershipFacts{
		Record: p.record.kind(), Recorded: recorded, Named: r.named(p, candidates),
		Settled: p.settledIntent(p.record), MayCreate: p.library.Spec.ExternalID == "" && (len(p.library.Spec.Paths) > 0 || p.able().Pathless),
	}
	switch access.Ownership(facts) {
	case access.ActionManage:
		p.found, _ = p.inventory().Library(media.LibraryID(p.record.ID))
		return r.keepRecord(ctx, p.site, p.library, p.record)
	case access.ActionCreate:
		return r.create(ctx, p)
	case access.ActionAdopt:
		if !p.observing() && !r.Policies.BoundNow(ctx) {
			return notAsked("taking over a library")
		}
		return r.take(ctx, p, candidates[0], v1alpha1.OriginAdopted)
	case access.ActionRecord:
		return r.take(ctx, p, unknownBefore(p.record, candidates)[0], v1alpha1.OriginCreated)
	case access.ActionWait:
		return r.lookAgain(p.site, p.record, v1alpha1.ReasonConfirmingAbsence, "the library is missing from the server's list: looking again before anything is made in its place")
	}
	if o := r.notNoted(p.site); o != nil && p.library.Spec.AdoptionPolicy == "" && facts.Named == access.NamedTaken {
		return o
	}
	o := r.conflict(p, facts, candidates)
	if p.status.Plan = nil; p.observing() && facts.Named == access.NamedTaken && !candidates[0].Personal {
		p.planIfAdopted(o, candidates[0])
	}
	return o
}

// planIfAdopted adds to a conflict what taking the library over would do, so that mode Observe shows it before anybody
// decides.
func (p *libraryPass) planIfAdopted(o *outcome, library media.Library) {
	_, words := libraryDifference(p.library.Spec, library)
	words = append([]string{fmt.Sprintf("take over the library %q (%s)", bounded(library.Name, 100), library.ID)}, words...)
	p.status.Plan = firstListed(words)
	o.message += "; taking it over would: " + bounded(strings.Join(words, "; "), 500)
}

func (r *libraryReconciler) conflict(p *libraryPass, facts access.OwnershipFacts, candidates []media.Library) *outcome {
	name := p.library.Spec.DisplayName
	switch {
	case facts.Named == access.NamedSeveral:
		return stalled(v1alpha1.ReasonAmbiguousName, "%d libraries on the server are named %q: name one by spec.externalID (%s)", len(candidates), name, libraryIDs(candidates))
	case facts.Named == access.NamedTaken && candidates[0].Personal:
		return stalled(v1alpha1.ReasonProtected, "%q is somebody's personal library: choose another displayName", name)
	case facts.Named == access.NamedTaken && p.library.Spec.AdoptionPolicy == "" && p.server.Spec.AdoptionPolicy == v1alpha1.AccountAdoptionAlways:
		return stalled(v1alpha1.ReasonConflict, "a library named %q exists on the server: MediaServer %s has adoptionPolicy Always, but this Library may be older than that, so that nobody was asked for permission: add the line \"adoptionPolicy: IfUnique\" to spec to take it over, or accept all Users and Libraries that are there (%s); both need permission to administer the MediaServer",
			name, p.server.Name, p.acceptingAll())
	case facts.Named == access.NamedTaken:
		return stalled(v1alpha1.ReasonConflict, "a library named %q exists on the server: add the line \"adoptionPolicy: IfUnique\" to spec to take it over (which needs permission to administer MediaServer %s), or choose another displayName", name, p.server.Name)
	case p.library.Spec.ExternalID != "":
		return stalled(v1alpha1.ReasonConflict, "the server has no library with the id %s (spec.externalID)", p.library.Spec.ExternalID)
	}
	return stalled(v1alpha1.ReasonConflict, "the server has no library named %q: give spec.paths so that it can be made", name)
}

// describe fills the status of a library that agrees.
func (r *libraryReconciler) describe(ctx context.Context, p *libraryPass) {
	p.status.ExternalID, p.status.Origin, p.status.Plan = p.record.ID, p.record.Origin, nil
	if p.record.ID == "" {
		p.status.ExternalID = string(p.found.ID)
	}
	if members, err := r.members(ctx, p); err == nil {
		p.status.Members = members
	}
}

func libraryIDs(libraries []media.Library) string {
	var ids []string
	for _, library := range firstListed(libraries) {
		ids = append(ids, string(library.ID))
	}
	return fmt.Sprint(ids)
}
