package shisho

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	libraryPath = "/libraries/{id}"
	booksPath   = "/books"

	maxLibraryName = 100
	maxPaths       = 50
	defaultCover   = "book"
)

type (
	newLibrary struct {
		Name             string   `json:"name"`
		Paths            []string `json:"library_paths"`
		CoverAspectRatio string   `json:"cover_aspect_ratio"`
		// Organize is always sent: the server's default lets its first scan move and rename media files, and no later
		// call is sure to come before that scan (contract, section 5).
		Organize bool `json:"organize_file_structure"`
	}
	libraryChange struct {
		Name             *string  `json:"name,omitempty"`
		Paths            []string `json:"library_paths,omitempty"`
		CoverAspectRatio *string  `json:"cover_aspect_ratio,omitempty"`
		Organize         *bool    `json:"organize_file_structure,omitempty"`
	}
	// count is a list of which only the number matters.
	count struct {
		Total *int `json:"total"`
	}
)

// Check implements wire.Checker.
func (c *count) Check() error { return form(c.Total != nil) }

// Library reads one library.
func (d *Driver) Library(ctx context.Context, id media.LibraryID) (media.Library, error) {
	l, err := d.library(ctx, id)
	if err != nil {
		return media.Library{}, err
	}
	d.shelves.looked(false, l)
	return l.library(), nil
}

func (d *Driver) library(ctx context.Context, id media.LibraryID) (library, error) {
	if number(id) == 0 {
		return library{}, noLibrary()
	}
	var l library
	err := d.get(ctx, libraryPath, &l, string(id))
	switch {
	case err != nil:
		return library{}, err
	case l.ID != number(id):
		return library{}, media.Errorf(media.Unavailable, "GET %s: the server answered with another library", libraryPath)
	case d.shelves.kindOf(l) != ordinary:
		return library{}, noLibrary()
	}
	return l, nil
}

// CreateLibrary makes a library with its settings in one call, after looking whether its directories are there. The
// server puts it into nobody's list; it queues a scan of all libraries.
//
// Names are not unique, so nothing here tells a library that a lost answer left behind from somebody else's. The
// placeholder is laid first: from the first library on, an account without a grant would be shown something.
func (d *Driver) CreateLibrary(ctx context.Context, want media.NewLibrary) (media.Library, error) {
	if want.MediaType != mediaType {
		return media.Library{}, media.Errorf(media.Unsupported, "libraries of this server are of the type %s, whatever they hold", mediaType)
	}
	body := newLibrary{Name: want.Name, Paths: slices.Compact(slices.Sorted(slices.Values(want.Paths))), CoverAspectRatio: defaultCover}
	var change libraryChange
	if err := change.set(want.Settings); err != nil {
		return media.Library{}, err
	}
	if change.Organize != nil {
		body.Organize = *change.Organize
	}
	if change.CoverAspectRatio != nil {
		body.CoverAspectRatio = *change.CoverAspectRatio
	}
	if err := d.nameable(body.Name); err != nil {
		return media.Library{}, err
	}
	if err := d.mounted(ctx, body.Paths); err != nil {
		return media.Library{}, err
	}
	if _, _, err := d.lay(ctx, d.shelves.get()); err != nil && media.CodeOf(err) != media.Unsupported {
		return media.Library{}, err
	}
	made, err := d.makeLibrary(ctx, body)
	if err != nil {
		return media.Library{}, err
	}
	d.shelves.looked(false, made)
	return made.library(), nil
}

func (d *Driver) makeLibrary(ctx context.Context, body newLibrary) (library, error) {
	var l library
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: librariesPath, Body: body, Into: &l, Want: http.StatusOK,
	})
	return l, err
}

// UpdateLibrary changes the named fields that differ in one call, and makes none when nothing does: the server would
// rewrite its rows all the same.
func (d *Driver) UpdateLibrary(ctx context.Context, id media.LibraryID, change media.LibraryChange) (media.Library, error) {
	var body libraryChange
	if err := body.set(change.Settings); err != nil {
		return media.Library{}, err
	}
	current, err := d.library(ctx, id)
	if err != nil {
		return media.Library{}, err
	}
	if change.Name != nil && *change.Name != current.Name {
		if err := d.nameable(*change.Name); err != nil {
			return media.Library{}, err
		}
		body.Name = change.Name
	}
	paths := slices.Compact(slices.Sorted(slices.Values(change.Paths)))
	if change.Paths != nil && !slices.Equal(paths, slices.Sorted(slices.Values(current.paths()))) {
		if err := d.mounted(ctx, paths); err != nil {
			return media.Library{}, err
		}
		body.Paths = paths
	}
	if body.Organize != nil && *body.Organize == *current.Organize {
		body.Organize = nil
	}
	if body.CoverAspectRatio != nil && *body.CoverAspectRatio == current.CoverAspectRatio {
		body.CoverAspectRatio = nil
	}
	if body.Name == nil && body.Paths == nil && body.Organize == nil && body.CoverAspectRatio == nil {
		return current.library(), nil
	}
	var l library
	_, err = d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: libraryPath, Args: []string{string(id)}, Body: body, Into: &l, Want: http.StatusOK,
	})
	switch {
	case err != nil:
		return media.Library{}, err
	case l.ID != current.ID:
		return media.Library{}, media.Errorf(media.Ambiguous, "POST %s: the server answered with another library", libraryPath)
	}
	d.shelves.looked(false, l)
	return l.library(), nil
}

func (d *Driver) nameable(name string) error {
	switch n := utf8.RuneCountInString(name); {
	case n == 0 || n > maxLibraryName:
		return media.Errorf(media.Invalid, "a library's name needs 1 to %d characters", maxLibraryName)
	case name == PlaceholderName:
		return media.Errorf(media.Invalid, "the name %q is kept for Usher's own library", PlaceholderName)
	}
	return nil
}

// mounted says whether the server sees each path as a directory: it would take any text for a path, and a missing one
// fails its scans.
func (d *Driver) mounted(ctx context.Context, paths []string) error {
	if len(paths) == 0 || len(paths) > maxPaths {
		return media.Errorf(media.Invalid, "a library needs 1 to %d paths", maxPaths)
	}
	for _, path := range paths {
		if path == "" {
			return media.Errorf(media.Invalid, "a path is empty")
		}
		if err := d.directory(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

// set puts the named settings into the change.
func (c *libraryChange) set(settings map[string]string) error {
	for name, value := range settings {
		switch name {
		case settingOrganize:
			organize, err := strconv.ParseBool(value)
			if err != nil || strconv.FormatBool(organize) != value {
				return media.Errorf(media.Invalid, "the setting %s must be true or false", settingOrganize)
			}
			c.Organize = &organize
		case settingCover:
			for server, word := range coverWords {
				if word == value {
					c.CoverAspectRatio = &server
				}
			}
			if c.CoverAspectRatio == nil {
				return media.Errorf(media.Invalid, "the setting %s must be Book, Audiobook, BookFallbackAudiobook or AudiobookFallbackBook", settingCover)
			}
		default:
			return media.Errorf(media.Unsupported, "the server has no such library setting: it knows %s and %s", settingOrganize, settingCover)
		}
	}
	return nil
}

// books counts what a library holds.
func (d *Driver) books(ctx context.Context, id int) (int, error) {
	var books count
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodGet, Path: booksPath, Query: url.Values{"library_id": {strconv.Itoa(id)}, "limit": {"1"}}, Into: &books,
	})
	if err != nil {
		return 0, err
	}
	return *books.Total, nil
}
