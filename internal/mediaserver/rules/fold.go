package rules

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxFoldRounds bounds the search for a fixed point; real text needs two rounds.
const maxFoldRounds = 8

// Fold returns the form under which names and mail addresses are compared: two of them mean the same account exactly
// when their folded forms are equal (Shisho seed, line 35: "Usernames and email addresses must be unique
// (case-insensitive)"). Letter case and compatibility forms are folded for all of Unicode, so "ＭＩＡ" meets "mia" and
// "STRASSE" meets "straße". Folding twice changes nothing.
func Fold(s string) string {
	// No name holds a zero byte, and some databases refuse it even in a question.
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	for range maxFoldRounds {
		folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
		if folded == s {
			break
		}
		s = folded
	}
	return s
}
