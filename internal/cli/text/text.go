// Package text fits what the commands say to the 80 columns of a terminal.
package text

import "strings"

// Columns is how wide text is.
const Columns = 80

// Wrap breaks a paragraph at spaces. What follows the first line is indented. A word that is too long stays whole.
func Wrap(paragraph, indent string) string {
	var out strings.Builder
	width := len(indent)
	for i, word := range strings.Fields(paragraph) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case width+1+n > Columns:
			out.WriteString("\n" + indent)
			width = len(indent)
		default:
			out.WriteByte(' ')
			width++
		}
		out.WriteString(word)
		width += n
	}
	return out.String()
}

// Paragraphs wraps each paragraph of a text.
func Paragraphs(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i := range paragraphs {
		paragraphs[i] = Wrap(paragraphs[i], "")
	}
	return strings.Join(paragraphs, "\n\n")
}
