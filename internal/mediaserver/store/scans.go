package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/mediafile"
)

// insertBatch is how many rows one INSERT carries.
const insertBatch = 500

// ScanResult is what a scan found out about a library.
type ScanResult struct {
	// Listings holds what was found, by directory of the library. A directory that could not be scanned is absent, and
	// its items stay.
	Listings map[string]mediafile.Listing
	// Readings holds what was read from the files, by directory and path. What is not in it stays as it is.
	Readings map[string]map[string]Reading
	// Message is for people; with Failed it says why.
	Message string
	Failed  bool
}

// scanLease is how long a scan is believed to run on without a sign of life. Servers whose clocks differ by much less
// than that agree on who scans.
const scanLease = time.Minute

// ScanHeartbeat is how often a scan that runs is to be renewed.
const ScanHeartbeat = scanLease / 4

// What can come between a server and its scan.
var (
	// ErrScanElsewhere says that another server scans the library; it will do so once more.
	ErrScanElsewhere = errors.New("another server scans the library")
	// ErrScanLost says that another server took the scan over, or that the library is gone.
	ErrScanLost = errors.New("the scan is another server's now")
)

// BeginScan notes that the holder scans the library from now on, and returns the library. Errors: ErrLibraryNotFound,
// ErrScanElsewhere.
func (s *Store) BeginScan(ctx context.Context, libraryID, holder string) (library *Library, err error) {
	elsewhere := false
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if library, err = loadLibrary(ctx, tx, Viewer{everything: true}, libraryID); err != nil {
			return err
		}
		now := s.now()
		library.endScan(now)
		if elsewhere = library.ScanState == ScanRunning && library.ScanHolder != holder; elsewhere {
			_, err = tx.NewUpdate().Table("libraries").Set("scan_wanted = ?", true).Where("id = ?", library.ID).Exec(ctx)
			return err
		}
		_, err = tx.NewUpdate().Table("libraries").Set("scan_state = ?", ScanRunning).Set("scan_started_at = ?", At(now)).
			Set("scan_message = ''").Set("scan_seen = 0").Set("scan_wanted = ?", false).
			Set("scan_holder = ?", holder).Set("scan_lease_until = ?", At(now.Add(scanLease))).
			Where("id = ?", library.ID).Exec(ctx)
		return err
	})
	if err == nil && elsewhere {
		err = ErrScanElsewhere
	}
	return library, err
}

// RenewScan says that the holder's scan goes on and how many files it has seen. Error: ErrScanLost.
func (s *Store) RenewScan(ctx context.Context, libraryID, holder string, seen int) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		held, err := affected(tx.NewUpdate().Table("libraries").Set("scan_seen = ?", seen).
			Set("scan_lease_until = ?", At(s.now().Add(scanLease))).Where("id = ?", libraryID).
			Where("scan_state = ?", ScanRunning).Where("scan_holder = ?", holder).Exec(ctx))
		if err == nil && !held {
			return ErrScanLost
		}
		return err
	})
}

// endScan makes a scan whose server has given no sign of life read as interrupted.
func (l *Library) endScan(now time.Time) {
	if l.ScanState == ScanRunning && l.ScanLeaseUntil <= At(now) {
		l.ScanState, l.ScanMessage = ScanFailed, interrupted
	}
}

// endOldScans notes at the start which scans were cut short: in a database of this server alone, all that ran.
func (s *Store) endOldScans(ctx context.Context, tx bun.Tx) error {
	query := tx.NewUpdate().Table("libraries").Set("scan_state = ?", ScanFailed).
		Set("scan_message = ?", interrupted).Where("scan_state = ?", ScanRunning)
	if s.engine.shared() {
		query = query.Where("scan_lease_until <= ?", At(s.now()))
	}
	_, err := query.Exec(ctx)
	return err
}

func pathsOf(ctx context.Context, tx bun.Tx, libraryID string) (paths []string, err error) {
	err = tx.NewSelect().Table("library_paths").Column("path").Where("library_id = ?", libraryID).
		Order("position").Scan(ctx, &paths)
	return paths, err
}

// FinishScan makes the library's items equal to what was found and notes how the scan went, in one transaction. Files
// that are missing from a complete listing lose their item; after an incomplete one nothing is removed. Directories
// that the library gave up meanwhile are left out. It reports whether another server was asked for a scan meanwhile,
// which is the holder's to do. Error: ErrScanLost.
func (s *Store) FinishScan(ctx context.Context, libraryID, holder string, result ScanResult) (wanted bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := tx.NewSelect().Table("libraries").Column("scan_wanted").Where("id = ?", libraryID).
			Where("scan_state = ?", ScanRunning).Where("scan_holder = ?", holder).Scan(ctx, &wanted)
		if err != nil {
			return notFound(err, ErrScanLost)
		}
		paths, err := pathsOf(ctx, tx, libraryID)
		if err != nil {
			return err
		}
		found, skipped, removed := 0, 0, 0
		for root, listing := range result.Listings {
			if !slices.Contains(paths, root) {
				continue
			}
			gone, err := s.syncItems(ctx, tx, libraryID, root, listing, result.Readings[root])
			if err != nil {
				return err
			}
			found, skipped, removed = found+len(listing.Files), skipped+listing.Skipped, removed+gone
		}
		if err := s.noteRemoved(ctx, tx, libraryID, removed); err != nil {
			return err
		}
		if err := forgetArtwork(ctx, tx, libraryID); err != nil {
			return err
		}
		return s.noteScan(ctx, tx, libraryID, result, found, skipped)
	})
	return wanted, err
}

// noteRemoved writes into the audit log that a scan took items away, if it did: people may be sent one of them just now.
func (s *Store) noteRemoved(ctx context.Context, tx bun.Tx, id string, removed int) error {
	if removed == 0 {
		return nil
	}
	library, err := loadLibrary(ctx, tx, Viewer{everything: true}, id)
	if err != nil {
		return err
	}
	return s.record(ctx, tx, event{action: "library.items-gone", target: library.target(), details: map[string]any{"items": removed}})
}

func (s *Store) noteScan(ctx context.Context, tx bun.Tx, id string, result ScanResult, found, skipped int) error {
	state := ScanIdle
	if result.Failed {
		state = ScanFailed
	}
	_, err := tx.NewUpdate().Table("libraries").Set("scan_state = ?", state).
		Set("scan_finished_at = ?", At(s.now())).Set("scan_found = ?", found).Set("scan_skipped = ?", skipped).
		Set("scan_message = ?", result.Message).Set("scan_seen = ?", found).Where("id = ?", id).Exec(ctx)
	return err
}

// syncItems writes only what differs, so that scanning an unchanged directory changes nothing, and returns how many items are gone.
func (s *Store) syncItems(
	ctx context.Context, tx bun.Tx, libraryID, root string, listing mediafile.Listing, readings map[string]Reading,
) (removed int, err error) {
	var stored []*Item
	err = tx.NewSelect().Model(&stored).Where("library_id = ?", libraryID).Where("root = ?", root).Scan(ctx)
	if err != nil {
		return 0, err
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
			item = s.newItem(libraryID, root, file)
			added = append(added, item)
		}
		before := *item
		item.Size, item.ModifiedAt = file.Size, At(file.Modified)
		if reading, read := readings[file.Path]; read {
			item.apply(reading)
		}
		if !known || *item == before {
			continue
		}
		if err := updateItem(ctx, tx, item); err != nil {
			return 0, err
		}
	}
	if err := insertAll(ctx, tx, added); err != nil || !listing.Complete {
		return 0, err
	}
	return len(gone), removeItems(ctx, tx, gone)
}

func (s *Store) newItem(libraryID, root string, file mediafile.Found) *Item {
	item := &Item{
		ID: auth.NewID(), LibraryID: libraryID, Root: root, Path: file.Path, Title: mediafile.Title(file.Path),
		Kind: file.Type.Kind, MIMEType: file.Type.MIME, AddedAt: At(s.now()),
	}
	item.fold()
	return item
}

// updateItem writes what can change of an item. The rest says which item it is.
func updateItem(ctx context.Context, tx bun.Tx, item *Item) error {
	_, err := tx.NewUpdate().Model(item).WherePK().ExcludeColumn("seq", "id", "library_id", "root", "path", "kind",
		"mime_type", "added_at").Exec(ctx)
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
