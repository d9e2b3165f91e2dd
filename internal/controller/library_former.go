package controller

import (
	"context"
	"fmt"
	"slices"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

// maxFormer bounds what a record remembers of former times.
const maxFormer = 10

// formerLibrary is a library that a Library was before, until it was lost or forgotten. A newer backup brings it back, with
// who saw it.
type formerLibrary struct {
	ID     string          `json:"id"`
	Origin v1alpha1.Origin `json:"origin,omitempty"`
	// Forgotten: a person said that what has the id is another.
	Forgotten bool `json:"forgotten,omitempty"`
	libraryWitness
}

// succeeded returns the record that follows on this one: it remembers what this one had, the newest last.
func (r record) succeeded(library *v1alpha1.Library, next record, forgotten bool) record {
	former := slices.Clone(r.FormerLibraries)
	if r.ID != "" {
		witness := r.Library
		if witness == nil {
			witness = &libraryWitness{Name: library.Spec.DisplayName, Paths: paths(library.Spec)}
		}
		former = slices.DeleteFunc(former, func(f formerLibrary) bool { return f.ID == r.ID })
		former = append(former, formerLibrary{ID: r.ID, Origin: r.Origin, Forgotten: forgotten, libraryWitness: *witness})
	}
	former = slices.DeleteFunc(former, func(f formerLibrary) bool { return f.ID == next.ID })
	next.FormerLibraries = former[max(0, len(former)-maxFormer):]
	return next
}

// isBack says whether a library of the server is the former one beyond doubt. An id that is never given out again proves it;
// but not where a person said that it is another.
func (f formerLibrary) isBack(now media.Library, neverReused bool) bool {
	looks := []access.LibraryLook{f.look()}
	if f.Becoming != nil {
		looks = append(looks, f.Becoming.look())
	}
	belief := access.BelieveLibrary(looks, lookOf(now), neverReused)
	return !now.Personal && (belief == access.BeliefSame || belief == access.BeliefChanged && neverReused && !f.Forgotten)
}

// formersBack are, for each Library, its former libraries that the server has, and that are no Library's today.
func (s site) formersBack(all []standing) map[string][]formerLibrary {
	var back map[string][]formerLibrary
	for i := range all {
		st := &all[i]
		for _, f := range st.record.FormerLibraries {
			id := media.LibraryID(f.ID)
			found, listed := s.inventory().Library(id)
			if !listed || !f.isBack(found, s.to().Traits().LibraryIDsNeverReused) || slices.ContainsFunc(all, func(other standing) bool { return other.id == id }) {
				continue
			}
			if back == nil {
				back = map[string][]formerLibrary{}
			}
			back[st.library.Name] = append(back[st.library.Name], f)
		}
	}
	return back
}

func addFormer(b *plan.Beliefs, st standing, back []formerLibrary) {
	if len(back) == 0 {
		return
	}
	if b.Former == nil {
		b.Former, b.Returning = map[string][]media.LibraryID{}, map[string]media.LibraryID{}
	}
	name := st.library.Name
	for _, f := range back {
		b.Former[name] = append(b.Former[name], media.LibraryID(f.ID))
		if !st.listed {
			b.Returning[name] = media.LibraryID(f.ID) // the newest comes last
		}
	}
}

// formers are this Library's.
func (p *libraryPass) formers() []formerLibrary {
	if len(p.record.FormerLibraries) == 0 {
		return nil
	}
	return p.formersBack(standings(p.site, p.beside))[p.library.Name]
}

// returned is the former library that this Library becomes again, since the one that was made in its place is gone.
func (p *libraryPass) returned(recorded access.Recorded) (f formerLibrary, back bool) {
	if recorded != access.RecordedAbsent && recorded != access.RecordedNone || !p.settledIntent(p.record) {
		return f, false
	}
	for _, f := range slices.Backward(p.formers()) {
		if wanted := p.library.Spec.ExternalID; !f.Forgotten && (wanted == "" || wanted == f.ID) {
			return f, true
		}
	}
	return f, false
}

// takeAgain records a former library as this one's.
func (r *libraryReconciler) takeAgain(ctx context.Context, p *libraryPass, f formerLibrary) *outcome {
	library, _ := p.inventory().Library(media.LibraryID(f.ID))
	if o := r.take(ctx, p, library, f.Origin); o != nil || p.observing() {
		return o
	}
	r.normal(p.library, "Returned", "Record", "the library with the id %s is on the server again, and is this one as before", f.ID)
	return nil
}

// formerWords say of former libraries that they are on the server, too.
func (p *libraryPass) formerWords() string {
	back := p.formers()
	if len(back) == 0 {
		return ""
	}
	f := back[len(back)-1]
	return fmt.Sprintf("; but what it was before is on the server again, too: library %s with the id %s. Access to that one is taken back, and it is left as it is", described(f.Name, nil, f.Created), f.ID)
}

// formerHeld waits until nobody has access to a former library: when the Library is gone, nobody knows whose it was.
func (r *libraryReconciler) formerHeld(ctx context.Context, p *libraryPass) *outcome {
	for _, f := range p.formers() {
		holders, err := r.holders(ctx, p.site, p.library, media.LibraryID(f.ID))
		if err != nil {
			return retry(err)
		}
		if len(holders) > 0 {
			return waiting(v1alpha1.ReasonAccessStillHeld, "waits until access to the library with the id %s, which this one was before, is taken back from every User that has it: %d still (first: %s)", f.ID, len(holders), holders[0])
		}
	}
	return nil
}
