package store

import (
	"context"
	"errors"
	"slices"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// What can be wrong with a wish about a library.
var (
	ErrLibraryNotFound = errors.New("library not found")
	ErrLibraryNotEmpty = errors.New("library not empty")
)

// ScanState says what a library's last scan is up to.
type ScanState string

// The states of a scan.
const (
	ScanIdle    ScanState = "idle"
	ScanRunning ScanState = "running"
	ScanFailed  ScanState = "failed"
)

// Viewer is somebody who looks for libraries and items. The zero value sees nothing.
type Viewer struct {
	AccountID string
	// All says that the viewer sees every library.
	All bool
}

// restrict keeps the rows whose library, in the given column, the viewer may see.
func (v Viewer) restrict(query *bun.SelectQuery, column string) *bun.SelectQuery {
	if v.All {
		return query
	}
	return query.Where("? IN (SELECT library_id FROM permissions WHERE account_id = ?)", bun.Ident(column), v.AccountID)
}

// Library is a named collection of directories.
type Library struct {
	bun.BaseModel `bun:"table:libraries,alias:l"`

	Seq  int64             `bun:"seq,pk,autoincrement"`
	ID   string            `bun:"id"`
	Name string            `bun:"name"`
	Type rules.LibraryType `bun:"type"`
	// Emoji is empty for a library without one.
	Emoji          string `bun:"emoji"`
	SharingEnabled bool   `bun:"sharing_enabled"`
	// CreatedBy is the id of the account that made it; empty once that account is gone.
	CreatedBy string  `bun:"created_by,nullzero"`
	CreatedAt Instant `bun:"created_at"`
	UpdatedAt Instant `bun:"updated_at"`

	ScanState      ScanState `bun:"scan_state"`
	ScanStartedAt  Instant   `bun:"scan_started_at"`
	ScanFinishedAt Instant   `bun:"scan_finished_at"`
	ScanFound      int       `bun:"scan_found"`
	ScanSkipped    int       `bun:"scan_skipped"`
	ScanMessage    string    `bun:"scan_message"`

	ItemCount int `bun:"item_count,scanonly"`
	// Paths are the directories as they were given.
	Paths []string `bun:"-"`
}

type libraryPath struct {
	bun.BaseModel `bun:"table:library_paths"`

	LibraryID string `bun:"library_id,pk"`
	Position  int    `bun:"position,pk"`
	Path      string `bun:"path"`
}

// CreateLibrary stores a new library with its Paths, never scanned. It fills in Seq, the times and ScanState. Names may
// repeat.
func (s *Store) CreateLibrary(ctx context.Context, library *Library) error {
	library.CreatedAt = At(s.now())
	library.UpdatedAt, library.ScanState = library.CreatedAt, ScanIdle
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(library).Exec(ctx); err != nil {
			return err
		}
		return replacePaths(ctx, tx, library)
	})
}

func replacePaths(ctx context.Context, tx bun.Tx, library *Library) error {
	_, err := tx.NewDelete().Table("library_paths").Where("library_id = ?", library.ID).Exec(ctx)
	if err != nil {
		return err
	}
	rows := make([]libraryPath, 0, len(library.Paths))
	for i, path := range library.Paths {
		rows = append(rows, libraryPath{LibraryID: library.ID, Position: i, Path: path})
	}
	return insertAll(ctx, tx, rows)
}

// Library returns the library if it exists and the viewer may see it, else ErrLibraryNotFound: the two are not to be
// told apart (Alcoves seed: "they learn nothing about whether the library exists at all").
func (s *Store) Library(ctx context.Context, viewer Viewer, id string) (*Library, error) {
	return loadLibrary(ctx, s.read, viewer, id)
}

func loadLibrary(ctx context.Context, db bun.IDB, viewer Viewer, id string) (*Library, error) {
	library := new(Library)
	if err := selectLibraries(db, library, viewer).Where("l.id = ?", lookup(id)).Scan(ctx); err != nil {
		return nil, notFound(err, ErrLibraryNotFound)
	}
	return library, loadPaths(ctx, db, []*Library{library})
}

func selectLibraries(db bun.IDB, into any, viewer Viewer) *bun.SelectQuery {
	query := db.NewSelect().Model(into).ColumnExpr("l.*").
		ColumnExpr("(SELECT count(*) FROM items AS i WHERE i.library_id = l.id) AS item_count")
	return viewer.restrict(query, "l.id")
}

func loadPaths(ctx context.Context, db bun.IDB, libraries []*Library) error {
	if len(libraries) == 0 {
		return nil
	}
	byID := make(map[string]*Library, len(libraries))
	ids := make([]string, 0, len(libraries))
	for _, library := range libraries {
		byID[library.ID] = library
		ids = append(ids, library.ID)
	}
	var rows []libraryPath
	err := db.NewSelect().Model(&rows).Where("library_id IN (?)", bun.List(ids)).
		Order("library_id", "position").Scan(ctx)
	for _, row := range rows {
		byID[row.LibraryID].Paths = append(byID[row.LibraryID].Paths, row.Path)
	}
	return err
}

// Libraries returns a page of the libraries that the viewer may see, in the order of making. Error: ErrBadCursor.
func (s *Store) Libraries(ctx context.Context, viewer Viewer, page Page) (List[*Library], error) {
	after, err := page.afterSeq()
	if err != nil {
		return List[*Library]{}, err
	}
	var rows []*Library
	err = selectLibraries(s.read, &rows, viewer).Where("l.seq > ?", after).Order("l.seq").
		Limit(int64(page.Limit) + 1).Scan(ctx)
	if err != nil {
		return List[*Library]{}, err
	}
	list := cut(rows, page.Limit, func(l *Library) string { return seqKey(l.Seq) })
	return list, loadPaths(ctx, s.read, list.Items)
}

// UpdateLibrary lets change edit the library's Name, Emoji, SharingEnabled and Paths, in one transaction, and returns
// what is stored then. Items below directories that are no longer the library's vanish with them. Error:
// ErrLibraryNotFound for a library that the viewer may not see.
func (s *Store) UpdateLibrary(
	ctx context.Context, viewer Viewer, id string, change func(*Library),
) (library *Library, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if library, err = loadLibrary(ctx, tx, viewer, id); err != nil {
			return err
		}
		paths := library.Paths
		change(library)
		library.UpdatedAt = At(s.now())
		_, err = tx.NewUpdate().Model(library).WherePK().
			Column("name", "emoji", "sharing_enabled", "updated_at").Exec(ctx)
		if err != nil || slices.Equal(paths, library.Paths) {
			return err
		}
		if err := movePaths(ctx, tx, library); err != nil {
			return err
		}
		library, err = loadLibrary(ctx, tx, viewer, id)
		return err
	})
	return library, err
}

func movePaths(ctx context.Context, tx bun.Tx, library *Library) error {
	_, err := tx.NewDelete().Table("items").Where("library_id = ?", library.ID).
		Where("root NOT IN (?)", bun.List(library.Paths)).Exec(ctx)
	if err != nil {
		return err
	}
	return replacePaths(ctx, tx, library)
}

// DeleteLibrary removes the library, its permissions and its place in invites, unless check objects. Errors: ErrLibraryNotFound for a library
// that the viewer may not see; ErrLibraryNotEmpty while it holds an item (Alcoves seed: "Only the owner can delete a
// library, and only when it is empty"); or check's.
func (s *Store) DeleteLibrary(ctx context.Context, viewer Viewer, id string, check func(*Library) error) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		library, err := loadLibrary(ctx, tx, viewer, id)
		if err != nil {
			return err
		}
		if err := check(library); err != nil {
			return err
		}
		if library.ItemCount > 0 {
			return ErrLibraryNotEmpty
		}
		_, err = tx.NewDelete().Table("libraries").Where("id = ?", id).Exec(ctx)
		return err
	})
}
