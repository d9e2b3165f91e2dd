package store

import (
	"context"

	"github.com/uptrace/bun"
)

// takeNothing are the entries of the audit log that come often and take nothing from anybody. Whatever is not among them counts
// as a change of what people may see.
var takeNothing = []string{"session.start", "session.refuse", "library.scan"}

// ChangedSince reports whether anybody's access may have changed after the entry of the audit log with that number, by whichever
// server on this database, and returns the number of the last entry now. 0 asks for all that ever happened.
func (s *Store) ChangedSince(ctx context.Context, seq int64) (last int64, changed bool, err error) {
	var found struct {
		Last    int64 `bun:"last"`
		Changed bool  `bun:"changed"`
	}
	// Each change is written in the transaction that makes it, and transactions that write take turns: none with a lower number
	// appears later.
	err = s.read.NewSelect().
		ColumnExpr("(SELECT COALESCE(max(seq), 0) FROM audit_log) AS last").
		ColumnExpr("EXISTS (SELECT 1 FROM audit_log WHERE seq > ? AND action NOT IN (?)) AS changed", seq, bun.List(takeNothing)).
		Scan(ctx, &found)
	// A lower number is that of a database which was put back to an earlier time.
	return found.Last, found.Changed || found.Last < seq, err
}
