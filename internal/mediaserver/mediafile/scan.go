package mediafile

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
	"unicode/utf8"
)

// maxReasons is how many of the skipped entries a scan remembers by name.
const maxReasons = 3

// Found is one media file below a library's directory.
type Found struct {
	// Path is slash-separated and relative to the directory.
	Path string
	Type Type
	// Size is in bytes.
	Size     int64
	Modified time.Time
}

// Listing is what one directory holds.
type Listing struct {
	Files []Found
	// Artwork are the paths of pictures that WithoutArtwork took out of Files.
	Artwork []string
	// Skipped counts the entries that are no media this server can show: unknown types, links that lead outside,
	// special files, and what could not be read. Hidden entries (leading dot) are passed over uncounted.
	Skipped int
	// Reasons names the first few that were skipped for another reason than their type.
	Reasons []string
	// Complete says that every directory could be read, so that a file missing here is gone.
	Complete bool
}

// Scan lists the media files below a library's directory, in lexical order. Symbolic links to directories are not
// followed; links to files are, as long as they stay below dir. The error is an *NotAllowedError, or the context's.
func (r Roots) Scan(ctx context.Context, dir string) (Listing, error) {
	root, err := r.openDir(dir)
	if err != nil {
		return Listing{}, err
	}
	defer func() { _ = root.Close() }()
	walk := &walker{ctx: ctx, root: root, listing: Listing{Complete: true}}
	if err := fs.WalkDir(root.FS(), ".", walk.visit); err != nil {
		return Listing{}, fmt.Errorf("scan %s: %w", dir, err)
	}
	return walk.listing, nil
}

type walker struct {
	ctx     context.Context
	root    *os.Root
	listing Listing
}

func (w *walker) visit(name string, entry fs.DirEntry, err error) error {
	switch {
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	case err != nil && name == ".":
		return err
	case err != nil:
		w.listing.Complete = false
		w.skip(name, "could not be read")
		return nil
	case name != "." && strings.HasPrefix(path.Base(name), "."):
		return skipTree(entry)
	case entry.IsDir():
		return nil
	}
	w.file(name)
	return nil
}

func skipTree(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// file takes the file into the listing, or counts it as skipped.
func (w *walker) file(name string) {
	kind, known := TypeOf(name)
	if !known {
		w.listing.Skipped++
		return
	}
	if !utf8.ValidString(name) {
		w.skip(strings.ToValidUTF8(name, "?"), "has a name that is not UTF-8")
		return
	}
	info, err := w.root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		w.skip(name, "is no file within the library")
		return
	}
	w.listing.Files = append(w.listing.Files, Found{Path: name, Type: kind, Size: info.Size(), Modified: info.ModTime()})
}

func (w *walker) skip(name, reason string) {
	w.listing.Skipped++
	if len(w.listing.Reasons) < maxReasons {
		w.listing.Reasons = append(w.listing.Reasons, name+" "+reason)
	}
}

// WithoutArtwork returns the listing without the pictures that are there to stand for a film, a record or a book beside
// them: nobody who looks for the film wants to find its poster as well.
func (l Listing) WithoutArtwork() Listing {
	standIns := map[string]bool{}
	for _, file := range l.Files {
		for _, name := range Beside(file.Path) {
			standIns[name] = true
		}
	}
	files := make([]Found, 0, len(l.Files))
	for _, file := range l.Files {
		if standIns[file.Path] {
			l.Artwork = append(l.Artwork, file.Path)
		} else {
			files = append(files, file)
		}
	}
	l.Files = files
	return l
}
