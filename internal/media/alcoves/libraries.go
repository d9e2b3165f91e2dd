package alcoves

import (
	"context"
	"net/http"
	"strconv"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	librariesPath = "/api/libraries"
	libraryPath   = "/api/libraries/{id}"
	membersPath   = "/api/libraries/{id}/users"
	memberPath    = "/api/libraries/{id}/users/{user}"
)

// libraryBody names what is to be set; what is left out is left alone by the server.
type libraryBody struct {
	Name    *string `json:"name,omitempty"`
	Emoji   *string `json:"emoji,omitempty"`
	Faces   *bool   `json:"faceRecognitionEnabled,omitempty"`
	Objects *bool   `json:"objectDetectionEnabled,omitempty"`
	Sharing *bool   `json:"sharingEnabled,omitempty"`
}

// Library reads one library. The server does not tell one that is gone from one that Usher's account may not see: the
// database does. Without it, the list is looked at as well, which must be a good one.
func (d *Driver) Library(ctx context.Context, id media.LibraryID) (media.Library, error) {
	found, err := d.readLibrary(ctx, id)
	if err == nil {
		return found.library(), nil
	}
	if media.CodeOf(err) != media.NotFound || !isID(string(id)) {
		return media.Library{}, err
	}
	self, err := d.administrator(ctx)
	if err != nil {
		return media.Library{}, err
	}
	seen, err := d.look(ctx, self, media.AccountID(self.ID))
	if err != nil {
		return media.Library{}, err
	}
	for _, one := range seen.listing.Libraries {
		if one.ID == id {
			return one, nil
		}
	}
	if d.database != nil && !seen.sql {
		return media.Library{}, media.Errorf(media.Unavailable, "whether the library is there cannot be told: %s", unknownSchema)
	}
	return media.Library{}, noLibrary()
}

func (d *Driver) readLibrary(ctx context.Context, id media.LibraryID) (library, error) {
	if !isID(string(id)) {
		return library{}, noLibrary()
	}
	var found library
	if err := d.get(ctx, libraryPath, &found, string(id)); err != nil {
		return library{}, err
	}
	if found.ID != string(id) {
		return library{}, media.Errorf(media.Unavailable, "GET %s: the server answered with another library", libraryPath)
	}
	return found, nil
}

// CreateLibrary makes a library, which Usher's account then owns, and sets what the server does not take at creation.
func (d *Driver) CreateLibrary(ctx context.Context, want media.NewLibrary) (media.Library, error) {
	switch {
	case want.Name == "":
		return media.Library{}, media.Errorf(media.Invalid, "a library needs a name")
	case want.MediaType != onlyType:
		return media.Library{}, media.Errorf(media.Unsupported, "the server tells no media types apart: set mediaType to %s", onlyType)
	}
	change := media.LibraryChange{Paths: want.Paths, Settings: want.Settings}
	if _, err := (library{}).difference(change); err != nil {
		return media.Library{}, err
	}
	var made library
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodPost, Path: librariesPath, Body: libraryBody{Name: &want.Name}, Into: &made})
	if err != nil {
		return media.Library{}, err
	}
	after, err := d.change(ctx, made, change)
	if err != nil { // the library is there
		return media.Library{}, media.Errorf(media.Ambiguous, "the library was made, but not as it was asked for").WithCause(ctx.Err())
	}
	return after, nil
}

// UpdateLibrary changes the named fields that differ. What does not differ is not sent: setting a detection again makes
// the server look at every image again (section 4).
func (d *Driver) UpdateLibrary(ctx context.Context, id media.LibraryID, change media.LibraryChange) (media.Library, error) {
	found, err := d.readLibrary(ctx, id)
	switch {
	case err != nil:
		return media.Library{}, err
	case change.IsZero():
		return found.library(), nil
	case *found.IsDefault:
		return media.Library{}, media.Errorf(media.Conflict, "it is a personal library")
	case change.Name != nil && *change.Name == "":
		return media.Library{}, media.Errorf(media.Invalid, "a library needs a name")
	}
	return d.change(ctx, found, change)
}

func (d *Driver) change(ctx context.Context, found library, change media.LibraryChange) (media.Library, error) {
	body, err := found.difference(change)
	if err != nil {
		return media.Library{}, err
	}
	if body == (libraryBody{}) {
		return found.library(), nil
	}
	var after library
	_, err = d.client.Do(ctx, wire.Call{Method: http.MethodPatch, Path: libraryPath, Args: []string{found.ID}, Body: body, Into: &after})
	if err != nil {
		return media.Library{}, err
	}
	if after.ID != found.ID {
		return media.Library{}, media.Errorf(media.Ambiguous, "PATCH %s: the server answered with another library", libraryPath)
	}
	return after.library(), nil
}

// difference is what to send so that a library is as the change says. Of the zero library everything differs.
func (l library) difference(change media.LibraryChange) (libraryBody, error) {
	var body libraryBody
	if len(change.Paths) > 0 {
		return body, media.Errorf(media.Unsupported, "libraries of this server have no paths: people upload what is in them")
	}
	if change.Name != nil && (l.Name == nil || *l.Name != *change.Name) {
		body.Name = change.Name
	}
	flags := map[string]struct{ now, to **bool }{
		settingFaces: {&l.Faces, &body.Faces}, settingObjects: {&l.Objects, &body.Objects}, settingSharing: {&l.Sharing, &body.Sharing},
	}
	for name, value := range change.Settings {
		if flag, known := flags[name]; known {
			on, err := strconv.ParseBool(value)
			if err != nil || strconv.FormatBool(on) != value {
				return body, media.Errorf(media.Invalid, "the setting %s must be true or false", name)
			}
			if *flag.now == nil || **flag.now != on {
				*flag.to = &on
			}
			continue
		}
		if name != settingEmoji {
			return body, media.Errorf(media.Unsupported, "the server has no such library setting: it knows %s, %s, %s and %s",
				settingEmoji, settingFaces, settingObjects, settingSharing)
		}
		if now := l.Emoji; (now == nil && value != "") || (now != nil && *now != value) {
			body.Emoji = &value
		}
	}
	return body, nil
}

// DeleteLibrary deletes an empty library that Usher's account owns. Only the deletion itself tells whether the library is
// empty (section 4), and the server leaves the rows of members and links behind. With a database these go afterwards, so
// that a refusal loses nothing. Without one they can go before only: a library that then turns out not to be empty has lost
// them.
func (d *Driver) DeleteLibrary(ctx context.Context, id media.LibraryID) error {
	self, err := d.administrator(ctx)
	if err != nil {
		return err
	}
	sql, err := d.knowsDatabase(ctx, self)
	if err != nil {
		return err
	}
	found, err := d.readLibrary(ctx, id)
	switch {
	case sql && media.CodeOf(err) == media.NotFound && isID(string(id)): // the answer to an earlier deletion may have been lost
		if err := d.clearRows(ctx, self, id); err != nil {
			return err
		}
		return noLibrary()
	case err != nil:
		return err
	case *found.IsDefault:
		return media.Errorf(media.Conflict, "it is a personal library")
	case found.CurrentUserRole != wordOwner:
		return media.Errorf(media.PermissionDenied, "only the library's owner can delete it, which the account that Usher uses is not")
	}
	if !sql {
		if err := d.clearFirst(ctx, found.ID); err != nil {
			return err
		}
	}
	var done reply
	_, err = d.client.Do(ctx, wire.Call{Method: http.MethodDelete, Path: libraryPath, Args: []string{found.ID}, Into: &done})
	if err != nil || !sql {
		return err
	}
	return d.clearRows(ctx, self, id)
}

// clearFirst revokes the links of a library and removes its members.
func (d *Driver) clearFirst(ctx context.Context, id string) error {
	who, err := d.sharing(ctx, id)
	if err != nil {
		return err
	}
	if err := d.revokeLinks(ctx, id, who.InviteLinks); err != nil {
		return err
	}
	for _, one := range who.Members {
		if one.IsOwner {
			continue
		}
		if err := d.removeMember(ctx, id, one.UserID); err != nil {
			return err
		}
	}
	return nil
}

// clearRows removes what a deleted library left behind; nothing of one that is there.
func (d *Driver) clearRows(ctx context.Context, self account, id media.LibraryID) error {
	return d.database.write(ctx, self.ID, func(ctx context.Context, s *session) error { return s.clear(ctx, id) })
}
