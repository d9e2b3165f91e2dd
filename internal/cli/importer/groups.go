package importer

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/usher-media/usher/api/v1alpha1"
)

// groupLabel is the label that people with the same libraries share.
const groupLabel = "group"

// unit is one person, or the people who have the same libraries. Of each library, either all of them are to be given a role, or
// none is.
type unit struct {
	// group is the value of their label; empty where none is needed, as for one person.
	group  string
	people []string
	sees   map[string]v1alpha1.LibraryRole
}

// units are the people whose libraries come from LibraryGrants, the largest unit first. Who sees everything needs none: of the
// access to all libraries, only higher roles are left to give.
func units(people []person) []unit {
	byProfile := map[string]*unit{}
	for _, one := range people {
		needs := one.needs()
		if len(needs) == 0 {
			continue
		}
		key := profile(one.all, needs)
		if byProfile[key] == nil {
			byProfile[key] = &unit{sees: needs}
		}
		byProfile[key].people = append(byProfile[key].people, one.user)
	}
	all := make([]unit, 0, len(byProfile))
	for _, u := range byProfile {
		slices.Sort(u.people)
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b unit) int {
		return cmp.Or(cmp.Compare(len(b.people), len(a.people)), strings.Compare(a.people[0], b.people[0]))
	})
	return all
}

// needs is what LibraryGrants are to give a person.
func (p person) needs() map[string]v1alpha1.LibraryRole {
	needs := map[string]v1alpha1.LibraryRole{}
	for library, role := range p.sees {
		if !p.byRole && (!p.all || role != v1alpha1.LibraryRoleViewer) {
			needs[library] = role
		}
	}
	return needs
}

func profile(all bool, sees map[string]v1alpha1.LibraryRole) string {
	var key strings.Builder
	if all {
		key.WriteString("all")
	}
	for _, library := range slices.Sorted(maps.Keys(sees)) {
		key.WriteString("/" + library + "=" + string(sees[library]))
	}
	return key.String()
}

// nameGroups gives the units of several people their label, named after what they see and others do not. A household whose people
// all see the same needs none.
func nameGroups(all []unit, everybody map[string]bool, libraries []string) {
	if len(all) < 2 {
		return
	}
	seers := map[string]int{}
	for _, u := range all {
		for library := range u.sees {
			seers[library] += len(u.people)
		}
	}
	names := namer{}
	for i := range all {
		if u := &all[i]; len(u.people) > 1 {
			u.group = names.give(groupName(*u, everybody, libraries, seers))
		}
	}
}

// groupName names a unit by its libraries. The rarest come first, since they tell it from others.
func groupName(u unit, everybody map[string]bool, libraries []string, seers map[string]int) string {
	var own, shared, missing []string
	manages := false
	for _, library := range libraries {
		role, sees := u.sees[library]
		manages = manages || role == v1alpha1.LibraryRoleAdmin
		switch {
		case everybody[library]:
			shared = append(shared, library)
		case sees:
			own = append(own, library)
		case seers[library] > 0:
			missing = append(missing, library)
		}
	}
	slices.SortStableFunc(own, func(a, b string) int { return cmp.Compare(seers[a], seers[b]) })
	name := joined(own)
	switch {
	case len(missing) == 0 && len(own)+len(shared) > 2:
		name = "everything"
	case len(own) == 0 && len(shared) > 2:
		name = "only-shared"
	case len(own) == 0:
		name = cut("only-" + joined(shared))
	case len(own) > 2 && len(missing) <= 2:
		name = cut("all-but-" + joined(missing))
	}
	if manages {
		name = cut("managers-" + name)
	}
	return name
}
