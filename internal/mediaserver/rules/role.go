// Package rules holds what the embedded media server promises about access, as pure functions: who has which
// capability, what names mean the same account, and which input is acceptable. It does no I/O and knows no clock.
package rules

// Role is an account's role on the server. The words are those of the Dubby roles seed, with Shisho's Editor between
// Admin and Member; they cannot be renamed or deleted.
type Role string

// The built-in roles, from the most to the least powerful.
const (
	Owner  Role = "owner"
	Admin  Role = "admin"
	Editor Role = "editor"
	Member Role = "member"
	Guest  Role = "guest"
)

// Roles lists every role, the most powerful first. The caller owns the slice.
func Roles() []Role { return []Role{Owner, Admin, Editor, Member, Guest} }

// Valid reports whether r is one of the built-in roles.
func (r Role) Valid() bool {
	_, known := capabilities[r]
	return known
}

// LibraryRole is an account's role within one library (Alcoves seed, line 25: "reads require viewer or higher;
// writes require admin or higher").
type LibraryRole string

// The roles within a library.
const (
	Viewer       LibraryRole = "viewer"
	LibraryAdmin LibraryRole = "admin"
)

// Valid reports whether r is one of the two library roles.
func (r LibraryRole) Valid() bool { return r == Viewer || r == LibraryAdmin }

// Registration says who may make an account by themselves. The first account can always be made (Dubby roles seed,
// line 14: "The first user to register becomes the owner automatically").
type Registration string

// The registration modes.
const (
	// RegistrationOpen lets anybody register, as a member without libraries.
	RegistrationOpen Registration = "open"
	// RegistrationInviteOnly lets in holders of an invite only, and is the default.
	RegistrationInviteOnly Registration = "invite_only"
	// RegistrationClosed lets nobody in, invites or not; owner and admins still create accounts.
	RegistrationClosed Registration = "closed"
)

// CheckRegistration reports whether a stranger may register, given the mode, whether the server has no account yet, and
// whether they hold an invite, which is looked at elsewhere. The error is a *Denial whose text is for the stranger.
func CheckRegistration(mode Registration, first, invited bool) error {
	switch {
	case first, mode == RegistrationOpen:
		return nil
	case mode == RegistrationInviteOnly && invited:
		return nil
	case mode == RegistrationInviteOnly:
		return &Denial{Message: "Registration is by invitation only"}
	default:
		return ErrRegistrationClosed
	}
}

// ErrRegistrationClosed says that nobody may register, with or without an invite.
var ErrRegistrationClosed error = &Denial{Message: "Registration is closed"}

// LibraryType says what a library is for. It never changes after creation and hides next to nothing: a library shows
// every media file below its paths, but for pictures that stand for a file beside them.
type LibraryType string

// ShowsArtwork reports whether pictures may be what people look for in the library, whatever lies beside them.
func (t LibraryType) ShowsArtwork() bool { return t == "photos" || t == "mixed" }

// LibraryTypes lists every library type. The caller owns the slice.
func LibraryTypes() []LibraryType {
	return []LibraryType{"movies", "shows", "music", "books", "audiobooks", "comics", "podcasts", "photos", "mixed"}
}
