package media

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AccountID is an account's id on its server. Opaque.
type AccountID string

// LibraryID is a library's id on its server. Opaque.
type LibraryID string

// Role is an account's role: one of the five words below, which each driver maps to its server's own,
// or the name of a role of the server's own as the server spells it.
type Role string

// The roles that every driver maps.
const (
	RoleOwner  Role = "Owner"
	RoleAdmin  Role = "Admin"
	RoleEditor Role = "Editor"
	RoleMember Role = "Member"
	RoleGuest  Role = "Guest"
)

// LibraryRole is a role within a library.
type LibraryRole string

// The library roles, lowest first.
const (
	LibraryViewer LibraryRole = "Viewer"
	LibraryAdmin  LibraryRole = "Admin"
)

// MediaType says what a library holds, in the words of the Library kind.
type MediaType string

// RegistrationMode says who may register on a server without an admin.
type RegistrationMode string

// The registration modes.
const (
	RegistrationOpen       RegistrationMode = "Open"
	RegistrationInviteOnly RegistrationMode = "InviteOnly"
	RegistrationClosed     RegistrationMode = "Closed"
)

// Access is what an account sees by its own access list. What its role adds (RoleInfo.SeesAll) is not in it.
// The map is never changed in place: to change an Access, Clone it.
type Access struct {
	// All: every library, also future ones, as Viewer. Of Libraries, only roles above that matter then.
	All bool
	// Libraries that the account sees, with its role in each.
	Libraries map[LibraryID]LibraryRole
}

// Clone returns a copy whose map may be changed.
func (a Access) Clone() Access {
	libraries := maps.Clone(a.Libraries)
	if libraries == nil {
		libraries = map[LibraryID]LibraryRole{}
	}
	return Access{All: a.All, Libraries: libraries}
}

// Equal says whether both give the same.
func (a Access) Equal(b Access) bool {
	return a.All == b.All && maps.Equal(a.matter(), b.matter())
}

// Includes says whether it gives all that another gives.
func (a Access) Includes(other Access) bool {
	if other.All && !a.All {
		return false
	}
	for id, role := range other.Libraries {
		has := a.Libraries[id]
		if has == "" && a.All {
			has = LibraryViewer
		}
		if has != role && (has != LibraryAdmin || role != LibraryViewer) {
			return false
		}
	}
	return true
}

// Common returns what both give: of two roles in a library, the lower one.
func (a Access) Common(b Access) Access {
	common := Access{All: a.All && b.All, Libraries: map[LibraryID]LibraryRole{}}
	for _, one := range []Access{a, b} {
		for id := range one.Libraries {
			switch mine, other := a.roleIn(id), b.roleIn(id); {
			case mine == LibraryAdmin && other == LibraryAdmin:
				common.Libraries[id] = LibraryAdmin
			case mine != "" && other != "" && !common.All:
				common.Libraries[id] = LibraryViewer
			}
		}
	}
	return common
}

// roleIn is the role that an access gives in a library; empty for none.
func (a Access) roleIn(id LibraryID) LibraryRole {
	if role := a.Libraries[id]; role != "" || !a.All {
		return role
	}
	return LibraryViewer
}

// Holds says whether the list itself gives a library: not as part of All, with which it goes.
func (a Access) Holds(id LibraryID) bool { return a.matter()[id] != "" }

func (a Access) matter() map[LibraryID]LibraryRole {
	if !a.All {
		return a.Libraries
	}
	above := maps.Clone(a.Libraries)
	maps.DeleteFunc(above, func(_ LibraryID, role LibraryRole) bool { return role == LibraryViewer })
	return above
}

// key is the same for two accesses that hold the same.
func (a Access) key() string {
	var key strings.Builder
	for _, id := range a.IDs() {
		key.WriteString(strconv.Quote(string(id)))
		key.WriteString(string(a.Libraries[id]))
	}
	return strconv.FormatBool(a.All) + strconv.FormatBool(a.Libraries == nil) + key.String()
}

// IDs returns the ids of the libraries in order.
func (a Access) IDs() []LibraryID {
	return slices.Sorted(maps.Keys(a.Libraries))
}

// Account is one account as the server has it.
type Account struct {
	ID          AccountID
	Username    string
	Email       string
	DisplayName string
	Role        Role
	Access      Access
	// Disabled: nobody can sign in with it.
	Disabled bool
	// LockedOut: the server itself disabled it, after too many wrong passwords.
	LockedOut bool `json:",omitempty"`
	// MustChangePassword: the person must choose another password at the next sign-in.
	MustChangePassword bool
	// PasswordChosen: the person has changed the password since it was last set for them, where the server tells.
	PasswordChosen bool
	// PasswordSet is when the password was last set or changed, by Moment; zero where the server does not tell, and after a
	// call that did not say.
	PasswordSet time.Time `json:",omitzero"`
	// Exposed: by a hole of its server, the account is shown more than Access says, or will be as soon as something
	// happens there. SetAccess closes it, also with the access that it has.
	Exposed bool
	// Created is when the account was made, by Moment; zero where the server does not tell, and after a creation that did not
	// say.
	Created time.Time `json:",omitzero"`
}

// Moment is a time as Account.Created and Library.Created have it: in UTC, to the second.
func Moment(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// SameMoment says whether two times that servers told are the same moment: a server may round what it stores. A time that
// was not told is not the same as any.
func SameMoment(a, b time.Time) bool {
	return !a.IsZero() && !b.IsZero() && a.Sub(b).Abs() <= time.Second
}

// NewAccount is an account to be made.
type NewAccount struct {
	// ID that the account is to have; empty for one that the server chooses (Capabilities.ChosenIDs).
	ID       AccountID
	Username string
	// Email, empty for none.
	Email string
	// DisplayName, empty for the server's default.
	DisplayName        string
	Role               Role
	Access             Access
	Password           string
	MustChangePassword bool
	Disabled           bool
}

// AccountChange names the fields to change; nil leaves a field alone.
type AccountChange struct {
	Email       *string
	DisplayName *string
	Role        *Role
}

// IsZero says whether nothing is to be changed.
func (c AccountChange) IsZero() bool { return c == AccountChange{} }

// from leaves out what an account has already.
func (c AccountChange) from(a Account) AccountChange {
	if c.Email != nil && *c.Email == a.Email {
		c.Email = nil
	}
	if c.DisplayName != nil && *c.DisplayName == a.DisplayName {
		c.DisplayName = nil
	}
	if c.Role != nil && *c.Role == a.Role {
		c.Role = nil
	}
	return c
}

// NewPassword is a password to be set.
type NewPassword struct {
	Password string
	// MustChange makes the person choose another at the next sign-in (Capabilities.RequirePasswordChange).
	MustChange bool
}

// Library is one library as the server has it.
type Library struct {
	ID        LibraryID
	Name      string
	MediaType MediaType
	// Paths as the server sees them.
	Paths []string
	// Owner is the account that owns the library, and so sees it whatever any list says; empty where libraries have none.
	Owner AccountID `json:",omitempty"`
	// Personal libraries belong to one person; Usher never touches them.
	Personal bool
	// Items counts what the library holds; -1 where the server does not say.
	Items int
	// Settings that only this type of server knows, by the names in Capabilities.LibrarySettings.
	Settings map[string]string
	// Created is when the library was made, by Moment; zero where the server does not tell, and after a creation that did not
	// say.
	Created time.Time `json:",omitzero"`
}

// NewLibrary is a library to be made.
type NewLibrary struct {
	Name      string
	MediaType MediaType
	Paths     []string
	Settings  map[string]string
}

// LibraryChange names the fields to change; nil leaves a field alone. Settings holds only those to change.
type LibraryChange struct {
	Name     *string
	Paths    []string
	Settings map[string]string
}

// IsZero says whether nothing is to be changed.
func (c LibraryChange) IsZero() bool {
	return c.Name == nil && c.Paths == nil && len(c.Settings) == 0
}

// from leaves out what a library has already.
func (c LibraryChange) from(l Library) LibraryChange {
	if c.Name != nil && *c.Name == l.Name {
		c.Name = nil
	}
	if slices.Equal(slices.Sorted(slices.Values(c.Paths)), slices.Sorted(slices.Values(l.Paths))) {
		c.Paths = nil
	}
	c.Settings = maps.Clone(c.Settings)
	maps.DeleteFunc(c.Settings, func(name, value string) bool { return l.Settings[name] == value })
	return c
}

// Listing is everything that a server has at one moment.
type Listing struct {
	Accounts  []Account
	Libraries []Library
}

// Probe is what a server says of itself and of the account that Usher uses.
type Probe struct {
	// Identity of the server: stays the same for as long as it is the same server with the same data,
	// and differs between two servers.
	Identity string
	Version  string
	// SetupRequired: the server has no account yet. Self is then empty.
	SetupRequired bool
	// Self is the account that Usher uses.
	Self AccountID
	// SelfName is its username.
	SelfName string
	// Registration is the server's mode; empty where it has none.
	Registration RegistrationMode
	// OpenLinks counts the invites that carry a Reference and are open; nil where the server does not tell.
	OpenLinks *int
	// Warnings are what somebody should mend on the server though Usher can go on, in words for people.
	Warnings     []string
	Capabilities Capabilities
}
