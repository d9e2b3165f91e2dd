package access_test

import (
	"testing"
	"time"

	"github.com/usher-media/usher/internal/access"
)

// TestBelieveLibrary is the whole table of what may have become of a recorded library.
func TestBelieveLibrary(t *testing.T) {
	made := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	look := func(name, path string, at time.Time) access.LibraryLook {
		l := access.LibraryLook{Name: name, Created: at}
		if path != "" {
			l.Paths = []string{path}
		}
		return l
	}
	never := time.Time{}
	for name, c := range map[string]struct {
		recorded []access.LibraryLook
		now      access.LibraryLook
		// counted: what is believed where ids are given out again; random: where they are not.
		counted, random access.Belief
	}{
		"unchanged":                    {[]access.LibraryLook{look("A", "/a", made)}, look("A", "/a", made), "same", "same"},
		"no time told":                 {[]access.LibraryLook{look("A", "/a", never)}, look("A", "/a", made), "same", "same"},
		"a rounded time":               {[]access.LibraryLook{look("A", "/a", made)}, look("A", "/a", made.Add(time.Second)), "same", "same"},
		"renamed":                      {[]access.LibraryLook{look("A", "/a", made)}, look("B", "/a", made), "changed", "changed"},
		"moved":                        {[]access.LibraryLook{look("A", "/a", made)}, look("A", "/b", made), "changed", "changed"},
		"a folder more":                {[]access.LibraryLook{look("A", "/a", made)}, access.LibraryLook{Name: "A", Paths: []string{"/a", "/b"}}, "changed", "changed"},
		"renamed and moved":            {[]access.LibraryLook{look("A", "/a", made)}, look("B", "/b", made), "doubt", "changed"},
		"made at another time":         {[]access.LibraryLook{look("A", "/a", made)}, look("A", "/a", made.Add(time.Hour)), "doubt", "same"},
		"renamed, of another time":     {[]access.LibraryLook{look("A", "/a", made)}, look("B", "/a", made.Add(time.Hour)), "doubt", "changed"},
		"no folders":                   {[]access.LibraryLook{look("A", "", never)}, look("A", "", never), "same", "same"},
		"no folders, renamed":          {[]access.LibraryLook{look("A", "", never)}, look("B", "", never), "doubt", "changed"},
		"no folders, renamed, its day": {[]access.LibraryLook{look("A", "", made)}, look("B", "", made), "changed", "changed"},
		"nothing recorded":             {nil, look("A", "/a", made), "doubt", "changed"},
		"before the manifest's change": {[]access.LibraryLook{look("A", "/a", made), look("B", "/b", made)}, look("A", "/a", made), "same", "same"},
		"after it":                     {[]access.LibraryLook{look("A", "/a", made), look("B", "/b", made)}, look("B", "/b", made), "same", "same"},
		"in the middle of it":          {[]access.LibraryLook{look("A", "/a", made), look("B", "/b", made)}, look("B", "/a", made), "same", "same"},
		"something else":               {[]access.LibraryLook{look("A", "/a", made), look("B", "/b", made)}, look("C", "/c", made), "doubt", "changed"},
	} {
		if got := access.BelieveLibrary(c.recorded, c.now, false); got != c.counted {
			t.Errorf("%s, ids that are given out again: %s, want %s", name, got, c.counted)
		}
		if got := access.BelieveLibrary(c.recorded, c.now, true); got != c.random {
			t.Errorf("%s, ids that are never: %s, want %s", name, got, c.random)
		}
	}
	same := access.BelieveLibrary([]access.LibraryLook{{Name: "A", Paths: []string{"/b", "/a"}}}, access.LibraryLook{Name: "A", Paths: []string{"/a", "/b"}}, false)
	if same != access.BeliefSame {
		t.Errorf("folders in another order: %s", same)
	}
}
