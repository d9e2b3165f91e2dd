// Package fold holds the ways in which media servers take two spellings of a name for the same one (driver rule R9).
// A driver names the one that its server uses in its Traits.
package fold

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxRounds bounds the search for a fixed point in Unicode; real text needs two rounds.
const maxRounds = 8

// Unicode folds letter case and compatibility forms for all of Unicode: "ＭＩＡ" meets "mia", "STRASSE" meets "straße".
// Folding twice changes nothing.
func Unicode(s string) string {
	for range maxRounds {
		folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
		if folded == s {
			break
		}
		s = folded
	}
	return s
}

// ASCII folds the letter case of A to Z only, as SQLite's lower() and COLLATE NOCASE do: "Ünï" and "ÜNÏ" stay apart.
func ASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}

// Exact folds nothing: the server takes every spelling for another name.
func Exact(s string) string { return s }
