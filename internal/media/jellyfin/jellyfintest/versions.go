package jellyfintest

import (
	"strconv"
	"strings"
)

// Version is the release that a fake behaves as, such as "10.11.11". What differs between releases is in the methods
// below, each with its place in the contract; patch releases count.
type Version string

// The releases that a driver is tested with.
const (
	Release1010 Version = "10.10.7"
	Release1011 Version = "10.11.11"
	Release12   Version = "12.0.0"
)

// Versions are the releases that a driver is tested with, oldest first.
func Versions() []Version { return []Version{Release1010, Release1011, Release12} }

// atLeast compares number by number; what a version does not have is zero.
func (v Version) atLeast(other Version) bool {
	mine, theirs := v.numbers(), other.numbers()
	for i := range mine {
		if mine[i] != theirs[i] {
			return mine[i] > theirs[i]
		}
	}
	return true
}

func (v Version) numbers() (numbers [3]int) {
	for i, part := range strings.SplitN(string(v), ".", 3) {
		numbers[i], _ = strconv.Atoi(part)
	}
	return numbers
}

// between says whether the release is one from the first to the last, both included.
func (v Version) between(first, last Version) bool { return v.atLeast(first) && last.atLeast(v) }

// legacyAuthorization is the default of EnableLegacyAuthorization: always on before 10.11, on in 10.11, off in 12.0
// (section 1).
func (v Version) legacyAuthorization() bool { return !v.atLeast("12.0") }

// legacySwitch: the switch is there since 10.11 (section 1).
func (v Version) legacySwitch() bool { return v.atLeast("10.11") }

// setupServer: a temporary server answers while the real one starts (section 2).
func (v Version) setupServer() bool { return v.atLeast("10.11") }

// startupServerName: the wizard's configuration has a ServerName (section 3).
func (v Version) startupServerName() bool { return v.atLeast("10.11") }

// startupUserLeaksHash: GET /Startup/User shows the password's hash (section 3).
func (v Version) startupUserLeaksHash() bool { return !v.atLeast("10.11") }

// startupUserOnce: POST /Startup/User is 403 once that user has a password, and the completed flag is restored at boot
// (section 3).
func (v Version) startupUserOnce() bool { return v.atLeast("12.0") }

// plusInNames: a name may hold a + and has no whitespace at its ends (section 4).
func (v Version) plusInNames() bool { return v.atLeast("10.11") }

// dotNamesRefused: nobody is called "." or ".." (section 4).
func (v Version) dotNamesRefused() bool { return v.atLeast("12.0") }

// hasPasswordConstant: HasPassword is always true (section 4).
func (v Version) hasPasswordConstant() bool { return v.atLeast("12.0") }

// liveTvForNewUsers: a new account may manage live TV, before 10.11.7 (section 4).
func (v Version) liveTvForNewUsers() bool { return !v.atLeast("10.11.7") }

// normalizedNames: names are unique by a column of the database, and a lost race is a 500 (corrections A.3).
func (v Version) normalizedNames() bool { return v.atLeast("10.11.9") }

// caseRenameRefused: a name cannot be given another letter case (corrections A.1).
func (v Version) caseRenameRefused() bool { return v.between("10.11.9", "10.11.11") }

// lockoutWithoutEffect: the counter rises and nobody is disabled (corrections A.2).
func (v Version) lockoutWithoutEffect() bool { return v.between("10.11.9", "10.11.11") }

// deletesManyDevices: DELETE /Devices takes several ids, or none (corrections A.5).
func (v Version) deletesManyDevices() bool { return v.atLeast("12.0") }

// initiateByGet: Quick Connect can be initiated by GET (corrections A.6).
func (v Version) initiateByGet() bool { return !v.atLeast("12.0") }

// easyPasswordRoute: gone in 12.0 (section 9, corrections A.6).
func (v Version) easyPasswordRoute() bool { return !v.atLeast("12.0") }

// ratingScores: a rating has a score and a sub-score (corrections A.7).
func (v Version) ratingScores() bool { return v.atLeast("10.11") }

// loginSavesUser: a login writes the whole user that it loaded before (additions B.1).
func (v Version) loginSavesUser() bool { return !v.atLeast("12.0") }

// linksNewPaths: POST …/LibraryOptions also links the paths that are new in it (section 7).
func (v Version) linksNewPaths() bool { return v.atLeast("10.11") }

// libraryNamesChecked: a library's name may not be blank or have spaces at its ends, at creation (section 7,
// additions B.9).
func (v Version) libraryNamesChecked() bool { return v.atLeast("12.0") }

// tagsNormalized: both sides are cleaned and case-folded before they are compared (additions B.12).
func (v Version) tagsNormalized() bool { return v.atLeast("12.0") }

// latestIgnoresTags: the rows of the latest show what tags hide (additions B.12).
func (v Version) latestIgnoresTags() bool { return v.between("10.11.0", "10.11.2") }
