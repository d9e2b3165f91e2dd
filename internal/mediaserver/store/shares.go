package store

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// ErrShareNotFound says that a share link does not exist or shows nothing any longer.
var ErrShareNotFound = errors.New("share link not found")

// ShareLink is a public link to one item. Of the token in it only the hash is stored.
type ShareLink struct {
	bun.BaseModel `bun:"table:share_links,alias:sl"`

	Seq         int64   `bun:"seq,pk,autoincrement"`
	ID          string  `bun:"id"`
	TokenSHA256 string  `bun:"token_sha256"`
	ItemID      string  `bun:"item_id"`
	CreatedBy   string  `bun:"created_by"`
	CreatedAt   Instant `bun:"created_at"`
	// ExpiresAt is nil for never.
	ExpiresAt *Instant `bun:"expires_at"`
}

// CreateShareLink stores a new link to an item, unless check objects to its library. Errors: ErrItemNotFound,
// rules.ErrSharingOff (Alcoves seed, line 76: "The library's sharing enabled flag must be on before any share link can
// be created"), or check's.
func (s *Store) CreateShareLink(ctx context.Context, viewer Viewer, link *ShareLink, check func(*Library) error) error {
	link.CreatedAt = At(s.now())
	return s.withItem(ctx, viewer, link.ItemID, check, func(ctx context.Context, tx bun.Tx, item *Item, library *Library) error {
		if !library.SharingEnabled || library.Personal {
			return rules.ErrSharingOff
		}
		if !item.TrashedAt.IsZero() {
			return ErrItemNotFound
		}
		if _, err := tx.NewInsert().Model(link).Exec(ctx); err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "share.create", target: item.target()})
	})
}

// DeleteShareLink ends a link to an item, unless check objects to its library. Errors: ErrItemNotFound, ErrShareNotFound,
// or check's.
func (s *Store) DeleteShareLink(ctx context.Context, viewer Viewer, itemID, id string, check func(*Library) error) error {
	return s.withItem(ctx, viewer, itemID, check, func(ctx context.Context, tx bun.Tx, item *Item, _ *Library) error {
		found, err := affected(tx.NewDelete().Table("share_links").Where("id = ?", lookup(id)).
			Where("item_id = ?", item.ID).Exec(ctx))
		if err != nil {
			return err
		}
		if !found {
			return ErrShareNotFound
		}
		return s.record(ctx, tx, event{action: "share.delete", target: item.target()})
	})
}

func (s *Store) withItem(
	ctx context.Context, viewer Viewer, itemID string, check func(*Library) error,
	do func(context.Context, bun.Tx, *Item, *Library) error,
) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		item, err := loadItem(ctx, tx, viewer, itemID, true)
		if err != nil {
			return err
		}
		library, err := loadLibrary(ctx, tx, viewer, item.LibraryID)
		if err != nil {
			return err
		}
		if err := check(library); err != nil {
			return err
		}
		return do(ctx, tx, item, library)
	})
}

// ShareLinks returns a page of the links to an item, in the order of making. Error: ErrBadCursor.
func (s *Store) ShareLinks(ctx context.Context, itemID string, page Page) (List[*ShareLink], error) {
	after, err := page.afterSeq()
	if err != nil {
		return List[*ShareLink]{}, err
	}
	var rows []*ShareLink
	err = s.read.NewSelect().Model(&rows).Where("item_id = ?", itemID).Where("seq > ?", after).Order("seq").
		Limit(int64(page.Limit) + 1).Scan(ctx)
	return cut(rows, page.Limit, func(l *ShareLink) string { return seqKey(l.Seq) }), err
}

// SharedItem returns the one item that a link shows and when the link expires (0: never), or ErrShareNotFound: for a link that
// has expired, an item in the trash, a library whose sharing is off by now, and a link whose maker is gone, disabled, or may no
// longer share it, too.
func (s *Store) SharedItem(ctx context.Context, tokenHash string) (*Item, Instant, error) {
	item, link := new(Item), new(ShareLink)
	err := s.read.NewSelect().Model(link).Where("token_sha256 = ?", tokenHash).Scan(ctx)
	if err != nil {
		return nil, 0, notFound(err, ErrShareNotFound)
	}
	err = s.read.NewSelect().Model(item).
		Join("JOIN share_links AS sl ON sl.item_id = i.id").Join("JOIN libraries AS l ON l.id = i.library_id").
		Where("sl.token_sha256 = ?", tokenHash).Where("sl.expires_at IS NULL OR sl.expires_at > ?", At(s.now())).
		Where("l.sharing_enabled").Where("NOT l.personal").Where("i.trashed_at = 0").Scan(ctx)
	if err != nil {
		return nil, 0, notFound(err, ErrShareNotFound)
	}
	sharers, err := holdingsOf(ctx, s.read, []string{link.CreatedBy})
	if err != nil {
		return nil, 0, err
	}
	shown := rules.Holding{Libraries: map[string]rules.LibraryRole{item.LibraryID: rules.Viewer}}
	if rules.HandOn(sharers[link.CreatedBy], rules.ShareItem, shown, rules.Holding{}) != nil {
		return nil, 0, ErrShareNotFound
	}
	if link.ExpiresAt == nil {
		return item, 0, nil
	}
	return item, *link.ExpiresAt, nil
}
