package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// What the API server takes (api/v1alpha1). A test applies what is at the bounds to a real one.
var (
	edged       = regexp.MustCompile(`^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?$`)
	controls    = regexp.MustCompile(`[[:cntrl:]]`)
	emailForm   = regexp.MustCompile(`^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$`)
	roleForm    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9])?$`)
	absolute    = regexp.MustCompile(`^(/|[A-Za-z]:[\\/])`)
	ascending   = regexp.MustCompile(`(^|[\\/])[.][.]([\\/]|$)`)
	mediaTypes  = []v1alpha1.MediaType{"Movies", "Shows", "Music", "Books", "Audiobooks", "Comics", "Podcasts", "Photos", "Mixed"}
	roleWords   = []media.Role{media.RoleOwner, media.RoleAdmin, media.RoleEditor, media.RoleMember, media.RoleGuest}
	maxPaths    = 50
	maxUsername = 64
)

func within(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return utf8.ValidString(text) && n >= least && n <= most
}

func usernameFits(name string) bool    { return within(name, 1, maxUsername) && edged.MatchString(name) }
func displayNameFits(name string) bool { return within(name, 1, 100) && !controls.MatchString(name) }
func emailFits(email string) bool      { return within(email, 3, 254) && emailForm.MatchString(email) }

func roleFits(role media.Role) bool {
	if slices.Contains(roleWords, role) {
		return true
	}
	known := slices.ContainsFunc(roleWords, func(word media.Role) bool { return strings.EqualFold(string(word), string(role)) })
	return !known && within(string(role), 1, 50) && roleForm.MatchString(string(role))
}

// pathsFit says whether a manifest can hold the paths of a library. Where it cannot, the library is named by its id alone.
func pathsFit(paths []string) bool {
	if len(paths) > maxPaths {
		return false
	}
	for i, path := range paths {
		if !within(path, 1, 1024) || !absolute.MatchString(path) || ascending.MatchString(path) || controls.MatchString(path) || slices.Contains(paths[:i], path) {
			return false
		}
	}
	return true
}

// personal is why a library of one person is left out.
const personal = "it is somebody's personal library, which Usher never touches"

// undeclarableLibrary says why no manifest can declare a library; empty when one can.
func undeclarableLibrary(server Server, library media.Library) string {
	switch {
	case library.Personal:
		return personal
	case !within(library.Name, 1, 100) || !edged.MatchString(library.Name):
		return "its name has more than 100 characters, begins or ends with a space, or holds control characters: rename it on the server"
	case !within(string(library.ID), 1, 128):
		return "its id has more than 128 characters"
	case !slices.Contains(mediaTypes, v1alpha1.MediaType(library.MediaType)) || !server.Probe.Capabilities.HasMediaType(library.MediaType):
		return fmt.Sprintf("it holds %q, which is no media type that Usher knows", library.MediaType)
	}
	return ""
}

// undeclarable says why no User can declare an account without changing it; empty when one can.
func (p *planner) undeclarable(account media.Account) string {
	traits, able := p.server.Traits, p.server.Probe.Capabilities
	role, known := able.Roles[account.Role]
	switch {
	case !usernameFits(account.Username) || !traits.AllowsUsername(account.Username):
		return "its name is too long or too short, begins or ends with a space, or holds control characters: rename it on the server"
	case p.named[traits.FoldUsername(account.Username)] > 1:
		return "another account has the same name but for letter case: rename one of them on the server"
	case (traits.KeyedByEmail || traits.NamedByEmail) && !emailFits(account.Email):
		return "people sign in by email, and it has none that a manifest can hold"
	case traits.NamedByEmail && traits.FoldUsername(account.Username) != traits.FoldEmail(account.Email):
		return "its name is not its email address"
	case !known || !roleFits(account.Role):
		return fmt.Sprintf("its role %q is none that a manifest can name", account.Role)
	case role.Administers && account.Role != media.RoleOwner && account.Role != media.RoleAdmin:
		return fmt.Sprintf("its role %q administers the server, and is neither Owner nor Admin", account.Role)
	case account.Disabled && account.Role == media.RoleOwner:
		return "it is the owner, disabled on the server; a manifest never disables an owner"
	case account.Disabled && rungOf(able, account.Role) == "":
		return "it is disabled, which this server cannot undo and do again"
	case rungOf(able, account.Role) == v1alpha1.DisableNoAccess && !account.Access.All && len(account.Access.Libraries) == 0:
		return "it sees no library, which is how accounts of this server are disabled: give it one there, or delete it"
	}
	return p.undeclarableAccess(account)
}

// undeclarableAccess says why no grants can give an account what it sees; empty when some can.
func (p *planner) undeclarableAccess(account media.Account) string {
	able := p.server.Probe.Capabilities
	if account.Access.All && !able.AccessAll {
		return "it sees every library, which this server does not let anybody be given"
	}
	for id, role := range account.Access.Libraries {
		_, declared := p.libraries[id]
		switch {
		case !able.HasLibraryRole(role) || (role != media.LibraryViewer && role != media.LibraryAdmin):
			return fmt.Sprintf("its role %q in a library is none that a manifest can name", role)
		case account.Access.All && !declared && role != media.LibraryViewer:
			return "it sees every library, and has a higher role in one that no manifest declares"
		}
	}
	return ""
}

// rungOf says how an account of a role can be shut out; empty when it cannot.
func rungOf(able media.Capabilities, role media.Role) v1alpha1.DisableMethod {
	return access.Rung(access.Abilities{Switch: able.Disable, LockOut: able.LockOut, ZeroAccess: able.ZeroAccess, SeesAll: able.Roles[role].SeesAll})
}
