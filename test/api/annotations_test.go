package api

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// TestAnnotationsAreDocumented: the table in docs/permissions.md says of each annotation who sets it and what it does, and of no other.
func TestAnnotationsAreDocumented(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(tableOf(t, "Annotation", "On", "Set by", "Does"), "\n\n")
	sameSet(t, "annotations", rows(table, `(?m)^\| `+"`([^`]+)`"+` \| [^|]+ \| (?:people|Usher) \| [^|]+ \|$`), inCode(t, root))
}

// inCode are the values of the constants of annotations in the whole program.
func inCode(t *testing.T, root string) (values []string) {
	t.Helper()
	constant := regexp.MustCompile(`(?m)^(?:\s+|const )[Aa]nnotation\w+\s+= "(usher\.media/[^"]+)"`)
	for _, dir := range []string{"api", "internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range constant.FindAllStringSubmatch(string(text), -1) {
				values = append(values, match[1])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return values
}
