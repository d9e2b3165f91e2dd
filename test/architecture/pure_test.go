package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// TestThePlannerIsPure: it reads no clock, does no I/O, and holds nothing between two plans. Of the kit it knows values alone.
func TestThePlannerIsPure(t *testing.T) {
	t.Parallel()
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	pure := []string{"cmp", "fmt", "maps", "slices", "strings"}
	values := []string{"Access", "Account", "AccountChange", "Capabilities", "LibraryID", "LibraryRole", "Role", "RoleAdmin", "RoleOwner", "Traits", "Truncate"}
	files, err := filepath.Glob(filepath.Join(root, planner, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no planner: %v", err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			if !strings.HasPrefix(name, ours) && !slices.Contains(pure, name) {
				t.Errorf("%s imports %s", filepath.Base(path), name)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if of, is := n.X.(*ast.Ident); is && of.Name == "media" && !slices.Contains(values, n.Sel.Name) {
					t.Errorf("%s uses media.%s", filepath.Base(path), n.Sel.Name)
				}
			case *ast.GenDecl:
				if n.Tok == token.VAR && slices.Contains(file.Decls, ast.Decl(n)) {
					t.Errorf("%s has a variable", filepath.Base(path))
				}
			}
			return true
		})
	}
}
