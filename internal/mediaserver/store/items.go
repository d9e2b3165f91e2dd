package store

import (
	"context"
	"errors"
	"strings"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/media"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// ErrItemNotFound says that an item does not exist or may not be seen.
var ErrItemNotFound = errors.New("item not found")

// Item is one media file in a library. Its id stays as long as the file stays in its place.
type Item struct {
	bun.BaseModel `bun:"table:items,alias:i"`

	Seq       int64  `bun:"seq,pk,autoincrement"`
	ID        string `bun:"id"`
	LibraryID string `bun:"library_id"`
	// Root is the library's directory that holds the file, as it was given.
	Root string `bun:"root"`
	// Path is slash-separated and relative to Root.
	Path        string     `bun:"path"`
	Title       string     `bun:"title"`
	TitleFolded string     `bun:"title_folded"`
	Kind        media.Kind `bun:"kind"`
	MIMEType    string     `bun:"mime_type"`
	// Size is in bytes.
	Size       int64   `bun:"size"`
	ModifiedAt Instant `bun:"modified_at"`
}

// ItemFilter narrows a list of items. Zero fields do not narrow.
type ItemFilter struct {
	LibraryID string
	Kind      media.Kind
	// Search keeps the items whose title contains this text, in any letter case.
	Search string
}

// likeEscaper takes the special meaning from the wildcards of LIKE, with "!" as the escape character.
var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func (f ItemFilter) apply(query *bun.SelectQuery) *bun.SelectQuery {
	if f.LibraryID != "" {
		query = query.Where("i.library_id = ?", f.LibraryID)
	}
	if f.Kind != "" {
		query = query.Where("i.kind = ?", f.Kind)
	}
	if f.Search != "" {
		query = query.Where("i.title_folded LIKE ? ESCAPE '!'", "%"+likeEscaper.Replace(rules.Fold(f.Search))+"%")
	}
	return query
}

// Items returns a page of the items that the viewer may see and that pass the filter, ordered by path. Error:
// ErrBadCursor.
func (s *Store) Items(ctx context.Context, viewer Viewer, filter ItemFilter, page Page) (List[*Item], error) {
	path, id, err := page.afterPath()
	if err != nil {
		return List[*Item]{}, err
	}
	var rows []*Item
	query := filter.apply(s.read.NewSelect().Model(&rows))
	if page.Cursor != "" {
		query = query.Where("(i.path, i.id) > (?, ?)", path, id)
	}
	err = viewer.restrict(query, "i.library_id").Order("i.path", "i.id").Limit(int64(page.Limit) + 1).Scan(ctx)
	return cut(rows, page.Limit, func(i *Item) string { return pathKey(i.Path, i.ID) }), err
}

// Item returns the item if it exists and the viewer may see its library, else ErrItemNotFound.
func (s *Store) Item(ctx context.Context, viewer Viewer, id string) (*Item, error) {
	item := new(Item)
	query := s.read.NewSelect().Model(item).Where("i.id = ?", lookup(id))
	if err := viewer.restrict(query, "i.library_id").Scan(ctx); err != nil {
		return nil, notFound(err, ErrItemNotFound)
	}
	return item, nil
}
