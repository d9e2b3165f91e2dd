package shishotest

import (
	"cmp"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var covers = []string{"book", "audiobook", "book_fallback_audiobook", "audiobook_fallback_book"}

type libraryForm struct {
	Name       *string  `json:"name"`
	Cover      *string  `json:"cover_aspect_ratio"`
	Organize   *bool    `json:"organize_file_structure"`
	Preference *string  `json:"download_format_preference"`
	Paths      []string `json:"library_paths"`
}

func (f libraryForm) check(creating bool) error {
	switch {
	case creating && (f.Name == nil || *f.Name == ""):
		return invalid(`"name" is required`)
	case creating && f.Cover == nil:
		return invalid(`"cover_aspect_ratio" is required`)
	case f.Name != nil && *f.Name == "":
		return failure()
	case f.Name != nil && utf8.RuneCountInString(*f.Name) > 100:
		return invalid(`"name" length must be less than or equal to 100 characters`)
	case f.Cover != nil && !slices.Contains(covers, *f.Cover):
		return invalid(`"cover_aspect_ratio" must be one of the following`)
	case f.Preference != nil && !slices.Contains([]string{"original", "kepub", "ask"}, *f.Preference):
		return invalid(`"download_format_preference" must be one of the following`)
	case (creating && len(f.Paths) == 0) || (f.Paths != nil && len(f.Paths) == 0):
		return invalid(`"library_paths" length must be greater than or equal to 1 element`)
	case len(f.Paths) > 50:
		return invalid(`"library_paths" length must be less than or equal to 50 elements`)
	case slices.Contains(f.Paths, ""):
		return failure()
	}
	return nil
}

func (f libraryForm) apply(l *library) {
	if f.Name != nil {
		l.name = *f.Name
	}
	if f.Cover != nil {
		l.cover = *f.Cover
	}
	if f.Organize != nil {
		l.organize = *f.Organize
	}
	if f.Preference != nil {
		l.preference = *f.Preference
	}
	if f.Paths != nil {
		l.paths = slices.Sorted(slices.Values(f.Paths)) // their order is lost
	}
}

func shelfForm(l *library) object {
	paths := []object{}
	for i, path := range l.paths {
		paths = append(paths, object{"id": i + 1, "created_at": l.created, "updated_at": time.Time{}, "library_id": l.id, "filepath": path})
	}
	return object{
		"id": l.id, "created_at": l.created, "updated_at": l.created, "name": l.name, "organize_file_structure": l.organize,
		"cover_aspect_ratio": l.cover, "download_format_preference": l.preference, "library_paths": paths,
	}
}

// listLibraries leaves out what is not granted, and leaves out nothing where nothing is granted.
func (s *Server) listLibraries(c *call) (int, any, error) {
	query, err := c.query("limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	return list(s.shown(c.user), short, query, shelfForm)
}

// shown are the libraries that a list shows, in order of name.
func (s *Server) shown(a *account) []*library {
	var shown []*library
	for _, l := range s.libraries {
		if a.lists(l.id) {
			shown = append(shown, l)
		}
	}
	slices.SortStableFunc(shown, func(a, b *library) int { return cmp.Compare(a.name, b.name) })
	return shown
}

func (s *Server) getLibrary(c *call) (int, any, error) {
	if l := s.library(c.id()); l != nil {
		return http.StatusOK, shelfForm(l), nil
	}
	return 0, nil, missing("Library")
}

// createLibrary takes any name and any path, moves files by default, and queues a scan of all libraries unless one is
// waiting.
func (s *Server) createLibrary(c *call) (int, any, error) {
	var form libraryForm
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	if err := form.check(true); err != nil {
		return 0, nil, err
	}
	l := &library{id: s.next("library"), organize: true, preference: "original", created: s.options.Now().UTC()}
	form.apply(l)
	s.libraries = append(s.libraries, l)
	s.queue()
	return http.StatusOK, shelfForm(l), nil
}

func (s *Server) updateLibrary(c *call) (int, any, error) {
	var form libraryForm
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	if err := form.check(false); err != nil {
		return 0, nil, err
	}
	l := s.library(c.id())
	if l == nil {
		return 0, nil, missing("Library")
	}
	form.apply(l)
	return http.StatusOK, shelfForm(l), nil
}

// deleteLibrary takes its books and its grants along, whoever has none left then. Files stay.
func (s *Server) deleteLibrary(c *call) (int, any, error) {
	l := s.library(c.id())
	if l == nil {
		return 0, nil, missing("Library")
	}
	s.libraries = slices.DeleteFunc(s.libraries, func(other *library) bool { return other == l })
	s.books = slices.DeleteFunc(s.books, func(b *book) bool { return b.library == l.id })
	for _, a := range s.accounts {
		a.grants = slices.DeleteFunc(a.grants, func(g grantRow) bool { return g.library == l.id })
	}
	return http.StatusNoContent, nil, nil
}

// browse looks at a real directory. A file is a failure.
func (s *Server) browse(c *call) (int, any, error) {
	query, err := c.query("path", "show_hidden", "limit", "offset", "search")
	if err != nil {
		return 0, nil, err
	}
	path, err := filepath.EvalSymlinks(query.Get("path"))
	if err != nil {
		return 0, nil, missing("Directory")
	}
	found, err := os.ReadDir(path)
	if err != nil {
		return 0, nil, failure()
	}
	entries := []object{}
	for _, entry := range found {
		name := entry.Name()
		hidden := strings.HasPrefix(name, ".") && query.Get("show_hidden") != "true"
		if !hidden && strings.Contains(strings.ToLower(name), strings.ToLower(query.Get("search"))) {
			entries = append(entries, object{"name": name, "path": filepath.Join(path, name), "is_dir": entry.IsDir()})
		}
	}
	total := len(entries)
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 50
	}
	page := entries[:min(limit, total)]
	return http.StatusOK, object{"current_path": path, "entries": page, "total": total, "has_more": len(page) < total}, nil
}
