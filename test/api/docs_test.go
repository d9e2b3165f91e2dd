package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// stateTypes are the types whose constants docs/status.md explains as states.
var stateTypes = []string{"MediaServerState", "UserState", "LibraryGrantState", "InviteState", "RedemptionPhase"}

// TestStatusIsDocumented: docs/status.md explains each reason and each state, once, and no others.
func TestStatusIsDocumented(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "status.md"))
	if err != nil {
		t.Fatal(err)
	}
	reasons, states, found := strings.Cut(string(text), "\n## States\n")
	if !found {
		t.Fatal("docs/status.md has no section States")
	}
	_, reasons, _ = strings.Cut(reasons, "\n## ")
	coded := constants(t, filepath.Join(root, "api", "v1alpha1"))
	sameSet(t, "reasons", rows(reasons, `(?m)^\| `+"`(\\w+)`"), coded["reason"])
	sameSet(t, "states", rows(states, `(?m)^\|[^|]*\| `+"`(\\w+)`"), coded["state"])
}

func rows(text, pattern string) []string {
	var out []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		out = append(out, match[1])
	}
	return out
}

// constants returns the values of the constants Reason... and of the state types.
func constants(t *testing.T, dir string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok {
				if kind := classify(spec); kind != "" {
					out[kind] = append(out[kind], value(t, spec))
				}
			}
			return true
		})
	}
	return out
}

func classify(spec *ast.ValueSpec) string {
	if name, ok := spec.Type.(*ast.Ident); ok && slices.Contains(stateTypes, name.Name) {
		return "state"
	}
	if strings.HasPrefix(spec.Names[0].Name, "Reason") {
		return "reason"
	}
	return ""
}

func value(t *testing.T, spec *ast.ValueSpec) string {
	t.Helper()
	text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func sameSet(t *testing.T, what string, documented, coded []string) {
	t.Helper()
	slices.Sort(documented)
	slices.Sort(coded)
	if !slices.Equal(documented, coded) {
		t.Errorf("%s: the page has\n%v\nthe code has\n%v", what, documented, coded)
	}
}

// TestMetricsAreDocumented: docs/metrics.md explains each metric of ours, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	var coded []string
	for _, file := range []string{"internal/app/metrics.go", "internal/controller/metrics.go", "internal/health/health.go"} {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		coded = append(coded, rows(string(source), `"(usher_\w+)"`)...)
	}
	sameSet(t, "metrics", rows(string(text), `(?m)^\| `+"`(usher_\\w+)`"), coded)
}
