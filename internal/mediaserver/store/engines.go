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
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

//go:embed migrations
var migrationFiles embed.FS

const (
	// sqliteReaders is how many queries may read a file at once. Writers are always one, which SQLite would enforce
	// anyway with errors.
	sqliteReaders = 4
	// postgresReaders and postgresWriters are how many connections one server opens. Writers take turns; the second
	// one's connection is open by the time that it is its turn.
	postgresReaders, postgresWriters = 8, 4
)

// Watchers is how many queries of Watching run at once.
const Watchers = 2

// writerLock is the advisory lock that the writing transactions of all servers take in turns: "usher" as a number.
const writerLock = 0x7573686572

// postgresSettings keep a server that hangs from holding the writers' lock for ever. The URL may say otherwise.
var postgresSettings = map[string]string{
	"application_name": "mediaserver", "idle_in_transaction_session_timeout": "60s", "lock_timeout": "30s",
	"standard_conforming_strings": "on",
}

// pools are the connections to a database.
type pools struct{ write, read, watch *bun.DB }

// engine is what differs between the databases.
type engine interface {
	// connect opens the pools for writing, for reading, and for Watching.
	connect(location string) (pools, error)
	// migrations finds the engine's own.
	migrations(db *sql.DB) (*goose.Provider, error)
	// alone makes the transaction the only one that writes.
	alone(ctx context.Context, tx bun.Tx) error
	// afterCopy mends what copied rows have passed by.
	afterCopy(ctx context.Context, tx bun.Tx) error
	// shared says whether other servers may use the database at the same time.
	shared() bool
}

// IsURL says whether a location names a PostgreSQL database, and not a file.
func IsURL(location string) bool {
	return strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://")
}

func engineFor(location string) engine {
	if IsURL(location) {
		return postgres{}
	}
	return sqlite{}
}

func (s *Store) migrations() (*goose.Provider, error) { return s.engine.migrations(s.write.DB) }

func provider(dialect goose.Dialect, db *sql.DB, dir string, options ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(migrationFiles, "migrations/"+dir)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db, files, append(options, goose.WithDisableGlobalRegistry(true))...)
}

type sqlite struct{}

func (sqlite) connect(path string) (p pools, err error) {
	if err := createPrivate(path); err != nil {
		return p, fmt.Errorf("create database file: %w", err)
	}
	if p.write, err = openSQLite(path, 1, "_txlock=immediate"); err != nil {
		return p, err
	}
	const reading = "_pragma=query_only(1)"
	if p.read, err = openSQLite(path, sqliteReaders, reading); err != nil {
		return p, errors.Join(err, p.write.Close())
	}
	if p.watch, err = openSQLite(path, Watchers, reading); err != nil {
		return p, errors.Join(err, p.read.Close(), p.write.Close())
	}
	return p, nil
}

// createPrivate makes the file with the narrowest permissions before SQLite makes it with wider ones.
func createPrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func openSQLite(path string, connections int, options string) (*bun.DB, error) {
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
	return pool(db, connections, bun.NewDB(db, sqlitedialect.New())), nil
}

func pool(db *sql.DB, connections int, wrapped *bun.DB) *bun.DB {
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return wrapped
}

func (sqlite) migrations(db *sql.DB) (*goose.Provider, error) {
	return provider(goose.DialectSQLite3, db, "sqlite")
}

// alone has nothing to do: there is one connection that writes, and its transactions begin by locking the file.
func (sqlite) alone(context.Context, bun.Tx) error { return nil }

// afterCopy has nothing to do: SQLite counts on from the greatest number.
func (sqlite) afterCopy(context.Context, bun.Tx) error { return nil }

func (sqlite) shared() bool { return false }

type postgres struct{}

func (postgres) connect(location string) (pools, error) {
	config, err := pgx.ParseConfig(location)
	if err != nil {
		// The error repeats parts of the URL.
		return pools{}, errors.New("the database URL cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, " +
			"with the password percent-encoded")
	}
	// Every query has its values written into it, so preparing them would fill the server's memory for nothing.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	for name, value := range postgresSettings {
		if _, chosen := config.RuntimeParams[name]; !chosen {
			config.RuntimeParams[name] = value
		}
	}
	reading := config.Copy()
	reading.RuntimeParams["default_transaction_read_only"] = "on"
	return pools{
		write: openPostgres(config, postgresWriters), read: openPostgres(reading, postgresReaders), watch: openPostgres(reading, Watchers),
	}, nil
}

func openPostgres(config *pgx.ConnConfig, connections int) *bun.DB {
	db := stdlib.OpenDB(*config)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return pool(db, connections, bun.NewDB(db, pgdialect.New()))
}

// migrations take turns, so that servers that start together do not trip over each other.
func (postgres) migrations(db *sql.DB) (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return provider(goose.DialectPostgres, db, "postgres", goose.WithSessionLocker(locker))
}

// alone waits for the writers' lock, which the end of the transaction gives back. Each statement after it sees all that
// was committed before.
func (postgres) alone(ctx context.Context, tx bun.Tx) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(?)", int64(writerLock))
	return err
}

// afterCopy makes the sequences go on after the numbers that were copied.
func (postgres) afterCopy(ctx context.Context, tx bun.Tx) error {
	for _, table := range numberedTables {
		_, err := tx.ExecContext(ctx, "SELECT setval(pg_get_serial_sequence(?, 'seq'), (SELECT COALESCE(max(seq), 0) + 1 FROM ?), false)",
			table, bun.Ident(table))
		if err != nil {
			return fmt.Errorf("sequence of %s: %w", table, err)
		}
	}
	return nil
}

func (postgres) shared() bool { return true }

// Engine names the database's software: "sqlite" or "postgresql".
func (s *Store) Engine() string {
	if s.engine.shared() {
		return "postgresql"
	}
	return "sqlite"
}

// ErrBusy says that other writers kept the database for too long.
var ErrBusy = errors.New("the database is busy")

// lockNotAvailable is PostgreSQL's code for a lock_timeout.
const lockNotAvailable = "55P03"

// busy makes a wait for the writers' lock that took too long an ErrBusy.
func busy(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == lockNotAvailable {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}
