package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// Plan declares what a server has. Nothing in it gives or takes anything: Prove says so.
func Plan(server Server, options Options) Household {
	p := &planner{server: server, options: options, household: Household{Comments: map[string]string{}}, named: map[string]int{}}
	for _, account := range server.Accounts {
		p.named[server.Traits.FoldUsername(account.Username)]++
	}
	p.household.Server = p.mediaServer()
	p.declareLibraries()
	p.declareUsers()
	p.declareGrants()
	return p.household
}

type planner struct {
	server    Server
	options   Options
	household Household
	// named counts the accounts that the server takes for namesakes.
	named map[string]int
	// libraries are the names of the declared ones by id.
	libraries map[media.LibraryID]string
	// people are the declared accounts, as Household.Users has them.
	people []person
}

// person is a declared account as far as access is concerned.
type person struct {
	// user is the name of its User.
	user string
	// byRole: it sees everything by its role. all: by access to all libraries.
	byRole, all bool
	// sees are the declared libraries that its list holds.
	sees map[string]v1alpha1.LibraryRole
}

func (p *planner) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: p.options.Namespace}
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind}
}

func (p *planner) serverRef() v1alpha1.LocalReference {
	return v1alpha1.LocalReference{Name: p.options.Name}
}

func (p *planner) mediaServer() v1alpha1.MediaServer {
	o := p.options
	server := v1alpha1.MediaServer{TypeMeta: typeMeta("MediaServer"), ObjectMeta: p.meta(o.Name), Spec: v1alpha1.MediaServerSpec{
		Type: o.Type, URL: o.URL, Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: o.CredentialsSecret}},
		Mode: v1alpha1.ModeObserve,
	}}
	if o.CASecret != "" {
		server.Spec.TLS = &v1alpha1.TLS{CASecretRef: &v1alpha1.SecretReference{Name: o.CASecret}}
	}
	if o.DatabaseSecret != "" {
		server.Spec.Database = &v1alpha1.Database{SecretRef: v1alpha1.SecretReference{Name: o.DatabaseSecret}}
	}
	return server
}

func (p *planner) declareLibraries() {
	p.libraries = map[media.LibraryID]string{}
	names := namer{}
	libraries := slices.SortedFunc(slices.Values(p.server.Libraries), func(a, b media.Library) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.ID), string(b.ID)))
	})
	for _, library := range libraries {
		if reason := undeclarableLibrary(p.server, library); reason != "" {
			p.household.leaveOut("library", library.Name, string(library.ID), reason)
			continue
		}
		name := names.give(slug(library.Name, "library", string(library.ID)))
		p.libraries[library.ID] = name
		spec := v1alpha1.LibrarySpec{
			ServerRef: p.serverRef(), DisplayName: library.Name, MediaType: v1alpha1.MediaType(library.MediaType), ExternalID: string(library.ID),
		}
		if pathsFit(library.Paths) {
			for _, path := range library.Paths {
				spec.Paths = append(spec.Paths, v1alpha1.LibraryPath(path))
			}
		} else {
			p.household.comment("Library", name, "Its paths are none that a manifest can hold: they stay as they are on the server.")
		}
		p.household.Libraries = append(p.household.Libraries, v1alpha1.Library{TypeMeta: typeMeta("Library"), ObjectMeta: p.meta(name), Spec: spec})
	}
	p.noteTwins(libraries)
}

// noteTwins says which libraries share their name on the server.
func (p *planner) noteTwins(libraries []media.Library) {
	count := map[string]int{}
	for _, library := range libraries {
		if p.libraries[library.ID] != "" {
			count[library.Name]++
		}
	}
	for _, library := range libraries {
		if name := p.libraries[library.ID]; name != "" && count[library.Name] > 1 {
			p.household.comment("Library", name, fmt.Sprintf("%d libraries of the server have this name; externalID says which one this is.", count[library.Name]))
		}
	}
}

func (p *planner) declareUsers() {
	names := namer{}
	accounts := slices.SortedFunc(slices.Values(p.server.Accounts), func(a, b media.Account) int {
		return cmp.Or(strings.Compare(a.Username, b.Username), strings.Compare(string(a.ID), string(b.ID)))
	})
	for _, account := range accounts {
		if reason := p.undeclarable(account); reason != "" {
			p.household.leaveOut("account", account.Username, string(account.ID), reason)
			continue
		}
		name := names.give(slug(account.Username, "user", string(account.ID)))
		p.household.Users = append(p.household.Users, v1alpha1.User{TypeMeta: typeMeta("User"), ObjectMeta: p.meta(name), Spec: p.userSpec(account)})
		p.people = append(p.people, p.person(name, account))
		p.review(name, account)
		if account.Exposed {
			p.household.Exposed = append(p.household.Exposed, name)
		}
	}
}

func (p *planner) userSpec(account media.Account) v1alpha1.UserSpec {
	traits, able := p.server.Traits, p.server.Probe.Capabilities
	spec := v1alpha1.UserSpec{
		ServerRef: p.serverRef(), Username: account.Username, Role: v1alpha1.AccountRole(account.Role),
		Disabled: account.Disabled, AdoptionPolicy: v1alpha1.AccountAdoptionAlways,
	}
	if email := account.Email; able.Email && emailFits(email) && (p.options.Emails || traits.KeyedByEmail || traits.NamedByEmail) {
		spec.Email = email
	}
	if name := account.DisplayName; able.DisplayName && name != account.Username && displayNameFits(name) {
		spec.DisplayName = name
	}
	if account.Disabled {
		spec.Password = &v1alpha1.Password{ChosenByHolder: true} // else it would be given another one, though it stays disabled
	}
	if account.Access.All {
		spec.Access = v1alpha1.UserAccessAll
	}
	if able.Roles[account.Role].Administers || account.ID == p.server.Probe.Self || rungOf(able, account.Role) == "" {
		spec.DeletionPolicy = v1alpha1.UserDeletionRetain
	}
	return spec
}

func (p *planner) person(name string, account media.Account) person {
	one := person{user: name, byRole: p.server.Probe.Capabilities.Roles[account.Role].SeesAll, all: account.Access.All, sees: map[string]v1alpha1.LibraryRole{}}
	for id, role := range account.Access.Libraries {
		if library := p.libraries[id]; library != "" {
			one.sees[library] = v1alpha1.LibraryRole(role)
		}
	}
	return one
}

// review says what a person should look at before the manifest is applied.
func (p *planner) review(name string, account media.Account) {
	able := p.server.Probe.Capabilities
	role := able.Roles[account.Role]
	for _, say := range []struct {
		holds bool
		line  string
	}{
		{account.ID == p.server.Probe.Self, "The account that Usher itself uses: it is never demoted, disabled or deleted."},
		{account.Role == media.RoleOwner, "The owner of the server: it is never demoted, disabled or deleted."},
		{role.Administers && account.Role != media.RoleOwner, "REVIEW: an administrator, who sees and may change everything."},
		{role.SeesAll && !role.Administers, "REVIEW: the role sees every library, also future ones."},
		{!role.SeesAll && account.Access.All, "REVIEW: sees every library, also future ones."},
		{account.Disabled, "Disabled on the server. To let the person in, remove `disabled` and `password`: the account gets another password."},
		{!role.SeesAll && !account.Access.All && len(account.Access.Libraries) == 0, "Sees nothing: no library was given to it."},
		{p.seesUndeclared(account), "Sees libraries that no manifest declares; that stays as it is."},
	} {
		if say.holds {
			p.household.comment("User", name, say.line)
		}
	}
}

func (p *planner) seesUndeclared(account media.Account) bool {
	for id := range account.Access.Libraries {
		if p.libraries[id] == "" && slices.ContainsFunc(p.server.Libraries, func(l media.Library) bool { return l.ID == id && !l.Personal }) {
			return true
		}
	}
	return false
}
