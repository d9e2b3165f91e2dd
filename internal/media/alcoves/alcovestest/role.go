package alcovestest

import (
	"os"
	"path/filepath"
	"strings"
)

// Role is the one that the documentation says how to make.
const Role = "usher"

// GrantAsDocumented runs the statements of the documentation (docs/servers/alcoves.md), so that the tests have exactly the
// rights that an admin gives. Roles are of all databases of a PostgreSQL, so that one is made only once.
func GrantAsDocumented(s *Server) {
	s.t.Helper()
	statements, err := documented()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, statement := range statements {
		if strings.HasPrefix(statement, "CREATE ROLE") && s.Count(`SELECT 1 FROM pg_roles WHERE rolname = $1`, Role) > 0 {
			continue
		}
		s.Exec(statement)
	}
}

// documented reads the blocks of SQL of the page.
func documented() ([]string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	var text []byte
	for text == nil {
		if text, err = os.ReadFile(filepath.Join(dir, "docs", "servers", "alcoves.md")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			return nil, err
		}
		dir = filepath.Dir(dir)
	}
	var statements []string
	for _, rest := range strings.Split(string(text), "```sql\n")[1:] {
		block, _, _ := strings.Cut(rest, "```")
		for statement := range strings.SplitSeq(block, ";\n") {
			if statement = strings.TrimSpace(statement); statement != "" {
				statements = append(statements, statement)
			}
		}
	}
	return statements, nil
}
