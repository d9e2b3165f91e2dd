package jellyfintest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	trapLine = regexp.MustCompile(`(?m)^// Trap: (.+)$`)
	comment  = regexp.MustCompile(`(?m)^// .+$`)
	citation = regexp.MustCompile(`\b([AB]\.\d+)\b`)
	numbered = regexp.MustCompile(`^(\d+)\. `)
	// invisible are the points that no request shows.
	invisible = []string{
		"B.4", // rows that are left behind in the database, with no effect on access
	}
)

// TestEveryTrapHasATest: each trap that the contract lists is named by a test, and each correction and addition is cited
// by one.
func TestEveryTrapHasATest(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "contracts", "jellyfin.md"))
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	names, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests.WriteString(strings.Join(comment.FindAllString(string(text), -1), "\n") + "\n")
	}
	var named []string
	for _, match := range trapLine.FindAllStringSubmatch(tests.String(), -1) {
		named = append(named, match[1])
	}
	wanted, points := demanded(string(page))
	if len(wanted) < 28 || len(points) < 25 {
		t.Fatalf("the page lists %d traps and %d points", len(wanted), len(points))
	}
	for _, trap := range wanted {
		if !slices.ContainsFunc(named, func(n string) bool { return strings.HasPrefix(n, trap) }) {
			t.Errorf("no test names the trap %q", trap)
		}
	}
	cited := strings.NewReplacer("\n// ", " ").Replace(tests.String())
	for _, point := range points {
		is := func(match []string) bool { return match[1] == point }
		if !slices.Contains(invisible, point) && !slices.ContainsFunc(citation.FindAllStringSubmatch(cited, -1), is) {
			t.Errorf("no test cites %s", point)
		}
	}
}

// demanded are the traps that the page lists, and the points of its corrections and additions, such as "B.3".
func demanded(page string) (traps, points []string) {
	chapter := ""
	for _, line := range strings.Split(page, "\n") {
		if title, ok := strings.CutPrefix(line, "##"); ok {
			chapter = strings.TrimSpace(strings.TrimLeft(title, "#"))
			continue
		}
		switch {
		case line == "":
		case strings.HasPrefix(chapter, "A fake must show"), strings.HasPrefix(chapter, "C."):
			for _, trap := range strings.Split(line, " · ") {
				traps = append(traps, strings.TrimSuffix(strings.TrimSpace(trap), "."))
			}
		case strings.HasPrefix(chapter, "A."), strings.HasPrefix(chapter, "B."):
			if n := numbered.FindStringSubmatch(line); n != nil {
				points = append(points, fmt.Sprintf("%s.%s", chapter[:1], n[1]))
			}
		}
	}
	return traps, points
}
