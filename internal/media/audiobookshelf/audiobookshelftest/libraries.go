package audiobookshelftest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func (l *library) form() object {
	folders := []object{}
	for _, f := range l.folders {
		folders = append(folders, object{"id": f.id, "fullPath": f.path, "libraryId": l.id, "addedAt": l.created.UnixMilli()})
	}
	return object{
		"id": l.id, "name": l.name, "folders": folders, "displayOrder": 1, "icon": l.icon, "mediaType": l.kind,
		"provider": l.provider, "settings": l.settings, "lastScan": nil, "createdAt": l.created.UnixMilli(), "lastUpdate": l.created.UnixMilli(),
	}
}

// listLibraries shows those of the caller's list; with an empty one, all, also to whom none opens.
func (s *Server) listLibraries(c *call) (any, error) {
	included(c)
	shown := []object{}
	list := c.user.list()
	for _, l := range s.libraries {
		if len(list) == 0 || slices.Contains(list, l.id) {
			shown = append(shown, l.form())
		}
	}
	return object{"libraries": shown}, nil
}

// opened is the library that the path names: to who may not see it, 403, be it there or not.
func (s *Server) opened(c *call) (*library, error) {
	id := c.PathValue("id")
	if !c.user.opens(id) {
		return nil, plain(http.StatusForbidden)
	}
	l := s.library(id)
	if l == nil {
		return nil, say(http.StatusNotFound, "Library not found")
	}
	return l, nil
}

func (s *Server) getLibrary(c *call) (any, error) {
	l, err := s.opened(c)
	if err != nil {
		return nil, err
	}
	return l.form(), nil
}

func pathOf(folder any) (string, bool) {
	path, ok := either(member(folder, "fullPath"), member(folder, "path")).(string)
	return path, ok && path != ""
}

func (s *Server) createLibrary(c *call) (any, error) {
	if !c.user.isAdmin() {
		return nil, plain(http.StatusForbidden)
	}
	name, _ := c.body["name"].(string)
	folders, isList := c.body["folders"].([]any)
	if name == "" {
		return nil, say(http.StatusBadRequest, "Invalid request. Name must be a string")
	}
	l := &library{id: newID(), name: name, created: s.options.Now(), settings: object{"autoScanCronExpression": nil}}
	for _, f := range folders {
		path, ok := "", false
		if f != nil {
			path, ok = pathOf(f)
		}
		isList = isList && ok
		l.folders = append(l.folders, &folder{newID(), path})
	}
	if !isList {
		return nil, say(http.StatusBadRequest, "Invalid request. Folders must be a non-empty array of objects with path string")
	}
	l.kind, _ = either(c.body["mediaType"], "book").(string)
	l.icon, _ = either(c.body["icon"], "database").(string)
	l.provider, _ = either(c.body["provider"], "google").(string)
	settings, _ := c.body["settings"].(object)
	if cron, ok := settings["autoScanCronExpression"].(string); ok {
		l.settings["autoScanCronExpression"] = cron // stored as it is: it is looked at when the server starts
	}
	if strings.HasPrefix(l.provider, "custom-") {
		return nil, say(http.StatusBadRequest, "Invalid request. Custom metadata provider does not exist")
	}
	for _, f := range l.folders {
		if err := s.makeDirectory(c, f.path); err != nil {
			return nil, err
		}
	}
	s.libraries = append(s.libraries, l)
	return l.form(), nil
}

// makeDirectory makes a folder that is missing. Below the kernel's, the server tries for ever.
func (s *Server) makeDirectory(c *call, path string) error {
	if strings.HasPrefix(path, "/proc/") {
		s.stuck++
		s.mu.Unlock()
		<-c.Context().Done()
		s.mu.Lock()
		return plain(http.StatusInternalServerError)
	}
	if os.MkdirAll(path, 0o755) != nil {
		return say(http.StatusBadRequest, fmt.Sprintf("Invalid request. Invalid folder directory %q", path))
	}
	return nil
}

func (s *Server) updateLibrary(c *call) (any, error) {
	l, err := s.opened(c)
	switch {
	case err != nil:
		return nil, err
	case !c.user.isAdmin():
		return nil, plain(http.StatusForbidden)
	}
	for name, field := range map[string]*string{"name": &l.name, "provider": &l.provider, "mediaType": &l.kind, "icon": &l.icon} {
		value := c.body[name]
		word, ok := value.(string)
		if truthy(value) && !ok {
			return nil, say(http.StatusBadRequest, "Invalid request. "+name+" must be a string")
		}
		if word != "" {
			*field = word
		}
	}
	settings, _ := c.body["settings"].(object)
	if cron, ok := settings["autoScanCronExpression"].(string); ok {
		l.settings["autoScanCronExpression"] = cron
		if !validCron(cron) {
			panic(crash{"is not a valid cron expression"}) // and stored
		}
	}
	if folders, ok := c.body["folders"].([]any); ok {
		if err := s.setFolders(c, l, folders); err != nil {
			return nil, err
		}
	}
	return l.form(), nil
}

// setFolders makes a folder of each without an id, and removes each whose id is not there, with its items.
func (s *Server) setFolders(c *call, l *library, given []any) error {
	var come []*folder
	stay := map[string]bool{}
	for _, f := range given {
		if id, _ := member(f, "id").(string); id != "" {
			stay[id] = true
			continue
		}
		path, ok := pathOf(f)
		if !ok {
			panic(crash{`the "paths[0]" argument must be of type string`})
		}
		if _, err := os.Stat(path); err != nil {
			if err := s.makeDirectory(c, path); err != nil {
				return err
			}
		}
		come = append(come, &folder{newID(), path})
	}
	for _, f := range l.folders {
		if !stay[f.id] {
			s.items = without(s.items, func(i *item) bool { return i.folder == f.id })
		}
	}
	l.folders = append(without(l.folders, func(f *folder) bool { return !stay[f.id] }), come...)
	return nil
}

// deleteLibrary deletes it with its items, and leaves its id in everybody's list.
func (s *Server) deleteLibrary(c *call) (any, error) {
	l, err := s.opened(c)
	switch {
	case err != nil:
		return nil, err
	case !c.user.isAdmin():
		return nil, plain(http.StatusForbidden)
	}
	s.libraries = without(s.libraries, func(other *library) bool { return other == l })
	s.items = without(s.items, func(i *item) bool { return i.library == l.id })
	return l.form(), nil
}

// listItems counts what the caller is shown.
func (s *Server) listItems(c *call) (any, error) {
	l, err := s.opened(c)
	if err != nil {
		return nil, err
	}
	shown := []object{}
	for _, i := range s.items {
		if i.library == l.id && c.user.shows(i) {
			shown = append(shown, object{"id": i.id, "libraryId": l.id})
		}
	}
	total := len(shown)
	if limit, _ := strconv.Atoi(c.URL.Query().Get("limit")); limit > 0 {
		shown = shown[:min(limit, total)]
	}
	return object{"results": shown, "total": total}, nil
}

// browse lists the directories in one; links are none.
func (s *Server) browse(c *call) (any, error) {
	path := c.URL.Query().Get("path")
	if !c.user.isAdmin() {
		return nil, plain(http.StatusForbidden)
	}
	if _, err := os.Stat(path); path != "" && (!filepath.IsAbs(path) || err != nil) {
		return nil, say(http.StatusBadRequest, `Invalid "path" query string`)
	}
	entries, _ := os.ReadDir(path)
	directories := []object{}
	for _, entry := range entries {
		if entry.IsDir() {
			directories = append(directories, object{"path": filepath.Join(path, entry.Name()), "dirname": entry.Name(), "level": 0})
		}
	}
	return object{"posix": true, "directories": directories}, nil
}

// validCron says whether a schedule has five fields of numbers in range, or stars; none is none.
func validCron(cron string) bool {
	if cron == "" {
		return true
	}
	fields := strings.Fields(cron)
	if len(fields) != 5 {
		return false
	}
	for i, most := range []int{59, 23, 31, 12, 7} {
		n, err := strconv.Atoi(fields[i])
		if fields[i] != "*" && (err != nil || n < 0 || n > most) {
			return false
		}
	}
	return true
}
