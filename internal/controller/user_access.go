package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// role is the one that the account is to have: with a problem or another name, the one that it has.
func (p *userPass) role() media.Role {
	if (p.problem != nil || p.renamed) && p.account.ID != "" {
		return p.account.Role
	}
	return media.Role(p.user.Spec.Role)
}

// keepsRole computes the effective access of the role that the account keeps: what a bad spec wishes for gives nothing,
// and holds nothing back.
func (p *userPass) keepsRole() {
	p.subject.SeesAll = p.able().Roles[p.role()].SeesAll
	p.effective = access.EffectiveAccess(p.subject, p.libraries, p.active)
}

// seesAllByRole says whether the wanted role sees every library whatever the access list holds.
func (p *userPass) seesAllByRole() bool {
	return p.able().Roles[p.role()].SeesAll
}

// desired is the effective access in the server's ids. What does not resolve gives nothing (design D2).
func (p *userPass) desired() media.Access {
	want := media.Access{All: !p.withheld() && !p.withoutAll && p.user.Spec.Access == v1alpha1.UserAccessAll && p.able().AccessAll, Libraries: map[media.LibraryID]media.LibraryRole{}}
	if p.seesAllByRole() || p.withheld() {
		return want
	}
	for name, edge := range p.effective {
		if id, resolved := p.ids[name]; resolved && !(want.All && edge.Role == v1alpha1.LibraryRoleViewer) {
			want.Libraries[id] = media.LibraryRole(edge.Role)
		}
	}
	return want
}

// awaitedWords say in mode Observe which access is given once a library is there, that would be made or taken over.
func (p *userPass) awaitedWords() (words []string) {
	if p.withheld() || p.seesAllByRole() {
		return nil
	}
	for i := range p.libraries {
		library := &p.libraries[i]
		name := library.Name
		edge, wanted := p.effective[name]
		_, resolved := p.ids[name]
		all := p.desired().All && edge.Role == v1alpha1.LibraryRoleViewer
		if recorded := readRecord(library, p.identity()).ID; wanted && !all && !resolved && recorded == "" && !declines(library) {
			words = append(words, "access to "+name+" given, once that library is there")
		}
	}
	slices.Sort(words)
	return words
}

// awaitsLibraries holds a creation back until every library that is granted is there, on a server that gives libraries
// only then.
func (p *userPass) awaitsLibraries() *outcome {
	for _, name := range slices.Sorted(maps.Keys(p.effective)) {
		if _, resolved := p.ids[name]; !resolved && p.able().GrantsFixed {
			return waiting(v1alpha1.ReasonReferencesUnresolved, "this server gives libraries only while an account is made: waits until Library %s is there", name)
		}
	}
	return nil
}

// target is what the account's access list is to hold, given what it holds now. The list of an account that is to see
// everything by its role gives nothing, and is left alone, but for Libraries that go away.
func (p *userPass) target(current media.Account) media.Access {
	if p.seesAllByRole() {
		return p.withoutLeaving(current)
	}
	want := p.desired()
	if p.withheld() {
		return want
	}
	// While a declared library is not found on the server, nobody can tell which of the others is undeclared.
	remove := p.server.Spec.UnmanagedAccess == v1alpha1.UnmanagedAccessRemove && len(p.ids) == len(p.libraries)
	keep := !remove && !current.Access.All && !want.All
	p.keepUnlisted(current, want)
	want.Libraries = access.Target(current.Access.Libraries, want.Libraries, p.declares(), keep)
	if !remove {
		p.giveBack(want)
	}
	if p.narrowing {
		return want.Common(current.Access)
	}
	return want
}

// withoutLeaving is an account's access list without the Libraries whose access is taken back: what is left of them would
// count as access to undeclared libraries once the account has another role. The owner's list is never written.
func (p *userPass) withoutLeaving(current media.Account) media.Access {
	left, declared := current.Access.Clone(), p.declares()
	for i := range p.libraries {
		library := &p.libraries[i]
		id := libraryID(library, p.identity())
		if !access.Withdrawn(library) || current.Role == media.RoleOwner {
			continue
		}
		if declared(id) {
			delete(left.Libraries, id)
		}
		for _, former := range p.beliefs.former[library.Name] {
			delete(left.Libraries, former)
		}
	}
	return left
}

// keepUnlisted lets an account keep an edge that it should have and has, of a library that the server's newest list
// lacks, or that somebody changed: a list that is short takes nothing away.
func (p *userPass) keepUnlisted(current media.Account, want media.Access) {
	for _, keeps := range []map[string]media.LibraryID{p.beliefs.kept, p.beliefs.returning} {
		for name, id := range keeps {
			_, wanted := p.effective[name]
			if role, has := current.Access.Libraries[id]; has && wanted {
				want.Libraries[id] = role
			}
		}
	}
}

// withoutDeclared is what an account keeps when its User goes away: its access to libraries that no manifest declares.
func (p *userPass) withoutDeclared(current media.Account) media.Access {
	return media.Access{Libraries: access.Target(current.Access.Libraries, nil, p.declares(), true)}
}

// declares says which ids of the server are declared, those that are being deleted among them: what an account has of
// these beyond what it should have is taken, and what it has of what a Library was before. One in doubt may be somebody
// else's: it is taken where one more witness agrees, or the status says that Usher gave it.
func (p *userPass) declares() func(media.LibraryID) bool {
	declared := map[media.LibraryID]bool{}
	for _, id := range p.beliefs.kept {
		declared[id] = true
	}
	for _, id := range p.ids {
		declared[id] = true
	}
	for name, id := range p.beliefs.doubted {
		if p.beliefs.likely[name] || saysGiven(p.user, name) {
			declared[id] = true
		}
	}
	for _, former := range p.beliefs.former {
		for _, id := range former {
			declared[id] = true
		}
	}
	return func(id media.LibraryID) bool { return declared[id] }
}

// agreeing is the account as it will be when the difference is gone.
func (p *userPass) agreeing(d difference) media.Account {
	account := p.account
	account.Role, account.Access = p.role(), d.target
	return account
}

// loses says whether the account will see less than it does.
func (p *userPass) loses(d difference) bool {
	then := p.agreeing(d)
	if p.able().Roles[p.account.Role].SeesAll || p.able().Roles[then.Role].SeesAll {
		return !p.able().Roles[then.Role].SeesAll
	}
	return !then.Access.Includes(p.account.Access)
}

// seen counts the libraries that an account sees.
func (p *userPass) seen(a media.Account) int {
	if a.Access.All || p.able().Roles[a.Role].SeesAll {
		_, libraries := p.inventory().Counts()
		return max(libraries, 1)
	}
	return len(a.Access.Libraries)
}

// accessWords says in words how two accesses differ.
func (p *userPass) accessWords(now, want media.Access) []string {
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
			words = append(words, "access to "+p.libraryName(id)+" taken away")
		case before == "":
			words = append(words, "access to "+p.libraryName(id)+" given")
		default:
			words = append(words, fmt.Sprintf("role in %s from %s to %s", p.libraryName(id), before, after))
		}
	}
	return words
}

// libraryName is the name of the Library that declares an id, else the library's own name.
func (p *userPass) libraryName(id media.LibraryID) string {
	for _, believed := range []map[string]media.LibraryID{p.ids, p.beliefs.kept} {
		for name, resolved := range believed {
			if resolved == id {
				return name
			}
		}
	}
	for name, doubted := range p.beliefs.doubted {
		if doubted == id {
			return "what Library " + name + " was (in doubt)"
		}
	}
	for name, former := range p.beliefs.former {
		if slices.Contains(former, id) {
			return "what Library " + name + " was before (" + string(id) + ")"
		}
	}
	if library, found := p.inventory().Library(id); found {
		return fmt.Sprintf("%q (undeclared)", bounded(library.Name, 100))
	}
	return "an unknown library"
}

// accessStatus lists the declared libraries that an account sees, as it was read back, with what each comes from. One in
// doubt is listed for as long as the account has what Usher gave it there.
func (p *userPass) accessStatus(account media.Account) *v1alpha1.UserAccessStatus {
	var items []v1alpha1.UserAccessEntry
	add := func(name string, id media.LibraryID, through []string) {
		if role, _, sees := seesLibrary(p.able(), account, id); sees && id != "" {
			items = append(items, v1alpha1.UserAccessEntry{Library: name, Role: v1alpha1.LibraryRole(role), Through: through[:min(len(through), 10)]})
		}
	}
	for _, believed := range []map[string]media.LibraryID{p.ids, p.beliefs.kept} {
		for name, id := range believed {
			add(name, id, p.effective[name].Through)
		}
	}
	for name, id := range p.beliefs.returning {
		if !slices.ContainsFunc(items, func(e v1alpha1.UserAccessEntry) bool { return e.Library == name }) {
			add(name, id, p.effective[name].Through)
		}
	}
	for name, id := range p.beliefs.doubted {
		if saysGiven(p.user, name) {
			add(name, id, throughBefore(p.user, name))
		}
	}
	slices.SortFunc(items, func(a, b v1alpha1.UserAccessEntry) int { return strings.Compare(a.Library, b.Library) })
	return &v1alpha1.UserAccessStatus{Total: int32(len(items)), Items: firstListed(items)}
}

func roleNames(able media.Capabilities) []media.Role {
	return slices.Sorted(maps.Keys(able.Roles))
}
