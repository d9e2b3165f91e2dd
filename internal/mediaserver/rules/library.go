package rules

// PersonalType is the type of every personal library.
const PersonalType LibraryType = "mixed"

// LibraryOwner is the role of who made a library (Alcoves seed, line 21). Nobody is given it.
const LibraryOwner LibraryRole = "owner"

// InLibrary is how an account stands to a library that it sees.
type InLibrary struct {
	Actor Actor
	// CreatedBy is the id of the library's owner.
	CreatedBy string
	// Granted is the account's stored role in it, or empty.
	Granted LibraryRole
	// Personal says that it is its owner's own library, which nobody else sees.
	Personal bool
}

// Role returns what the account is in the library: exactly one of owner, admin and viewer (Alcoves seed, line 18).
// Whoever administers the server is admin in all of them.
func (l InLibrary) Role() LibraryRole {
	switch {
	case l.Actor.ID == l.CreatedBy:
		return LibraryOwner
	case l.Granted == LibraryAdmin, l.Actor.Administers():
		return LibraryAdmin
	}
	return Viewer
}

// governs reports whether the account is the library's owner or admin.
func (l InLibrary) governs() bool { return l.Role() != Viewer }

// CheckWrite reports whether the account may write to the library. It takes being admin in it or its owner (Alcoves seed,
// line 25: "reads require viewer or higher; writes require admin or higher"), or a server role with the capability
// (Shisho seed, line 8). Error: ErrForbidden.
func (l InLibrary) CheckWrite(by Capability) error {
	if l.governs() || l.Actor.Can(by) {
		return nil
	}
	return ErrForbidden
}

// The rules about personal libraries that no role can break (Alcoves seed, lines 16 and 38).
var (
	ErrPersonalShared  error = &Refusal{Message: "A personal library cannot be shared"}
	ErrPersonalDeleted error = &Refusal{Message: "A personal library cannot be deleted"}
	ErrPersonalMoved   error = &Refusal{Message: "A personal library's directory is the server's to choose"}
	ErrSharingOff      error = &Refusal{Message: "Public sharing is off for this library"}
)

// CheckMembers reports whether the account may see and change who is a member, and make invite links (Alcoves seed, lines
// 40 and 64). Errors: ErrForbidden, ErrPersonalShared.
func (l InLibrary) CheckMembers() error {
	switch {
	case l.Personal:
		return ErrPersonalShared
	case l.governs(), l.Actor.Can(ShareLibraries):
		return nil
	}
	return ErrForbidden
}

var (
	// ErrSeesAll says that somebody sees a library without having been given it.
	ErrSeesAll error = &Refusal{Message: "This person sees every library, by their role or their access: change that"}

	errLibraryOwnerFixed = &Refusal{Message: "The library's owner cannot be changed or removed"}
	errRemoveSelf        = &Refusal{Message: "You cannot remove yourself from the library"}
	errOwnLibraryRole    = &Refusal{Message: "You cannot change your own role in the library"}
)

// CheckMemberChange reports whether the account, which may change members, may change or remove that one (Alcoves seed,
// line 72). The error is a *Refusal.
func (l InLibrary) CheckMemberChange(memberID string, remove bool) error {
	switch {
	case memberID == l.CreatedBy:
		return errLibraryOwnerFixed
	case memberID == l.Actor.ID && remove:
		return errRemoveSelf
	case memberID == l.Actor.ID:
		return errOwnLibraryRole
	}
	return nil
}

// CheckDelete reports whether the account may delete the library, which must be empty besides. It takes the capability
// (Dubby roles seed, line 27) and, as in the Alcoves seed (line 38), being the library's owner; the server's owner may
// always. Errors: ErrForbidden, ErrPersonalDeleted.
func (l InLibrary) CheckDelete() error {
	switch {
	case l.Personal:
		return ErrPersonalDeleted
	case !l.Actor.Can(DeleteLibraries):
		return ErrForbidden
	case l.Actor.Role == Owner, l.Actor.ID == l.CreatedBy:
		return nil
	}
	return ErrForbidden
}

// CheckSharing reports whether the account may switch public sharing from before to after: that takes what making share
// links takes, and no personal library ever has it on. Errors: ErrForbidden, ErrPersonalShared.
func (l InLibrary) CheckSharing(before, after bool) error {
	switch {
	case l.Personal && after:
		return ErrPersonalShared
	case before != after:
		return l.CheckWrite(ShareLibraries)
	}
	return nil
}
