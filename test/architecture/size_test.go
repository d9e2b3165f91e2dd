package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// What a reader can hold in mind: a whole thought in one file beats two halves. A test that tells a story, or a table, may be
// somewhat longer than code.
const (
	maxFunction     = 60
	maxTestFunction = 80
	maxFile         = 500
)

// TestSizes: no function is longer than a screen, no file than what one reads in one go.
func TestSizes(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != root && strings.HasPrefix(name, ".") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".go") && !strings.HasPrefix(name, "zz_generated") {
			measure(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func measure(t *testing.T, path string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if lines := files.Position(file.FileEnd).Line; lines > maxFile+1 {
		t.Errorf("%s has %d lines, more than %d", path, lines, maxFile)
	}
	limit := maxFunction
	if strings.HasSuffix(path, "_test.go") {
		limit = maxTestFunction
	}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if lines := files.Position(function.End()).Line - files.Position(function.Pos()).Line + 1; lines > limit {
			t.Errorf("%s: %s has %d lines, more than %d", path, function.Name.Name, lines, limit)
		}
	}
}
