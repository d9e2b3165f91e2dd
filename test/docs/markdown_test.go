// Package docs holds the pages to what is there: links resolve, manifests are accepted, and commands, flags, files, tests
// and annotations that a page names exist.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// page is a Markdown file of ours.
type page struct {
	// name is the path below root.
	root, name, text string
}

// block is what stands between two fences.
type block struct {
	page, language, text string
	line                 int
}

// span is a piece of code within a sentence.
type span struct {
	page, text string
	line       int
}

func repository(t *testing.T) string {
	t.Helper()
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// all returns every page.
func all(t *testing.T) []page {
	t.Helper()
	root := repository(t)
	var pages []page
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		if entry.IsDir() && strings.HasPrefix(name, ".") && name != "." && name != ".github" {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".md") {
			return nil
		}
		text, err := os.ReadFile(path)
		pages = append(pages, page{root: root, name: name, text: string(text)})
		return err
	})
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	return pages
}

// own returns the pages that speak of Usher: the contracts speak of other servers.
func own(t *testing.T) []page {
	t.Helper()
	var pages []page
	for _, p := range all(t) {
		if !strings.HasPrefix(p.name, "docs/contracts/") {
			pages = append(pages, p)
		}
	}
	return pages
}

var fence = regexp.MustCompile("^ *```(\\w*)")

// blocks returns the blocks of a page, and its prose: the text without them, line by line.
func (p page) blocks() (blocks []block, prose []string) {
	var open *block
	indent := 0
	for i, line := range strings.Split(p.text, "\n") {
		match := fence.FindStringSubmatch(line)
		prose = append(prose, "")
		switch {
		case match != nil && open == nil:
			open = &block{page: p.name, language: match[1], line: i + 1}
			indent = strings.Index(line, "`")
		case match != nil:
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.text += line[min(indent, len(line)-len(strings.TrimLeft(line, " "))):] + "\n"
		default:
			prose[i] = line
		}
	}
	return blocks, prose
}

var inline = regexp.MustCompile("`([^`]+)`")

// spans returns the code within sentences. One that is broken between two lines is found, too.
func (p page) spans() (spans []span) {
	_, prose := p.blocks()
	text := strings.Join(prose, "\n")
	for _, at := range inline.FindAllStringSubmatchIndex(text, -1) {
		code := text[at[2]:at[3]]
		if strings.Contains(code, "\n\n") {
			continue
		}
		spans = append(spans, span{page: p.name, line: 1 + strings.Count(text[:at[2]], "\n"), text: strings.Join(strings.Fields(code), " ")})
	}
	return spans
}
