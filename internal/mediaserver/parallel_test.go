package mediaserver_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver"
)

var atOnce sync.Map

// parallel lets the test run beside others. Those of the round on PostgreSQL share one database, in which migrations
// and writers take turns, and run one by one; but that whole round runs beside the one on SQLite.
func parallel(t *testing.T) {
	t.Helper()
	if _, already := atOnce.LoadOrStore(t, true); already || onPostgres() {
		return
	}
	t.Cleanup(func() { atOnce.Delete(t) })
	t.Parallel()
}

var template struct {
	once sync.Once
	data []byte
	err  error
}

// newFile puts a database into the directory that has all its tables and nothing in them: making those takes most of
// the time that a server takes to start. The server still looks which migrations are missing, and names itself.
func newFile(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(dir, "mediaserver.db")
	if _, err := os.Stat(file); err == nil || dir == "" {
		return
	}
	template.once.Do(func() { template.data, template.err = emptyDatabase(t) })
	if template.err != nil {
		t.Fatal(template.err)
	}
	if err := os.WriteFile(file, template.data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// emptyDatabase returns the content of a database whose server has forgotten its own name.
func emptyDatabase(t *testing.T) ([]byte, error) {
	dir := t.TempDir()
	server, err := mediaserver.New(t.Context(), mediaserver.Config{DataDir: dir})
	if err != nil {
		return nil, err
	}
	if err := server.Close(); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "mediaserver.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(t.Context(), "DELETE FROM server")
	if closed := db.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}
