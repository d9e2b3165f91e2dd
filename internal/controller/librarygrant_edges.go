package controller

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// edgeCount is how far a grant has come.
type edgeCount struct {
	desired, applied int32
	// lingering counts the edges of a grant that gives nothing (any more), which the server still has though nothing else gives them.
	lingering    int32
	firstPending string
	// observed counts those of them that are on a server in mode Observe, which writes nothing, unknown those on a server of which
	// nothing is known.
	observed, unknown int32
	// unseen says why nobody can tell what a server has.
	unseen *outcome
}

// progress says how far the edges have come.
func (c edgeCount) progress() string {
	var words []string
	switch {
	case c.applied < c.desired:
		words = append(words, fmt.Sprintf("applied %d of %d edges (first one missing: %s)", c.applied, c.desired, c.firstPending))
	case c.lingering > 0:
		words = append(words, fmt.Sprintf("edges not taken back yet: %d (first: %s)", c.lingering, c.firstPending))
	}
	if c.observed > 0 {
		words = append(words, fmt.Sprintf("%d of these on a server in mode Observe, which writes nothing", c.observed))
	}
	if c.unseen != nil {
		words = append(words, "what a server has is not known: "+c.unseen.message)
	}
	if len(words) == 0 {
		return "every edge has reached its server"
	}
	return strings.Join(words, "; ")
}

// words says what the grant does now, for its Ready condition, which is what people read.
func (p *grantPass) words(count edgeCount) string {
	switch {
	case p.status.State != v1alpha1.GrantActive && count.lingering == 0 && count.unseen == nil:
		return fmt.Sprintf("it is %s and gives nothing now", p.status.State)
	case p.status.State == v1alpha1.GrantActive && count.desired == 0 && len(p.users) > 0 && len(p.libraries) > 0:
		return "none of its users is on the server of one of its libraries: it gives nothing"
	case p.status.State == v1alpha1.GrantActive && count.desired == 0:
		return strings.Join(append(p.selectsNothing(), "it gives nothing"), "; ")
	case p.status.State == v1alpha1.GrantActive:
		return strings.Join(append(p.selectsNothing(), count.progress()), "; ")
	}
	return count.progress()
}

// selectsNothing says which part of the spec takes nothing, which is often a label that is written in another way.
func (p *grantPass) selectsNothing() (words []string) {
	spec := p.grant.Spec
	if selects(spec.Libraries) && !p.selected.libraries {
		words = append(words, how("spec.libraries", spec.Libraries)+" takes no Library")
	}
	if selects(spec.Users) && !p.selected.users {
		words = append(words, how("spec.users", spec.Users)+" takes no User"+p.invitedLeftOut())
	}
	return words
}

// invitedLeftOut says how to take people who came by an Invite, where the grant takes none of them but by name.
func (p *grantPass) invitedLeftOut() string {
	if p.compiled.Users.TakesInvited() {
		return ""
	}
	return " (nobody who came by an Invite: select these by what a label is, with In or Exists, or set includeInvited: true)"
}

func selects(targets v1alpha1.Targets) bool { return targets.All || targets.Selector != nil }

func how(field string, targets v1alpha1.Targets) string {
	if targets.All {
		return field + ".all"
	}
	return field + ".selector"
}

// countEdges compares each selected library and each selected user of the same server with what the server has.
func (p *grantPass) countEdges() edgeCount {
	var count edgeCount
	active := p.status.State == v1alpha1.GrantActive
	for i := range p.users {
		user := &p.users[i]
		var effective access.Effective
		if !active {
			effective = p.effectiveOf(user)
		}
		for j := range p.libraries {
			library := &p.libraries[j]
			if library.Spec.ServerRef != user.Spec.ServerRef {
				continue
			}
			if active {
				p.countActive(&count, user, library)
			} else if o := p.unseen[user.Spec.ServerRef.Name]; o != nil {
				count.unseen = o
			} else if _, given := effective[library.Name]; !given && p.has(user, library, v1alpha1.LibraryRoleViewer) && !p.seesAll(user) {
				count.lingering++
				p.pending(&count, user, library)
			}
		}
	}
	return count
}

func (p *grantPass) countActive(count *edgeCount, user *v1alpha1.User, library *v1alpha1.Library) {
	count.desired++
	role := p.compiled.Role
	if s := p.sites[user.Spec.ServerRef.Name]; s.connection.Server != nil && !s.able().HasLibraryRole(media.LibraryRole(role)) {
		p.block(library.Name, user.Name, "RoleUnsupported", "the server has no role "+string(role)+" in a library")
		p.pending(count, user, library)
		return
	}
	if unseen := p.unseen[user.Spec.ServerRef.Name]; unseen != nil {
		count.unseen = unseen
	}
	if p.has(user, library, role) && p.named(user) {
		count.applied++
		return
	}
	p.pending(count, user, library)
	for _, end := range []object{user, library} {
		if meta.IsStatusConditionTrue(*end.StatusConditions(), v1alpha1.ConditionStalled) {
			p.block(library.Name, user.Name, "NotReady", end.GetName()+" is stalled: see its status")
			return
		}
	}
}

// pending counts where an edge is missing, or lingers.
func (p *grantPass) pending(c *edgeCount, user *v1alpha1.User, library *v1alpha1.Library) {
	name := user.Spec.ServerRef.Name
	switch unseen := p.unseen[name]; {
	case unseen != nil && p.sites[name].connection.Server == nil:
		c.unknown++
		c.unseen = unseen
	case unseen == nil && p.sites[name].observing():
		c.observed++
	}
	if c.firstPending == "" {
		c.firstPending = user.Name + " to " + library.Name
	}
}

// account is a User's on its server: in mode Observe, where nothing is recorded, also the one that would be taken over.
func (p *grantPass) account(user *v1alpha1.User) (media.Account, bool) {
	s := p.sites[user.Spec.ServerRef.Name]
	if account, known := s.accountOf(user); known || !s.observing() || readRecord(user, s.identity()).ID != "" {
		return account, known
	}
	named := s.inventory().AccountsNamed(s.to().Traits().FoldUsername(user.Spec.Username))
	if len(named) == 1 && (&userPass{site: s, user: user}).adoptable(named[0]) {
		return named[0], true
	}
	return media.Account{}, false
}

// has says whether the server has an edge, of at least that role.
func (p *grantPass) has(user *v1alpha1.User, library *v1alpha1.Library, role v1alpha1.LibraryRole) bool {
	s := p.sites[user.Spec.ServerRef.Name]
	if s.connection.Server == nil {
		return false
	}
	account, found := p.account(user)
	id, known := p.believed(library)
	if !found || !known {
		return false
	}
	if s.able().Roles[account.Role].SeesAll {
		return true
	}
	actual, _, sees := seesLibrary(s.able(), account, id)
	return sees && access.HighestRole(v1alpha1.LibraryRole(actual), role) == v1alpha1.LibraryRole(actual)
}

// named says whether the User's account has the name that the manifest gives it: one that has another is given nothing.
func (p *grantPass) named(user *v1alpha1.User) bool {
	s := p.sites[user.Spec.ServerRef.Name]
	account, known := p.account(user)
	fold := s.to().Traits().FoldUsername
	return known && fold(account.Username) == fold(user.Spec.Username)
}

// believed is the id of a Library that is not in doubt.
func (p *grantPass) believed(library *v1alpha1.Library) (media.LibraryID, bool) {
	server := library.Spec.ServerRef.Name
	b, computed := p.beliefs[server]
	if !computed {
		beside := slices.DeleteFunc(slices.Clone(p.allLibraries), func(l v1alpha1.Library) bool { return l.Spec.ServerRef.Name != server })
		b = p.sites[server].believe(beside)
		p.beliefs[server] = b
	}
	if id, given := b.Given[library.Name]; given {
		return id, true
	}
	id, kept := b.Kept[library.Name]
	return id, kept
}

func (p *grantPass) seesAll(user *v1alpha1.User) bool {
	s := p.sites[user.Spec.ServerRef.Name]
	account, _ := s.inventory().Account(media.AccountID(readRecord(user, s.identity()).ID))
	return account.Access.All || s.able().Roles[account.Role].SeesAll
}

func (p *grantPass) effectiveOf(user *v1alpha1.User) access.Effective {
	return access.EffectiveAccess(p.sites[user.Spec.ServerRef.Name].subjectOf(user, p.redemptions), p.allLibraries, p.others)
}
