package jellyfin

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/usher-media/usher/internal/media"
)

// collectionTypes are the server's words for what a library holds (section 7). One without is mixed.
var collectionTypes = map[media.MediaType]string{
	"Movies": "movies", "Shows": "tvshows", "Music": "music", "Books": "books", "Photos": "homevideos", "Mixed": "mixed",
}

// mediaTypes in the order of Capabilities.
var mediaTypes = []media.MediaType{"Movies", "Shows", "Music", "Books", "Photos", "Mixed"}

func typeOf(collection string) media.MediaType {
	if collection == "" {
		return "Mixed"
	}
	for known, word := range collectionTypes {
		if word == strings.ToLower(collection) {
			return known
		}
	}
	return media.MediaType(collection)
}

// foldName compares names as the server does: by their upper case, letter for letter (section 4). The dotless i has none in
// the culture that is used for it.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == 'ı' {
			return r
		}
		return unicode.ToUpper(r)
	}, name)
}

// version is one of the server's.
type version struct{ major, minor, patch int }

var (
	// oldest is the first that Usher knows. What says that it is an older one may be another product: Navidrome's own
	// Jellyfin API calls itself Jellyfin 10.9.11 (Navidrome contract).
	oldest = version{10, 10, 0}
	// newer is the first of which nothing is known.
	newer       = version{13, 0, 0}
	plusInNames = version{10, 11, 0}

	versionForm = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:[.-].*)?$`)
)

// parseVersion reads one, with whatever follows on its three numbers; zero for what is none.
func parseVersion(text string) version {
	parts := versionForm.FindStringSubmatch(text)
	if parts == nil {
		return version{}
	}
	var numbers [3]int
	for i := range numbers {
		numbers[i], _ = strconv.Atoi(parts[i+1]) // at most four digits
	}
	return version{numbers[0], numbers[1], numbers[2]}
}

func (v version) before(other version) bool {
	return slices.Compare([]int{v.major, v.minor, v.patch}, []int{other.major, other.minor, other.patch}) < 0
}

// checkName refuses a username that the server would refuse, or that some versions would (section 4).
func checkName(name string, on version) error {
	ok := name != "" && utf8.RuneCountInString(name) <= maxUsername && name == strings.TrimSpace(name) && name != "." && name != ".."
	for _, r := range name {
		word := unicode.IsLetter(r) || unicode.In(r, unicode.Mn, unicode.Nd, unicode.Pc)
		ok = ok && (word || strings.ContainsRune(" -'.@", r) || r == '+' && !on.before(plusInNames))
	}
	if !ok || temporary(name) {
		return media.Errorf(media.Invalid, "a username on a Jellyfin server has letters, digits, spaces within and - _ ' . @ (since 10.11 also +), up to %d characters", maxUsername)
	}
	return nil
}

func checkPassword(password string) error {
	if len(password) < minPassword || len(password) > maxPassword {
		return media.Errorf(media.Invalid, "a password needs %d to %d bytes", minPassword, maxPassword)
	}
	return nil
}

// checkLibraryName refuses what cannot be the name of a directory everywhere: the server would replace it without a word.
func checkLibraryName(name string) error {
	if name == "" || name != strings.TrimSpace(name) || strings.TrimRight(name, ".") != name || len(name) > 200 ||
		strings.ContainsAny(name, `\/:*?"<>|`) || strings.ContainsFunc(name, unicode.IsControl) {
		return media.Errorf(media.Invalid, `a library's name on a Jellyfin server is that of a directory: up to 200 bytes, without \ / : * ? " < > | and without a space or a dot at its end`)
	}
	return nil
}

// same says whether two sets hold the same.
func same[T cmp.Ordered](a, b []T) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
}
