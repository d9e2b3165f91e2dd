package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`^#+ +(.*)$`)
	markup  = regexp.MustCompile("`|\\*\\*|\\[([^\\]]*)\\]\\([^)]*\\)")
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks: every relative link leads to a file of the repository, and every anchor to a heading of it.
func TestLinks(t *testing.T) {
	pages := all(t)
	anchors := map[string]map[string]bool{}
	for _, p := range pages {
		anchors[filepath.Join(p.root, p.name)] = p.anchors()
	}
	links := 0
	for _, p := range pages {
		_, prose := p.blocks()
		for i, line := range prose {
			for _, match := range link.FindAllStringSubmatch(inline.ReplaceAllString(line, ""), -1) {
				if strings.Contains(match[1], "://") || strings.HasPrefix(match[1], "mailto:") {
					continue
				}
				links++
				path, anchor, _ := strings.Cut(match[1], "#")
				target := filepath.Join(p.root, filepath.Dir(p.name), path)
				if path == "" {
					target = filepath.Join(p.root, p.name)
				}
				if _, err := os.Stat(target); err != nil {
					t.Errorf("%s:%d: %s leads nowhere", p.name, i+1, match[1])
				} else if anchor != "" && !anchors[target][anchor] {
					t.Errorf("%s:%d: there is no heading for %s", p.name, i+1, match[1])
				}
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links were found", links)
	}
}

// anchors are those that GitHub makes of the headings.
func (p page) anchors() map[string]bool {
	found := map[string]bool{}
	_, prose := p.blocks()
	for _, line := range prose {
		if match := heading.FindStringSubmatch(line); match != nil {
			text := strings.ToLower(markup.ReplaceAllString(match[1], "$1"))
			found[strings.ReplaceAll(dropped.ReplaceAllString(text, ""), " ", "-")] = true
		}
	}
	return found
}

var (
	path     = regexp.MustCompile(`^(?:api|cmd|config|docs|hack|internal|test|\.github)/[\w./-]*$`)
	testName = regexp.MustCompile(`^(?:Test|Fuzz|Benchmark)[A-Z]\w*$`)
	function = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
)

// examples are names in the page that shows how to write a driver: of a server that there is not, and of what its driver has.
var examples = map[string]bool{"TestConformance": true, "FuzzDecode": true, "BenchmarkDriver": true, "TestRecordings": true}

// TestNamedFilesAndTests: a file, folder or test that a page names is there.
func TestNamedFilesAndTests(t *testing.T) {
	tests := map[string]bool{}
	for _, file := range sources(t, "_test.go") {
		for _, match := range function.FindAllStringSubmatch(file, -1) {
			tests[match[1]] = true
		}
	}
	named := 0
	for _, p := range own(t) {
		for _, s := range p.spans() {
			switch {
			case path.MatchString(s.text):
				named++
				if _, err := os.Stat(filepath.Join(p.root, strings.TrimSuffix(s.text, "/..."))); err != nil && !strings.Contains(s.text, "betamax") {
					t.Errorf("%s:%d: there is no %s", s.page, s.line, s.text)
				}
			case testName.MatchString(s.text) && !examples[s.text]:
				named++
				if !tests[s.text] {
					t.Errorf("%s:%d: there is no test %s", s.page, s.line, s.text)
				}
			}
		}
	}
	if named < 50 {
		t.Errorf("only %d files and tests were found", named)
	}
}

// sources returns the text of every Go file of ours whose name ends so.
func sources(t *testing.T, suffix string) (texts []string) {
	t.Helper()
	root := repository(t)
	for _, folder := range []string{"api", "cmd", "hack", "internal", "test"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, suffix) {
				return err
			}
			text, err := os.ReadFile(path)
			texts = append(texts, string(text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

var (
	ours     = regexp.MustCompile(`(?:^|[^.\w])usher\.media/([a-z-]+)\b`)
	constant = regexp.MustCompile(`"usher\.media/([a-z-]+)"|Finalizer\s+= GroupVersion`)
)

// TestAnnotationsExist: each annotation, label or finalizer of ours that a page names is a constant of the API.
func TestAnnotationsExist(t *testing.T) {
	known := map[string]bool{}
	for _, file := range sources(t, ".go") {
		for _, match := range constant.FindAllStringSubmatch(file, -1) {
			known[match[1]] = true
		}
	}
	for _, p := range own(t) {
		for i, line := range strings.Split(p.text, "\n") {
			for _, match := range ours.FindAllStringSubmatch(line, -1) {
				if name := match[1]; !known[name] && name != "v" {
					t.Errorf("%s:%d: nothing reads usher.media/%s", p.name, i+1, name)
				}
			}
		}
	}
}

var metric = regexp.MustCompile(`\busher_[a-z_]+\b`)

// TestMetricsExist: each metric that a page names is one that the operator serves; alert rules among them.
func TestMetricsExist(t *testing.T) {
	known := strings.Join(sources(t, ".go"), "\n")
	for _, p := range own(t) {
		for i, line := range strings.Split(p.text, "\n") {
			for _, name := range metric.FindAllString(line, -1) {
				if !strings.Contains(known, `"`+name+`"`) {
					t.Errorf("%s:%d: there is no metric %s", p.name, i+1, name)
				}
			}
		}
	}
}
