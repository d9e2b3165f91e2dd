package media

import "testing"

func TestAccessCommon(t *testing.T) {
	v, a := LibraryViewer, LibraryAdmin
	some := func(libraries map[LibraryID]LibraryRole) Access { return Access{Libraries: libraries} }
	all := func(libraries map[LibraryID]LibraryRole) Access { return Access{All: true, Libraries: libraries} }
	for name, c := range map[string]struct{ one, other, want Access }{
		"nothing in common":        {some(map[LibraryID]LibraryRole{"x": v}), some(map[LibraryID]LibraryRole{"y": v}), Access{}},
		"some":                     {some(map[LibraryID]LibraryRole{"x": v, "y": a}), some(map[LibraryID]LibraryRole{"y": a, "z": v}), some(map[LibraryID]LibraryRole{"y": a})},
		"the lower role":           {some(map[LibraryID]LibraryRole{"x": a}), some(map[LibraryID]LibraryRole{"x": v}), some(map[LibraryID]LibraryRole{"x": v})},
		"of all, what is named":    {all(nil), some(map[LibraryID]LibraryRole{"x": v}), some(map[LibraryID]LibraryRole{"x": v})},
		"of all, as a viewer":      {all(nil), some(map[LibraryID]LibraryRole{"x": a}), some(map[LibraryID]LibraryRole{"x": v})},
		"all, with the same role":  {all(map[LibraryID]LibraryRole{"x": a}), all(map[LibraryID]LibraryRole{"x": a}), all(map[LibraryID]LibraryRole{"x": a})},
		"all, with a role in one":  {all(map[LibraryID]LibraryRole{"x": a}), all(nil), all(nil)},
		"nothing in all":           {all(nil), Access{}, Access{}},
		"a role in all, and named": {all(map[LibraryID]LibraryRole{"x": a}), some(map[LibraryID]LibraryRole{"x": a}), some(map[LibraryID]LibraryRole{"x": a})},
	} {
		t.Run(name, func(t *testing.T) {
			for _, got := range []Access{c.one.Common(c.other), c.other.Common(c.one)} {
				if !got.Equal(c.want) || !c.one.Includes(got) || !c.other.Includes(got) {
					t.Errorf("%+v and %+v have %+v in common, want %+v", c.one, c.other, got, c.want)
				}
			}
		})
	}
}

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
