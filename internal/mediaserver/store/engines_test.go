package store

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/testpg"
)

// postgresRound says, in a child's environment, that every database is one of PostgreSQL.
const postgresRound = "MEDIASERVER_TEST_ON_POSTGRES"

func TestMain(m *testing.M) { testpg.Main(m) }

func onPostgres() bool { return os.Getenv(postgresRound) != "" }

// TestEverythingOnPostgreSQL runs all the tests of this package once more, with PostgreSQL instead of SQLite.
func TestEverythingOnPostgreSQL(t *testing.T) {
	if onPostgres() {
		t.Skip("this is the round on PostgreSQL")
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.timeout=20m", "-test.v")
	child.Env = append(os.Environ(), postgresRound+"=1", testpg.ChildEnv(t))
	out, err := child.CombinedOutput()
	if passed := strings.Count(string(out), "\n--- PASS"); err != nil || passed < 20 {
		t.Fatalf("%v, %d tests passed\n%s", err, passed, out)
	}
}

// newDatabase returns where a new database is to be: in a file whose name needs care in a URL, or in PostgreSQL.
func newDatabase(t *testing.T) string {
	t.Helper()
	if onPostgres() {
		return testpg.Schema(t)
	}
	return filepath.Join(t.TempDir(), "a b?#%.db")
}

func tables(t *testing.T, s *Store) int64 {
	t.Helper()
	query := s.write.NewSelect().Table("sqlite_master").Where("type = 'table'").Where("name NOT LIKE 'sqlite%'").
		Where("name <> 'goose_db_version'")
	if onPostgres() {
		query = s.write.NewSelect().Table("pg_tables").Where("schemaname = current_schema()").Where("tablename <> 'goose_db_version'")
	}
	n, err := query.Count(t.Context())
	must(t, err)
	return n
}

// Every migration goes down and up again, one by one, with data in the tables.
func TestMigrationsGoUpAndDown(t *testing.T) {
	path := newDatabase(t)
	s := openAt(t, path)
	addAccount(t, s, "mia")
	addLibrary(t, s, "Films", "/f")
	if !onPostgres() {
		info, err := os.Stat(path)
		if must(t, err); info.Mode().Perm() != 0o600 {
			t.Errorf("the database has mode %v", info.Mode())
		}
	}
	migrations, err := s.migrations()
	must(t, err)
	for _, source := range migrations.ListSources() {
		_, err := migrations.DownTo(t.Context(), source.Version-1)
		must(t, err)
		_, err = migrations.Up(t.Context())
		must(t, err)
	}
	_, err = migrations.DownTo(t.Context(), 0)
	must(t, err)
	if left := tables(t, s); left != 0 {
		t.Errorf("%d tables are left", left)
	}
	_, err = migrations.Up(t.Context())
	must(t, err)
}

// An account from before there were personal libraries gets one at the next start, and only one.
func TestOldAccountsGetTheirPersonalLibrary(t *testing.T) {
	path := newDatabase(t)
	s := openAt(t, path)
	mia := addAccount(t, s, "mia")
	migrations, err := s.migrations()
	must(t, err)
	_, err = migrations.DownTo(t.Context(), 2)
	must(t, err)
	must(t, s.Close())
	for range 2 {
		s = openAt(t, path)
		list, err := s.Libraries(t.Context(), mia.Viewer(), Page{Limit: 10})
		if must(t, err); len(list.Items) != 1 || !list.Items[0].Personal || list.Items[0].Name != PersonalName {
			t.Errorf("mia has %+v", list.Items)
		}
		must(t, s.Close())
	}
}

// Both databases have the same migrations, so that data can move from one to the other.
func TestBothDatabasesHaveTheSameMigrations(t *testing.T) {
	names := map[string][]string{}
	for _, dir := range []string{"sqlite", "postgres"} {
		entries, err := migrationFiles.ReadDir("migrations/" + dir)
		must(t, err)
		for _, entry := range entries {
			names[dir] = append(names[dir], entry.Name())
		}
	}
	if strings.Join(names["sqlite"], " ") != strings.Join(names["postgres"], " ") {
		t.Errorf("%v", names)
	}
}

// A database's URL may hold a password, which no error repeats.
func TestErrorsDoNotRepeatTheURL(t *testing.T) {
	for _, location := range []string{
		"postgres://usher:canary@127.0.0.1:notaport/x", "postgres://usher:can%ary@127.0.0.1/x",
		"postgres://usher:canary@127.0.0.1:1/x?connect_timeout=2",
	} {
		s, err := Open(t.Context(), Config{Location: location})
		if err == nil {
			t.Errorf("%s opens", location)
			_ = s.Close()
		} else if strings.Contains(err.Error(), "can") && strings.Contains(err.Error(), "ary") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

// A writer that waits too long for another one is told that it is busy, and has changed nothing.
func TestWaitingWritersGiveUp(t *testing.T) {
	if !onPostgres() {
		t.Skip("the writers of SQLite wait in their own process")
	}
	s := openAt(t, newDatabase(t)+"&lock_timeout=300ms")
	holder, err := s.write.BeginTx(t.Context(), nil)
	must(t, err)
	must(t, s.engine.alone(t.Context(), holder))
	err = s.tx(t.Context(), func(context.Context, bun.Tx) error {
		t.Error("two writers at once")
		return nil
	})
	wantErr(t, err, ErrBusy)
	must(t, holder.Rollback())
	addAccount(t, s, "mia")
}
