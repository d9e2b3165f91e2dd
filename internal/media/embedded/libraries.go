package embedded

import (
	"context"
	"net/http"
	"strconv"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	librariesPath = "/v1/libraries"
	libraryPath   = "/v1/libraries/{id}"
)

// The names in Library.Settings.
const (
	// settingEmoji is shown beside the library's name; empty for none.
	settingEmoji = "emoji"
	// settingSharing says whether links to single items may be shared with the public: "true" or "false".
	settingSharing = "publicSharing"
)

// Library reads one library.
func (d *Driver) Library(ctx context.Context, id media.LibraryID) (media.Library, error) {
	var l library
	if err := d.get(ctx, libraryPath, &l, string(id)); err != nil {
		return media.Library{}, err
	}
	return l.is(id, media.Unavailable)
}

// CreateLibrary makes a library with its settings in one call. The server puts it into nobody's list.
func (d *Driver) CreateLibrary(ctx context.Context, want media.NewLibrary) (media.Library, error) {
	word, known := typeWords[want.MediaType]
	if !known {
		return media.Library{}, media.Errorf(media.Unsupported, "the server knows no such media type")
	}
	body := libraryBody{Name: &want.Name, Type: word, Paths: want.Paths}
	if err := body.set(want.Settings); err != nil {
		return media.Library{}, err
	}
	var l library
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodPost, Path: librariesPath, Body: body, Into: &l})
	if err != nil {
		return media.Library{}, err
	}
	return l.library(), nil
}

// UpdateLibrary changes the named fields in one call.
func (d *Driver) UpdateLibrary(ctx context.Context, id media.LibraryID, change media.LibraryChange) (media.Library, error) {
	if change.IsZero() {
		return d.Library(ctx, id)
	}
	if change.Paths != nil && len(change.Paths) == 0 {
		return media.Library{}, media.Errorf(media.Invalid, "a library needs a path")
	}
	body := libraryBody{Name: change.Name, Paths: change.Paths}
	if err := body.set(change.Settings); err != nil {
		return media.Library{}, err
	}
	var l library
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPatch, Path: libraryPath, Args: []string{string(id)}, Body: body, Into: &l,
	})
	if err != nil {
		return media.Library{}, err
	}
	return l.is(id, media.Ambiguous)
}

// DeleteLibrary deletes an empty library. Only the server's owner and whoever made the library may.
func (d *Driver) DeleteLibrary(ctx context.Context, id media.LibraryID) error {
	return d.remove(ctx, libraryPath, string(id))
}

// set puts the named settings into the body.
func (b *libraryBody) set(settings map[string]string) error {
	for name, value := range settings {
		switch name {
		case settingEmoji:
			b.Emoji = &value
		case settingSharing:
			shared, err := strconv.ParseBool(value)
			if err != nil || strconv.FormatBool(shared) != value {
				return media.Errorf(media.Invalid, "the setting %s must be true or false", settingSharing)
			}
			b.SharingEnabled = &shared
		default:
			return media.Errorf(media.Unsupported, "the server has no such library setting: it knows %s and %s",
				settingEmoji, settingSharing)
		}
	}
	return nil
}
