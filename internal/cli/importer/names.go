package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxName bounds the names that are made. Kubernetes takes longer ones; a label's value has at most 63 characters.
const maxName = 50

// namer gives out names, each once.
type namer map[string]bool

// give returns the wanted name, or the next one that is free: movies, movies-2.
func (n namer) give(want string) string {
	for i := 1; ; i++ {
		name := want
		if i > 1 {
			name = want + "-" + strconv.Itoa(i)
		}
		if !n[name] {
			n[name] = true
			return name
		}
	}
}

// slug makes a name that Kubernetes takes out of one that people gave: small letters, digits and dashes. Of an email address, the
// part before the @ counts. What leaves nothing is named after its id.
func slug(name, kind, id string) string {
	local, _, _ := strings.Cut(name, "@")
	if made := dashed(local); made != "" {
		return made
	}
	sum := sha256.Sum256([]byte(id))
	return kind + "-" + hex.EncodeToString(sum[:3])
}

func dashed(name string) string {
	var out strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(strings.ReplaceAll(name, "ß", "ss")) {
		switch r = unicode.ToLower(r); {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && out.Len() > 0 {
				out.WriteByte('-')
			}
			gap = false
			out.WriteRune(r)
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’': // an accent that was taken apart, an apostrophe
		default:
			gap = true
		}
	}
	return cut(out.String())
}

func cut(name string) string {
	return strings.Trim(name[:min(len(name), maxName)], "-")
}

// joined names a few things together: movies, movies-and-tv, movies-and-3-more.
func joined(names []string) string {
	switch len(names) {
	case 0:
		return "nothing"
	case 1:
		return names[0]
	case 2:
		return cut(names[0] + "-and-" + names[1])
	}
	rest := "-and-" + strconv.Itoa(len(names)-1) + "-more"
	return strings.Trim(names[0][:min(len(names[0]), maxName-len(rest))], "-") + rest
}
