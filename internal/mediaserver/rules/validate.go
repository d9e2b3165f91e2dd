package rules

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds on input. Lengths are in characters (Unicode code points) unless they say otherwise.
const (
	MaxUsername    = 64
	MaxEmail       = 254
	MaxDisplayName = 200
	MinPassword    = 8
	MaxPassword    = 128
	MaxLibraryName = 100
	MaxServerName  = 100
	MaxEmoji       = 32
	// MaxLibraryPaths is how many directories one library may have.
	MaxLibraryPaths = 100
	// MaxPathBytes is how long one directory's path may be, in bytes.
	MaxPathBytes = 4096
	// MaxAccessEntries is how many libraries one access set may name.
	MaxAccessEntries = 5000
)

// line reports what is wrong with s as a single line of min to max characters, or "".
func line(s string, min, max int) string {
	n := utf8.RuneCountInString(s)
	switch {
	case !utf8.ValidString(s):
		return "must be valid UTF-8"
	case n < min || n > max:
		return fmt.Sprintf("must have %d to %d characters", min, max)
	case strings.IndexFunc(s, unicode.IsControl) >= 0:
		return "must not contain control characters"
	case strings.TrimSpace(s) != s:
		return "must not begin or end with a space"
	}
	return ""
}

// CheckUsername says what is wrong with a username, or "". Invisible formatting characters are refused as well as
// control characters, so that no two names look the same on a page.
func CheckUsername(s string) string {
	if message := line(s, 1, MaxUsername); message != "" {
		return message
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cf, r) }) {
		return "must not contain invisible characters"
	}
	return ""
}

// CheckEmail says what is wrong with a mail address, or "". It asks only for something on both sides of one "@": what
// is deliverable is for the mail system to know.
func CheckEmail(s string) string {
	if message := line(s, 3, MaxEmail); message != "" {
		return message
	}
	local, domain, found := strings.Cut(s, "@")
	if !found || local == "" || domain == "" || strings.Contains(domain, "@") || strings.ContainsFunc(s, unicode.IsSpace) {
		return "must look like mia@example.org"
	}
	return ""
}

// CheckDisplayName says what is wrong with a display name, or "".
func CheckDisplayName(s string) string { return line(s, 1, MaxDisplayName) }

// CheckPassword says what is wrong with a new password, or "". Any characters are welcome.
func CheckPassword(s string) string {
	if n := utf8.RuneCountInString(s); n < MinPassword || n > MaxPassword {
		return fmt.Sprintf("must have %d to %d characters", MinPassword, MaxPassword)
	}
	return ""
}

// CheckLibraryName says what is wrong with a library's name, or "".
func CheckLibraryName(s string) string { return line(s, 1, MaxLibraryName) }

// CheckServerName says what is wrong with the server's name, or "".
func CheckServerName(s string) string { return line(s, 1, MaxServerName) }

// CheckEmoji says what is wrong with a library's emoji, or "". One emoji can take many code points.
func CheckEmoji(s string) string { return line(s, 1, MaxEmoji) }

// CheckLibraryType says what is wrong with a library's type, or "".
func CheckLibraryType(t LibraryType) string {
	if slices.Contains(LibraryTypes(), t) {
		return ""
	}
	return fmt.Sprintf("must be one of %v", LibraryTypes())
}

// CheckPath says what is wrong with the text of a library's directory, or "". Whether it exists, and below which root,
// is for the media package to find out.
func CheckPath(s string) string {
	switch {
	case s == "" || len(s) > MaxPathBytes:
		return fmt.Sprintf("must have 1 to %d bytes", MaxPathBytes)
	case strings.ContainsFunc(s, unicode.IsControl):
		return "must not contain control characters"
	case !filepath.IsAbs(s):
		return "must be an absolute path, as this server sees it"
	}
	return ""
}

// CheckText says what is wrong with text that somebody wrote about an item, or "". Only a text of several lines may
// hold newlines and tabs.
func CheckText(s string, lines bool) string {
	switch {
	case !utf8.ValidString(s):
		return "must be valid UTF-8"
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && (!lines || (r != '\n' && r != '\t')) }):
		return "must not contain control characters"
	}
	return ""
}
