package scan

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// namedProblems is how many of the files that cannot be read a scan's message names.
const namedProblems = 3

// look lists the directories and reads what is new in them. One that cannot be listed makes the scan fail and is left
// out of the result. Seen counts the files.
func (r *Runner) look(ctx context.Context, library *store.Library, seen *atomic.Int64) (store.ScanResult, error) {
	result := store.ScanResult{Listings: map[string]mediafile.Listing{}, Readings: map[string]map[string]store.Reading{}}
	var notes []string
	for _, dir := range library.Paths {
		if library.Personal {
			// Its directory comes into being when it is first looked into.
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return result, err
			}
		}
		listing, err := r.roots.Scan(ctx, dir)
		switch {
		case ctx.Err() != nil:
			return result, ctx.Err()
		case err != nil:
			result.Failed = true
			notes = append(notes, fmt.Sprintf("%s: %v; its items were kept", dir, err))
			continue
		case !listing.Complete:
			result.Failed = true
			notes = append(notes, dir+": not everything could be read; nothing was removed")
		}
		if !library.Type.ShowsArtwork() {
			listing = listing.WithoutArtwork()
		}
		notes = append(notes, listing.Reasons...)
		result.Listings[dir] = listing
		readings, problems, err := r.read(ctx, library.ID, dir, listing, seen)
		if err != nil {
			return result, err
		}
		result.Readings[dir] = readings
		notes = append(notes, problems...)
	}
	result.Message = strings.Join(notes, "; ")
	return result, nil
}

// read reads the files of a directory that are new or changed. Those that are damaged are items like the others, without
// what could not be read; problems names the first of them.
func (r *Runner) read(
	ctx context.Context, libraryID, dir string, listing mediafile.Listing, seen *atomic.Int64,
) (readings map[string]store.Reading, problems []string, err error) {
	unread, err := r.store.Unread(ctx, libraryID, dir, listing)
	if err != nil {
		return nil, nil, err
	}
	seen.Add(int64(len(listing.Files) - len(unread)))
	readings = make(map[string]store.Reading, len(unread))
	damaged := 0
	for _, file := range unread {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		facts, err := r.reader.Describe(ctx, dir, file.Path)
		if err != nil {
			return nil, nil, err
		}
		reading := store.Reading{Facts: facts}
		if reading.ArtworkID, err = r.store.SaveArtwork(ctx, facts.Picture); err != nil {
			return nil, nil, err
		}
		// Pictures of a whole library do not fit into memory.
		reading.Picture = nil
		readings[file.Path] = reading
		seen.Add(1)
		if facts.Problem == "" {
			continue
		}
		if damaged++; damaged <= namedProblems {
			problems = append(problems, file.Path+" "+facts.Problem)
		}
	}
	if damaged > namedProblems {
		problems = append(problems, fmt.Sprintf("%d more files could not be read", damaged-namedProblems))
	}
	return readings, problems, nil
}
