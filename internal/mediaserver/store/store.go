// Package store keeps the embedded media server's accounts, libraries, permissions and items in SQL: in a file with
// SQLite, or in PostgreSQL, where several servers may share one database. The queries are the same for both.
//
// Every write of several steps is one transaction, and rules that depend on what is stored are checked inside it, by
// functions that the caller passes in. Writing transactions run one at a time, across all servers that share the
// database: what a transaction has checked still holds when it writes, and numbers come in the order of committing.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/auth"
)

// interrupted is the scan message of libraries whose scan a stop of the server cut short.
const interrupted = "The server stopped during the scan; start it again"

// Store is an open database. It is safe for use by many goroutines.
type Store struct {
	engine engine
	pools
	now      func() time.Time
	personal string
}

// Config says which database to open.
type Config struct {
	// Location is the path of a SQLite file, which is made when it is missing (readable by this user alone) and belongs
	// to one server at a time, or a postgres:// URL.
	Location string
	// PersonalRoot is the folder in which each personal library has a directory, named by its account's id. Empty:
	// personal libraries have none.
	PersonalRoot string
	// Clock tells when things were made.
	Clock func() time.Time
}

// Instant is a time as it is stored: whole microseconds since 1970, or 0 for never.
type Instant int64

// At returns the instant of t.
func At(t time.Time) Instant { return Instant(t.UnixMicro()) }

// Time returns the instant as a time in UTC. It says nothing sensible about "never"; ask IsZero first.
func (i Instant) Time() time.Time { return time.UnixMicro(int64(i)).UTC() }

// IsZero reports whether the instant means never.
func (i Instant) IsZero() bool { return i == 0 }

// Open opens a database and brings its tables up to date. A database from a newer version of the program is refused. No
// error holds the URL, which may hold a password.
func Open(ctx context.Context, config Config) (*Store, error) {
	s := &Store{engine: engineFor(config.Location), now: config.Clock, personal: config.PersonalRoot}
	var err error
	if s.pools, err = s.engine.connect(config.Location); err != nil {
		return nil, err
	}
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
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.ensureSettings(ctx, tx); err != nil {
			return err
		}
		if err := s.ensurePersonal(ctx, tx); err != nil {
			return err
		}
		if err := s.forgetOldAudit(ctx, tx); err != nil {
			return err
		}
		return s.endOldScans(ctx, tx)
	})
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }

// Close closes the database. Calls under way fail.
func (s *Store) Close() error { return errors.Join(s.watch.Close(), s.read.Close(), s.write.Close()) }

// Watching returns the same store, to be closed once, which reads by connections of its own: what others read does not make it wait.
func (s *Store) Watching() *Store {
	own := *s
	own.read = s.watch
	return &own
}

// tx runs one write transaction: all of it happens, or nothing.
func (s *Store) tx(ctx context.Context, do func(ctx context.Context, tx bun.Tx) error) error {
	return busy(s.write.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := s.engine.alone(ctx, tx); err != nil {
			return err
		}
		return do(ctx, tx)
	}))
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
