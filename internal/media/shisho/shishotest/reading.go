package shishotest

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// loginTime is how long OPDS remembers a login, with the account as it was then.
const loginTime = 60 * time.Second

type cachedLogin struct {
	account account
	until   time.Time
}

func bookForm(b *book) object {
	return object{"id": b.id, "title": b.title, "library_id": b.library, "filepath": b.path}
}

func (s *Server) listBooks(c *call) (int, any, error) {
	query, err := c.query("library_id", "limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	var shown []*book
	for _, b := range s.books {
		wanted := query.Get("library_id")
		if c.user.lists(b.library) && (wanted == "" || wanted == strconv.Itoa(b.library)) {
			shown = append(shown, b)
		}
	}
	return list(shown, paging{usual: 24, most: 100}, query, bookForm)
}

func (s *Server) getBook(c *call) (int, any, error) {
	b := find(s.books, func(b *book) bool { return b.id == c.id() })
	switch {
	case b == nil:
		return 0, nil, missing("Book")
	case !c.user.granted(b.library):
		return 0, nil, refuse(http.StatusForbidden, "forbidden", "You don't have access to this library is not allowed.")
	}
	return http.StatusOK, bookForm(b), nil
}

// search looks in one library. One that is not granted is empty, also for who was granted nothing.
func (s *Server) search(c *call) (int, any, error) {
	query, err := c.query("library_id", "q")
	if err != nil {
		return 0, nil, err
	}
	library, err := strconv.Atoi(query.Get("library_id"))
	if err != nil || query.Get("q") == "" {
		return 0, nil, invalid(`"q" is required`)
	}
	found := []object{}
	for _, b := range s.books {
		if b.library == library && c.user.granted(library) && strings.Contains(strings.ToLower(b.title), strings.ToLower(query.Get("q"))) {
			found = append(found, bookForm(b))
		}
	}
	return http.StatusOK, object{"books": found, "series": []object{}, "people": []object{}}, nil
}

// reader is who reads by OPDS. A login is remembered for a fixed time, whatever becomes of the account meanwhile, and
// the role counts for nothing.
func (s *Server) reader(w http.ResponseWriter, r *http.Request) *account {
	username, password, _ := r.BasicAuth()
	digest := sha256.Sum256([]byte(username + "\x00" + password))
	now := s.options.Now()
	if login, cached := s.cached[string(digest[:])]; cached && now.Before(login.until) {
		return &login.account
	}
	a := s.named(username)
	if a == nil || !a.active || a.mustChange || a.password != password {
		w.Header().Set("WWW-Authenticate", `Basic realm="Shisho OPDS"`)
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return nil
	}
	snapshot := *a
	snapshot.grants = append([]grantRow(nil), a.grants...)
	s.cached[string(digest[:])] = cachedLogin{account: snapshot, until: now.Add(loginTime)}
	return &snapshot
}

type entry struct {
	ID    string `xml:"id"`
	Title string `xml:"title"`
}

func answerFeed(w http.ResponseWriter, title string, entries []entry) {
	w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		Title   string   `xml:"title"`
		Entries []entry  `xml:"entry"`
	}{Title: title, Entries: entries})
}

// catalog names the libraries that a list would.
func (s *Server) catalog(w http.ResponseWriter, r *http.Request) {
	a := s.reader(w, r)
	if a == nil {
		return
	}
	var entries []entry
	for _, l := range s.shown(a) {
		entries = append(entries, entry{fmt.Sprintf("http://%s/opds/v1/epub/libraries/%d", r.Host, l.id), l.name})
	}
	answerFeed(w, "Shisho Libraries", entries)
}

// feed is one library.
func (s *Server) feed(w http.ResponseWriter, r *http.Request) {
	a := s.reader(w, r)
	if a == nil {
		return
	}
	id, _ := strconv.Atoi(r.PathValue("id"))
	l := s.library(id)
	switch {
	case !a.granted(id):
		send(w, http.StatusForbidden, envelope(refuse(http.StatusForbidden, "forbidden", "Access to this library is not allowed.")))
	case l == nil:
		send(w, http.StatusNotFound, envelope(missing("Library")))
	default:
		answerFeed(w, l.name, nil)
	}
}

func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	a := s.reader(w, r)
	if a == nil {
		return
	}
	b := find(s.books, func(b *book) bool { return strconv.Itoa(b.id) == r.PathValue("id") })
	switch {
	case b == nil:
		send(w, http.StatusNotFound, envelope(missing("File")))
	case !a.granted(b.library):
		send(w, http.StatusForbidden, envelope(refuse(http.StatusForbidden, "forbidden", "Access to this library is not allowed.")))
	default:
		http.ServeFile(w, r, b.path)
	}
}
