package rules

// Capability is one thing that an account can be allowed to do: a row of the Dubby roles seed's capability table.
type Capability string

// The capabilities, in the order of the Dubby roles seed. EditLibraries is the Shisho seed's "Libraries: Write", which
// it gives to admins and editors.
const (
	ManageServer       Capability = "manage-server"
	DeleteServer       Capability = "delete-server"
	ManageBilling      Capability = "manage-billing"
	InviteUsers        Capability = "invite-users"
	ManageUsers        Capability = "manage-users"
	AssignRoles        Capability = "assign-roles"
	RemoveUsers        Capability = "remove-users"
	CreateLibraries    Capability = "create-libraries"
	DeleteLibraries    Capability = "delete-libraries"
	EditLibraries      Capability = "edit-libraries"
	ScanLibraries      Capability = "scan-libraries"
	ManageMetadata     Capability = "manage-metadata"
	AccessAllLibraries Capability = "access-all-libraries"
	ShareLibraries     Capability = "share-libraries"
	ManageSettings     Capability = "manage-settings"
	ManagePrivacy      Capability = "manage-privacy"
	ViewAuditLogs      Capability = "view-audit-logs"
	BrowseMedia        Capability = "browse-media"
	ManageOwnProfile   Capability = "manage-own-profile"
)

var (
	memberCapabilities = []Capability{BrowseMedia, ManageOwnProfile}
	editorCapabilities = append([]Capability{EditLibraries, ScanLibraries, ManageMetadata}, memberCapabilities...)
	adminCapabilities  = append([]Capability{
		InviteUsers, ManageUsers, AssignRoles, RemoveUsers, CreateLibraries, DeleteLibraries, AccessAllLibraries,
		ShareLibraries, ManageSettings, ManagePrivacy, ViewAuditLogs,
	}, editorCapabilities...)
	ownerCapabilities = append([]Capability{ManageServer, DeleteServer, ManageBilling}, adminCapabilities...)
)

var capabilities = map[Role]map[Capability]bool{
	Owner:  set(ownerCapabilities),
	Admin:  set(adminCapabilities),
	Editor: set(editorCapabilities),
	Member: set(memberCapabilities),
	Guest:  set(memberCapabilities),
}

func set(list []Capability) map[Capability]bool {
	members := make(map[Capability]bool, len(list))
	for _, c := range list {
		members[c] = true
	}
	return members
}

// Can reports whether accounts of role have the capability. An unknown role can do nothing.
func Can(role Role, c Capability) bool { return capabilities[role][c] }

// SeesAllLibraries reports whether an account sees every library, future ones included: by its role (Dubby access
// seed: "Owners and admins have access to all libraries automatically"), or because its access says so (Shisho seed:
// "All libraries").
func SeesAllLibraries(role Role, accessAll bool) bool {
	return accessAll || Can(role, AccessAllLibraries)
}

// CanDeleteLibrary reports whether the account may delete a library that createdBy made (empty: nobody remembered).
// It takes the capability and, as in the Alcoves seed, being the one who created it; the server's owner may always.
func CanDeleteLibrary(actor Actor, createdBy string) bool {
	if !Can(actor.Role, DeleteLibraries) {
		return false
	}
	return actor.Role == Owner || (createdBy != "" && actor.ID == createdBy)
}
