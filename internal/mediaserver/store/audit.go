package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/auth"
)

// auditKept is how long the audit log remembers.
const auditKept = 2 * 365 * 24 * time.Hour

// Author is who asks for changes, as the audit log tells it.
type Author struct {
	// AccountID and Name are empty for strangers.
	AccountID, Name string
	// Client is the network address that the request came from.
	Client string
}

type authorKey struct{}

// authorOf returns whose changes are made; a zero Author for nobody's.
func authorOf(ctx context.Context) Author {
	author, _ := ctx.Value(authorKey{}).(Author)
	return author
}

// WithAuthor returns a context whose changes are written into the audit log as the author's.
func WithAuthor(ctx context.Context, author Author) context.Context {
	return context.WithValue(ctx, authorKey{}, author)
}

// AuditEntry is one line of the audit log. It never holds a secret, nor what strangers typed.
type AuditEntry struct {
	bun.BaseModel `bun:"table:audit_log,alias:g"`

	Seq int64   `bun:"seq,pk,autoincrement"`
	ID  string  `bun:"id"`
	At  Instant `bun:"at"`
	// Action is what was done, for example "user.update".
	Action    string `bun:"action"`
	ActorID   string `bun:"actor_id"`
	ActorName string `bun:"actor_name"`
	// TargetType, TargetID and TargetName say to what it was done, as it was named then.
	TargetType string `bun:"target_type"`
	TargetID   string `bun:"target_id"`
	TargetName string `bun:"target_name"`
	Client     string `bun:"client"`
	// Details is a JSON object: what changed.
	Details string `bun:"details"`
}

// event is what a change tells the audit log.
type event struct {
	action string
	target target
	// by is the account that acts, where the request does not say: somebody who has just signed in.
	by      *Account
	details map[string]any
}

type target struct{ kind, id, name string }

func (a *Account) target() target  { return target{"user", a.ID, a.Username} }
func (l *Library) target() target  { return target{"library", l.ID, l.Name} }
func (v *Invite) target() target   { return target{"invite", v.ID, v.Reference} }
func (i *Item) target() target     { return target{"item", i.ID, i.Title} }
func (r *Role) target() target     { return target{"role", r.ID, r.Name} }
func (s *Settings) target() target { return target{"server", s.ID, s.Name} }

// record writes the event into the audit log, as part of the transaction that makes the change.
func (s *Store) record(ctx context.Context, tx bun.Tx, e event) error {
	author := authorOf(ctx)
	if e.by != nil {
		author.AccountID, author.Name = e.by.ID, e.by.Username
	}
	if e.details == nil {
		e.details = map[string]any{}
	}
	details, err := json.Marshal(e.details)
	if err != nil {
		return err
	}
	_, err = tx.NewInsert().Model(&AuditEntry{
		ID: auth.NewID(), At: At(s.now()), Action: e.action, ActorID: author.AccountID, ActorName: author.Name,
		TargetType: e.target.kind, TargetID: e.target.id, TargetName: e.target.name, Client: author.Client,
		Details: string(details),
	}).Exec(ctx)
	return err
}

// difference lists the fields that differ, each with its value before and after. Fields with secrets do not belong in it.
func difference(before, after map[string]any) map[string]any {
	changes := map[string]any{}
	for _, field := range slices.Sorted(maps.Keys(after)) {
		if before[field] != after[field] {
			changes[field] = []any{before[field], after[field]}
		}
	}
	return changes
}

// recordChange writes an event with what differs; where nothing does, it writes nothing.
func (s *Store) recordChange(ctx context.Context, tx bun.Tx, action string, on target, before, after map[string]any) error {
	changes := difference(before, after)
	if len(changes) == 0 {
		return nil
	}
	return s.record(ctx, tx, event{action: action, target: on, details: changes})
}

// forgetOldAudit removes what the log need not remember any longer.
func (s *Store) forgetOldAudit(ctx context.Context, tx bun.Tx) error {
	_, err := tx.NewDelete().Table("audit_log").Where("at < ?", At(s.now().Add(-auditKept))).Exec(ctx)
	return err
}

// Audit returns a page of the audit log, the newest entry first. Error: ErrBadCursor.
func (s *Store) Audit(ctx context.Context, page Page) (List[*AuditEntry], error) {
	before, err := page.afterSeq()
	if err != nil {
		return List[*AuditEntry]{}, err
	}
	var rows []*AuditEntry
	query := s.read.NewSelect().Model(&rows)
	if page.Cursor != "" {
		query = query.Where("seq < ?", before)
	}
	err = query.Order("seq DESC").Limit(int64(page.Limit) + 1).Scan(ctx)
	return cut(rows, page.Limit, func(e *AuditEntry) string { return seqKey(e.Seq) }), err
}

// NoteFailedSignIn writes a failed sign-in into the audit log; with the zero Account, one to an account that does not
// exist: what was typed is not kept, and noting it takes as long as noting the other.
func (s *Store) NoteFailedSignIn(ctx context.Context, account *Account) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return s.record(ctx, tx, event{action: "session.refuse", target: account.target()})
	})
}

// NoteBasicSignIn writes into the audit log that somebody began to read with HTTP Basic, from that network.
func (s *Store) NoteBasicSignIn(ctx context.Context, account *Account, network string) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.noteNetwork(ctx, tx, account.ID, network); err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "session.start", target: account.target(), by: account,
			details: map[string]any{"by": "OPDS"}})
	})
}

// NoteScan writes into the audit log that somebody asked for a scan.
func (s *Store) NoteScan(ctx context.Context, library *Library) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return s.record(ctx, tx, event{action: "library.scan", target: library.target()})
	})
}
