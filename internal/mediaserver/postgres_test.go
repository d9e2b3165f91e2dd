package mediaserver_test

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/mediaserver"
	"github.com/usher-media/usher/internal/testpg"
)

// postgresRound says, in a child's environment, that every server keeps its data in PostgreSQL.
const postgresRound = "MEDIASERVER_TEST_ON_POSTGRES"

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(packageTests{m}, goleak.IgnoreAnyFunction("github.com/usher-media/usher/internal/testpg.(*server).serve.func2"))
}

type packageTests struct{ *testing.M }

func (p packageTests) Run() int { return testpg.Run(p.M) }

func onPostgres() bool { return os.Getenv(postgresRound) != "" }

// TestEverythingOnPostgreSQL runs all the tests of this package once more, with PostgreSQL instead of SQLite.
func TestEverythingOnPostgreSQL(t *testing.T) {
	if onPostgres() {
		t.Skip("this is the round on PostgreSQL")
	}
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.timeout=20m", "-test.v")
	child.Env = append(os.Environ(), postgresRound+"=1", testpg.ChildEnv(t))
	out, err := child.CombinedOutput()
	text := string(out)
	if err != nil {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "--- FAIL") {
				t.Log(line)
			}
		}
		t.Fatalf("%v\n%s", err, text)
	}
	if passed := strings.Count(text, "\n--- PASS"); passed < 20 {
		t.Errorf("only %d tests ran", passed)
	}
}

func prefixes(t *testing.T, networks ...string) (list []netip.Prefix) {
	t.Helper()
	for _, network := range networks {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, prefix)
	}
	return list
}

var (
	databasesMu sync.Mutex
	databases   = map[string]string{}
)

// useDatabase gives a server its database: a new one for each data directory.
func useDatabase(t *testing.T, config *mediaserver.Config) {
	t.Helper()
	if config.Database != "" {
		return
	}
	if !onPostgres() {
		newFile(t, config.DataDir)
		return
	}
	databasesMu.Lock()
	defer databasesMu.Unlock()
	if databases[config.DataDir] == "" {
		databases[config.DataDir] = testpg.Schema(t)
	}
	config.Database = databases[config.DataDir]
}

// sqliteOnly skips a test about the database's file.
func sqliteOnly(t *testing.T) {
	t.Helper()
	if onPostgres() {
		t.Skip("PostgreSQL has no file to look at")
	}
}
