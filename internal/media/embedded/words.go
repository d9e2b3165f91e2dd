package embedded

import (
	"github.com/usher-media/usher/internal/media"
)

const wordOwner = "owner"

// The server's words and Usher's.
var (
	roles = map[string]media.Role{
		wordOwner: media.RoleOwner, "admin": media.RoleAdmin, "editor": media.RoleEditor,
		"member": media.RoleMember, "guest": media.RoleGuest,
	}
	roleWords = inverse(roles)

	libraryRoles     = map[string]media.LibraryRole{"viewer": media.LibraryViewer, "admin": media.LibraryAdmin}
	libraryRoleWords = inverse(libraryRoles)

	registrations = map[string]media.RegistrationMode{
		"open": media.RegistrationOpen, "invite_only": media.RegistrationInviteOnly, "closed": media.RegistrationClosed,
	}

	// mediaTypeWords is the order in which the types are told.
	mediaTypeWords = []string{"movies", "shows", "music", "books", "audiobooks", "comics", "podcasts", "photos", "mixed"}

	mediaTypes = map[string]media.MediaType{
		"movies": "Movies", "shows": "Shows", "music": "Music", "books": "Books", "audiobooks": "Audiobooks",
		"comics": "Comics", "podcasts": "Podcasts", "photos": "Photos", "mixed": "Mixed",
	}
	typeWords = inverse(mediaTypes)
)

func inverse[A, B comparable](words map[A]B) map[B]A {
	back := make(map[B]A, len(words))
	for a, b := range words {
		back[b] = a
	}
	return back
}

// builtIn refuses a role that is not built in.
func builtIn(role media.Role) (string, error) {
	if word, known := roleWords[role]; known {
		return word, nil
	}
	return "", media.Errorf(media.Unsupported, "the server knows no such role")
}
