package store

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/media"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// insertBatch is how many rows one INSERT carries.
const insertBatch = 500

// ScanResult is what a scan found out about a library.
type ScanResult struct {
	// Listings holds what was found, by directory of the library. A directory that could not be scanned is absent, and
	// its items stay.
	Listings map[string]media.Listing
	// Message is for people; with Failed it says why.
	Message string
	Failed  bool
}

// BeginScan notes that a scan of the library runs, and returns the library's directories. Error: ErrLibraryNotFound.
func (s *Store) BeginScan(ctx context.Context, libraryID string) (paths []string, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		found, err := affected(tx.NewUpdate().Table("libraries").Set("scan_state = ?", ScanRunning).
			Set("scan_started_at = ?", At(s.now())).Set("scan_message = ''").Where("id = ?", libraryID).Exec(ctx))
		if err != nil {
			return err
		}
		if !found {
			return ErrLibraryNotFound
		}
		paths, err = pathsOf(ctx, tx, libraryID)
		return err
	})
	return paths, err
}

func pathsOf(ctx context.Context, tx bun.Tx, libraryID string) (paths []string, err error) {
	err = tx.NewSelect().Table("library_paths").Column("path").Where("library_id = ?", libraryID).
		Order("position").Scan(ctx, &paths)
	return paths, err
}

// FinishScan makes the library's items equal to what was found and notes how the scan went, in one transaction. Files
// that are missing from a complete listing lose their item; after an incomplete one nothing is removed. Directories
// that the library gave up meanwhile are left out. Error: ErrLibraryNotFound.
func (s *Store) FinishScan(ctx context.Context, libraryID string, result ScanResult) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		paths, err := pathsOf(ctx, tx, libraryID)
		if err != nil {
			return err
		}
		found, skipped := 0, 0
		for root, listing := range result.Listings {
			if !slices.Contains(paths, root) {
				continue
			}
			if err := syncItems(ctx, tx, libraryID, root, listing); err != nil {
				return err
			}
			found, skipped = found+len(listing.Files), skipped+listing.Skipped
		}
		return s.noteScan(ctx, tx, libraryID, result, found, skipped)
	})
}

func (s *Store) noteScan(ctx context.Context, tx bun.Tx, id string, result ScanResult, found, skipped int) error {
	state := ScanIdle
	if result.Failed {
		state = ScanFailed
	}
	known, err := affected(tx.NewUpdate().Table("libraries").Set("scan_state = ?", state).
		Set("scan_finished_at = ?", At(s.now())).Set("scan_found = ?", found).Set("scan_skipped = ?", skipped).
		Set("scan_message = ?", result.Message).Where("id = ?", id).Exec(ctx))
	if err == nil && !known {
		return ErrLibraryNotFound
	}
	return err
}

// syncItems writes only what differs, so that scanning an unchanged directory changes nothing.
func syncItems(ctx context.Context, tx bun.Tx, libraryID, root string, listing media.Listing) error {
	var stored []*Item
	err := tx.NewSelect().Model(&stored).Where("library_id = ?", libraryID).Where("root = ?", root).Scan(ctx)
	if err != nil {
		return err
	}
	gone := make(map[string]*Item, len(stored))
	for _, item := range stored {
		gone[item.Path] = item
	}
	var added []*Item
	for _, file := range listing.Files {
		item, known := gone[file.Path]
		delete(gone, file.Path)
		if !known {
			added = append(added, newItem(libraryID, root, file))
			continue
		}
		if err := refresh(ctx, tx, item, file); err != nil {
			return err
		}
	}
	if err := insertAll(ctx, tx, added); err != nil || !listing.Complete {
		return err
	}
	return removeItems(ctx, tx, gone)
}

func newItem(libraryID, root string, file media.Found) *Item {
	title := media.Title(file.Path)
	return &Item{
		ID: auth.NewID(), LibraryID: libraryID, Root: root, Path: file.Path, Title: title,
		TitleFolded: rules.Fold(title), Kind: file.Type.Kind, MIMEType: file.Type.MIME,
		Size: file.Size, ModifiedAt: At(file.Modified),
	}
}

func refresh(ctx context.Context, tx bun.Tx, item *Item, file media.Found) error {
	if item.Size == file.Size && item.ModifiedAt == At(file.Modified) {
		return nil
	}
	item.Size, item.ModifiedAt = file.Size, At(file.Modified)
	_, err := tx.NewUpdate().Model(item).WherePK().Column("size", "modified_at").Exec(ctx)
	return err
}

func removeItems(ctx context.Context, tx bun.Tx, gone map[string]*Item) error {
	ids := make([]int64, 0, len(gone))
	for _, item := range gone {
		ids = append(ids, item.Seq)
	}
	for batch := range slices.Chunk(ids, insertBatch) {
		if _, err := tx.NewDelete().Table("items").Where("seq IN (?)", bun.List(batch)).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// insertAll inserts the rows in batches; none is fine.
func insertAll[T any](ctx context.Context, tx bun.Tx, rows []T) error {
	for batch := range slices.Chunk(rows, insertBatch) {
		if _, err := tx.NewInsert().Model(&batch).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
