package alcoves

import (
	"net/mail"
	"strings"

	"github.com/google/uuid"

	"github.com/usher-media/usher/internal/media"
)

// The server's words.
const (
	wordOwner  = "owner"
	wordMember = "member"
	wordAdmin  = "admin"
	wordViewer = "viewer"
)

// The names in Library.Settings.
const (
	settingEmoji   = "emoji"
	settingFaces   = "faceRecognition"
	settingObjects = "objectDetection"
	settingSharing = "publicSharing"
)

// onlyType is what every library holds: the server tells no kinds of media apart.
const onlyType media.MediaType = "Mixed"

var (
	roles        = map[string]media.Role{wordOwner: media.RoleOwner, wordMember: media.RoleMember}
	libraryRoles = map[string]media.LibraryRole{wordAdmin: media.LibraryAdmin, wordViewer: media.LibraryViewer}

	registrations = map[string]media.RegistrationMode{
		"open": media.RegistrationOpen, "invite_only": media.RegistrationInviteOnly, "closed": media.RegistrationClosed,
	}
)

// libraryRoleWord refuses a role that the server does not know.
func libraryRoleWord(role media.LibraryRole) (string, error) {
	for word, known := range libraryRoles {
		if known == role {
			return word, nil
		}
	}
	return "", media.Errorf(media.Unsupported, "the server knows no such role in a library")
}

// assignable refuses a role that Usher never gives: owners of an instance are made and unmade on its own pages.
func assignable(role media.Role) error {
	switch role {
	case media.RoleMember:
		return nil
	case media.RoleOwner:
		return media.Errorf(media.Unsupported, "an owner of the instance is never made by Usher: change the role on the server's own pages")
	}
	return media.Errorf(media.Unsupported, "the server knows no such role: it has Owner and Member")
}

// foldEmail is how the server compares the addresses of those who sign in with a password (section 2).
func foldEmail(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// newEmail checks an address for a new account. It is stricter than the server, which the database would take anything
// without: ASCII only, so that no two spellings fold into one in only one of the two, and a domain with a dot.
func newEmail(address string) (string, error) {
	folded := foldEmail(address)
	parsed, err := mail.ParseAddress(folded)
	_, domain, _ := strings.Cut(folded, "@")
	ascii := !strings.ContainsFunc(folded, func(r rune) bool { return r <= ' ' || r > '~' })
	if err != nil || !ascii || parsed.Address != folded || !strings.Contains(strings.Trim(domain, "."), ".") || len(folded) > 254 {
		return "", media.Errorf(media.Invalid, "the username must be an email address that the server takes, like mia@example.org")
	}
	return folded, nil
}

// isID says whether a text can be an id of this server: anything else names nothing there.
func isID(text string) bool { return len(text) == 36 && uuid.Validate(text) == nil }

// noAccount is the error for an id that names no account.
func noAccount() error { return media.Errorf(media.NotFound, "there is no such account") }

// noLibrary is the error for an id that names no library.
func noLibrary() error { return media.Errorf(media.NotFound, "there is no such library") }
