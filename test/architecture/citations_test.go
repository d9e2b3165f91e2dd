package architecture

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// What comments cite: a decision ("design D3"), a section of a contract, a line of a seed, a page, a file.
var (
	decision  = regexp.MustCompile(`\bD\d{1,2}\b`)
	heading   = regexp.MustCompile(`(?m)^#+ (?:\*\*)?([A-Z]?\d+(?:\.\d+)*)\b`)
	sections  = regexp.MustCompile(`\b[Ss]ections? (\d[\d.]*\d|\d)((?:, | and | to )\d+)*`)
	contract  = regexp.MustCompile(`\b(Dubby|Alcoves|Shisho|Jellyfin|Navidrome|Audiobookshelf) (?:seed and )?contract\b`)
	seed      = regexp.MustCompile(`\b(Dubby access|Dubby roles|[A-Z]\w+) seed\b(?:'s table)?(?:,? \(?lines? (\d+(?:(?: \([^)]*\))?(?:, | and | to )\d+)*))?`)
	inside    = regexp.MustCompile(`\([^)]*\)`)
	page      = regexp.MustCompile(`\b[A-Z]{3,}\.md\b`)
	elsewhere = regexp.MustCompile(`(?:OPDS|EPUB|RFC) [\d.]+, $`)
	retired   = regexp.MustCompile(`\b(?:DESIGN|HOUSE|the issue|issue:)`)
	file      = regexp.MustCompile(`\b(?:docs|config|hack|test|internal|cmd|api|charts)/[\w./-]*\w\.(?:md|go|sh|yaml|txt|sql)\b(?:#[\w-]+)?`)
	number    = regexp.MustCompile(`\d+`)
)

// pages are what comments may cite, read once.
type pages struct {
	root      string
	decisions map[string]bool
	contracts map[string]map[string]bool
	seeds     map[string]bool
}

// TestCommentsCiteWhatIsThere: a reader of a comment finds the page, the section, the decision and the file that it names.
func TestCommentsCiteWhatIsThere(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	cited := readPages(t, root)
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "bin") {
			return filepath.SkipDir
		}
		name, err := filepath.Rel(root, path)
		if err != nil || entry.IsDir() {
			return err
		}
		for line, text := range comments(t, path) {
			for _, problem := range cited.problems(name, text) {
				t.Errorf("%s:%d: %s", name, line, problem)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readPages reads which sections the contracts have, which decisions the design, and which lines the table of seeds.
func readPages(t *testing.T, root string) pages {
	t.Helper()
	p := pages{root: root, contracts: map[string]map[string]bool{}, seeds: map[string]bool{}}
	p.decisions = headings(t, filepath.Join(root, "docs", "design.md"))
	names, err := filepath.Glob(filepath.Join(root, "docs", "contracts", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		p.contracts[strings.TrimSuffix(filepath.Base(name), ".md")] = headings(t, name)
	}
	source := ""
	for _, line := range strings.Split(read(t, filepath.Join(root, "docs", "seeds.md")), "\n") {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			source = title
			p.seeds[source] = true
		}
		if cells := strings.Split(line, "|"); len(cells) > 2 && number.MatchString(cells[1]) {
			p.seeds[source+" "+strings.TrimSpace(cells[1])] = true
		}
	}
	return p
}

func headings(t *testing.T, name string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(read(t, name), -1) {
		found[match[1]] = true
	}
	return found
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Error(err)
	}
	return string(content)
}

// problems says what a comment cites that is not there.
func (p pages) problems(name, text string) []string {
	var problems []string
	complain := func(words ...string) { problems = append(problems, strings.Join(words, " ")) }
	for _, cited := range append(page.FindAllString(text, -1), retired.FindAllString(text, -1)...) {
		if _, err := os.Stat(filepath.Join(p.root, cited)); err != nil {
			complain("cites", cited, "which is not in the repository")
		}
	}
	for _, cited := range file.FindAllString(text, -1) {
		path, _, _ := strings.Cut(cited, "#")
		if _, err := os.Stat(filepath.Join(p.root, path)); err != nil {
			complain("names the file", cited, "which is not there")
		}
	}
	for _, cited := range decision.FindAllString(text, -1) {
		if !p.decisions[cited] {
			complain("cites", cited, "which docs/design.md does not have")
		}
	}
	return append(append(problems, p.missingSections(name, text)...), p.missingLines(text)...)
}

// missingSections: a section is one of the contract that the comment names, else of the driver's in whose folder it is.
func (p pages) missingSections(name, text string) []string {
	var problems []string
	for _, at := range sections.FindAllStringIndex(text, -1) {
		before, cited := text[:at[0]], text[at[0]:at[1]]
		if elsewhere.MatchString(before) {
			continue
		}
		which := p.decisions
		if !strings.HasSuffix(strings.TrimRight(before, ",( "), "design") {
			which = p.contracts[p.contractOf(name, before)]
		}
		for _, section := range number.FindAllString(cited, -1) {
			if !which[section] {
				problems = append(problems, "cites "+cited+" of no page in docs/contracts")
			}
		}
	}
	return problems
}

func (p pages) contractOf(name, before string) string {
	if named := contract.FindAllStringSubmatch(before, -1); named != nil {
		return strings.ToLower(named[len(named)-1][1])
	}
	if rest, ok := strings.CutPrefix(filepath.ToSlash(name), "internal/media/"); ok {
		driver, _, _ := strings.Cut(rest, "/")
		return driver
	}
	return ""
}

// missingLines: what a comment says of a seed stands in docs/seeds.md, by the line of the page that it was read on.
func (p pages) missingLines(text string) []string {
	var problems []string
	for _, match := range seed.FindAllStringSubmatch(text, -1) {
		if source := match[1]; !p.seeds[source] {
			problems = append(problems, "cites the "+source+" seed, which docs/seeds.md does not have")
			continue
		}
		for _, line := range number.FindAllString(inside.ReplaceAllString(match[2], ""), -1) {
			if cited := match[1] + " " + line; !p.seeds[cited] {
				problems = append(problems, "cites a line that docs/seeds.md does not have: "+cited)
			}
		}
	}
	return problems
}

// comments returns the comments of a file by the line on which they begin, each as one line of text.
func comments(t *testing.T, path string) map[int]string {
	t.Helper()
	switch filepath.Ext(path) {
	case ".go":
		return goComments(t, path)
	case ".sh", ".yaml", ".yml", ".sql", "":
		return lineComments(read(t, path))
	}
	return nil
}

func goComments(t *testing.T, path string) map[int]string {
	t.Helper()
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]string{}
	for _, group := range parsed.Comments {
		var words []string
		for _, line := range group.List {
			words = append(words, strings.Fields(strings.Trim(line.Text, "/*"))...)
		}
		found[files.Position(group.Pos()).Line] = strings.Join(words, " ")
	}
	return found
}

func lineComments(content string) map[int]string {
	found, begin := map[int]string{}, 0
	for i, line := range strings.Split(content, "\n") {
		text := strings.TrimSpace(line)
		comment := strings.TrimLeft(text, "#- ")
		if !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "--") {
			begin = 0
			continue
		}
		if begin == 0 {
			begin = i + 1
		}
		found[begin] += comment + " "
	}
	return found
}

// TestCitationsOfNothingAreSeen: each kind of citation that leads nowhere is found.
func TestCitationsOfNothingAreSeen(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	cited := readPages(t, root)
	for text, wrong := range map[string]bool{
		"nobody loses anything (design D3)":                       false,
		"nobody loses anything (design D99)":                      true,
		"budgets (design, section 4)":                             false,
		"budgets (design, section 44)":                            true,
		"as it was decided (" + "DESIGN" + " D3)":                 true,
		"the server's own (section 3)":                            false,
		"the server's own (section 33)":                           true,
		"as Dubby does (Dubby contract, sections 3 and 7)":        false,
		"as Dubby does (Dubby contract, sections 3 and 77)":       true,
		"a feed has an author (RFC 4287, section 4.1.1)":          false,
		"the states (Alcoves seed, lines 49 to 53)":               false,
		"the states (Alcoves seed, lines 49 and 99)":              true,
		"the roles of the Komga seed":                             true,
		"docs/status.md and docs/status.md#states say what to do": false,
		"docs/statuses.md says what to do":                        true,
		"NOTES.md has the reasons":                                true,
	} {
		if problems := cited.problems("internal/media/alcoves/driver.go", text); (len(problems) > 0) != wrong {
			t.Errorf("%q: found %q, want something: %t", text, problems, wrong)
		}
	}
	if len(cited.problems("internal/mediaserver/server.go", "as documented (section 3)")) == 0 {
		t.Error("a section of no page is not found outside of a driver")
	}
}

// TestSeedsNameTests: docs/seeds.md says by which tests a rule is held, and each of them is there.
func TestSeedsNameTests(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(read(t, path), -1) {
				there[match[1]] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(read(t, filepath.Join(root, "docs", "seeds.md")), -1)
	if len(named) == 0 {
		t.Error("docs/seeds.md names no tests")
	}
	for _, match := range named {
		if !there[match[1]] {
			t.Errorf("docs/seeds.md names %s, and there is no such test", match[1])
		}
	}
}
