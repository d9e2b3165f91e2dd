package access

import (
	"slices"
	"time"
)

// Belief says whether what a server has under a recorded id is still what was recorded (design D3).
type Belief string

// The beliefs.
const (
	// BeliefSame: every witness agrees. Nothing less gives anybody anything.
	BeliefSame Belief = "same"
	// BeliefChanged: it is the same library, which somebody changed: the id alone proves it, or one more witness agrees.
	// It may be repaired, and what was given may be taken.
	BeliefChanged Belief = "changed"
	// BeliefDoubt: nobody can tell. Nothing is written to it.
	BeliefDoubt Belief = "doubt"
)

// LibraryLook is what a library looks like, besides its id.
type LibraryLook struct {
	Name string
	// Paths of its folders; none where the server has none, or where nobody recorded them.
	Paths []string
	// Created is when it was made; zero where the server does not tell.
	Created time.Time
}

// BelieveLibrary compares a library with what was recorded of the one that has its id: one look, or two where the
// manifest was changing it, each part of which may have come to pass. neverReused: the id names that library for ever.
//
// Where ids are given out again, the name or the folders must agree, and it must not have been made at another time. Where
// no folders are known, the time stands in for them.
func BelieveLibrary(recorded []LibraryLook, now LibraryLook, neverReused bool) Belief {
	var name, folders, known, otherTime, sameTime bool
	for _, was := range recorded {
		name = name || was.Name == now.Name
		folders = folders || sameFolders(was.Paths, now.Paths)
		known = known || len(was.Paths) > 0 && len(now.Paths) > 0
		if !was.Created.IsZero() && !now.Created.IsZero() {
			same := was.Created.Sub(now.Created).Abs() <= time.Second // a server may round what it stores
			sameTime, otherTime = sameTime || same, otherTime || !same
		}
	}
	switch {
	case name && folders && !otherTime, name && folders && neverReused:
		return BeliefSame
	case neverReused:
		return BeliefChanged
	case otherTime:
		return BeliefDoubt
	case name, folders && known, !known && sameTime:
		return BeliefChanged
	}
	return BeliefDoubt
}

func sameFolders(a, b []string) bool {
	return slices.Equal(a, b) || slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
