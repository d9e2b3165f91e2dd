package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// candidates are the libraries of the server that this manifest may mean, its recorded one not counted.
func (r *libraryReconciler) candidates(p *libraryPass) []media.Library {
	if id := p.library.Spec.ExternalID; id != "" {
		if library, found := p.inventory().Library(media.LibraryID(id)); found && id != p.record.ID {
			return []media.Library{library}
		}
		return nil
	}
	named := p.inventory().LibrariesNamed(p.library.Spec.DisplayName)
	return slices.DeleteFunc(named, func(l media.Library) bool { return string(l.ID) == p.record.ID })
}

// recorded says what became of the recorded library. Two listings without it are not enough: the server is asked for
// it by its id, since a list can be short for as long as it likes, and names need not be unique.
func (r *libraryReconciler) recorded(ctx context.Context, p *libraryPass) access.Recorded {
	id := media.LibraryID(p.record.ID)
	if id == "" {
		return access.RecordedNone
	}
	if _, found := p.inventory().Library(id); found {
		return access.RecordedPresent // a library renamed by hand is the same library: its name is repaired
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
	case candidates[0].Personal || r.adoptionPolicy(p) == v1alpha1.LibraryAdoptionNever:
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

func (r *libraryReconciler) adoptionPolicy(p *libraryPass) v1alpha1.LibraryAdoptionPolicy {
	if policy := p.library.Spec.AdoptionPolicy; policy != "" {
		return policy
	}
	if p.server.Spec.AdoptionPolicy == v1alpha1.AccountAdoptionNever {
		return v1alpha1.LibraryAdoptionNever
	}
	return v1alpha1.LibraryAdoptionIfUnique
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
	if o := r.refusedBefore(p.library, p.record); o != nil {
		return o
	}
	known := []string{}
	for _, library := range p.inventory().LibrariesNamed(spec.DisplayName) {
		known = append(known, string(library.ID))
	}
	announced := record{Server: p.identity(), Intent: &intent{At: r.Clock.Now(), Known: known}}
	if err := r.writeRecord(ctx, p.library, announced); err != nil {
		return retry(err)
	}
	ctx = media.WithReason(ctx, "a new Library declares it")
	library, err := p.to().CreateLibrary(ctx, media.NewLibrary{
		Name: spec.DisplayName, MediaType: media.MediaType(spec.MediaType), Paths: paths(spec), Settings: settings(spec),
	})
	if err != nil {
		return r.creationFailed(ctx, p.site, p.library, announced, err)
	}
	p.record = announced
	return r.take(ctx, p, library, v1alpha1.OriginCreated)
}

// take records a library as this one's.
func (r *libraryReconciler) take(ctx context.Context, p *libraryPass, library media.Library, origin v1alpha1.Origin) *outcome {
	p.found = library
	if library.MediaType != media.MediaType(p.library.Spec.MediaType) {
		return stalled(v1alpha1.ReasonConflict, "the library on the server holds %s, not %s, and that cannot be changed", library.MediaType, p.library.Spec.MediaType)
	}
	if p.observing() {
		p.planned = []string{fmt.Sprintf("take over the library %q (%s)", bounded(library.Name, 100), library.ID)}
		return nil
	}
	p.record = record{ID: string(library.ID), Origin: origin, Server: p.identity()}
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
		return nil
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	drift := r.foundDrift("Library", p.agreed, words)
	library, err := p.to().UpdateLibrary(media.WithReason(ctx, words...), p.found.ID, change)
	if err != nil {
		return r.callFailed(p.site, err)
	}
	p.found = library
	if drift != nil {
		p.status.Drift = repaired(drift, r.Clock.Now())
		r.counters.driftRepaired.WithLabelValues("Library").Inc()
		r.normal(p.library, "DriftRepaired", "Repair", "changed by hand on the server, and repaired: %s", strings.Join(drift.Differences, "; "))
	}
	return nil
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
