// Package store keeps the embedded media server's accounts, libraries, permissions and items in SQL. It speaks SQLite;
// its queries are built so that another database needs a dialect and a migration directory, and no new query.
//
// Every write of several steps is one transaction, and rules that depend on what is stored are checked inside it, by
// functions that the caller passes in.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/usher-media/usher/internal/mediaserver/auth"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// readers is how many queries may read at once. Writers are always one, which SQLite would enforce anyway with errors.
const readers = 4

// interrupted is the scan message of libraries whose scan a stop of the server cut short.
const interrupted = "The server stopped during the scan; start it again"

// Store is an open database. It is safe for use by many goroutines.
type Store struct {
	write *bun.DB
	read  *bun.DB
	now   func() time.Time
}

// Instant is a time as it is stored: whole microseconds since 1970, or 0 for never.
type Instant int64

// At returns the instant of t.
func At(t time.Time) Instant { return Instant(t.UnixMicro()) }

// Time returns the instant as a time in UTC. It says nothing sensible about "never"; ask IsZero first.
func (i Instant) Time() time.Time { return time.UnixMicro(int64(i)).UTC() }

// IsZero reports whether the instant means never.
func (i Instant) IsZero() bool { return i == 0 }

// Open opens the SQLite database in the file at path, makes it when it is missing (readable by this user alone), and
// brings its tables up to date. A file from a newer version of the program is refused. The clock tells when things
// were made.
func Open(ctx context.Context, path string, clock func() time.Time) (*Store, error) {
	if err := createPrivate(path); err != nil {
		return nil, fmt.Errorf("create database file: %w", err)
	}
	write, err := connect(path, 1, "_txlock=immediate")
	if err != nil {
		return nil, err
	}
	read, err := connect(path, readers, "_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	s := &Store{write: write, read: read, now: clock}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) error {
	migrations, err := s.migrations()
	if err != nil {
		return err
	}
	if _, err := migrations.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	if err := s.ensureSettings(ctx); err != nil {
		return err
	}
	_, err = s.write.NewUpdate().Table("libraries").Set("scan_state = ?", ScanFailed).
		Set("scan_message = ?", interrupted).Where("scan_state = ?", ScanRunning).Exec(ctx)
	return err
}

func (s *Store) migrations() (*goose.Provider, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, s.write.DB, files, goose.WithDisableGlobalRegistry(true))
}

// createPrivate makes the file with the narrowest permissions before SQLite makes it with wider ones.
func createPrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func connect(path string, connections int, options string) (*bun.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", Path: absolute, RawQuery: "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
		"&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)&" + options}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return bun.NewDB(db, sqlitedialect.New()), nil
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }

// Close closes the database. Calls under way fail.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// tx runs one write transaction: all of it happens, or nothing.
func (s *Store) tx(ctx context.Context, do func(ctx context.Context, tx bun.Tx) error) error {
	return s.write.RunInTx(ctx, nil, do)
}

// lookup returns the id for use in a query, or, for what cannot be an id, a value that no row has: such text may hold
// bytes that a database refuses.
func lookup(id string) string {
	if auth.IsID(id) {
		return id
	}
	return ""
}

// notFound turns the absence of a row into the given error.
func notFound(err, instead error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return instead
	}
	return err
}

// affected reports whether a write that went well changed any row.
func affected(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
