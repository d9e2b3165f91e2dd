package importer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/usher-media/usher/api/v1alpha1"
)

// Bounds of a LibraryGrant (api/v1alpha1).
const (
	maxRefs   = 256
	maxValues = 64
)

// audience is whom a LibraryGrant takes: everybody; everybody with a label but some groups; or some groups. And people by name.
type audience struct {
	everybody bool
	but       []string
	groups    []string
	refs      []string
	// count is how many people that are.
	count int
}

// draft is a LibraryGrant to be: the same audience sees all of its libraries.
type draft struct {
	name      string
	role      v1alpha1.LibraryRole
	libraries []string
	audience  audience
}

// declareGrants finds few LibraryGrants that give everybody what they have. Libraries that everybody sees come first, then those that
// everybody sees but one group or two. The rest is written by library (whoever sees it) or by group (whatever it sees), whichever
// takes fewer.
func (p *planner) declareGrants() {
	all := units(p.people)
	everybody := p.seenByEverybody()
	var libraries []string
	for i := range p.household.Libraries {
		libraries = append(libraries, p.household.Libraries[i].Name)
	}
	nameGroups(all, everybody, libraries)
	p.labelPeople(all)

	drafts := fewest(all, everybody, libraries)
	but := slices.DeleteFunc(byLibrary(all, everybody, libraries), func(d draft) bool { return d.audience.but == nil || d.role != v1alpha1.LibraryRoleViewer })
	shared := maps.Clone(everybody)
	for _, d := range but {
		for _, library := range d.libraries {
			shared[library] = true
		}
	}
	if other := append(but, fewest(all, shared, libraries)...); count(other) <= count(drafts)+1 {
		drafts = other // one more is worth it: it says what people mean
	}
	if theirs := slices.Sorted(maps.Keys(everybody)); len(theirs) > 0 {
		drafts = append([]draft{{name: "everybody", role: v1alpha1.LibraryRoleViewer, libraries: theirs, audience: audience{everybody: true, count: len(p.people)}}}, drafts...)
	}
	names := namer{}
	for _, d := range drafts {
		for _, part := range d.split() {
			p.addGrant(names.give(part.name), part)
		}
	}
}

// fewest is what takes fewer grants: to write by library, or by group.
func fewest(all []unit, shared map[string]bool, libraries []string) []draft {
	drafts := byLibrary(all, shared, libraries)
	if other := byGroup(all, shared, libraries); count(other) < count(drafts) {
		return other
	}
	return drafts
}

// seenByEverybody are the libraries that every declared person sees, in one way or another, and that at least two are to be given.
func (p *planner) seenByEverybody() map[string]bool {
	seen := map[string]bool{}
	for i := range p.household.Libraries {
		library, given, all := p.household.Libraries[i].Name, 0, true
		for _, one := range p.people {
			role, listed := one.sees[library]
			all = all && (listed || one.byRole || one.all)
			if listed && !one.byRole && !one.all && role == v1alpha1.LibraryRoleViewer {
				given++
			}
		}
		if all && given > 1 {
			seen[library] = true
		}
	}
	return seen
}

func (p *planner) labelPeople(all []unit) {
	group := map[string]string{}
	for _, u := range all {
		for _, user := range u.people {
			group[user] = u.group
		}
	}
	for i := range p.household.Users {
		if user := &p.household.Users[i]; group[user.Name] != "" {
			user.Labels = map[string]string{groupLabel: group[user.Name]}
		}
	}
}

// byLibrary has a grant for each set of people that sees something, but for what is shared.
func byLibrary(all []unit, shared map[string]bool, libraries []string) []draft {
	byAudience := map[string]*draft{}
	var order []string
	for _, role := range []v1alpha1.LibraryRole{v1alpha1.LibraryRoleViewer, v1alpha1.LibraryRoleAdmin} {
		for _, library := range libraries {
			if role == v1alpha1.LibraryRoleViewer && shared[library] {
				continue
			}
			a, some := audienceOf(all, library, role)
			if !some {
				continue
			}
			key := string(role) + fmt.Sprint(a)
			if byAudience[key] == nil {
				byAudience[key] = &draft{role: role, audience: a}
				order = append(order, key)
			}
			byAudience[key].libraries = append(byAudience[key].libraries, library)
		}
	}
	var drafts []draft
	for _, key := range order {
		d := byAudience[key]
		d.name = joined(d.libraries)
		if d.role == v1alpha1.LibraryRoleAdmin {
			d.name = "manage-" + d.name
		}
		if but := d.audience.but; but != nil {
			d.name = "everybody-but-" + joined(but)
		}
		drafts = append(drafts, *d)
	}
	return drafts
}

// audienceOf is who sees a library in a role, or a higher one: who manages it may be taken for who sees it, too. False when nobody
// needs to be given that.
func audienceOf(all []unit, library string, role v1alpha1.LibraryRole) (a audience, some bool) {
	var others []string
	included := 0
	for _, u := range all {
		has := u.sees[library]
		some = some || has == role
		takes := has == role || (has != "" && role == v1alpha1.LibraryRoleViewer)
		switch {
		case !takes && u.group != "":
			others = append(others, u.group)
		case !takes:
		case u.group != "":
			a.groups = append(a.groups, u.group)
			a.count += len(u.people)
			included++
		default:
			a.refs = append(a.refs, u.people...)
			a.count += len(u.people)
		}
	}
	slices.Sort(a.groups)
	slices.Sort(a.refs)
	if slices.Sort(others); len(others) > 0 && len(others) <= 2 && included >= 3 && included > 2*len(others) {
		a.but, a.groups = others, nil
	}
	return a, some
}

// byGroup has a grant for each set of libraries that somebody sees, but for what is shared.
func byGroup(all []unit, shared map[string]bool, libraries []string) (drafts []draft) {
	for _, u := range all {
		a := audience{refs: u.people, count: len(u.people)}
		name := u.people[0]
		if u.group != "" {
			a.refs, a.groups, name = nil, []string{u.group}, u.group
		}
		sees := map[v1alpha1.LibraryRole][]string{}
		for _, library := range libraries {
			if role, has := u.sees[library]; has && (role != v1alpha1.LibraryRoleViewer || !shared[library]) {
				sees[role] = append(sees[role], library)
			}
		}
		if viewed := sees[v1alpha1.LibraryRoleViewer]; viewed != nil {
			drafts = append(drafts, draft{name, v1alpha1.LibraryRoleViewer, viewed, a})
		}
		if managed := sees[v1alpha1.LibraryRoleAdmin]; managed != nil {
			drafts = append(drafts, draft{"manage-" + name, v1alpha1.LibraryRoleAdmin, managed, a})
		}
	}
	return drafts
}

// split cuts a draft into as many as its bounds need.
func (d draft) split() (parts []draft) {
	for libraries := range slices.Chunk(d.libraries, maxRefs) {
		a := d.audience
		if len(a.groups) <= maxValues && len(a.refs) <= maxRefs {
			parts = append(parts, draft{d.name, d.role, libraries, a})
			continue
		}
		groups, refs := slices.Collect(slices.Chunk(a.groups, maxValues)), slices.Collect(slices.Chunk(a.refs, maxRefs))
		for i := range max(len(groups), len(refs)) {
			part := audience{count: a.count}
			if i < len(groups) {
				part.groups = groups[i]
			}
			if i < len(refs) {
				part.refs = refs[i]
			}
			if i == 0 {
				part.but = a.but
			}
			parts = append(parts, draft{d.name, d.role, libraries, part})
		}
	}
	return parts
}

func count(drafts []draft) (n int) {
	for _, d := range drafts {
		n += len(d.split())
	}
	return n
}

func (p *planner) addGrant(name string, d draft) {
	spec := v1alpha1.LibraryGrantSpec{Libraries: v1alpha1.Targets{Refs: refs(d.libraries)}, Users: d.audience.targets()}
	if d.role != v1alpha1.LibraryRoleViewer {
		spec.Role = d.role
	}
	p.household.Grants = append(p.household.Grants, v1alpha1.LibraryGrant{TypeMeta: typeMeta("LibraryGrant"), ObjectMeta: p.meta(name), Spec: spec})
	p.household.comment("LibraryGrant", name, d.describe(len(p.people)))
}

func (a audience) targets() v1alpha1.Targets {
	if a.everybody {
		return v1alpha1.Targets{All: true}
	}
	targets := v1alpha1.Targets{Refs: refs(a.refs)}
	requirement := func(operator v1alpha1.LabelSelectorOperator, values []string) v1alpha1.LabelSelectorRequirement {
		r := v1alpha1.LabelSelectorRequirement{Key: groupLabel, Operator: operator}
		for _, value := range values {
			r.Values = append(r.Values, v1alpha1.LabelValue(value))
		}
		return r
	}
	switch {
	case a.but != nil:
		targets.Selector = &v1alpha1.LabelSelector{MatchExpressions: []v1alpha1.LabelSelectorRequirement{requirement("Exists", nil), requirement("NotIn", a.but)}}
	case len(a.groups) == 1:
		targets.Selector = &v1alpha1.LabelSelector{MatchLabels: map[string]v1alpha1.LabelValue{groupLabel: v1alpha1.LabelValue(a.groups[0])}}
	case len(a.groups) > 1:
		targets.Selector = &v1alpha1.LabelSelector{MatchExpressions: []v1alpha1.LabelSelectorRequirement{requirement("In", a.groups)}}
	}
	return targets
}

func refs(names []string) (all []v1alpha1.LocalReference) {
	for _, name := range names {
		all = append(all, v1alpha1.LocalReference{Name: name})
	}
	return all
}

// describe says in words who is given what.
func (d draft) describe(people int) string {
	things := "1 library"
	if n := len(d.libraries); n > 1 {
		things = fmt.Sprintf("%d libraries", n)
	}
	who := fmt.Sprintf("%d of %d people", d.audience.count, people)
	if d.role == v1alpha1.LibraryRoleAdmin {
		things = "REVIEW: manage " + things
	}
	switch {
	case d.audience.everybody:
		return things + ", everybody. REVIEW: who is declared later sees this too."
	case d.audience.but != nil:
		return fmt.Sprintf("%s, %s: everybody with a group but %s. REVIEW: a new group sees this too, unless it is added here.",
			things, who, strings.Join(d.audience.but, " and "))
	}
	return things + ", " + who + "."
}
