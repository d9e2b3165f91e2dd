package shishotest

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/shisho"
)

// Visitor talks to a Shisho server as a person or an administrator does, without the driver.
type Visitor struct {
	// URL of the API.
	URL                string
	Username, Password string
	cookie             string
}

// callTime bounds one call of a visitor: longer than the longest time that the server waits for its database.
const callTime = 2 * time.Minute

// Enter signs somebody in at a server.
func Enter(ctx context.Context, url, username, password string) (*Visitor, error) {
	v := &Visitor{URL: url, Username: username, Password: password}
	return v, v.enter(ctx, "/auth/login")
}

func (v *Visitor) enter(ctx context.Context, path string) error {
	answer, err := v.send(ctx, http.MethodPost, path, map[string]string{"username": v.Username, "password": v.Password})
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", path, answer.StatusCode)
	}
	var me struct {
		MustChange bool `json:"must_change_password"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&me); err != nil {
		return err
	}
	if me.MustChange {
		return fmt.Errorf("%s: must choose another password", path)
	}
	for _, cookie := range answer.Cookies() {
		v.cookie = cookie.Value
	}
	return nil
}

func (v *Visitor) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, v.URL+path, &sent)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if v.cookie != "" {
		request.Header.Set("Cookie", "shisho_session="+v.cookie)
	}
	// A connection of its own for each call: none is left when the test ends.
	request.Close = true
	return (&http.Client{Timeout: callTime}).Do(request)
}

// Open asks for an answer that its caller reads as it comes, and closes.
func (v *Visitor) Open(ctx context.Context, path string) (*http.Response, error) {
	return v.send(ctx, http.MethodGet, path, nil)
}

// Call makes a call with the person's cookie and reads a good answer into what into points to. It returns the status.
func (v *Visitor) Call(ctx context.Context, method, path string, body, into any) (int, error) {
	answer, err := v.send(ctx, method, path, body)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	if into == nil || answer.StatusCode >= 300 {
		_, err = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode, err
	}
	return answer.StatusCode, json.NewDecoder(answer.Body).Decode(into)
}

// must makes a call that must succeed.
func (v *Visitor) must(ctx context.Context, method, path string, body, into any) error {
	status, err := v.Call(ctx, method, path, body, into)
	if err == nil && status >= 300 {
		err = fmt.Errorf("%s %s: status %d", method, path, status)
	}
	return err
}

// Shelf is one library as a list shows it.
type Shelf struct {
	ID    int
	Name  string
	Paths []struct {
		Path string `json:"filepath"`
	} `json:"library_paths"`
}

func (s Shelf) placeholder() bool { return s.Name == shisho.PlaceholderName }

// Shelves are the libraries that the server's list shows to the person, the placeholder among them.
func (v *Visitor) Shelves(ctx context.Context) ([]Shelf, error) {
	var all []Shelf
	for {
		var page struct {
			Items []Shelf
			Total int
		}
		if err := v.must(ctx, http.MethodGet, "/libraries?limit=100&offset="+strconv.Itoa(len(all)), nil, &page); err != nil {
			return nil, err
		}
		if all = append(all, page.Items...); len(all) >= page.Total || len(page.Items) == 0 {
			return all, nil
		}
	}
}

// Libraries are those that the person sees: in the list, by their ids, and by the books that the list of books shows.
// The placeholder is none, and must hold nothing.
func (v *Visitor) Libraries(ctx context.Context) ([]media.LibraryID, error) {
	shelves, err := v.Shelves(ctx)
	if err != nil {
		return nil, err
	}
	ids := []media.LibraryID{}
	hidden := map[int]bool{}
	for _, shelf := range shelves {
		if hidden[shelf.ID] = shelf.placeholder(); shelf.placeholder() {
			continue
		}
		// What was not granted and shows in a list all the same is refused by its id, and is seen.
		status, err := v.Call(ctx, http.MethodGet, "/libraries/"+strconv.Itoa(shelf.ID), nil, nil)
		if err != nil || (status != http.StatusOK && status != http.StatusForbidden) {
			return nil, fmt.Errorf("library %d: status %d: %w", shelf.ID, status, err)
		}
		ids = append(ids, id(shelf.ID))
	}
	books, err := v.Books(ctx)
	if err != nil {
		return nil, err
	}
	for _, book := range books {
		if hidden[book.Library] {
			return nil, fmt.Errorf("the placeholder holds the book %q", book.Title)
		}
		if !slices.Contains(ids, id(book.Library)) {
			ids = append(ids, id(book.Library))
		}
	}
	return ids, nil
}

func id(number int) media.LibraryID { return media.LibraryID(strconv.Itoa(number)) }

// Book is one book as a list shows it.
type Book struct {
	ID      int
	Title   string
	Library int `json:"library_id"`
}

// Books are those that the list of books shows to the person.
func (v *Visitor) Books(ctx context.Context) ([]Book, error) {
	var page struct{ Items []Book }
	err := v.must(ctx, http.MethodGet, "/books?limit=50", nil, &page)
	return page.Items, err
}

// Search finds books by their titles in one library.
func (v *Visitor) Search(ctx context.Context, library int, text string) ([]Book, error) {
	var found struct{ Books []Book }
	query := url.Values{"library_id": {strconv.Itoa(library)}, "q": {text}}
	err := v.must(ctx, http.MethodGet, "/search?"+query.Encode(), nil, &found)
	return found.Books, err
}

// Catalog is the status of the OPDS catalog for the person, and the ids of the libraries in it, the placeholder left
// out.
func (v *Visitor) Catalog(ctx context.Context) (status int, libraries []media.LibraryID, err error) {
	status, body, err := v.opds(ctx, "/catalog")
	if err != nil || status != http.StatusOK {
		return status, nil, err
	}
	var feed struct {
		Entries []struct {
			ID    string `xml:"id"`
			Title string `xml:"title"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(body, &feed); err != nil {
		return status, nil, err
	}
	for _, entry := range feed.Entries {
		if entry.Title != shisho.PlaceholderName {
			libraries = append(libraries, media.LibraryID(path.Base(entry.ID)))
		}
	}
	return status, libraries, nil
}

// Feed is the status of the OPDS feed of one library for the person.
func (v *Visitor) Feed(ctx context.Context, library media.LibraryID) (status int, err error) {
	status, _, err = v.opds(ctx, "/libraries/"+string(library))
	return status, err
}

func (v *Visitor) opds(ctx context.Context, path string) (int, []byte, error) {
	// In the official image OPDS is beside /api, and the bare server has both at its root.
	base, err := url.Parse(v.URL)
	if err != nil {
		return 0, nil, err
	}
	base.Path = "/opds/v1/epub" + path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String(), nil)
	if err != nil {
		return 0, nil, err
	}
	request.SetBasicAuth(v.Username, v.Password)
	request.Close = true
	answer, err := (&http.Client{Timeout: callTime}).Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}
