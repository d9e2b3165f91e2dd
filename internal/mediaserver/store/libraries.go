package store

import (
	"context"
	"errors"
	"slices"
	"strings"

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
	// All says that the viewer sees every library but other people's own.
	All bool
	// everything is the server itself.
	everything bool
}

// restrict keeps the rows whose library, in the given column, the viewer may see. A personal library is its owner's
// alone, whatever role another has (Alcoves seed, line 16: "your private workspace").
func (v Viewer) restrict(query *bun.SelectQuery, column string) *bun.SelectQuery {
	switch {
	case v.everything:
		return query
	case v.All:
		return query.Where("? NOT IN (SELECT id FROM libraries WHERE personal AND created_by <> ?)",
			bun.Ident(column), v.AccountID)
	}
	return query.Where("? IN (SELECT library_id FROM permissions WHERE account_id = ? "+
		"UNION SELECT id FROM libraries WHERE personal AND created_by = ?)", bun.Ident(column), v.AccountID, v.AccountID)
}

// Library is a named collection of directories.
type Library struct {
	bun.BaseModel `bun:"table:libraries,alias:l"`

	Seq  int64             `bun:"seq,pk,autoincrement"`
	ID   string            `bun:"id"`
	Name string            `bun:"name"`
	Type rules.LibraryType `bun:"type"`
	// Emoji is empty for a library without one.
	Emoji string `bun:"emoji"`
	// The feature flags. This server only keeps those for faces and objects, for apps that recognise them.
	SharingEnabled  bool `bun:"sharing_enabled"`
	FaceRecognition bool `bun:"face_recognition"`
	ObjectDetection bool `bun:"object_detection"`
	// Personal says that it is its owner's own library, which nobody else sees.
	Personal bool `bun:"personal"`
	// CreatedBy is the id of the library's owner: who made it, or the server's owner once that account is gone.
	CreatedBy string  `bun:"created_by,nullzero"`
	CreatedAt Instant `bun:"created_at"`
	UpdatedAt Instant `bun:"updated_at"`

	ScanState      ScanState `bun:"scan_state"`
	ScanStartedAt  Instant   `bun:"scan_started_at"`
	ScanFinishedAt Instant   `bun:"scan_finished_at"`
	ScanFound      int       `bun:"scan_found"`
	ScanSkipped    int       `bun:"scan_skipped"`
	ScanMessage    string    `bun:"scan_message"`
	// ScanSeen is how many files the scan that runs has seen so far.
	ScanSeen int `bun:"scan_seen"`
	// ScanHolder is the server that scans, and ScanLeaseUntil says how long that is to be believed.
	ScanHolder     string  `bun:"scan_holder"`
	ScanLeaseUntil Instant `bun:"scan_lease_until"`
	ScanWanted     bool    `bun:"scan_wanted"`

	// ItemCount leaves out the trash, which TrashCount counts. Both are 0 until CountItems has filled them in.
	ItemCount  int `bun:"-"`
	TrashCount int `bun:"-"`
	// Granted is the role that was granted to whoever looked, or empty.
	Granted rules.LibraryRole `bun:"granted,scanonly"`
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
		if err := replacePaths(ctx, tx, library); err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "library.create", target: library.target(), details: library.facts()})
	})
}

// facts are what the audit log tells of a library.
func (l *Library) facts() map[string]any {
	return map[string]any{
		"name": l.Name, "emoji": l.Emoji, "sharingEnabled": l.SharingEnabled, "faceRecognition": l.FaceRecognition,
		"objectDetection": l.ObjectDetection, "paths": strings.Join(l.Paths, "\n"),
	}
}

// In says how the account stands to the library, which was loaded for it.
func (l *Library) In(account *Account) rules.InLibrary {
	return rules.InLibrary{Actor: account.Actor(), CreatedBy: l.CreatedBy, Granted: l.Granted, Personal: l.Personal}
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
// told apart (Alcoves seed, line 74: "they learn nothing about whether the library exists at all").
func (s *Store) Library(ctx context.Context, viewer Viewer, id string) (*Library, error) {
	library, err := loadLibrary(ctx, s.read, viewer, id)
	if err != nil {
		return nil, err
	}
	library.endScan(s.now())
	return library, nil
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
		ColumnExpr("COALESCE((SELECT g.role FROM permissions AS g WHERE g.library_id = l.id AND g.account_id = ?), '') "+
			"AS granted", viewer.AccountID)
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

// CountItems fills in how much each of the libraries holds, which takes longer the more it is.
func (s *Store) CountItems(ctx context.Context, libraries ...*Library) error {
	if len(libraries) == 0 {
		return nil
	}
	byID := make(map[string]*Library, len(libraries))
	ids := make([]string, 0, len(libraries))
	for _, library := range libraries {
		library.ItemCount, library.TrashCount = 0, 0
		byID[library.ID] = library
		ids = append(ids, library.ID)
	}
	var rows []struct {
		LibraryID string `bun:"library_id"`
		All       int    `bun:"all_items"`
		Trash     int    `bun:"trash"`
	}
	err := s.read.NewSelect().Table("items").Column("library_id").ColumnExpr("count(*) AS all_items").
		ColumnExpr("count(CASE WHEN trashed_at <> 0 THEN 1 END) AS trash").Where("library_id IN (?)", bun.List(ids)).
		Group("library_id").Scan(ctx, &rows)
	for _, row := range rows {
		byID[row.LibraryID].ItemCount, byID[row.LibraryID].TrashCount = row.All-row.Trash, row.Trash
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
	for _, library := range list.Items {
		library.endScan(s.now())
	}
	return list, loadPaths(ctx, s.read, list.Items)
}

// UpdateLibrary lets change edit the library's Name, Emoji, feature flags and Paths, in one transaction, and returns
// what is stored then. An error of change stops everything. Items below directories that are no longer the library's
// vanish with them. Error: ErrLibraryNotFound for a library that the viewer may not see.
func (s *Store) UpdateLibrary(
	ctx context.Context, viewer Viewer, id string, change func(*Library) error,
) (library *Library, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if library, err = loadLibrary(ctx, tx, viewer, id); err != nil {
			return err
		}
		paths, before := library.Paths, library.facts()
		if err := change(library); err != nil {
			return err
		}
		library.UpdatedAt = At(s.now())
		_, err = tx.NewUpdate().Model(library).WherePK().
			Column("name", "emoji", "sharing_enabled", "face_recognition", "object_detection", "updated_at").Exec(ctx)
		if err != nil {
			return err
		}
		if err := s.recordChange(ctx, tx, "library.update", library.target(), before, library.facts()); err != nil {
			return err
		}
		if slices.Equal(paths, library.Paths) {
			return nil
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

// DeleteLibrary removes the library, its permissions and its place in invites, unless check objects. Errors:
// ErrLibraryNotFound for a library that the viewer may not see; ErrLibraryNotEmpty while it holds an item, be it in the
// trash (Alcoves seed, line 38: "only when it is empty (no files, including trash)"); or check's.
func (s *Store) DeleteLibrary(ctx context.Context, viewer Viewer, id string, check func(*Library) error) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		library, err := loadLibrary(ctx, tx, viewer, id)
		if err != nil {
			return err
		}
		if err := check(library); err != nil {
			return err
		}
		held, err := tx.NewSelect().Table("items").Where("library_id = ?", id).Exists(ctx)
		if err != nil {
			return err
		}
		if held {
			return ErrLibraryNotEmpty
		}
		if err := deleteOwnInvites(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Table("libraries").Where("id = ?", id).Exec(ctx); err != nil {
			return err
		}
		return s.record(ctx, tx, event{action: "library.delete", target: library.target()})
	})
}
