package rules

// Capability is one thing that an account can be allowed to do: a row of the Dubby roles seed's capability table.
type Capability string

// The capabilities of the Dubby roles seed, in its order.
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

// The capabilities that only the Shisho seed tells apart. EditLibraries is its "Libraries: Write": a library's name,
// emoji and flags, but not its directories, since who chooses those can read everything below the root folders.
const (
	EditLibraries Capability = "edit-libraries"
	ReadBooks     Capability = "read-books"
	ReadSeries    Capability = "read-series"
	ReadPeople    Capability = "read-people"
	EditSeries    Capability = "edit-series"
	EditPeople    Capability = "edit-people"
	ViewUsers     Capability = "view-users"
	ViewJobs      Capability = "view-jobs"
	ViewSettings  Capability = "view-settings"
)

var (
	memberCapabilities = []Capability{BrowseMedia, ReadBooks, ReadSeries, ReadPeople, ManageOwnProfile}
	editorCapabilities = append([]Capability{EditLibraries, ManageMetadata, EditSeries, EditPeople}, memberCapabilities...)
	adminCapabilities  = append([]Capability{
		InviteUsers, ManageUsers, AssignRoles, RemoveUsers, CreateLibraries, DeleteLibraries, AccessAllLibraries,
		ShareLibraries, ManageSettings, ManagePrivacy, ViewAuditLogs, ScanLibraries, ViewUsers, ViewJobs, ViewSettings,
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
