package dubby

import (
	"regexp"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

const (
	wordAdmin  = "admin"
	wordMember = "member"
	wordGuest  = "guest"
)

var (
	// roles are the four that there are (section 4).
	roles = map[string]media.Role{
		"owner": media.RoleOwner, wordAdmin: media.RoleAdmin, wordMember: media.RoleMember, wordGuest: media.RoleGuest,
	}
	roleWords = map[media.Role]string{media.RoleAdmin: wordAdmin, media.RoleMember: wordMember, media.RoleGuest: wordGuest}

	// mediaTypes are the words that are known ("movie" and "tv", section 5), and their plain variants.
	mediaTypes = map[string]media.MediaType{
		"movie": "Movies", "movies": "Movies", "tv": "Shows", "show": "Shows", "shows": "Shows", "music": "Music",
		"podcast": "Podcasts", "podcasts": "Podcasts", "audiobook": "Audiobooks", "audiobooks": "Audiobooks",
		"book": "Books", "books": "Books", "comic": "Comics", "comics": "Comics", "photo": "Photos", "photos": "Photos",
		"mixed": "Mixed",
	}
	// documentedTypes are those that are made where the server's document lists none.
	documentedTypes = []string{"movie", "tv"}

	// emailForm is what a new account's email address looks like: ASCII, so that lower case has one meaning.
	emailForm = regexp.MustCompile(`^[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

// roleOf passes a role that is not known on as the server spells it: it is never rounded up or down.
func roleOf(word string) media.Role {
	if role, known := roles[word]; known {
		return role
	}
	return media.Role(word)
}

// typeOf does the same for media types.
func typeOf(word string) media.MediaType {
	if known, ok := mediaTypes[word]; ok {
		return known
	}
	return media.MediaType(word)
}

// checkPassword repeats the server's rule: 8 to 128 characters, with a lower and an upper case letter and a digit
// (section 3), of ASCII: what a server without a word on others refuses would cost an invite. It is checked before anything is minted for the account.
func checkPassword(password string) error {
	lower := strings.ContainsFunc(password, func(r rune) bool { return 'a' <= r && r <= 'z' })
	upper := strings.ContainsFunc(password, func(r rune) bool { return 'A' <= r && r <= 'Z' })
	digit := strings.ContainsFunc(password, func(r rune) bool { return '0' <= r && r <= '9' })
	if len(password) < minPassword || len(password) > maxPassword || !lower || !upper || !digit {
		return media.Errorf(media.Invalid,
			"a Dubby password has %d to %d characters, with a lower case letter, an upper case letter and a digit", minPassword, maxPassword)
	}
	return nil
}
