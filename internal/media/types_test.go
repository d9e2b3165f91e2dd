package media

import "testing"

func TestAccessIncludes(t *testing.T) {
	viewer := func(ids ...LibraryID) map[LibraryID]LibraryRole {
		libraries := map[LibraryID]LibraryRole{}
		for _, id := range ids {
			libraries[id] = LibraryViewer
		}
		return libraries
	}
	admin := map[LibraryID]LibraryRole{"a": LibraryAdmin}
	for name, c := range map[string]struct {
		has, other Access
		want       bool
	}{
		"nothing in nothing":               {Access{}, Access{}, true},
		"less in more":                     {Access{Libraries: viewer("a", "b")}, Access{Libraries: viewer("a")}, true},
		"more in less":                     {Access{Libraries: viewer("a")}, Access{Libraries: viewer("a", "b")}, false},
		"another one":                      {Access{Libraries: viewer("a")}, Access{Libraries: viewer("b")}, false},
		"all in some":                      {Access{Libraries: viewer("a")}, Access{All: true}, false},
		"some in all":                      {Access{All: true}, Access{Libraries: viewer("a")}, true},
		"a higher role in a lower":         {Access{Libraries: viewer("a")}, Access{Libraries: admin}, false},
		"a lower role in a higher":         {Access{Libraries: admin}, Access{Libraries: viewer("a")}, true},
		"a higher role in all, as viewers": {Access{All: true}, Access{Libraries: admin}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.has.Includes(c.other); got != c.want {
				t.Errorf("%+v includes %+v: %t", c.has, c.other, got)
			}
		})
	}
}
