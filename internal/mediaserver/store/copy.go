package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/uptrace/bun"
)

// copiedTables are all tables, those that others point at first.
var copiedTables = []string{
	"server", "accounts", "sessions", "libraries", "library_paths", "permissions", "items", "invites", "invite_libraries",
	"invite_uses", "invite_use_libraries", "roles", "role_permissions", "account_roles", "library_invites", "audit_log", "rate_limits", "artwork",
	"watch_progress", "share_links", "former_accounts", "known_networks",
}

// numberedTables are those whose rows the database numbers.
var numberedTables = []string{"accounts", "libraries", "items", "invites", "invite_uses", "roles", "audit_log", "share_links"}

// What can keep a database from being copied.
var (
	ErrNotEmpty   = errors.New("the target holds accounts already: give an empty database")
	ErrNotSQLite  = errors.New("the server's database is PostgreSQL: use pg_dump, which copies it consistently while servers run")
	ErrFileExists = errors.New("the file exists already: give the name of a new one")
)

// Backup writes a consistent copy of the SQLite database, which a server may be using meanwhile, into a new file that
// this user alone can read. Errors: ErrNotSQLite, ErrFileExists.
func Backup(ctx context.Context, location, file string) error {
	if IsURL(location) {
		return ErrNotSQLite
	}
	// Opening would make a database where there is none.
	if _, err := os.Stat(location); err != nil {
		return err
	}
	// VACUUM INTO takes an empty file, which is made here so that nobody else can read it for a moment.
	target, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return ErrFileExists
	}
	if err != nil {
		return err
	}
	if err := target.Close(); err != nil {
		return err
	}
	db, err := openSQLite(location, 1, "_pragma=query_only(0)")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", file)
	return errors.Join(err, db.Close())
}

// Copy copies everything from one database into another, empty one, in one transaction. No server may use either
// meanwhile. Error: ErrNotEmpty.
func Copy(ctx context.Context, from, to *Store) error {
	return to.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, first, err := readSettings(ctx, tx); err != nil {
			return err
		} else if !first {
			return ErrNotEmpty
		}
		// Opening gave it a name and an id of its own.
		if _, err := tx.NewDelete().Table("server").Where("TRUE").Exec(ctx); err != nil {
			return err
		}
		for _, table := range copiedTables {
			if err := copyTable(ctx, from.read, tx, table); err != nil {
				return fmt.Errorf("copy table %s: %w", table, err)
			}
		}
		return to.engine.afterCopy(ctx, tx)
	})
}

func copyTable(ctx context.Context, from *bun.DB, to bun.Tx, table string) error {
	rows, err := from.NewSelect().Table(table).Rows(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		row, err := scanRow(rows)
		if err != nil {
			return err
		}
		if _, err := to.NewInsert().Model(&row).TableExpr("?", bun.Ident(table)).Exec(ctx); err != nil {
			return err
		}
	}
	return rows.Err()
}

// scanRow reads a row by the declared types of its columns: SQLite keeps truth values as numbers.
func scanRow(rows *sql.Rows) (map[string]any, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	values, into := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	row := make(map[string]any, len(types))
	for i, column := range types {
		if number, ok := values[i].(int64); ok && slices.Contains([]string{"BOOLEAN", "BOOL"}, column.DatabaseTypeName()) {
			values[i] = number != 0
		}
		row[column.Name()] = values[i]
	}
	return row, nil
}
