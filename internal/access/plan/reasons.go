package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// AccessReasons says in words how two accesses differ.
func (s Snapshot) AccessReasons(now, want media.Access) []string {
	var words []string
	if now.All != want.All {
		words = append(words, fmt.Sprintf("access to all libraries from %t to %t", now.All, want.All))
	}
	ids := maps.Clone(now.Libraries)
	if ids == nil {
		ids = map[media.LibraryID]media.LibraryRole{}
	}
	maps.Copy(ids, want.Libraries)
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		before, after := now.Libraries[id], want.Libraries[id]
		switch {
		case before == after, now.All && want.All:
		case after == "":
			words = append(words, "access to "+s.libraryName(id)+" taken away")
		case before == "":
			words = append(words, "access to "+s.libraryName(id)+" given")
		default:
			words = append(words, fmt.Sprintf("role in %s from %s to %s", s.libraryName(id), before, after))
		}
	}
	return words
}

// libraryName is the name of the Library that declares an id, else the library's own name.
func (s Snapshot) libraryName(id media.LibraryID) string {
	for _, believed := range []map[string]media.LibraryID{s.Beliefs.Given, s.Beliefs.Kept} {
		for name, resolved := range believed {
			if resolved == id {
				return name
			}
		}
	}
	for name, doubted := range s.Beliefs.Doubted {
		if doubted == id {
			return "what Library " + name + " was (in doubt)"
		}
	}
	for name, former := range s.Beliefs.Former {
		if slices.Contains(former, id) {
			return "what Library " + name + " was before (" + string(id) + ")"
		}
	}
	if name, found := s.Server.Names[id]; found {
		return fmt.Sprintf("%q (undeclared)", media.Truncate(name, 100))
	}
	return "an unknown library"
}
