package store

import (
	"context"
	"errors"
	"strings"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// ErrItemNotFound says that an item does not exist or may not be seen.
var ErrItemNotFound = errors.New("item not found")

// ErrArtworkNotFound says that an item has no picture.
var ErrArtworkNotFound = errors.New("artwork not found")

// Item is one media file in a library. Its id stays as long as the file stays in its place.
type Item struct {
	bun.BaseModel `bun:"table:items,alias:i"`

	Seq       int64  `bun:"seq,pk,autoincrement"`
	ID        string `bun:"id"`
	LibraryID string `bun:"library_id"`
	// Root is the library's directory that holds the file, as it was given.
	Root string `bun:"root"`
	// Path is slash-separated and relative to Root.
	Path        string         `bun:"path"`
	Title       string         `bun:"title"`
	TitleFolded string         `bun:"title_folded"`
	Kind        mediafile.Kind `bun:"kind"`
	MIMEType    string         `bun:"mime_type"`
	// Size is in bytes.
	Size       int64   `bun:"size"`
	ModifiedAt Instant `bun:"modified_at"`
	AddedAt    Instant `bun:"added_at"`
	// TrashedAt is set for an item in the trash.
	TrashedAt Instant `bun:"trashed_at"`

	Metadata `bun:"embed:"`
}

// Metadata is what the file says about itself, or what somebody wrote instead. Empty and 0 mean unknown.
type Metadata struct {
	// Edited says that somebody wrote it, and that scans leave it alone.
	Edited bool `bun:"edited"`
	// Version is that of the reader; what an older one read is read again. Problem says why it could not be read.
	Version int    `bun:"metadata_version"`
	Problem string `bun:"metadata_problem"`
	// Creator is who made it: author, artist, director.
	Creator       string `bun:"creator"`
	CreatorFolded string `bun:"creator_folded"`
	Series        string `bun:"series"`
	SeriesFolded  string `bun:"series_folded"`
	// SeriesPosition is a text: series have volumes such as 1.5.
	SeriesPosition string `bun:"series_position"`
	Album          string `bun:"album"`
	Disc           int    `bun:"disc"`
	Track          int    `bun:"track"`
	Year           int    `bun:"year"`
	Language       string `bun:"language"`
	Publisher      string `bun:"publisher"`
	Description    string `bun:"description"`
	// Identifier is an ISBN, UUID or the like, as the file gives it.
	Identifier string `bun:"identifier"`
	DurationMS int64  `bun:"duration_ms"`
	// ArtworkID names a row of artwork, or is empty.
	ArtworkID string `bun:"artwork_id"`
	// ArtworkKept says that this row is there, where that was asked.
	ArtworkKept bool `bun:"artwork_kept,scanonly"`
}

// ItemFilter narrows a list of items. Zero fields do not narrow.
type ItemFilter struct {
	LibraryID string
	Kind      mediafile.Kind
	// Search keeps the items whose title, creator or series contains this text, in any letter case.
	Search string
	// Trash keeps what is in the trash, and only that; without it, what is not.
	Trash bool
}

// likeEscaper takes the special meaning from the wildcards of LIKE, with "!" as the escape character.
var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func (f ItemFilter) apply(query *bun.SelectQuery) *bun.SelectQuery {
	query = query.Where("(i.trashed_at <> 0) = ?", f.Trash)
	if f.LibraryID != "" {
		query = query.Where("i.library_id = ?", f.LibraryID)
	}
	if f.Kind != "" {
		query = query.Where("i.kind = ?", f.Kind)
	}
	if f.Search != "" {
		like := "%" + likeEscaper.Replace(rules.Fold(f.Search)) + "%"
		query = query.Where("i.title_folded LIKE ? ESCAPE '!' OR i.creator_folded LIKE ? ESCAPE '!' "+
			"OR i.series_folded LIKE ? ESCAPE '!'", like, like, like)
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

// Item returns the item if it exists, is not in the trash, and the viewer may see its library, else ErrItemNotFound.
func (s *Store) Item(ctx context.Context, viewer Viewer, id string) (*Item, error) {
	return loadItem(ctx, s.read, viewer, id, false)
}

func loadItem(ctx context.Context, db bun.IDB, viewer Viewer, id string, trashToo bool) (*Item, error) {
	item := new(Item)
	query := db.NewSelect().Model(item).Where("i.id = ?", lookup(id))
	if !trashToo {
		query = query.Where("i.trashed_at = 0")
	}
	if err := viewer.restrict(query, "i.library_id").Scan(ctx); err != nil {
		return nil, notFound(err, ErrItemNotFound)
	}
	return item, nil
}

// ItemInLibrary returns an item, be it in the trash, with its library as the viewer sees it. Error: ErrItemNotFound.
func (s *Store) ItemInLibrary(ctx context.Context, viewer Viewer, id string) (*Item, *Library, error) {
	item, err := loadItem(ctx, s.read, viewer, id, true)
	if err != nil {
		return nil, nil, err
	}
	library, err := loadLibrary(ctx, s.read, viewer, item.LibraryID)
	if errors.Is(err, ErrLibraryNotFound) {
		err = ErrItemNotFound
	}
	return item, library, err
}

// UpdateItem lets change edit the item's Title, Metadata and TrashedAt, unless check objects to writing to its library,
// and returns what is stored then. The action is what the audit log calls it. Errors: ErrItemNotFound, or those of check
// and change.
func (s *Store) UpdateItem(
	ctx context.Context, viewer Viewer, id, action string, change func(*Item, *Library) error,
) (item *Item, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if item, err = loadItem(ctx, tx, viewer, id, true); err != nil {
			return err
		}
		library, err := loadLibrary(ctx, tx, viewer, item.LibraryID)
		if err != nil {
			return err
		}
		before := item.facts()
		if err := change(item, library); err != nil {
			return err
		}
		item.fold()
		if err := updateItem(ctx, tx, item); err != nil {
			return err
		}
		return s.recordChange(ctx, tx, action, item.target(), before, item.facts())
	})
	return item, err
}

func (i *Item) facts() map[string]any {
	return map[string]any{
		"title": i.Title, "creator": i.Creator, "series": i.Series, "seriesPosition": i.SeriesPosition,
		"description": i.Description, "year": i.Year, "language": i.Language, "trashed": !i.TrashedAt.IsZero(),
	}
}
