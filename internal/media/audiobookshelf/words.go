package audiobookshelf

import (
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
)

// The types of accounts (contract, section 2).
const (
	typeRoot  = "root"
	typeAdmin = "admin"
	typeUser  = "user"
	typeGuest = "guest"
)

// given are the types that can be given.
var given = map[media.Role]string{media.RoleAdmin: typeAdmin, media.RoleMember: typeUser, media.RoleGuest: typeGuest}

// roleOf is Usher's word for a type of account. One that is not known is no role that can be given.
func roleOf(kind string) media.Role {
	if kind == typeRoot {
		return media.RoleOwner
	}
	for role, known := range given {
		if known == kind {
			return role
		}
	}
	return media.Role("type " + kind)
}

// typeFor is the server's word for a role. Unsupported for one that cannot be given.
func typeFor(role media.Role) (string, error) {
	if kind, known := given[role]; known {
		return kind, nil
	}
	return "", media.Errorf(media.Unsupported, "the server has no such role to give: Admin, Member and Guest are its admin, user and guest")
}

// byType are the rights that come with being an administrator. The server gives them with the type when it makes an
// account, and leaves them when the type changes (contract, section 4).
var byType = []string{"update", "upload", "createEreader", "accessExplicitContent"}

// rightsAfter are the rights that a change of type brings or takes. What only root has goes with a demotion.
func rightsAfter(from, to string) map[string]bool {
	if (from == typeAdmin) == (to == typeAdmin) {
		return nil
	}
	rights := map[string]bool{}
	for _, right := range byType {
		rights[right] = to == typeAdmin
	}
	if to != typeAdmin {
		rights["delete"] = false
	}
	return rights
}

// mediaTypes are Usher's words for what a library holds. A library of books holds audiobooks and e-books alike.
var mediaTypes = map[media.MediaType]string{"Audiobooks": "book", "Podcasts": "podcast"}

func mediaTypeOf(server string) media.MediaType {
	for word, known := range mediaTypes {
		if known == server {
			return word
		}
	}
	return media.MediaType(server)
}

// The names in Library.Settings.
const (
	// settingProvider is where the server looks for what is known of a book.
	settingProvider = "provider"
	// settingIcon is the picture beside the library's name.
	settingIcon = "icon"
)

// sameName says whether a sign-in may take two names for one.
func sameName(a, b string) bool { return fold.Unicode(a) == fold.Unicode(b) }

// capabilities are what the server can do for an account that sees all items, or not.
func capabilities(local, seesItems bool) media.Capabilities {
	roles := map[media.Role]media.RoleInfo{media.RoleOwner: {Administers: true}}
	for role := range given {
		roles[role] = media.RoleInfo{Administers: role == media.RoleAdmin, Assignable: true}
	}
	return media.Capabilities{
		Bootstrap: true, Disable: true, DeleteAccount: true, DeleteLibrary: seesItems, Authenticate: local,
		AccessAll: true, ZeroAccess: true, Email: true, Roles: roles,
		LibraryRoles: []media.LibraryRole{media.LibraryViewer}, MediaTypes: []media.MediaType{"Audiobooks", "Podcasts"},
		LibrarySettings: []string{settingProvider, settingIcon},
	}
}
