package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// Reading is what a scan has read from a file. Its picture is stored already.
type Reading struct {
	mediafile.Facts
	ArtworkID string
}

// Artwork is a picture, shared by all items that show it.
type Artwork struct {
	bun.BaseModel `bun:"table:artwork,alias:a"`

	// ID is made from the picture's bytes, so that the same id means the same picture.
	ID       string `bun:"id,pk"`
	MIMEType string `bun:"mime_type"`
	Data     []byte `bun:"data"`
}

// Unread returns the files of a listing that are to be read: new and changed ones, those that an older reader read, and
// those without a picture beside which one lies now.
func (s *Store) Unread(ctx context.Context, libraryID, root string, listing mediafile.Listing) ([]mediafile.Found, error) {
	var stored []*Item
	err := s.read.NewSelect().Model(&stored).Column("path", "size", "modified_at", "metadata_version", "artwork_id").
		ColumnExpr("(i.artwork_id = '' OR EXISTS (SELECT 1 FROM artwork AS a WHERE a.id = i.artwork_id)) AS artwork_kept").
		Where("library_id = ?", libraryID).Where("root = ?", root).Scan(ctx)
	if err != nil {
		return nil, err
	}
	known := make(map[string]*Item, len(stored))
	for _, item := range stored {
		known[item.Path] = item
	}
	there := make(map[string]bool, len(listing.Files))
	for _, file := range listing.Files {
		there[file.Path] = true
	}
	for _, path := range listing.Artwork {
		there[path] = true
	}
	var unread []mediafile.Found
	for _, file := range listing.Files {
		if item := known[file.Path]; item == nil || !item.upToDate(file) || (item.ArtworkID == "" && anyOf(there, mediafile.Beside(file.Path))) {
			unread = append(unread, file)
		}
	}
	return unread, nil
}

func anyOf(there map[string]bool, paths []string) bool {
	for _, path := range paths {
		if there[path] {
			return true
		}
	}
	return false
}

// upToDate reports whether the item says what the file said when it was last read, and its picture is there.
func (i *Item) upToDate(file mediafile.Found) bool {
	return i.ArtworkKept && i.Version == mediafile.ReaderVersion && i.Size == file.Size && i.ModifiedAt == At(file.Modified)
}

// SaveArtwork stores the picture, unless it is stored already, and returns its id; for nil that is empty.
func (s *Store) SaveArtwork(ctx context.Context, picture *mediafile.Picture) (string, error) {
	if picture == nil {
		return "", nil
	}
	sum := sha256.Sum256(picture.Data)
	artwork := &Artwork{ID: base64.RawURLEncoding.EncodeToString(sum[:]), MIMEType: picture.MIME, Data: picture.Data}
	_, err := s.write.NewInsert().Model(artwork).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return artwork.ID, err
}

// Artwork returns the picture with that id, or ErrArtworkNotFound. Who may see it is for the caller to check, by the
// item that shows it.
func (s *Store) Artwork(ctx context.Context, id string) (*Artwork, error) {
	artwork := new(Artwork)
	err := s.read.NewSelect().Model(artwork).Where("a.id = ?", id).Scan(ctx)
	return artwork, notFound(err, ErrArtworkNotFound)
}

// ArtworkTypes returns the media types of the items' pictures by artwork id.
func (s *Store) ArtworkTypes(ctx context.Context, items []*Item) (map[string]string, error) {
	ids := make([]string, 0, len(items))
	for _, item := range items {
		ids = append(ids, item.ArtworkID)
	}
	types := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return types, nil
	}
	var rows []Artwork
	err := s.read.NewSelect().Model(&rows).Column("id", "mime_type").Where("id IN (?)", bun.List(ids)).Scan(ctx)
	for _, row := range rows {
		types[row.ID] = row.MIMEType
	}
	return types, err
}

// forgetArtwork removes the pictures that no item shows any longer. While another library is scanned it leaves them: that
// scan may just have stored one for an item to come.
func forgetArtwork(ctx context.Context, tx bun.Tx, libraryID string) error {
	_, err := tx.NewDelete().Table("artwork").Where("id NOT IN (SELECT artwork_id FROM items)").
		Where("NOT EXISTS (SELECT 1 FROM libraries WHERE scan_state = ? AND id <> ?)", ScanRunning, libraryID).Exec(ctx)
	return err
}

// apply takes over what was read, but for what somebody wrote themselves.
func (i *Item) apply(reading Reading) {
	i.Version, i.Problem, i.ArtworkID = mediafile.ReaderVersion, reading.Problem, reading.ArtworkID
	if i.Edited {
		return
	}
	if i.Title = reading.Title; i.Title == "" {
		i.Title = mediafile.Title(i.Path)
	}
	i.Creator, i.Series, i.SeriesPosition, i.Album = reading.Creator, reading.Series, reading.SeriesPosition, reading.Album
	i.Disc, i.Track, i.Year, i.Language = reading.Disc, reading.Track, reading.Year, reading.Language
	i.Publisher, i.Description, i.Identifier = reading.Publisher, reading.Description, reading.Identifier
	i.fold()
}

// fold keeps the folded texts in step with the others.
func (i *Item) fold() {
	i.TitleFolded, i.CreatorFolded, i.SeriesFolded = rules.Fold(i.Title), rules.Fold(i.Creator), rules.Fold(i.Series)
}
