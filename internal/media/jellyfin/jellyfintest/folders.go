package jellyfintest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// dataPath is where the server keeps its data. An id depends only on what is below it (section 7).
const dataPath = "/var/lib/jellyfin"

// folder is a library as it lies on the disk: a directory with links to the media.
type folder struct {
	name, kind string
	locations  []string
	options    object
	// was is its name as the items have it still, after a rename; empty for none.
	was string
	// pending is after how many more listings a rename that is done in the background is over; 0 for none under way.
	pending int
}

// folderRoutes: libraries. They are open to everybody while the wizard is pending (section 3).
func (s *Server) folderRoutes() []route {
	const at = "/Library/VirtualFolders"
	routes := []route{
		{method: "GET", path: at, do: s.listFolders},
		{
			method: "POST", path: at, do: s.createFolder, body: "AddVirtualFolderDto", optional: true,
			query: params("name collectionType paths refreshLibrary"), folders: true,
		},
		{method: "DELETE", path: at, do: s.deleteFolder, query: params("name refreshLibrary"), folders: true},
		{method: "POST", path: at + "/Name", do: s.renameFolder, query: params("name newName refreshLibrary"), folders: true},
		{method: "POST", path: at + "/Paths", do: s.addPath, body: "MediaPathDto", query: params("refreshLibrary"), folders: true},
		{method: "DELETE", path: at + "/Paths", do: s.removePath, query: params("name path refreshLibrary"), folders: true},
		{method: "POST", path: at + "/Paths/Update", do: s.updatePath, body: "UpdateMediaPathRequestDto", folders: true},
		{method: "POST", path: at + "/LibraryOptions", do: s.setOptions, body: "UpdateLibraryOptionsDto", folders: true},
	}
	for i := range routes {
		routes[i].guard = setupOrElevated
	}
	return append(routes,
		route{method: "POST", path: "/Library/Refresh", guard: elevated, do: s.refresh},
		route{method: "GET", path: "/Library/MediaFolders", guard: elevated, do: s.mediaFolders, query: params("isHidden")},
	)
}

// folder finds a library by its name, as the file system does: with letter case (additions B.9).
func (s *store) folder(name string) *folder {
	return first(s.folders, func(f *folder) bool { return f.name == name })
}

// libraryID is the id of the library in the directory of that name: the same name gives the same id, on any server, also
// when the library was deleted meanwhile (section 7).
func (s *Server) libraryID(name string) string {
	path := s.data + "root/default/" + name
	if s.options.FoldItemIDs {
		path = strings.ToLower(path)
	}
	return hashedID("MediaBrowser.Controller.Entities.CollectionFolder", path)
}

// library is the item of a library: what people see, and what policies name. It is made and removed when the server looks
// at its top folders, and so lags behind the disk (additions B.9 and B.10).
func (s *Server) library(name string) *item {
	return first(s.items, func(i *item) bool { return i.library() && i.name == name })
}

// validate makes the items of the top folders agree with the disk. Items whose folder is gone go with all that they held.
func (s *Server) validate() {
	for _, f := range s.folders {
		for _, i := range s.items {
			// What lies in a library that was renamed is found again where it lay.
			if f.was != "" && i.folder == f.was {
				i.folder = f.name
			}
		}
		f.was, f.pending = "", 0
	}
	s.items = slices.DeleteFunc(s.items, func(i *item) bool {
		name := i.name
		if !i.library() {
			name = i.folder
		}
		return s.folder(name) == nil
	})
	for _, f := range s.folders {
		if s.library(f.name) == nil {
			s.items = append(s.items, &item{id: s.libraryID(f.name), kind: "CollectionFolder", name: f.name, collection: f.kind})
		}
	}
}

// Scan is the server's scheduled scan: it looks at all top folders.
func (s *Server) Scan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.validate()
}

// MoveData makes the server's data lie elsewhere, as a migration does: every library gets another id, and nobody was granted
// any of those (section 7).
func (s *Server) MoveData(directory string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = directory + "/"
	for _, i := range s.items {
		if i.library() {
			i.id = s.libraryID(i.name)
		}
	}
}

// refresh starts a scan of everything.
func (s *Server) refresh(*call) answer {
	s.validate()
	return noContent()
}

// listFolders shows an entry without ItemId where the item is not there yet (additions B.9).
func (s *Server) listFolders(*call) answer {
	for _, f := range s.folders {
		if f.pending > 0 {
			if f.pending--; f.pending == 0 {
				s.validate()
			}
		}
	}
	entries := []object{}
	for _, f := range s.folders {
		entry := object{"Name": f.name, "Locations": f.locations, "LibraryOptions": f.options, "RefreshStatus": "Idle"}
		if f.kind != "" {
			entry["CollectionType"] = f.kind
		}
		if library := s.library(f.name); library != nil {
			entry["ItemId"], entry["PrimaryImageItemId"] = library.id, library.id
		}
		entries = append(entries, entry)
	}
	return ok(entries)
}

// validFile replaces what a name of a file may not hold (section 7).
func validFile(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`"<>|:*?\/`, r) {
			return ' '
		}
		return r
	}, name)
}

// createFolder takes a name that is taken, and makes another library "Name2" (section 7). Its item is there at once only
// where the library is refreshed (additions B.9).
func (s *Server) createFolder(c *call) answer {
	name, kind := c.param("name"), c.param("collectionType")
	if kind != "" && !slices.Contains(enums["CollectionTypeOptions"], kind) {
		return invalid("collectionType")
	}
	if strings.TrimSpace(name) == "" || s.version.libraryNamesChecked() && strings.TrimSpace(name) != name {
		return failed(http.StatusBadRequest)
	}
	options, _ := c.body["LibraryOptions"].(object)
	if options == nil {
		options = s.schemas.empty("LibraryOptions")
	}
	// The parameter is split at commas, and goes before the paths in the body (section 7).
	paths := pathsOf(options)
	if given := c.param("paths"); given != "" {
		paths = strings.Split(given, ",")
	}
	if slices.ContainsFunc(paths, func(path string) bool { return !s.options.Sees(path) }) {
		return failed(http.StatusBadRequest)
	}
	name = validFile(name)
	free := name
	for n := 2; s.folder(free) != nil; n++ {
		free = name + strconv.Itoa(n)
	}
	options["PathInfos"] = infosOf(paths)
	s.folders = append(s.folders, &folder{name: free, kind: kind, locations: paths, options: options})
	s.refreshed(c)
	return noContent()
}

// refreshed looks at the top folders where the call asks for it.
func (s *Server) refreshed(c *call) {
	if refresh, _ := c.flag("refreshLibrary"); refresh {
		s.validate()
	}
}

func pathsOf(options object) []string {
	paths := []string{}
	infos, _ := options["PathInfos"].([]any)
	for _, info := range infos {
		paths = append(paths, info.(object).text("Path"))
	}
	return paths
}

func infosOf(paths []string) []any {
	infos := make([]any, 0, len(paths))
	for _, path := range paths {
		infos = append(infos, object{"Path": path})
	}
	return infos
}

// deleteFolder removes the library and none of its media. Policies keep its id, and without refreshLibrary its item
// lingers, seen by those who saw it (section 7, additions B.10).
func (s *Server) deleteFolder(c *call) answer {
	f := s.folder(c.param("name"))
	if f == nil {
		return failed(http.StatusNotFound)
	}
	s.folders = slices.DeleteFunc(s.folders, func(other *folder) bool { return other == f })
	s.refreshed(c)
	return noContent()
}

// renameFolder answers at once; the work is done in the background. The library gets another id, which nobody was granted
// (section 7, additions B.9).
func (s *Server) renameFolder(c *call) answer {
	f, name := s.folder(c.param("name")), c.param("newName")
	switch {
	case strings.TrimSpace(name) == "":
		return failed(http.StatusBadRequest)
	case f == nil:
		return stated(http.StatusNotFound, "The media collection does not exist.")
	case !strings.EqualFold(f.name, name) && s.folder(name) != nil:
		return stated(http.StatusConflict, "A library of that name exists.")
	}
	if f.was == "" {
		f.was = f.name
	}
	f.name = name
	refresh, _ := c.flag("refreshLibrary")
	switch {
	case refresh && s.options.SlowReads > 0:
		f.pending = s.options.SlowReads + 1
	case refresh:
		s.validate()
	}
	return noContent()
}

func (s *Server) addPath(c *call) answer {
	path := c.body.text("Path")
	if info, there := c.body["PathInfo"].(object); there {
		path = info.text("Path")
	}
	f := s.folder(c.body.text("Name"))
	switch {
	case path == "":
		return failed(http.StatusBadRequest)
	case f == nil || !s.options.Sees(path):
		return failed(http.StatusNotFound)
	}
	f.link(path)
	s.refreshed(c)
	return noContent()
}

// link adds a path, unless it is there.
func (f *folder) link(path string) {
	if !slices.Contains(f.locations, path) {
		f.locations = append(f.locations, path)
	}
	if !slices.Contains(pathsOf(f.options), path) {
		f.options["PathInfos"] = append(f.options["PathInfos"].([]any), object{"Path": path})
	}
}

func (s *Server) removePath(c *call) answer {
	f, path := s.folder(c.param("name")), c.param("path")
	switch {
	case path == "":
		return failed(http.StatusBadRequest)
	case f == nil:
		return failed(http.StatusNotFound)
	}
	other := func(p string) bool { return p == path }
	f.locations = slices.DeleteFunc(f.locations, other)
	f.options["PathInfos"] = infosOf(slices.DeleteFunc(pathsOf(f.options), other))
	s.refreshed(c)
	return noContent()
}

// updatePath changes nothing that the fake has.
func (s *Server) updatePath(c *call) answer {
	if s.folder(c.body.text("Name")) == nil {
		return failed(http.StatusNotFound)
	}
	return noContent()
}

// setOptions replaces the options. Since 10.11 it links paths that are new in them, before it only stores them; it unlinks
// none (section 7).
func (s *Server) setOptions(c *call) answer {
	library := first(s.items, func(i *item) bool { return i.library() && i.id == c.body.text("Id") })
	var f *folder
	if library != nil {
		f = s.folder(library.name)
	}
	if f == nil {
		return bare(http.StatusNotFound)
	}
	options, _ := c.body["LibraryOptions"].(object)
	if options == nil {
		options = s.schemas.empty("LibraryOptions")
	}
	f.options = options.clone()
	if s.version.linksNewPaths() {
		for _, path := range pathsOf(options) {
			if s.options.Sees(path) && !slices.Contains(f.locations, path) {
				f.locations = append(f.locations, path)
			}
		}
	}
	return noContent()
}

// mediaFolders shows the libraries and folders of the server's own (section 7).
func (s *Server) mediaFolders(*call) answer {
	var items []object
	for _, i := range s.items {
		if i.library() {
			items = append(items, s.itemView(i))
		}
	}
	items = append(items, object{
		"Id": s.libraryID("playlists"), "Name": "Playlists", "Type": "ManualPlaylistsFolder", "CollectionType": "playlists", "ServerId": s.id,
	})
	return ok(page(items, len(items), 0))
}
