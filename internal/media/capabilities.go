package media

import "slices"

// RoleInfo says what a role means on a server.
type RoleInfo struct {
	// SeesAll: the role sees every library whatever its access list says.
	SeesAll bool
	// Administers: the role can change users, roles or access.
	Administers bool
	// Assignable: Usher's account may give the role. Owner never is.
	Assignable bool
	// NotByInvite: no invite of the server's own gives the role. One that administers is never given by an invite.
	NotByInvite bool
}

// Capabilities are what a server can do, as its driver found them (rule R11).
type Capabilities struct {
	// Bootstrap: the driver can make a brand-new server's first account.
	Bootstrap bool
	// Registration: the server has registration modes that can be set.
	Registration bool
	// Disable: the server has a switch that disables an account and ends its sessions.
	Disable bool
	// LockOut: a new password ends every session and every device key of an account, so that one which nobody knows
	// shuts it out.
	LockOut bool
	// DeleteAccount: accounts can be deleted.
	DeleteAccount bool
	// DeleteLibrary: empty libraries can be deleted.
	DeleteLibrary bool
	// Authenticate: a password can be tried without lasting effect but a sign-in's record.
	Authenticate bool
	// RequirePasswordChange: a person can be made to choose another password.
	RequirePasswordChange bool
	// AccessAll: an account that administers nothing can see every library, also future ones.
	AccessAll bool
	// ZeroAccess: an account can see no library at all (rule R7).
	ZeroAccess bool
	// Email: accounts have an email address.
	Email bool
	// DisplayName: accounts have a name for display.
	DisplayName bool
	// Invites: the server has invites of its own that count exactly (Inviter).
	Invites bool
	// WeakInvites: the server has links of its own that keep a weaker promise: it chooses the code itself (Invite.Code),
	// a link cannot be changed but only revoked, and may admit more people than it says. Never with Invites.
	WeakInvites bool
	// GrantsFixed: libraries are given while an account is made, and later only taken away or changed in role. SetAccess
	// answers Unsupported for more, after it took what was to be taken.
	GrantsFixed bool
	// PasswordsFixed: an account keeps the password that it was made with, unless its holder changes it.
	PasswordsFixed bool
	// Pathless: libraries have no paths, since people upload what is in them.
	Pathless bool
	// ChosenIDs: an account takes the id that it is to be made with (NewAccount.ID): no other then ever has that id, so
	// that one which has it is the one that was to be made.
	ChosenIDs bool
	// Roles that the server knows.
	Roles map[Role]RoleInfo
	// LibraryRoles that the server knows, lowest first. A server without roles in a library knows Viewer.
	LibraryRoles []LibraryRole
	// MediaTypes that the server knows.
	MediaTypes []MediaType
	// LibrarySettings are the names of the settings that Library.Settings may hold.
	LibrarySettings []string
}

// NoChosenID refuses an id that an account is to have, for a driver whose server chooses itself.
func NoChosenID(want NewAccount) error {
	if want.ID != "" {
		return Errorf(Unsupported, "the server chooses the ids of accounts itself")
	}
	return nil
}

// HasLibraryRole says whether the server knows the role.
func (c Capabilities) HasLibraryRole(role LibraryRole) bool {
	return slices.Contains(c.LibraryRoles, role)
}

// HasMediaType says whether the server knows the media type.
func (c Capabilities) HasMediaType(mediaType MediaType) bool {
	return slices.Contains(c.MediaTypes, mediaType)
}

// Names lists what the server can do, in words for people, sorted.
func (c Capabilities) Names() []string {
	var names []string
	for name, has := range map[string]bool{
		"Bootstrap": c.Bootstrap, "Registration": c.Registration, "Disable": c.Disable, "LockOut": c.LockOut,
		"DeleteAccount": c.DeleteAccount, "DeleteLibrary": c.DeleteLibrary, "Authenticate": c.Authenticate,
		"RequirePasswordChange": c.RequirePasswordChange, "AccessAll": c.AccessAll, "ZeroAccess": c.ZeroAccess,
		"Email": c.Email, "DisplayName": c.DisplayName, "Invites": c.Invites, "WeakInvites": c.WeakInvites,
		"Grant": !c.GrantsFixed, "SetPassword": !c.PasswordsFixed, "LibraryRoles": len(c.LibraryRoles) > 1,
		"ChosenIDs": c.ChosenIDs,
	} {
		if has {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
