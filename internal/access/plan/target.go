package plan

import (
	"slices"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// Desired is the effective access in the server's ids. What does not resolve gives nothing (design D2).
func (s Snapshot) Desired() media.Access {
	all := !s.AccessWithheld() && !s.WithoutAll && s.User.Spec.Access == v1alpha1.UserAccessAll && s.Server.Can.AccessAll
	want := media.Access{All: all, Libraries: map[media.LibraryID]media.LibraryRole{}}
	if s.seesAll() || s.AccessWithheld() {
		return want
	}
	for name, edge := range s.Effective {
		if id, resolved := s.Beliefs.Given[name]; resolved && !(want.All && edge.Role == v1alpha1.LibraryRoleViewer) {
			want.Libraries[id] = media.LibraryRole(edge.Role)
		}
	}
	return want
}

// Target is what the account's access list is to hold, given what it holds when it is written. The list of an account that is
// to see everything by its role gives nothing, and is left alone, but for Libraries that go away.
func (s Snapshot) Target(current media.Account) media.Access {
	if s.seesAll() {
		return s.withoutLeaving(current)
	}
	want := s.Desired()
	if s.AccessWithheld() {
		return want
	}
	// While a declared library is not found on the server, nobody can tell which of the others is undeclared.
	remove := s.Server.Unmanaged == v1alpha1.UnmanagedAccessRemove && len(s.Beliefs.Given) == len(s.Libraries)
	keep := !remove && !current.Access.All && !want.All
	s.keepUnlisted(current, want)
	want.Libraries = access.Target(current.Access.Libraries, want.Libraries, s.declares(), keep)
	if !remove {
		s.restoreRevoked(want)
	}
	if s.Narrowing {
		return want.Common(current.Access)
	}
	return want
}

// common is what the account sees with its old access list and with the new one. Where the server cannot hold an account
// without any library, it is the new one if nothing is common.
func (s Snapshot) common(current media.Account) media.Access {
	return current.Access.Common(s.Target(current))
}

// withoutLeaving is an account's access list without the Libraries whose access is taken back: what is left of them would
// count as access to undeclared libraries once the account has another role. The owner's list is never written.
func (s Snapshot) withoutLeaving(current media.Account) media.Access {
	left, declared := current.Access.Clone(), s.declares()
	for i := range s.Libraries {
		library := &s.Libraries[i]
		if !access.Withdrawn(library) || current.Role == media.RoleOwner {
			continue
		}
		for _, ids := range []map[string]media.LibraryID{s.Beliefs.Given, s.Beliefs.Kept, s.Beliefs.Doubted} {
			if id, there := ids[library.Name]; there && declared(id) {
				delete(left.Libraries, id)
			}
		}
		for _, former := range s.Beliefs.Former[library.Name] {
			delete(left.Libraries, former)
		}
	}
	return left
}

// keepUnlisted lets an account keep an edge that it should have and has, of a library that the server's newest list
// lacks, or that somebody changed: a list that is short takes nothing away.
func (s Snapshot) keepUnlisted(current media.Account, want media.Access) {
	for _, keeps := range []map[string]media.LibraryID{s.Beliefs.Kept, s.Beliefs.Returning} {
		for name, id := range keeps {
			_, wanted := s.Effective[name]
			if role, has := current.Access.Libraries[id]; has && wanted {
				want.Libraries[id] = role
			}
		}
	}
}

// restoreRevoked adds to an access what was taken from the account to disable it and was not Usher's, as far as it is still
// there.
func (s Snapshot) restoreRevoked(want media.Access) {
	declared := s.declares()
	for id, role := range s.Record.Revoked {
		if _, there := s.Server.Names[id]; there && !declared(id) && want.Libraries[id] == "" {
			want.Libraries[id] = role
		}
	}
}

// WithoutDeclared is what an account keeps when its User goes away: its access to libraries that no manifest declares.
func (s Snapshot) WithoutDeclared(current media.Account) media.Access {
	return media.Access{Libraries: access.Target(current.Access.Libraries, nil, s.declares(), true)}
}

// Takable is an account's access without what Usher gave and the manifests do not give any more. Libraries that go away are taken
// from it also while the manifests give everything: what was left of them would count as access to undeclared libraries.
func (s Snapshot) Takable(current media.Account) media.Access {
	if s.seesAll() {
		return s.withoutLeaving(current)
	}
	kept := s.Desired()
	kept.Libraries = access.Target(current.Access.Libraries, kept.Libraries, s.declares(), !current.Access.All)
	current.Access = current.Access.Common(kept)
	return s.withoutLeaving(current)
}

// RevokedWith is what the account sees of libraries that no manifest declares, where disabling it takes that too.
func (s Snapshot) RevokedWith(method v1alpha1.DisableMethod) map[media.LibraryID]media.LibraryRole {
	if method != v1alpha1.DisableNoAccess {
		return nil
	}
	return s.WithoutDeclared(s.Account).Libraries
}

// declares says which ids of the server are declared, those that are being deleted among them: what an account has of
// these beyond what it should have is taken, and what it has of what a Library was before. One in doubt may be somebody
// else's: it is taken where one more witness agrees, or the status says that Usher gave it.
func (s Snapshot) declares() func(media.LibraryID) bool {
	declared := map[media.LibraryID]bool{}
	for _, id := range s.Beliefs.Kept {
		declared[id] = true
	}
	for _, id := range s.Beliefs.Given {
		declared[id] = true
	}
	for name, id := range s.Beliefs.Doubted {
		if s.Beliefs.Likely[name] || SaysGiven(s.User, name) {
			declared[id] = true
		}
	}
	for _, former := range s.Beliefs.Former {
		for _, id := range former {
			declared[id] = true
		}
	}
	return func(id media.LibraryID) bool { return declared[id] }
}

// SaysGiven says whether a User's status says that Usher gave a Library to its account. What the bounded list has no room
// for counts as given.
func SaysGiven(user *v1alpha1.User, library string) bool {
	listed := user.Status.Access
	if listed == nil {
		return false
	}
	n := len(listed.Items)
	return len(ThroughBefore(user, library)) > 0 || int(listed.Total) > n && (n == 0 || listed.Items[n-1].Library < library)
}

// ThroughBefore is what a Library that a User's account had came from, by its status.
func ThroughBefore(user *v1alpha1.User, library string) []string {
	if listed := user.Status.Access; listed != nil {
		i := slices.IndexFunc(listed.Items, func(entry v1alpha1.UserAccessEntry) bool { return entry.Library == library })
		if i >= 0 {
			return listed.Items[i].Through
		}
	}
	return nil
}
