package shishotest

import (
	"cmp"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Move is a file that the server moved, since a library lets it organize files.
type Move struct{ From, To string }

// Moves are all so far.
func (s *Server) Moves() []Move {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.moves)
}

var bookTypes = []string{".epub", ".cbz", ".m4b", ".pdf"}

// queue adds a scan of all libraries, unless one is waiting.
func (s *Server) queue() *job {
	if slices.ContainsFunc(s.jobs, func(j *job) bool { return j.status == "pending" }) {
		return nil
	}
	j := &job{id: s.next("job"), status: "pending"}
	s.jobs = append(s.jobs, j)
	return j
}

func jobForm(j *job) object {
	return object{"id": j.id, "type": "scan", "status": j.status, "data": object{}, "progress": 0}
}

func (s *Server) listJobs(c *call) (int, any, error) {
	query, err := c.query("limit", "offset", "status", "type", "library_id_or_global")
	if err != nil {
		return 0, nil, err
	}
	return list(s.jobs, short, query, jobForm)
}

func (s *Server) getJob(c *call) (int, any, error) {
	if j := find(s.jobs, func(j *job) bool { return j.id == c.id() }); j != nil {
		return http.StatusOK, jobForm(j), nil
	}
	return 0, nil, missing("Job")
}

func (s *Server) createJob(c *call) (int, any, error) {
	var form struct {
		Type    string `json:"type"`
		Data    object `json:"data"`
		Library *int   `json:"library_id"`
	}
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	if form.Data == nil {
		return 0, nil, invalid(`"data" is required`)
	}
	if j := s.queue(); j != nil {
		return http.StatusOK, jobForm(j), nil
	}
	return 0, nil, refuse(http.StatusConflict, "conflict", "A scan job is already running or pending.")
}

// Scan does what a worker would: the scans that wait, and one of all libraries in any case. Its error is that of the
// scan.
func (s *Server) Scan() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue()
	var err error
	for _, j := range s.jobs {
		if j.status != "pending" {
			continue
		}
		j.status = "completed"
		if err = s.scan(); err != nil {
			j.status = "failed"
		}
	}
	return err
}

// scan goes through the libraries in order of name. The first path that cannot be read ends it.
func (s *Server) scan() error {
	inOrder := slices.Clone(s.libraries)
	slices.SortStableFunc(inOrder, func(a, b *library) int { return cmp.Compare(a.name, b.name) })
	for _, l := range inOrder {
		var files []string
		for _, root := range l.paths {
			err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && !entry.IsDir() && slices.Contains(bookTypes, filepath.Ext(path)) {
					files = append(files, path)
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("scan library %d: %w", l.id, err)
			}
		}
		if err := s.shelve(l, files); err != nil {
			return err
		}
	}
	return nil
}

// shelve forgets the books whose files are gone, and takes up new files, moving them where the library is organized.
func (s *Server) shelve(l *library, files []string) error {
	s.books = slices.DeleteFunc(s.books, func(b *book) bool { return b.library == l.id && !slices.Contains(files, b.path) })
	for _, path := range files {
		if slices.ContainsFunc(s.books, func(b *book) bool { return b.library == l.id && b.path == path }) {
			continue
		}
		title := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if l.organize {
			to := filepath.Join(l.paths[0], "[An Author] "+title, title+filepath.Ext(path))
			if err := move(path, to); err != nil {
				return err
			}
			s.moves = append(s.moves, Move{From: path, To: to})
			path = to
		}
		s.books = append(s.books, &book{id: s.next("book"), library: l.id, title: title, path: path})
	}
	return nil
}

func move(from, to string) error {
	if from == to {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.Rename(from, to)
}
