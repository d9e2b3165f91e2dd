package dubby

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	librariesPath = "/v1/libraries"
	libraryPath   = "/v1/libraries/{id}"
)

// libraries reads every library: owner and admin see all of them (section 4).
func (d *Driver) libraries(ctx context.Context) ([]media.Library, error) {
	return d.librariesOf(ctx, "")
}

// librariesOf reads the libraries that somebody sees, by their token; without one, those that Usher sees.
func (d *Driver) librariesOf(ctx context.Context, token string) ([]media.Library, error) {
	var all []media.Library
	ids := map[string]bool{}
	err := d.listAs(ctx, token, librariesPath, wrongServer, func(raw json.RawMessage) error {
		var l library
		if err := wire.Decode(raw, &l); err != nil || ids[l.ID] {
			return errForm
		}
		ids[l.ID] = true
		all = append(all, l.library())
		return nil
	})
	return all, err
}

// List reads accounts, libraries, and who was given each library. Permissions of accounts that the list does not have,
// since they are newer or gone, are left out.
func (d *Driver) List(ctx context.Context) (media.Listing, error) {
	users, err := d.users(ctx)
	if err != nil {
		return media.Listing{}, err
	}
	libraries, err := d.libraries(ctx)
	if err != nil {
		return media.Listing{}, err
	}
	all, err := d.permissions(ctx, libraries)
	if err != nil {
		return media.Listing{}, err
	}
	listing := media.Listing{Accounts: make([]media.Account, 0, len(users)), Libraries: libraries}
	for _, u := range users {
		listing.Accounts = append(listing.Accounts, u.account(all.of(media.AccountID(u.id))))
	}
	return listing, nil
}

// Libraries implements media.LibraryLister.
func (d *Driver) Libraries(ctx context.Context) ([]media.Library, error) { return d.libraries(ctx) }

// Library reads one library.
func (d *Driver) Library(ctx context.Context, id media.LibraryID) (media.Library, error) {
	var l library
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: libraryPath, Args: []string{string(id)}, Into: &l})
	if err == nil && l.ID != string(id) {
		err = media.Errorf(media.Unavailable, "%s: the server answered with another library", libraryPath)
	}
	if err != nil {
		return media.Library{}, err
	}
	return l.library(), nil
}

// CreateLibrary makes a library: nobody sees it but owner and admins.
func (d *Driver) CreateLibrary(ctx context.Context, want media.NewLibrary) (media.Library, error) {
	p, err := d.operations(ctx)
	if err != nil {
		return media.Library{}, err
	}
	o, err := p.need(opCreateLibrary)
	if err != nil {
		return media.Library{}, err
	}
	word, err := p.typeWord(want.MediaType)
	switch {
	case err != nil:
		return media.Library{}, err
	case len(want.Settings) > 0:
		return media.Library{}, noSettings()
	case want.Name == "" || len(want.Paths) == 0:
		return media.Library{}, media.Errorf(media.Invalid, "a library needs a name and a path")
	}
	var made library
	body := map[string]any{o.request[keyName]: want.Name, o.request[keyType]: word, o.request[keyPaths]: want.Paths}
	if err := d.run(ctx, o, body, &made, nil); err != nil {
		return media.Library{}, err
	}
	library, err := d.Library(ctx, media.LibraryID(made.ID))
	if err != nil {
		return media.Library{}, media.Errorf(media.Ambiguous, "the library was made, but could not be read back").WithCause(err)
	}
	return library, nil
}

func noSettings() error {
	return media.Errorf(media.Unsupported, "libraries of a Dubby server have no settings that Usher knows")
}

// UpdateLibrary changes name and paths in one call.
func (d *Driver) UpdateLibrary(ctx context.Context, id media.LibraryID, change media.LibraryChange) (media.Library, error) {
	before, err := d.Library(ctx, id)
	switch {
	case err != nil || change.IsZero():
		return before, err
	case len(change.Settings) > 0:
		return media.Library{}, noSettings()
	case change.Paths != nil && len(change.Paths) == 0:
		return media.Library{}, media.Errorf(media.Invalid, "a library needs a path")
	}
	p, err := d.operations(ctx)
	if err != nil {
		return media.Library{}, err
	}
	o, err := p.need(opUpdateLibrary)
	if err != nil {
		return media.Library{}, err
	}
	body := map[string]any{}
	if change.Name != nil {
		body[o.request[keyName]] = *change.Name
	}
	if change.Paths != nil {
		body[o.request[keyPaths]] = change.Paths
	}
	if err := d.run(ctx, o, body, nil, nil, string(id)); err != nil {
		return media.Library{}, err
	}
	after, err := d.Library(ctx, id)
	if err != nil || (change.Name != nil && after.Name != *change.Name) || (change.Paths != nil && !samePaths(after.Paths, change.Paths)) {
		return media.Library{}, media.Errorf(media.Ambiguous, "the server did not show the library as it was set").WithCause(err)
	}
	return after, nil
}

// samePaths: the order of a library's directories says nothing.
func samePaths(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// DeleteLibrary deletes a library that holds nothing, by the server's own count at that moment, and looks that it is
// gone. Dubby itself deletes full libraries, too; the files stay (section 5).
func (d *Driver) DeleteLibrary(ctx context.Context, id media.LibraryID) error {
	p, err := d.operations(ctx)
	if err != nil {
		return err
	}
	if _, err := p.need(opListLibraries); err != nil {
		return err
	}
	if _, err := d.Library(ctx, id); err != nil {
		return err
	}
	libraries, err := d.libraries(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(libraries, func(l media.Library) bool { return l.ID == id })
	if i < 0 || libraries[i].Items != 0 {
		return media.Errorf(media.Conflict, "the library is not known to be empty")
	}
	call := wire.Call{Method: http.MethodDelete, Path: libraryPath, Args: []string{string(id)}}
	if _, err := d.client.Do(ctx, call); err != nil {
		return err
	}
	switch _, err := d.Library(ctx, id); media.CodeOf(err) {
	case media.NotFound:
		return nil
	default:
		return media.Errorf(media.Ambiguous, "DELETE %s: whether the library is gone could not be read", libraryPath).WithCause(err)
	}
}
