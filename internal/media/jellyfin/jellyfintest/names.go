package jellyfintest

import (
	"strings"
	"unicode"

	"github.com/usher-media/usher/internal/media/fold"
)

// validName says whether the release takes a name (section 4).
func (v Version) validName(name string) bool {
	switch {
	case strings.TrimSpace(name) == "":
		return false
	case v.plusInNames() && strings.TrimSpace(name) != name:
		return false
	case v.dotNamesRefused() && (name == "." || name == ".."):
		return false
	}
	allowed := "-_'.@ "
	if v.plusInNames() {
		allowed += "+"
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(allowed, r) {
			return false
		}
	}
	return true
}

// renames says whether a user may be called by another name. Before 10.11.9 the database compares by ASCII alone, so that
// twins such as ä and Ä can come to be (corrections A.3).
func (s *Server) renames(u *user, name string) bool {
	same := func(a, b string) bool { return fold.ASCII(a) == fold.ASCII(b) }
	if s.version.normalizedNames() {
		same = func(a, b string) bool { return upper(a) == upper(b) }
	}
	switch {
	case !s.version.validName(name):
		return false
	case s.version.caseRenameRefused() && upper(u.name) == upper(name):
		// The compare with the old name ignores letter case (corrections A.1).
		return false
	}
	return !s.any(func(other *user) bool { return other != u && same(other.name, name) })
}
