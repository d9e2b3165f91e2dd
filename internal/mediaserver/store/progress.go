package store

import (
	"context"
	"errors"
	"strconv"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
)

// Progress is how far somebody has come with an item.
type Progress struct {
	bun.BaseModel `bun:"table:watch_progress,alias:w"`

	AccountID string `bun:"account_id,pk"`
	ItemID    string `bun:"item_id,pk"`
	// PositionMS and DurationMS are in milliseconds; a duration of 0 means unknown.
	PositionMS int64   `bun:"position_ms"`
	DurationMS int64   `bun:"duration_ms"`
	Finished   bool    `bun:"finished"`
	UpdatedAt  Instant `bun:"updated_at"`
}

// Begun is an item that somebody has begun, and how far they have come.
type Begun struct {
	*Item
	Progress Progress
}

// Progress returns how far the viewer has come with the item; one never begun is at 0 and never updated. Error:
// ErrItemNotFound.
func (s *Store) Progress(ctx context.Context, viewer Viewer, itemID string) (Progress, error) {
	item, err := s.Item(ctx, viewer, itemID)
	if err != nil {
		return Progress{}, err
	}
	progress := Progress{AccountID: viewer.AccountID, ItemID: item.ID}
	err = s.read.NewSelect().Model(&progress).WherePK().Scan(ctx)
	return progress, notFound(err, nil)
}

// SaveProgress stores how far the viewer has come with the item. Error: ErrItemNotFound.
func (s *Store) SaveProgress(ctx context.Context, viewer Viewer, progress Progress) (Progress, error) {
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		item, err := loadItem(ctx, tx, viewer, progress.ItemID, false)
		if err != nil {
			return err
		}
		progress.AccountID, progress.ItemID, progress.UpdatedAt = viewer.AccountID, item.ID, At(s.now())
		_, err = tx.NewInsert().Model(&progress).On("CONFLICT (account_id, item_id) DO UPDATE").
			Set("position_ms = EXCLUDED.position_ms").Set("duration_ms = EXCLUDED.duration_ms").
			Set("finished = EXCLUDED.finished").Set("updated_at = EXCLUDED.updated_at").Exec(ctx)
		return err
	})
	return progress, err
}

// ForgetProgress makes the item one that the viewer never began. Error: ErrItemNotFound.
func (s *Store) ForgetProgress(ctx context.Context, viewer Viewer, itemID string) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		item, err := loadItem(ctx, tx, viewer, itemID, false)
		if err != nil {
			return err
		}
		_, err = tx.NewDelete().Table("watch_progress").Where("account_id = ?", viewer.AccountID).
			Where("item_id = ?", item.ID).Exec(ctx)
		return err
	})
}

func timeKey(at Instant, id string) string { return pathKey(strconv.FormatInt(int64(at), 10), id) }

// RecentItems returns a page of the items that the viewer may see, the latest addition first. Error: ErrBadCursor.
func (s *Store) RecentItems(ctx context.Context, viewer Viewer, kind mediafile.Kind, page Page) (List[*Item], error) {
	return s.newest(ctx, viewer, ItemFilter{Kind: kind}, page, func(q *bun.SelectQuery) *bun.SelectQuery { return q })
}

func (s *Store) newest(
	ctx context.Context, viewer Viewer, filter ItemFilter, page Page, narrow func(*bun.SelectQuery) *bun.SelectQuery,
) (List[*Item], error) {
	at, id, err := page.afterTime()
	if err != nil {
		return List[*Item]{}, err
	}
	var rows []*Item
	query := narrow(filter.apply(s.read.NewSelect().Model(&rows)))
	if page.Cursor != "" {
		query = query.Where("(i.added_at, i.id) < (?, ?)", at, id)
	}
	err = viewer.restrict(query, "i.library_id").Order("i.added_at DESC", "i.id DESC").Limit(int64(page.Limit) + 1).Scan(ctx)
	return cut(rows, page.Limit, func(i *Item) string { return timeKey(i.AddedAt, i.ID) }), err
}

// Recommended returns a page of what the viewer may see and has not begun, by the makers and of the series of what they
// have, the latest addition first. What they have begun and may not see any longer recommends nothing. Error:
// ErrBadCursor.
func (s *Store) Recommended(ctx context.Context, viewer Viewer, page Page) (List[*Item], error) {
	begun := func(column string) *bun.SelectQuery {
		query := s.read.NewSelect().TableExpr("items AS b").ColumnExpr("b.?", bun.Ident(column)).
			Join("JOIN watch_progress AS w ON w.item_id = b.id AND w.account_id = ?", viewer.AccountID).
			Where("b.trashed_at = 0").Where("b.? <> ''", bun.Ident(column))
		return viewer.restrict(query, "b.library_id")
	}
	return s.newest(ctx, viewer, ItemFilter{}, page, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("i.creator_folded IN (?) OR i.series_folded IN (?)", begun("creator_folded"), begun("series_folded")).
			Where("i.id NOT IN (SELECT item_id FROM watch_progress WHERE account_id = ?)", viewer.AccountID)
	})
}

// Unfinished returns a page of what the viewer has begun, not finished and may still see, the latest first. Error:
// ErrBadCursor.
func (s *Store) Unfinished(ctx context.Context, viewer Viewer, page Page) (List[Begun], error) {
	at, id, err := page.afterTime()
	if err != nil {
		return List[Begun]{}, err
	}
	var rows []Progress
	query := s.read.NewSelect().Model(&rows).Join("JOIN items AS i ON i.id = w.item_id").
		Where("w.account_id = ?", viewer.AccountID).Where("NOT w.finished").Where("i.trashed_at = 0")
	if page.Cursor != "" {
		query = query.Where("(w.updated_at, w.item_id) < (?, ?)", at, id)
	}
	err = viewer.restrict(query, "i.library_id").Order("w.updated_at DESC", "w.item_id DESC").
		Limit(int64(page.Limit) + 1).Scan(ctx)
	if err != nil {
		return List[Begun]{}, err
	}
	list := cut(rows, page.Limit, func(p Progress) string { return timeKey(p.UpdatedAt, p.ItemID) })
	begun := List[Begun]{Next: list.Next}
	for _, progress := range list.Items {
		// One by one: the list is short, and each item is checked again for who may see it.
		item, err := s.Item(ctx, viewer, progress.ItemID)
		if errors.Is(err, ErrItemNotFound) {
			continue
		}
		if err != nil {
			return List[Begun]{}, err
		}
		begun.Items = append(begun.Items, Begun{Item: item, Progress: progress})
	}
	return begun, nil
}
