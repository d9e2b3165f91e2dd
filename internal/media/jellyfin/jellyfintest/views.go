package jellyfintest

import (
	"net/http"
	"slices"
	"strings"
)

// item is a library or something in one.
type item struct {
	id, kind, name string
	// collection is a library's collection type.
	collection string
	// folder is the name of the library that it lies in, path where; both are empty for a library.
	folder, path string
	rating       string
	tags         []string
}

func (i *item) library() bool { return i.kind == "CollectionFolder" }

// viewRoutes: what people see. Streams and pictures ask nobody anything (additions B.0).
func (s *Server) viewRoutes() []route {
	stream := func(method, path string) route {
		return route{method: method, path: path, do: s.stream, anyQuery: true}
	}
	return []route{
		{method: "GET", path: "/UserViews", guard: signedIn, do: s.userViews, query: params("userId includeExternalContent presetViews includeHidden")},
		{method: "GET", path: "/Users/{id}/Views", guard: signedIn, do: s.userViews, query: params("includeExternalContent presetViews includeHidden")},
		{method: "GET", path: "/Items", guard: signedIn, do: s.listItems, anyQuery: true},
		{method: "GET", path: "/Users/{id}/Items", guard: signedIn, do: s.listItems, anyQuery: true},
		{method: "GET", path: "/Items/Latest", guard: signedIn, do: s.latest, anyQuery: true},
		{method: "GET", path: "/Users/{id}/Items/Latest", guard: signedIn, do: s.latest, anyQuery: true},
		{method: "GET", path: "/Items/{item}", guard: signedIn, do: s.getItem, query: params("userId")},
		{method: "GET", path: "/Users/{id}/Items/{item}", guard: signedIn, do: s.getItem},
		{method: "GET", path: "/Items/{item}/Download", guard: downloads, do: s.stream},
		{method: "GET", path: "/Items/{item}/Images/{type}", do: s.stream, anyQuery: true},
		{method: "GET", path: "/Videos/{item}/master.m3u8", guard: signedIn, do: s.stream, anyQuery: true},
		{method: "GET", path: "/Audio/{item}/master.m3u8", guard: signedIn, do: s.stream, anyQuery: true},
		stream("GET", "/Videos/{item}/stream"), stream("GET", "/Videos/{item}/stream.*"),
		stream("GET", "/Audio/{item}/stream"), stream("GET", "/Audio/{item}/stream.*"),
		{method: "POST", path: "/Playlists", guard: signedIn, do: s.createPlaylist, body: "CreatePlaylistDto"},
	}
}

func (s *Server) itemView(i *item) object {
	view := object{"Id": i.id, "Name": i.name, "Type": i.kind, "ServerId": s.id, "IsFolder": i.library()}
	for name, value := range map[string]string{"CollectionType": i.collection, "Path": i.path, "OfficialRating": i.rating} {
		if value != "" {
			view[name] = value
		}
	}
	if !i.library() {
		view["ParentId"], view["Tags"] = s.libraryID(i.folder), listOf(i.tags)
	}
	return view
}

// shows says whether somebody is shown an item: its library first, then its rating and its tags, which count for
// administrators too. Nobody is a key, which is shown everything.
func (s *Server) shows(u *user, i *item) bool {
	switch {
	case u == nil:
		return true
	case i.library():
		return u.sees(i.id)
	}
	library := s.library(i.folder)
	return library != nil && u.sees(library.id) && s.suits(u, i)
}

// userViews are the libraries that somebody sees, those that linger among them (additions B.10).
func (s *Server) userViews(c *call) answer {
	u, refused, found := c.subject()
	if !found {
		return refused
	}
	var items []object
	for _, i := range s.items {
		if i.library() && s.shows(u, i) {
			items = append(items, s.itemView(i))
		}
	}
	return ok(page(items, len(items), 0))
}

// audience is the user whose view is asked for; nil for a key that names none, which is shown everything.
func (c *call) audience() (*user, answer, bool) {
	if c.isKey() && c.params["id"] == "" && c.param("userId") == "" {
		return nil, answer{}, true
	}
	return c.subject()
}

// listItems lists what lies in libraries.
func (s *Server) listItems(c *call) answer {
	u, refused, found := c.audience()
	if !found {
		return refused
	}
	parent, isID := parseID(c.param("parentId"))
	if c.param("parentId") != "" && !isID {
		return invalid("parentId")
	}
	recursive, _ := c.flag("recursive")
	kinds := c.values("includeItemTypes")
	search := strings.ToLower(c.param("searchTerm"))
	var items []object
	for _, i := range s.items {
		libraries := parent == "" && !recursive
		switch {
		case i.library() != libraries, !s.shows(u, i),
			parent != "" && s.libraryID(i.folder) != parent,
			len(kinds) > 0 && !slices.Contains(strings.Split(strings.Join(kinds, ","), ","), i.kind),
			!strings.Contains(strings.ToLower(i.name), search):
			continue
		}
		items = append(items, s.itemView(i))
	}
	total, start := len(items), min(max(c.whole("startIndex", 0), 0), len(items))
	items = items[start:]
	if limit := c.whole("limit", len(items)); limit >= 0 && limit < len(items) {
		items = items[:limit]
	}
	return ok(page(items, total, start))
}

// latest lists what came last. In 10.11.0 to 10.11.2 it shows what tags hide (additions B.12).
func (s *Server) latest(c *call) answer {
	u, refused, found := c.subject()
	if !found {
		return refused
	}
	items := []object{}
	for _, i := range slices.Backward(s.items) {
		visible := s.shows(u, i)
		if library := s.library(i.folder); s.version.latestIgnoresTags() && library != nil {
			visible = u.sees(library.id) && s.ratingAllows(u, i)
		}
		if !i.library() && visible {
			items = append(items, s.itemView(i))
		}
	}
	return ok(items)
}

func (s *Server) getItem(c *call) answer {
	u, refused, found := c.audience()
	if !found {
		return refused
	}
	i := s.item(c)
	if i == nil || !s.shows(u, i) {
		return bare(http.StatusNotFound)
	}
	return ok(s.itemView(i))
}

func (s *Server) item(c *call) *item {
	id, _ := parseID(c.params["item"])
	return first(s.items, func(i *item) bool { return i.id == id })
}

// stream hands out an item by its id alone, whoever asks, and whatever anybody may see (additions B.0).
func (s *Server) stream(c *call) answer {
	i := s.item(c)
	if i == nil {
		return bare(http.StatusNotFound)
	}
	return answer{status: http.StatusOK, kind: "application/octet-stream", text: "the bytes of " + i.name}
}

func (s *Server) createPlaylist(c *call) answer {
	owner := c.caller.user
	if id := c.body.text("UserId"); id != "" && c.caller.admin() {
		owner = s.user(id)
	}
	if owner == nil {
		return failed(http.StatusBadRequest)
	}
	owner.playlists = append(owner.playlists, c.body.text("Name"))
	return ok(object{"Id": newID()})
}
