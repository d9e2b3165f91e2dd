package controller

import (
	"fmt"
	"slices"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

// libraryWitness is what is recorded of a library besides its id, so that another one which has the id one day is not
// taken for it.
type libraryWitness struct {
	Name    string    `json:"name"`
	Paths   []string  `json:"paths,omitempty"`
	Created time.Time `json:"created,omitzero"`
	// Becoming is what the manifest makes of it. It is written down before it is done.
	Becoming *libraryWitness `json:"becoming,omitempty"`
}

// doubt is recorded of a library that is not believed any more, until a person decides or every witness agrees again.
type doubt struct {
	// Restored: other recorded libraries of the server changed or went at the same look.
	Restored bool `json:"restored,omitempty"`
	// Confirm and Forget are the annotations that were there already, which are no answer to this doubt.
	Confirm string `json:"confirm,omitempty"`
	Forget  string `json:"forget,omitempty"`
}

func witnessOf(l media.Library) *libraryWitness {
	return &libraryWitness{Name: l.Name, Paths: slices.Sorted(slices.Values(l.Paths)), Created: l.Created}
}

func (w *libraryWitness) look() access.LibraryLook {
	return access.LibraryLook{Name: w.Name, Paths: w.Paths, Created: w.Created}
}

// recordedLooks are what the library may look like. A record of before there were witnesses has the manifest for one.
func recordedLooks(library *v1alpha1.Library, r record) []access.LibraryLook {
	switch {
	case r.Library == nil:
		return []access.LibraryLook{{Name: library.Spec.DisplayName, Paths: paths(library.Spec)}}
	case r.Library.Becoming != nil:
		return []access.LibraryLook{r.Library.look(), r.Library.Becoming.look()}
	}
	return []access.LibraryLook{r.Library.look()}
}

func lookOf(l media.Library) access.LibraryLook {
	return access.LibraryLook{Name: l.Name, Paths: l.Paths, Created: l.Created}
}

// standing is what the newest look at the server says of a Library's recorded id.
type standing struct {
	library *v1alpha1.Library
	record  record
	// id that is recorded; empty for none.
	id media.LibraryID
	// found is the library that has it, where it is listed.
	found  media.Library
	listed bool
	// own is what its witnesses say, belief what is believed with all that is known. Empty where it is not listed.
	own, belief access.Belief
	// rival is the Library that has the id with better right.
	rival *v1alpha1.Library
	// restored: others changed or went at the same look, on a server that gives ids out again.
	restored bool
}

// standings looks at all Libraries of a server together.
func standings(s site, libraries []v1alpha1.Library) []standing {
	all := make([]standing, len(libraries))
	sharing := map[media.LibraryID][]*standing{}
	neverReused := s.to().Traits().LibraryIDsNeverReused
	unsettled := 0
	for i := range libraries {
		st := &all[i]
		*st = standingOf(s, &libraries[i], neverReused)
		if st.id == "" {
			continue
		}
		sharing[st.id] = append(sharing[st.id], st)
		alone := st.record.Doubt != nil && !st.record.Doubt.Restored
		leaving := !st.listed && !st.library.DeletionTimestamp.IsZero() // Usher may have deleted it
		if !neverReused && !alone && !leaving && st.own != access.BeliefSame && st.changedHands() {
			unsettled++
		}
	}
	for _, same := range sharing {
		if len(same) > 1 {
			settleRivals(same)
		}
	}
	for i := range all {
		st := &all[i]
		if st.id == "" || st.own == access.BeliefSame {
			continue
		}
		// What was found together stays so, though others have been decided on since.
		st.restored = unsettled > 1 && st.changedHands() || st.record.Doubt != nil && st.record.Doubt.Restored
		if st.listed && (st.restored || st.record.Doubt != nil) {
			st.belief = access.BeliefDoubt
		}
	}
	return all
}

func standingOf(s site, library *v1alpha1.Library, neverReused bool) standing {
	st := standing{library: library, record: readRecord(library, s.identity())}
	if st.id = media.LibraryID(st.record.ID); st.id == "" {
		return st
	}
	if st.found, st.listed = s.inventory().Library(st.id); st.listed {
		st.own = access.BelieveLibrary(recordedLooks(library, st.record), lookOf(st.found), neverReused)
		st.belief = st.own
	}
	return st
}

// changedHands says whether the id may be another library's: it is gone, or the name or the time is another.
func (st *standing) changedHands() bool {
	return !st.listed || st.own == access.BeliefDoubt || !slices.ContainsFunc(recordedLooks(st.library, st.record), func(l access.LibraryLook) bool { return l.Name == st.found.Name })
}

// settleRivals leaves one of several Libraries that have recorded one id with it: the one that its witnesses speak for,
// then by age.
func settleRivals(same []*standing) {
	right := map[access.Belief]int{access.BeliefSame: 2, access.BeliefChanged: 1}
	var claimants []access.Claimant
	best := 0
	for _, st := range same {
		best = max(best, right[st.own])
	}
	for _, st := range same {
		if right[st.own] == best {
			claimants = append(claimants, access.Claimant{Object: st.library, Recorded: true})
		}
	}
	winner := access.ClaimWinner(claimants).(*v1alpha1.Library)
	for _, st := range same {
		if st.library == winner {
			continue
		}
		st.rival = winner
		if st.listed {
			st.belief = access.BeliefDoubt
		}
	}
}

// believe sorts the Libraries of a server.
func (s site) believe(libraries []v1alpha1.Library) plan.Beliefs {
	b := plan.Beliefs{Given: make(map[string]media.LibraryID, len(libraries)), Kept: map[string]media.LibraryID{}, Doubted: map[string]media.LibraryID{}, Likely: map[string]bool{}}
	all := standings(s, libraries)
	back := s.formersBack(all)
	for _, st := range all {
		addFormer(&b, st, back[st.library.Name])
		name := st.library.Name
		switch {
		case st.id == "" && s.observing():
			if id := media.LibraryID(st.library.Status.ExternalID); id != "" {
				if _, there := s.inventory().Library(id); there {
					b.Given[name] = id
				}
			}
		case st.id == "":
			if id := media.LibraryID(st.library.Spec.ExternalID); id != "" {
				b.Kept[name] = id
			}
		case st.rival != nil || st.belief == access.BeliefDoubt:
			b.Doubted[name] = st.id
			b.Likely[name] = st.rival == nil && st.own == access.BeliefChanged
		case st.belief == access.BeliefSame:
			b.Given[name] = st.id
		default:
			b.Kept[name] = st.id
		}
	}
	return b
}

// orHas adds the libraries of a list that are kept by who has them.
func orHas(b plan.Beliefs, list map[media.LibraryID]media.LibraryRole) map[string]media.LibraryID {
	for name, id := range b.Kept {
		if _, has := list[id]; has {
			if _, given := b.Given[name]; !given {
				b.Given[name] = id
			}
		}
	}
	return b.Given
}

// described is a library in words, short enough for a message with two of them.
func described(name string, paths []string, created time.Time) string {
	text := fmt.Sprintf("%q", bounded(name, 60))
	if len(paths) > 0 {
		text += " (" + bounded(fmt.Sprint(paths), 120) + ")"
	}
	if !created.IsZero() {
		text += " of " + created.UTC().Format(time.DateTime)
	}
	return text
}

func (w *libraryWitness) String() string { return described(w.Name, w.Paths, w.Created) }
