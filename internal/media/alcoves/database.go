package alcoves

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// The migrations whose tables the statements of this package were written for (contract, section 8): personal access
// tokens came with 20, and 26 is the last that was read.
const (
	firstSchema = 20
	lastSchema  = 26
	// appsSchema is the first with tokens that apps get by OAuth.
	appsSchema = 25
)

var (
	errSchema      = errors.New("unknown schema")
	errUnreachable = errors.New("unreachable")
)

const unknownSchema = "the database of Alcoves has a schema that this Usher does not know, so that nothing is read from it or written to it, and only the API is used: upgrade Usher"

// farewell is how long the end of a connection may take.
const farewell = 50 * time.Millisecond

// database opens a connection for each transaction: they are few, and a connection that was left open would be found
// dead after each restart of the server, in the middle of a write.
type database struct{ config *pgx.ConnConfig }

// session is one transaction, of Usher's account on the server.
type session struct {
	tx   pgx.Tx
	self string
	// apps: the schema has tokens that apps get by OAuth.
	apps bool
}

// read runs f on one snapshot of the database. self is Usher's account, as the API names it.
func (db *database) read(ctx context.Context, self string, f func(context.Context, *session) error) error {
	return db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, self, f)
}

// write runs f in one transaction: all of it is done, or none.
func (db *database) write(ctx context.Context, self string, f func(context.Context, *session) error) error {
	media.NoteWrite(ctx)
	return db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, self, f)
}

// writeAccount is write for one account, which it returns as it is at the end of the transaction.
func (db *database) writeAccount(ctx context.Context, self account, f func(context.Context, *session) (media.AccountID, error)) (media.Account, error) {
	var after media.Account
	err := db.write(ctx, self.ID, func(ctx context.Context, s *session) error {
		id, err := f(ctx, s)
		if err != nil {
			return err
		}
		found, err := s.accounts(ctx, id)
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return noAccount()
		}
		after = found[0]
		return nil
	})
	if err != nil {
		return media.Account{}, err
	}
	return after, nil
}

func (db *database) transact(ctx context.Context, options pgx.TxOptions, self string, f func(context.Context, *session) error) error {
	connection, err := pgx.ConnectConfig(ctx, db.config.Copy())
	if err != nil {
		return connectFailed(ctx, err)
	}
	defer func() {
		// What is not committed is undone by the server when the connection ends.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_ = connection.Close(ctx)
	}()
	tx, err := connection.BeginTx(ctx, options)
	if err != nil {
		return statementFailed(ctx, err)
	}
	s := &session{tx: tx, self: self}
	if err := s.checkSchema(ctx); err != nil {
		return err
	}
	if err := s.checkSelf(ctx); err != nil {
		return err
	}
	if err := f(ctx, s); err != nil || options.AccessMode == pgx.ReadOnly {
		return err // nothing to keep
	}
	if err := tx.Commit(ctx); err != nil {
		return commitFailed(ctx, err)
	}
	return nil
}

// checkSchema refuses a database whose tables may mean something else.
func (s *session) checkSchema(ctx context.Context) error {
	var version int64
	err := s.tx.QueryRow(ctx, `
		SELECT coalesce(max(version_id), 0) FROM (
			SELECT DISTINCT ON (version_id) version_id, is_applied FROM goose_db_version ORDER BY version_id, id DESC
		) AS newest WHERE is_applied`).Scan(&version)
	if err != nil {
		return statementFailed(ctx, err)
	}
	if version < firstSchema || version > lastSchema {
		return media.Errorf(media.Unsupported, "%s (it has version %d, known are %d to %d)", unknownSchema, version, firstSchema, lastSchema).WithCause(errSchema)
	}
	s.apps = version >= appsSchema
	return nil
}

// checkSelf makes sure that the database is that of the server behind the API: it knows the account that Usher uses.
func (s *session) checkSelf(ctx context.Context) error {
	var there bool
	err := s.tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM users WHERE id = $1::uuid AND role = 'owner')`, s.self).Scan(&there)
	switch {
	case err != nil:
		return statementFailed(ctx, err)
	case !there:
		return media.Errorf(media.Unavailable, "the database is not that of the server at the url: it does not have the account that Usher uses there; mend the Secret of spec.database").WithCause(media.ErrOtherServer)
	}
	return nil
}

// exec runs a statement and returns how many rows it touched.
func (s *session) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	tag, err := s.tx.Exec(ctx, statement, args...)
	if err != nil {
		return 0, statementFailed(ctx, err)
	}
	return tag.RowsAffected(), nil
}

// rows runs a query and reads each row by scan.
func (s *session) rows(ctx context.Context, query string, scan func(pgx.Rows) error, args ...any) error {
	rows, err := s.tx.Query(ctx, query, args...)
	if err != nil {
		return statementFailed(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		switch err := scan(rows); {
		case errors.Is(err, errForm):
			return media.Errorf(media.Unavailable, "the database holds a row that is not as Alcoves writes it (a role, an address), so that nothing of its tables is relied on").WithCause(err)
		case err != nil:
			return statementFailed(ctx, err)
		}
	}
	if err := rows.Err(); err != nil {
		return statementFailed(ctx, err)
	}
	return nil
}

// connectFailed says why there is no connection. Texts of PostgreSQL and of the network name hosts and roles, so none
// is shown.
func connectFailed(ctx context.Context, err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "28P01", "28000":
			return media.Errorf(media.Unauthenticated, "the database refuses the role or its password: mend the Secret of spec.database").WithCause(errUnreachable)
		case "42501":
			return media.Errorf(media.PermissionDenied, "the database role may not connect to the database: grant it what docs/servers/alcoves.md says").WithCause(errUnreachable)
		case "3D000":
			return media.Errorf(media.Unavailable, "the database that the Secret of spec.database names is not there").WithCause(errUnreachable)
		}
	}
	if untrusted := wire.Untrusted(err); untrusted != "" {
		return media.Errorf(media.Unavailable, "the database's %s", untrusted).WithCause(errUnreachable)
	}
	return media.Errorf(media.Unavailable, "the database cannot be reached: is the Secret of spec.database right, and does it run?").
		WithCause(cmp.Or(ctx.Err(), errUnreachable))
}

// statementFailed is for what fails before a transaction is committed: nothing was done.
func statementFailed(ctx context.Context, err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || ctx.Err() != nil {
		return lost(ctx, media.Unavailable, "the database did not answer to the end")
	}
	switch refused.Code {
	case "42501":
		return media.Errorf(media.PermissionDenied, "the database role may not do this: grant it what docs/servers/alcoves.md says")
	case "42P01", "42703":
		return media.Errorf(media.Unavailable, "the database lacks a table or a column of Alcoves: is spec.database the right one?")
	case "23505":
		return media.Errorf(media.AlreadyExists, "the email address is taken")
	}
	return media.Errorf(media.Unavailable, "the database refuses a statement (SQLSTATE %s)", refused.Code)
}

// commitFailed tells a transaction that was undone from one whose end is not known (R12). PostgreSQL says that it undid
// one by its own rules: a conflict (class 40), a constraint that is looked at last (23), a statement that had failed (25).
// Whatever else comes in place of the answer, a server that shuts down or a pooler that lost it, comes after it was sent.
func commitFailed(ctx context.Context, err error) error {
	const unknownCompletion = "40003"
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code != unknownCompletion && slices.Contains([]string{"23", "25", "40"}, refused.Code[:min(2, len(refused.Code))]) {
		return statementFailed(ctx, err)
	}
	if errors.Is(err, pgx.ErrTxCommitRollback) {
		return statementFailed(ctx, err)
	}
	return lost(ctx, media.Ambiguous, "the database did not say whether it was done")
}

// lost is for a database that does not answer. Its cause is the caller's end, where that is why.
func lost(ctx context.Context, code media.Code, words string) error {
	if err := ctx.Err(); err != nil {
		return media.Errorf(code, "no answer of the database in time").WithCause(err)
	}
	return media.Errorf(code, "%s", words).WithCause(errUnreachable)
}
