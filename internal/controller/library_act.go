package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// candidates are the libraries of the server that this manifest may mean, its recorded one not counted, nor those of other
// Libraries; taken is one of the latter.
func (r *libraryReconciler) candidates(p *libraryPass) (candidates []media.Library, taken *v1alpha1.Library) {
	var meant []media.Library
	if id := p.library.Spec.ExternalID; id == "" {
		meant = p.inventory().LibrariesNamed(p.library.Spec.DisplayName)
	} else if library, found := p.inventory().Library(media.LibraryID(id)); found {
		meant = []media.Library{library}
	}
	others := map[media.LibraryID]*v1alpha1.Library{}
	for _, st := range standings(p.site, p.beside) {
		if st.library.UID != p.library.UID && st.rival == nil && (st.belief == access.BeliefSame || st.belief == access.BeliefChanged) {
			others[st.id] = st.library
		}
	}
	for _, library := range meant {
		switch other := others[library.ID]; {
		case string(library.ID) == p.record.ID:
		case other != nil:
			taken = other
		default:
			candidates = append(candidates, library)
		}
	}
	return candidates, taken
}

// recorded says what became of the recorded library. Two listings without it are not enough: the server is asked for
// it by its id, since a list can be short for as long as it likes, and names need not be unique.
func (r *libraryReconciler) recorded(ctx context.Context, p *libraryPass) access.Recorded {
	id := media.LibraryID(p.record.ID)
	if id == "" {
		return access.RecordedNone
	}
	if _, found := p.inventory().Library(id); found {
		return access.RecordedPresent // what is in doubt ends before this is asked: one renamed by hand is repaired
	}
	if !p.inventory().LibraryAbsent(id, p.connection.Opened) {
		return access.RecordedMissing
	}
	switch _, err := p.to().ReadLibrary(ctx, id); media.CodeOf(err) {
	case "":
		return access.RecordedPresent
	case media.NotFound:
		return access.RecordedAbsent
	}
	return access.RecordedMissing
}

func (r *libraryReconciler) named(p *libraryPass, candidates []media.Library) access.Named {
	if ours := unknownBefore(p.record, candidates); p.record.open() && len(ours) == 1 {
		return access.NamedOurs
	}
	switch {
	case len(candidates) == 0:
		return access.NamedNone
	case len(candidates) > 1:
		return access.NamedSeveral
	case candidates[0].Personal || p.adoptionPolicy() == v1alpha1.LibraryAdoptionNever:
		return access.NamedTaken
	}
	return access.NamedAdoptable
}

// unknownBefore are the candidates that an announced creation did not see before it: what it made is among them.
func unknownBefore(r record, candidates []media.Library) []media.Library {
	if !r.open() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(candidates), func(l media.Library) bool {
		return slices.Contains(r.Intent.Known, string(l.ID)) || l.Personal
	})
}

// adoptionPolicy: a library that exists is taken over only where a manifest says so, since grants would give what was
// somebody else's.
func (p *libraryPass) adoptionPolicy() v1alpha1.LibraryAdoptionPolicy {
	if policy := p.library.Spec.AdoptionPolicy; policy != "" {
		return policy
	}
	if p.library.Spec.ExternalID != "" || (p.server.Spec.AdoptionPolicy == v1alpha1.AccountAdoptionAlways && p.askedToTakeOver(p.library)) {
		return v1alpha1.LibraryAdoptionIfUnique
	}
	return v1alpha1.LibraryAdoptionNever
}

// create announces the creation, makes the library and records it.
func (r *libraryReconciler) create(ctx context.Context, p *libraryPass) *outcome {
	spec := p.library.Spec
	if p.observing() {
		p.status.Plan = []string{"create the library " + spec.DisplayName}
		return observed(p.status.Plan)
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	if o := p.outsideRoots(nil); o != nil {
		return o
	}
	if o := r.refusedBefore(p.library, p.record); o != nil {
		return o
	}
	known := []string{}
	for _, library := range p.inventory().LibrariesNamed(spec.DisplayName) {
		known = append(known, string(library.ID))
	}
	for _, former := range p.record.FormerLibraries {
		known = append(known, former.ID) // it may come back meanwhile, and is not what is made now
	}
	announced := p.record.succeeded(p.library, record{Server: p.identity(), Intent: &intent{At: r.Clock.Now(), Known: known}}, false)
	if err := r.writeRecord(ctx, p.library, announced); err != nil {
		return retry(err)
	}
	ctx = media.WithReason(ctx, "a new Library declares it")
	library, err := p.to().CreateLibrary(ctx, media.NewLibrary{
		Name: spec.DisplayName, MediaType: media.MediaType(spec.MediaType), Paths: paths(spec), Settings: settings(spec),
	})
	if err != nil {
		o := r.creationFailed(ctx, p.site, p.library, announced, err)
		if found, taken := r.candidates(p); media.CodeOf(err) == media.AlreadyExists && o.kind == kindStalled && (len(found) > 0 || taken != nil) {
			o = waiting(v1alpha1.ReasonProgressing, "somebody made a library of that name since the last look: looking whose it is")
			o.after = lookAgainAfter
		}
		return o
	}
	p.record = announced
	return r.take(ctx, p, library, v1alpha1.OriginCreated)
}

// take records a library as this one's.
func (r *libraryReconciler) take(ctx context.Context, p *libraryPass, library media.Library, origin v1alpha1.Origin) *outcome {
	p.found, p.agreed = library, false // how it is found is no drift
	if library.MediaType != media.MediaType(p.library.Spec.MediaType) {
		return stalled(v1alpha1.ReasonConflict, "the library on the server holds %s, not %s, and that cannot be changed", library.MediaType, p.library.Spec.MediaType)
	}
	if p.observing() {
		p.planned = []string{fmt.Sprintf("take over the library %q (%s)", bounded(library.Name, 100), library.ID)}
		return nil
	}
	p.record = p.record.succeeded(p.library, record{ID: string(library.ID), Origin: origin, Server: p.identity(), Library: witnessOf(library)}, false)
	if err := r.writeRecord(ctx, p.library, p.record); err != nil {
		return retry(err)
	}
	if origin == v1alpha1.OriginAdopted {
		r.normal(p.library, "Adopted", "Adopt", "took over library %q of MediaServer %s", library.Name, p.server.Name)
	}
	return nil
}

// agree changes what differs.
func (r *libraryReconciler) agree(ctx context.Context, p *libraryPass) *outcome {
	change, words := libraryDifference(p.library.Spec, p.found)
	if p.observing() && len(p.planned)+len(words) > 0 {
		p.status.ExternalID = string(p.found.ID)
		p.status.Plan = firstListed(append(p.planned, words...))
		return observed(p.status.Plan)
	}
	if change.IsZero() {
		return r.keepWitness(ctx, p)
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	if o := p.outsideRoots(p.had()); change.Paths != nil && o != nil {
		return o
	}
	if o := r.announceChange(ctx, p, change); o != nil {
		return o
	}
	drift := r.foundDrift("Library", p.agreed, words)
	library, err := p.to().UpdateLibrary(media.WithReason(ctx, words...), p.found.ID, p.stillOurs, change)
	if errors.Is(err, media.ErrNotTheSame) {
		return r.lookAgain(p.site, record{}, v1alpha1.ReasonProgressing, "the library was changed by somebody at this moment: looking again before anything is written to it")
	}
	if err != nil {
		return r.callFailed(p.site, err)
	}
	p.found = library
	if o := r.keepWitness(ctx, p); o != nil {
		return o
	}
	if drift != nil {
		p.status.Drift = repaired(drift, r.Clock.Now())
		r.counters.driftRepaired.WithLabelValues("Library").Inc()
		r.normal(p.library, "DriftRepaired", "Repair", "changed by hand on the server, and repaired: %s", strings.Join(drift.Differences, "; "))
	}
	return nil
}

// announceChange writes down what a library is about to become, so that it is known before and after.
func (r *libraryReconciler) announceChange(ctx context.Context, p *libraryPass, change media.LibraryChange) *outcome {
	becoming := witnessOf(p.found)
	if change.Name != nil {
		becoming.Name = *change.Name
	}
	if change.Paths != nil {
		becoming.Paths = slices.Sorted(slices.Values(change.Paths))
	}
	if p.record.Library == nil {
		p.record.Library = witnessOf(p.found)
	}
	base := *p.record.Library
	if base.Becoming = nil; reflect.DeepEqual(base, *becoming) {
		return nil // what was changed by hand becomes again what it was
	}
	base.Becoming = becoming
	p.record.Library = &base
	return r.writeLibraryRecord(ctx, p)
}

// keepWitness records what the library looks like, now that it agrees.
func (r *libraryReconciler) keepWitness(ctx context.Context, p *libraryPass) *outcome {
	if p.observing() || p.record.ID == "" {
		return nil
	}
	witness := witnessOf(p.found)
	if was := p.record.Library; was != nil && witness.Created.IsZero() {
		witness.Created = was.Created // not every answer tells
	}
	p.record.Library = witness
	if o := r.writeLibraryRecord(ctx, p); o != nil {
		return o
	}
	if p.standing.belief == access.BeliefChanged {
		r.Events.Users(p.key) // nobody was given it meanwhile
	}
	return nil
}

// stillOurs is asked of the library as it is read right before something is written to it.
func (p *libraryPass) stillOurs(live media.Library) bool {
	never := p.to().Traits().LibraryIDsNeverReused
	return access.BelieveLibrary(recordedLooks(p.library, p.record), lookOf(live), never) != access.BeliefDoubt
}

// stillTheSame is stillOurs for what cannot be undone: the name must be the expected one, too.
func (p *libraryPass) stillTheSame(live media.Library) bool {
	return live.Name == p.library.Spec.DisplayName && p.stillOurs(live)
}

// libraryDifference says what to change so that the server agrees, and the same in words.
func libraryDifference(spec v1alpha1.LibrarySpec, found media.Library) (change media.LibraryChange, words []string) {
	if found.Name != spec.DisplayName {
		change.Name = &spec.DisplayName
		words = append(words, fmt.Sprintf("name %q to %q", bounded(found.Name, 100), spec.DisplayName))
	}
	if want := paths(spec); len(want) > 0 && !sameSet(want, found.Paths) {
		change.Paths = want
		words = append(words, fmt.Sprintf("paths to %v", want))
	}
	want := settings(spec)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if found.Settings[name] != want[name] {
			if change.Settings == nil {
				change.Settings = map[string]string{}
			}
			change.Settings[name] = want[name]
			words = append(words, fmt.Sprintf("%s %q to %q", name, bounded(found.Settings[name], 32), want[name]))
		}
	}
	return change, words
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func paths(spec v1alpha1.LibrarySpec) []string {
	var out []string
	for _, path := range spec.Paths {
		out = append(out, string(path))
	}
	return out
}
