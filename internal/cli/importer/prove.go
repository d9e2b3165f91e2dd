package importer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// maxFaults bounds how many differences an error names.
const maxFaults = 5

// Prove computes the effective access of every account from manifests, as they were read back, by the rules that the operator uses
// at a moment, and compares it with what the server has. Every account must be declared by one User that changes nothing of it,
// or be among those that were left out. The error names what differs.
func Prove(server Server, written Household, now time.Time) error {
	p := &prover{server: server, written: written, ids: map[string]media.LibraryID{}, declared: map[media.LibraryID]bool{}}
	var problems []error
	problems = append(problems, p.readLibraries()...)
	var next time.Time
	if p.grants, next = access.ActiveGrants(written.Grants, access.NewGrant, now); len(p.grants) != len(written.Grants) || !next.IsZero() {
		problems = append(problems, errors.New("a LibraryGrant gives nothing, or not for ever"))
	}
	problems = append(problems, p.compareAll()...)
	if n := len(problems); n > maxFaults {
		problems = append(problems[:maxFaults], fmt.Errorf("and %d more", n-maxFaults))
	}
	return errors.Join(problems...)
}

type prover struct {
	server   Server
	written  Household
	ids      map[string]media.LibraryID
	declared map[media.LibraryID]bool
	grants   []access.Grant
}

// readLibraries finds each declared library on the server.
func (p *prover) readLibraries() (problems []error) {
	for i := range p.written.Libraries {
		library := &p.written.Libraries[i]
		id := media.LibraryID(library.Spec.ExternalID)
		n := slices.IndexFunc(p.server.Libraries, func(l media.Library) bool { return l.ID == id })
		switch {
		case n < 0 || p.declared[id] || p.ids[library.Name] != "":
			problems = append(problems, fmt.Errorf("manifest of Library %s stands for no library of the server, or for one that another declares", library.Name))
			continue
		case !sameLibrary(p.server.Libraries[n], library.Spec):
			problems = append(problems, fmt.Errorf("manifest of Library %s would change the library", library.Name))
		}
		p.ids[library.Name], p.declared[id] = id, true
	}
	for _, library := range p.server.Libraries {
		if p.declared[library.ID] == p.leftOut("library", string(library.ID)) {
			problems = append(problems, fmt.Errorf("library %q is not declared, or declared though it was left out", library.Name))
		}
	}
	return problems
}

func (p *prover) leftOut(kind, id string) bool {
	return slices.ContainsFunc(p.written.LeftOut, func(l LeftOut) bool { return l.Kind == kind && l.ID == id })
}

func sameLibrary(found media.Library, spec v1alpha1.LibrarySpec) bool {
	var paths []string
	for _, path := range spec.Paths {
		paths = append(paths, string(path))
	}
	same := slices.Equal(slices.Sorted(slices.Values(paths)), slices.Sorted(slices.Values(found.Paths)))
	return found.Name == spec.DisplayName && string(found.MediaType) == string(spec.MediaType) && (len(paths) == 0 || same) &&
		!found.Personal && spec.Embedded == nil && spec.Alcoves == nil && spec.Shisho == nil && spec.Audiobookshelf == nil
}

func (p *prover) compareAll() (problems []error) {
	users := map[string]*v1alpha1.User{}
	fold := p.server.Traits.FoldUsername
	for i := range p.written.Users {
		user := &p.written.Users[i]
		if users[fold(user.Spec.Username)] != nil {
			problems = append(problems, fmt.Errorf("two Users stand for the account %q", user.Spec.Username))
		}
		users[fold(user.Spec.Username)] = user
	}
	found := 0
	for _, account := range p.server.Accounts {
		user := users[fold(account.Username)]
		leftOut := p.leftOut("account", string(account.ID))
		switch {
		case user != nil && !leftOut:
			found++
			if why := p.compare(account, user); why != "" {
				problems = append(problems, fmt.Errorf("manifest of User %s would change the account: %s", user.Name, why))
			}
		case (user == nil) != leftOut:
			problems = append(problems, fmt.Errorf("account %q is not declared, or declared though it was left out", account.Username))
		}
	}
	if found != len(p.written.Users) {
		problems = append(problems, fmt.Errorf("%d Users stand for no account of the server", len(p.written.Users)-found))
	}
	return problems
}

// compare says how an account would be changed; empty when it would not.
func (p *prover) compare(account media.Account, user *v1alpha1.User) string {
	able, spec := p.server.Probe.Capabilities, user.Spec
	seesAll := able.Roles[account.Role].SeesAll
	switch {
	case media.Role(spec.Role) != account.Role:
		return "its role"
	case spec.Disabled != account.Disabled || spec.ExpiresAt != nil:
		return "whether it is disabled"
	case spec.Email != "" && p.server.Traits.FoldEmail(spec.Email) != p.server.Traits.FoldEmail(account.Email):
		return "its email address"
	case spec.DisplayName != "" && spec.DisplayName != account.DisplayName:
		return "its name"
	case spec.Password != nil && *spec.Password != (v1alpha1.Password{ChosenByHolder: true}):
		return "its password"
	case seesAll && (spec.Access == v1alpha1.UserAccessAll) != account.Access.All:
		return "its access to all libraries"
	case seesAll:
		return p.compareSeesAll(user)
	}
	if want := p.target(account, user); !want.Equal(account.Access) {
		return fmt.Sprintf("it would see %s, and sees %s", p.say(want), p.say(account.Access))
	}
	return ""
}

// compareSeesAll is compare for a role that sees every library, whatever any list says.
func (p *prover) compareSeesAll(user *v1alpha1.User) string {
	if sees := p.effective(user, true); len(sees) != len(p.written.Libraries) {
		return "by its role it sees every library"
	}
	return ""
}

func (p *prover) effective(user *v1alpha1.User, seesAll bool) access.Effective {
	able := p.server.Probe.Capabilities
	return access.EffectiveAccess(access.Subject{
		User: user, SeesAll: seesAll,
		Knows: func(role v1alpha1.LibraryRole) bool { return able.HasLibraryRole(media.LibraryRole(role)) },
	}, p.written.Libraries, p.grants)
}

// target is what the account's access list is to hold by the manifests. What no manifest declares is kept, as the operator keeps it.
func (p *prover) target(account media.Account, user *v1alpha1.User) media.Access {
	want := media.Access{All: user.Spec.Access == v1alpha1.UserAccessAll, Libraries: map[media.LibraryID]media.LibraryRole{}}
	for name, edge := range p.effective(user, false) {
		if !want.All || edge.Role != v1alpha1.LibraryRoleViewer {
			want.Libraries[p.ids[name]] = media.LibraryRole(edge.Role)
		}
	}
	declares := func(id media.LibraryID) bool { return p.declared[id] }
	want.Libraries = access.Target(account.Access.Libraries, want.Libraries, declares, !account.Access.All && !want.All)
	return want
}

// say lists an access for an error, by the names of the Libraries.
func (p *prover) say(a media.Access) string {
	if a.All {
		return "everything"
	}
	names := map[media.LibraryID]string{}
	for name, id := range p.ids {
		names[id] = name
	}
	sees := []string{}
	for _, id := range slices.Sorted(maps.Keys(a.Libraries)) {
		if name := names[id]; name != "" {
			sees = append(sees, name+" as "+string(a.Libraries[id]))
		}
	}
	return fmt.Sprint(sees)
}
