package jellyfin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	renamePath = "/Library/VirtualFolders/Name"
	pathsPath  = "/Library/VirtualFolders/Paths"
	itemsPath  = "/Items"
	// readyWithin bounds how long a library may take to get its id, and readyEvery how often it is looked for, at first.
	readyWithin = 30 * time.Second
	readyEvery  = 100 * time.Millisecond
)

// Library reads one library.
func (d *Driver) Library(ctx context.Context, of media.LibraryID) (media.Library, error) {
	v, err := d.look(ctx)
	if err != nil {
		return media.Library{}, err
	}
	f, there := v.folder(of)
	if !there {
		return media.Library{}, noLibrary()
	}
	return v.library(f), nil
}

// changeLibraries lets one change of libraries be under way: each stops the server's library monitor (section 7).
func (d *Driver) changeLibraries(ctx context.Context) (leave func(), err error) {
	return d.turns.take(ctx, pathsPath)
}

// ready reads the libraries until the one of a name has an id. The server makes and renames in the background (B.9).
func (d *Driver) ready(ctx context.Context, name string) (folder, error) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for wait := readyEvery; ; wait = min(2*wait, 2*time.Second) {
		var all folders
		if err := d.read(ctx, foldersPath, &all); err != nil {
			return folder{}, err
		}
		i := slices.IndexFunc(all, func(f folder) bool { return f.Name == name })
		if i >= 0 && all[i].Item != "" {
			return all[i], nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return folder{}, media.Errorf(media.Ambiguous, "the server was asked for a library of that name, and does not list it with an id yet").WithCause(ctx.Err())
		}
	}
}

// CreateLibrary makes a library that nobody sees but who sees all. Its id may be that of an earlier one of its name (section 7), so
// ids of libraries that are gone are taken out of everybody's list first.
//
// The server has no id for a library until it has looked through its folders, so that each is made with a scan.
func (d *Driver) CreateLibrary(ctx context.Context, want media.NewLibrary) (media.Library, error) {
	kind, known := collectionTypes[want.MediaType]
	switch {
	case !known:
		return media.Library{}, media.Errorf(media.Unsupported, "a Jellyfin server knows no libraries of that type")
	case len(want.Settings) > 0:
		return media.Library{}, noSettings()
	}
	if err := checkLibraryName(want.Name); err != nil {
		return media.Library{}, err
	}
	paths, err := checkPaths(want.Paths)
	if err != nil {
		return media.Library{}, err
	}
	leave, err := d.changeLibraries(ctx)
	if err != nil {
		return media.Library{}, err
	}
	defer leave()
	v, err := d.look(ctx)
	if err != nil {
		return media.Library{}, err
	}
	if v.taken(want.Name, "") {
		return media.Library{}, nameTaken()
	}
	if err := d.purge(ctx, v); err != nil {
		return media.Library{}, err
	}
	infos := make([]map[string]string, 0, len(paths))
	for _, path := range paths {
		infos = append(infos, map[string]string{"Path": path}) // in the body: the query splits paths at commas (section 7)
	}
	_, err = d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: foldersPath, Want: http.StatusNoContent, Codes: wrongServer,
		Query: url.Values{"name": {want.Name}, "collectionType": {kind}, "refreshLibrary": {"true"}},
		Body:  map[string]any{"LibraryOptions": map[string]any{"PathInfos": infos}},
	})
	if err != nil {
		return media.Library{}, err
	}
	return d.made(ctx, want.Name, paths)
}

// made reads a new library back. One of its name that was made at the same moment has it, and the new one another: the server
// refuses no name that is taken.
func (d *Driver) made(ctx context.Context, name string, paths []string) (media.Library, error) {
	f, err := d.ready(ctx, name)
	if err != nil {
		return media.Library{}, madeUnseen(err)
	}
	v, err := d.look(ctx)
	if err != nil {
		return media.Library{}, madeUnseen(err)
	}
	if !same(f.Locations, paths) {
		return media.Library{}, media.Errorf(media.Conflict, "somebody made a library of that name at the same moment, so that the server gave this one another name: delete that on the server")
	}
	return v.library(f), nil
}

func madeUnseen(err error) error {
	return media.Errorf(media.Ambiguous, "POST %s: the library was asked for, and could not be read back", foldersPath).WithCause(err)
}

// purge takes ids of libraries that are gone out of everybody's list, and moves those of renamed ones. Where every library that was
// known is gone, the server may have lost sight of them, and nothing is taken.
func (d *Driver) purge(ctx context.Context, v view) error {
	if v.bare {
		return nil
	}
	all, err := d.users(ctx)
	if err != nil {
		return err
	}
	return d.rewrite(ctx, all, func(item string) string {
		if name := v.lapsed[item]; name != "" {
			return v.items[name]
		}
		if _, live := v.ids[item]; !live {
			return ""
		}
		return item
	})
}

// UpdateLibrary changes folders and name. Another name is another id on the server, which drops out of all lists (section 7): it is
// written into those that had the old one.
func (d *Driver) UpdateLibrary(ctx context.Context, of media.LibraryID, wanted media.LibraryChange) (media.Library, error) {
	leave, err := d.changeLibraries(ctx)
	if err != nil {
		return media.Library{}, err
	}
	defer leave()
	v, err := d.look(ctx)
	if err != nil {
		return media.Library{}, err
	}
	f, there := v.folder(of)
	switch {
	case !there:
		return media.Library{}, noLibrary()
	case len(wanted.Settings) > 0:
		return media.Library{}, noSettings()
	}
	if wanted.Name != nil && *wanted.Name != f.Name {
		if err := checkLibraryName(*wanted.Name); err != nil {
			return media.Library{}, err
		}
		if v.taken(*wanted.Name, f.Name) {
			return media.Library{}, nameTaken()
		}
	}
	if wanted.Paths != nil {
		paths, err := checkPaths(wanted.Paths)
		if err != nil {
			return media.Library{}, err
		}
		if err := d.setPaths(ctx, f, paths); err != nil {
			return media.Library{}, err
		}
	}
	if wanted.Name != nil {
		if err := d.rename(ctx, of, f, *wanted.Name); err != nil {
			return media.Library{}, err
		}
	}
	return d.updated(ctx, of, wanted)
}

func (d *Driver) updated(ctx context.Context, of media.LibraryID, wanted media.LibraryChange) (media.Library, error) {
	after, err := d.Library(ctx, of)
	switch {
	case err != nil:
		return media.Library{}, media.Errorf(media.Ambiguous, "the library was changed, and could not be read back").WithCause(err)
	case wanted.Name != nil && after.Name != *wanted.Name, wanted.Paths != nil && !same(after.Paths, wanted.Paths):
		return media.Library{}, media.Errorf(media.Ambiguous, "the server did not show the library as it was set")
	}
	return after, nil
}

// setPaths adds folders before it removes others, so that there is one at all times.
func (d *Driver) setPaths(ctx context.Context, f folder, paths []string) error {
	for _, path := range paths {
		if slices.Contains(f.Locations, path) {
			continue
		}
		_, err := d.client.Do(ctx, wire.Call{
			Method: http.MethodPost, Path: pathsPath, Want: http.StatusNoContent, Query: url.Values{"refreshLibrary": {"true"}},
			Body: map[string]any{"Name": f.Name, "PathInfo": map[string]string{"Path": path}},
		})
		if err != nil {
			return err
		}
	}
	for _, path := range f.Locations {
		if slices.Contains(paths, path) {
			continue
		}
		_, err := d.client.Do(ctx, wire.Call{
			Method: http.MethodDelete, Path: pathsPath, Want: http.StatusNoContent,
			Query: url.Values{"name": {f.Name}, "path": {path}, "refreshLibrary": {"true"}},
		})
		if err != nil && media.CodeOf(err) != media.NotFound {
			return err
		}
	}
	return nil
}

// rename gives a library another name, waits for its other id and moves it in all lists. Made again for a library that has the
// name already, it does the rest.
func (d *Driver) rename(ctx context.Context, of media.LibraryID, f folder, name string) error {
	if f.Name != name {
		_, err := d.client.Do(ctx, wire.Call{
			Method: http.MethodPost, Path: renamePath, Want: http.StatusNoContent,
			Query: url.Values{"name": {f.Name}, "newName": {name}, "refreshLibrary": {"true"}},
			Codes: map[int]media.Code{http.StatusConflict: media.AlreadyExists},
		})
		if err != nil {
			return err
		}
		after, err := d.ready(ctx, name)
		if err != nil {
			return err
		}
		d.shelf.rename(of, after.Item)
	}
	v, err := d.look(ctx)
	if err != nil {
		return err
	}
	all, err := d.users(ctx)
	if err != nil {
		return err
	}
	return d.carry(ctx, v, all)
}

// DeleteLibrary deletes a library that holds nothing, by the server's own count at that moment. Its files stay. It is taken out of
// all lists first: they would give the next one of its name (section 7).
func (d *Driver) DeleteLibrary(ctx context.Context, of media.LibraryID) error {
	leave, err := d.changeLibraries(ctx)
	if err != nil {
		return err
	}
	defer leave()
	v, err := d.look(ctx)
	if err != nil {
		return err
	}
	f, there := v.folder(of)
	if !there {
		return noLibrary()
	}
	n, err := d.count(ctx, f)
	switch {
	case err != nil:
		return err
	case n > 0:
		return media.Errorf(media.Conflict, "the library is not empty: it holds %d items", n)
	}
	all, err := d.users(ctx)
	if err != nil {
		return err
	}
	err = d.rewrite(ctx, all, func(item string) string {
		if item == f.Item {
			return ""
		}
		return item
	})
	if err != nil {
		return err
	}
	_, err = d.client.Do(ctx, wire.Call{
		Method: http.MethodDelete, Path: foldersPath, Want: http.StatusNoContent,
		Query: url.Values{"name": {f.Name}, "refreshLibrary": {"true"}}, // without, its top folder stays (B.10)
	})
	if err != nil {
		return err
	}
	var left folders
	if err := d.read(ctx, foldersPath, &left); err != nil {
		return media.Errorf(media.Ambiguous, "DELETE %s: whether the library is gone could not be read", foldersPath).WithCause(err)
	}
	if slices.ContainsFunc(left, func(other folder) bool { return other.Name == f.Name }) {
		return media.Errorf(media.Ambiguous, "DELETE %s: the library is still there", foldersPath)
	}
	d.shelf.drop(of)
	return nil
}

// count counts what a library holds, at any depth. An account counts what it may see itself, and so must see everything; a key
// does.
func (d *Driver) count(ctx context.Context, f folder) (int, error) {
	var items list[struct{}]
	query := url.Values{"parentId": {f.Item}, "recursive": {"true"}, "limit": {"1"}}
	self, err := d.own(ctx)
	if err != nil {
		return 0, err
	}
	if self != "" {
		u, err := d.user(ctx, media.AccountID(self))
		if err != nil {
			return 0, err
		}
		if !u.policy.unlimited() {
			return 0, media.Errorf(media.Conflict, "the account that Usher uses does not see all libraries, or not all that is in them, so that nobody can tell whether this one is empty")
		}
		query.Set("userId", self)
	}
	_, err = d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: itemsPath, Query: query, Into: &items, List: true, Codes: wrongServer})
	if err != nil {
		return 0, err
	}
	return *items.Total, nil
}

// unlimited says whether an account sees all that there is: every library, whatever its rating and tags.
func (p policy) unlimited() bool {
	if !*p.All || len(p.Blocked) > 0 {
		return false
	}
	for _, limit := range []string{"MaxParentalRating", "MaxParentalSubRating", "BlockedTags", "AllowedTags", "BlockUnratedItems"} {
		if value := string(p.raw[limit]); value != "" && value != "null" && value != "[]" {
			return false
		}
	}
	return true
}

// taken says whether a library has a name, in any letter case: names are those of directories, which some servers compare so.
func (v view) taken(name, but string) bool {
	return slices.ContainsFunc(v.folders, func(f folder) bool { return f.Name != but && foldName(f.Name) == foldName(name) })
}

func nameTaken() error {
	return media.Errorf(media.AlreadyExists, "a library has that name")
}

func checkPaths(paths []string) ([]string, error) {
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	if len(paths) == 0 || slices.Contains(paths, "") {
		return nil, media.Errorf(media.Invalid, "a library needs a path, and none that is empty")
	}
	return paths, nil
}

func noSettings() error {
	return media.Errorf(media.Unsupported, "libraries of a Jellyfin server have no settings that Usher knows")
}
