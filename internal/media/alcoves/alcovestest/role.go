package alcovestest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Role is the one that the documentation says how to make.
const Role = "usher"

// GrantAsDocumented runs the statements of the documentation (docs/servers/alcoves.md), so that the tests have exactly the
// rights that an admin gives.
func GrantAsDocumented(s *Server) {
	s.t.Helper()
	for _, statement := range Documented(s.t) {
		if strings.HasPrefix(statement, createRole) {
			statement = once(statement)
		}
		s.Exec(statement)
	}
}

const createRole = "CREATE ROLE"

// once makes of a statement that makes a role one that does nothing where there is that role. Roles are of all databases of
// a PostgreSQL: another test may have made it, or make it at the same moment.
func once(statement string) string {
	return `DO $made$ BEGIN ` + statement + `; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $made$`
}

// SetUpAsAdmins makes the tables and runs the documented statements in an empty database as admins do: a superuser makes the
// role, and everything else is done by the role that owns the database, which is none.
func SetUpAsAdmins(t testing.TB, dsn string) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close(context.Background()) }()
	exec := func(statement string) {
		t.Helper()
		if _, err := connection.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	exec(once(`CREATE ROLE alcoves_owner`))
	exec(`ALTER DATABASE ` + pgx.Identifier{connection.Config().Database}.Sanitize() + ` OWNER TO alcoves_owner`)
	exec(`SET ROLE alcoves_owner`)
	exec(schema)
	for _, statement := range Documented(t) {
		if strings.HasPrefix(statement, createRole) {
			exec(`RESET ROLE`)
			exec(once(statement))
			exec(`SET ROLE alcoves_owner`)
			continue
		}
		exec(statement)
	}
}

// Documented reads the blocks of SQL of the page.
func Documented(t testing.TB) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for text == nil {
		if text, err = os.ReadFile(filepath.Join(dir, "docs", "servers", "alcoves.md")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal(err)
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
	return statements
}
