package shisho

import (
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
)

// mediaType: a library of Shisho has no type. It holds books, comics and audiobooks side by side, and calls all "books".
const mediaType media.MediaType = "Books"

// The names in Library.Settings.
const (
	// settingOrganize lets the server move and rename media files: "true" or "false".
	settingOrganize = "organizeFiles"
	// settingCover is the aspect ratio of covers, one of coverWords.
	settingCover = "coverAspectRatio"
)

// coverWords are Usher's words for the server's.
var coverWords = map[string]string{
	"book": "Book", "audiobook": "Audiobook",
	"book_fallback_audiobook": "BookFallbackAudiobook", "audiobook_fallback_book": "AudiobookFallbackBook",
}

func coverWord(server string) string {
	if word, known := coverWords[server]; known {
		return word
	}
	return server
}

// builtIn are the roles that every server has, whose names cannot change (contract, section 3).
var builtIn = map[string]media.Role{"admin": media.RoleAdmin, "editor": media.RoleEditor, "viewer": media.RoleMember}

// builtInPermissions are what the built-in roles come with, those of admin left out, which has everything.
var builtInPermissions = map[string][]string{
	"viewer": {"libraries:read", "books:read", "people:read", "series:read"},
	"editor": {
		"libraries:read", "books:read", "people:read", "series:read", "libraries:write", "books:write", "people:write", "series:write",
	},
}

// roleOf is Usher's word for a role: for a built-in one of the five, Guest for a role named so, the own name for any
// other. A name that would be mistaken for another of the five is marked, and never given.
func roleOf(name string) media.Role {
	folded := fold.ASCII(name)
	if word, known := builtIn[folded]; known {
		return word
	}
	switch folded {
	case "guest":
		return media.RoleGuest
	case "owner", "member":
		return media.Role("custom role " + name)
	}
	return media.Role(name)
}

// reserved says whether a role's name would be mistaken for one of Usher's words.
func reserved(name string) bool { return roleOf(name) == media.Role("custom role "+name) }

// administers says whether a role can change users, roles or access, or the settings of the server, as only admins do (Shisho
// seed). There is no ceiling above users:write.
func (r role) administers() bool {
	for _, p := range r.Permissions {
		if p.Operation == "write" && (p.Resource == "users" || p.Resource == "config") {
			return true
		}
	}
	return false
}

// capabilities are what the server can do for an account with those permissions.
func capabilities(roles map[media.Role]media.RoleInfo, readsBooks, zeroAccess bool) media.Capabilities {
	return media.Capabilities{
		Bootstrap: true, Disable: true, DeleteLibrary: readsBooks, Authenticate: true, RequirePasswordChange: true,
		AccessAll: true, ZeroAccess: zeroAccess, Email: true,
		Roles: roles, LibraryRoles: []media.LibraryRole{media.LibraryViewer}, MediaTypes: []media.MediaType{mediaType},
		LibrarySettings: []string{settingOrganize, settingCover},
	}
}

func roleInfos(roles []role) map[media.Role]media.RoleInfo {
	infos := make(map[media.Role]media.RoleInfo, len(roles))
	for _, r := range roles {
		infos[roleOf(r.Name)] = media.RoleInfo{Administers: r.administers(), Assignable: !reserved(r.Name)}
	}
	return infos
}

// seededRoles are what a brand-new server begins with.
func seededRoles() map[media.Role]media.RoleInfo {
	return map[media.Role]media.RoleInfo{
		media.RoleAdmin:  {Administers: true, Assignable: true},
		media.RoleEditor: {Assignable: true}, media.RoleMember: {Assignable: true},
	}
}
