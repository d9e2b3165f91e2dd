package audiobookshelf

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"slices"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// Library reads one library.
func (d *Driver) Library(ctx context.Context, id media.LibraryID) (media.Library, error) {
	l, err := d.library(ctx, string(id))
	if err != nil {
		return media.Library{}, err
	}
	return l.library(), nil
}

func (d *Driver) library(ctx context.Context, id string) (library, error) {
	if !isID(id) || id == nobodys {
		return library{}, noLibrary()
	}
	var l library
	answer, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: libraryPath, Args: []string{id}, Into: &l})
	if err == nil && l.ID != id {
		err = media.Errorf(media.Unavailable, "GET %s: the server answered with another library", libraryPath)
	}
	return l, d.noLibrary(ctx, id, answer, err)
}

// noLibrary takes "not found" only when the list of libraries agrees, and shows all.
func (d *Driver) noLibrary(ctx context.Context, id string, answer wire.Answer, err error) error {
	return confirmed(answer.Status, err, func() (bool, error) {
		shelf, err := d.libraries(ctx)
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(shelf, func(l library) bool { return l.ID == id }), d.seesAll(ctx)
	}, noLibrary())
}

func noLibrary() error { return media.Errorf(media.NotFound, "there is no such library") }

// CreateLibrary makes a library with its settings in one call, after looking whether Usher's account would be shown it, and
// whether its folders are there: the server would make those that are missing. It does not scan.
func (d *Driver) CreateLibrary(ctx context.Context, want media.NewLibrary) (media.Library, error) {
	kind, known := mediaTypes[want.MediaType]
	if !known {
		return media.Library{}, media.Errorf(media.Unsupported, "libraries of this server are of the type Audiobooks (also for e-books) or Podcasts")
	}
	b := newLibrary{Name: want.Name, MediaType: kind}
	var set libraryChange
	if err := set.set(want.Settings); err != nil {
		return media.Library{}, err
	}
	b.Provider, b.Icon = set.Provider, set.Icon
	for _, folder := range slices.Compact(slices.Sorted(slices.Values(want.Paths))) {
		b.Folders = append(b.Folders, newFolder{Path: folder})
	}
	if err := b.check(); err != nil {
		return media.Library{}, err
	}
	if err := d.seesAll(ctx); err != nil {
		return media.Library{}, err
	}
	if err := d.mounted(ctx, b.Folders); err != nil {
		return media.Library{}, err
	}
	var made library
	if _, err := d.send(ctx, wire.Call{Method: http.MethodPost, Path: librariesPath, Into: &made, Want: http.StatusOK}, b); err != nil {
		return media.Library{}, err
	}
	d.learn(made.ID, true)
	return made.library(), nil
}

// UpdateLibrary changes the named fields that differ in one call. Folders are sent when they differ, with the ids of those
// that stay. One that goes takes with it what everybody has heard of it, so that it may only go from a library that holds
// nothing.
func (d *Driver) UpdateLibrary(ctx context.Context, id media.LibraryID, change media.LibraryChange) (media.Library, error) {
	var b libraryChange
	if err := b.set(change.Settings); err != nil {
		return media.Library{}, err
	}
	current, err := d.library(ctx, string(id))
	if err != nil {
		return media.Library{}, err
	}
	if b.Provider == current.Provider {
		b.Provider = ""
	}
	if b.Icon == current.Icon {
		b.Icon = ""
	}
	if change.Name != nil && *change.Name != current.Name {
		if b.Name = *change.Name; b.Name == "" {
			return media.Library{}, media.Errorf(media.Invalid, "a library needs a name")
		}
	}
	if change.Paths != nil {
		if b.Folders, err = d.folders(ctx, current, change.Paths); err != nil {
			return media.Library{}, err
		}
	}
	if b.Name == "" && b.Provider == "" && b.Icon == "" && b.Folders == nil {
		return current.library(), nil
	}
	var l library
	answer, err := d.send(ctx, wire.Call{
		Method: http.MethodPatch, Path: libraryPath, Args: []string{current.ID}, Into: &l, Want: http.StatusOK,
	}, b)
	switch {
	case err != nil:
		return media.Library{}, d.noLibrary(ctx, current.ID, answer, err)
	case l.ID != current.ID, b.Name != "" && l.Name != b.Name, b.Provider != "" && l.Provider != b.Provider, b.Icon != "" && l.Icon != b.Icon:
		return media.Library{}, media.Errorf(media.Ambiguous, "PATCH %s: the server did not keep what was set", libraryPath)
	}
	return l.library(), nil
}

// folders are what to send for a library to have those paths; nil where it has.
func (d *Driver) folders(ctx context.Context, current library, paths []string) ([]newFolder, error) {
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	if len(paths) == 0 {
		return nil, media.Errorf(media.Invalid, "a library needs 1 to %d paths", maxPaths)
	}
	var stay, come []newFolder
	for _, f := range current.Folders {
		if slices.Contains(paths, f.FullPath) {
			stay = append(stay, newFolder{ID: f.ID})
		}
	}
	for _, folder := range paths {
		if !slices.Contains(current.paths(), folder) {
			come = append(come, newFolder{Path: folder})
		}
	}
	all := append(stay, come...)
	if len(stay) == len(current.Folders) && len(come) == 0 {
		return nil, nil
	}
	if err := (libraryChange{Folders: all}).check(); err != nil {
		return nil, err
	}
	if len(stay) < len(current.Folders) {
		items, err := d.items(ctx, current.ID)
		switch {
		case err != nil:
			return nil, err
		case items > 0:
			return nil, media.Errorf(media.Conflict, "the library holds %d items: to take a folder from it would delete what people have heard of them; do that on the server, if you mean it", items)
		}
	}
	return all, d.mounted(ctx, come)
}

// directories is what a folder of the server holds.
type directories struct {
	Directories []struct {
		Path string `json:"path"`
	} `json:"directories"`
}

// Check implements wire.Checker.
func (d *directories) Check() error { return form(d.Directories != nil) }

// mounted says whether the server sees each folder: it would make one that is missing, so that a wrong path would look like
// an empty library.
func (d *Driver) mounted(ctx context.Context, folders []newFolder) error {
	for _, f := range folders {
		within, err := d.browse(ctx, f.Path)
		switch {
		case media.CodeOf(err) == media.Invalid:
			return media.Errorf(media.Invalid, "the server has no directory %q: mount it there first", f.Path)
		case err != nil:
			return err
		case len(within.Directories) > 0:
			continue
		}
		// Nothing is in it, or it is a file.
		beside, err := d.browse(ctx, path.Dir(f.Path))
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(beside.Directories, func(d struct {
			Path string `json:"path"`
		}) bool {
			return d.Path == f.Path
		}) {
			return media.Errorf(media.Invalid, "the path %q is no directory on the server, or a link to an empty one", f.Path)
		}
	}
	return nil
}

func (d *Driver) browse(ctx context.Context, folder string) (directories, error) {
	var within directories
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodGet, Path: browsePath, Query: url.Values{"path": {folder}, "level": {"0"}}, Into: &within, List: true,
	})
	return within, err
}

// items counts what a library holds. To an account that is limited by tags or explicit content, the server would count less.
func (d *Driver) items(ctx context.Context, id string) (int, error) {
	me, err := d.me(ctx)
	switch {
	case err != nil:
		return 0, err
	case !me.seesItems():
		return 0, media.Errorf(media.Unsupported, "the account that Usher uses may not see all tags and explicit content, and so cannot say that a library is empty")
	}
	var all count
	answer, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodGet, Path: itemsPath, Args: []string{id}, Query: url.Values{"limit": {"1"}, "minified": {"1"}}, Into: &all, List: true,
	})
	if err != nil {
		return 0, d.noLibrary(ctx, id, answer, err)
	}
	return *all.Total, nil
}

// DeleteLibrary deletes a library that holds nothing. Its id stays in the lists of those who saw it, where it opens nothing;
// the next change of their access takes it out.
func (d *Driver) DeleteLibrary(ctx context.Context, id media.LibraryID) error {
	l, err := d.library(ctx, string(id))
	if err != nil {
		return err
	}
	items, err := d.items(ctx, l.ID)
	switch {
	case err != nil:
		return err
	case items > 0:
		return media.Errorf(media.Conflict, "the library is not empty: it holds %d items", items)
	}
	var gone library
	answer, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodDelete, Path: libraryPath, Args: []string{l.ID}, Into: &gone, Want: http.StatusOK,
	})
	if err = d.noLibrary(ctx, l.ID, answer, err); err == nil || media.CodeOf(err) == media.NotFound {
		d.learn(l.ID, false)
	}
	return err
}

// set puts the named settings into the change.
func (c *libraryChange) set(settings map[string]string) error {
	for name, value := range settings {
		switch name {
		case settingProvider:
			c.Provider = value
		case settingIcon:
			c.Icon = value
		default:
			return media.Errorf(media.Unsupported, "the server has no such library setting: it knows %s and %s", settingProvider, settingIcon)
		}
		if err := text(name, value, maxWord); err != nil {
			return err
		}
	}
	return nil
}
