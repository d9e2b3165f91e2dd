package e2e

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/shisho"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
	"github.com/usher-media/usher/internal/testenv"
)

// shelves are what each person of the samples is to see.
var shelves = map[string][]string{
	"alice": {"fiction", "kids-books", "audiobooks"}, "bob": {"fiction", "kids-books", "audiobooks"},
	"mia": {"kids-books", "audiobooks"}, "grace": {},
}

// reading is the household of config/samples/shisho at one Shisho server.
type reading struct {
	*household
	url    string
	keeper *shishotest.Visitor
	// scan lets the server take up the books.
	scan func(context.Context) error
	// mark makes the names of this run its own: a server keeps the accounts of every run before.
	mark    string
	folder  string
	before  map[string][sha256.Size]byte
	library map[string]media.LibraryID
}

func TestShisho(t *testing.T) {
	fake := shishotest.Start(t, shishotest.Options{BasePath: "/api"})
	live := &reading{url: fake.URL, folder: t.TempDir(), scan: func(context.Context) error { return fake.Scan() }}
	live.run(t, shishotest.Owner, shishotest.OwnerPassword)
	if moves := fake.Moves(); len(moves) > 0 {
		t.Errorf("files were moved: %v", moves)
	}
}

// TestShishoLive runs against the server that USHER_SHISHO_E2E_URL names, with USHER_SHISHO_USERNAME and
// USHER_SHISHO_PASSWORD. Server and test must see the folder USHER_SHISHO_MEDIA, by the same path; it is the test's own
// temporary folder where it is not given. The server needs a worker for its scans.
func TestShishoLive(t *testing.T) {
	url := os.Getenv("USHER_SHISHO_E2E_URL")
	if url == "" {
		t.Skip("USHER_SHISHO_E2E_URL names no Shisho server: TestShisho runs against the fake")
	}
	folder := os.Getenv("USHER_SHISHO_MEDIA")
	if folder == "" {
		folder = t.TempDir()
	}
	live := &reading{url: strings.TrimRight(url, "/"), folder: folder}
	live.scan = func(ctx context.Context) error { return live.keeper.Scan(ctx) }
	live.run(t, os.Getenv("USHER_SHISHO_USERNAME"), os.Getenv("USHER_SHISHO_PASSWORD"))
}

func (r *reading) run(t *testing.T, username, password string) {
	r.mark = strconv.FormatInt(time.Now().Unix(), 36)
	r.before = map[string][sha256.Size]byte{}
	r.household = apply(t, "shisho", func(object *unstructured.Unstructured) { r.adapt(t, object, username, password) })
	r.ready()
	var err error
	r.keeper, err = shishotest.Enter(t.Context(), r.url, username, password)
	r.must(err)
	r.must(r.scan(t.Context()))
	r.find()
	for person, shelf := range shelves {
		r.reads(person, shelf)
	}
	r.drift()
	r.holes()
	r.leave("bob")
	r.must(r.scan(t.Context()))
	r.nothingMoved()
	r.tidy()
}

// adapt makes a sample fit this run: address, credentials, names, and directories with a book each.
func (r *reading) adapt(t *testing.T, object *unstructured.Unstructured, username, password string) {
	set := func(value any, fields ...string) {
		if err := unstructured.SetNestedField(object.Object, value, fields...); err != nil {
			t.Fatal(err)
		}
	}
	switch object.GetKind() {
	case "Secret":
		set(map[string]any{"username": username, "password": password}, "stringData")
	case "MediaServer":
		set(r.url, "spec", "url")
		set([]any{r.folder}, "spec", "mediaRoots")
	case "User":
		set(r.username(object.GetName()), "spec", "username")
	case "Library":
		path := filepath.Join(r.folder, r.mark, object.GetName())
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		title := "Story of " + object.GetName()
		file := filepath.Join(path, title+".epub")
		if err := shishotest.WriteBook(file, title); err != nil {
			t.Fatal(err)
		}
		r.before[file] = sum(t, file)
		set([]any{path}, "spec", "paths")
		set(object.GetName()+" "+r.mark, "spec", "displayName")
	}
}

func (r *reading) username(person string) string { return person + "-" + r.mark }

// find looks up the ids of the libraries that were made.
func (r *reading) find() {
	r.library = map[string]media.LibraryID{}
	for _, name := range shelves["alice"] {
		var library v1alpha1.Library
		r.must(r.env.Client().Get(r.Context(), key(r.namespace, name), &library))
		r.library[name] = media.LibraryID(library.Status.ExternalID)
	}
}

// reads signs a person in and looks at lists, single libraries, search and OPDS.
func (r *reading) reads(person string, shelf []string) {
	r.Helper()
	username, password := r.credentials(person)
	visitor, err := shishotest.Enter(r.Context(), r.url, username, password)
	r.must(err)
	if got, want := r.listed(visitor), r.ids(shelf); !slices.Equal(got, want) {
		r.Errorf("%s sees %q, want %q", person, got, want)
	}
	status, catalog, err := visitor.Catalog(r.Context())
	r.must(err)
	slices.Sort(catalog)
	if status != http.StatusOK || !slices.Equal(catalog, r.ids(shelf)) {
		r.Errorf("the OPDS catalog of %s: status %d, %q, want %q", person, status, catalog, r.ids(shelf))
	}
	for name, id := range r.library {
		granted := slices.Contains(shelf, name)
		number, err := strconv.Atoi(string(id))
		r.must(err)
		found, err := visitor.Search(r.Context(), number, "Story")
		r.must(err)
		if (len(found) > 0) != granted {
			r.Errorf("%s searches in %s and finds %v", person, name, found)
		}
		status, err := visitor.Feed(r.Context(), id)
		r.must(err)
		if (status == http.StatusOK) != granted {
			r.Errorf("the OPDS feed of %s for %s: status %d", name, person, status)
		}
	}
}

func (r *reading) listed(visitor *shishotest.Visitor) []media.LibraryID {
	r.Helper()
	ids, err := visitor.Libraries(r.Context())
	r.must(err)
	slices.Sort(ids)
	return ids
}

func (r *reading) ids(shelf []string) []media.LibraryID {
	ids := []media.LibraryID{}
	for _, name := range shelf {
		ids = append(ids, r.library[name])
	}
	slices.Sort(ids)
	return ids
}

// drift changes accounts by hand, and sees each repaired: too much, too little, and nothing at all, which opens every
// list.
func (r *reading) drift() {
	username, password := r.credentials("mia")
	visitor, err := shishotest.Enter(r.Context(), r.url, username, password)
	r.must(err)
	for what, change := range map[string]map[string]any{
		"too much": {"all_library_access": true}, "too little": {"library_ids": []int{r.number("audiobooks")}},
		"no grant": {"library_ids": []int{}},
	} {
		r.post("/users/"+r.account("mia"), change)
		if slices.Equal(r.listed(visitor), r.ids(shelves["mia"])) {
			r.Errorf("%s: the change by hand changes nothing", what)
		}
		r.look("shisho")
		testenv.Eventually(r, what+" is repaired", func() bool { return slices.Equal(r.listed(visitor), r.ids(shelves["mia"])) })
	}
}

// leave removes a User and sees the account deactivated.
func (r *reading) leave(person string) {
	id := r.account(person)
	username, password := r.credentials(person)
	r.remove(&v1alpha1.User{}, person)
	var left struct {
		Active bool `json:"is_active"`
	}
	_, err := r.keeper.Call(r.Context(), http.MethodGet, "/users/"+id, nil, &left)
	r.must(err)
	if _, err := shishotest.Enter(r.Context(), r.url, username, password); err == nil || left.Active {
		r.Errorf("%s is still active", person)
	}
}

func (r *reading) number(library string) int {
	number, err := strconv.Atoi(string(r.library[library]))
	r.must(err)
	return number
}

func (r *reading) account(person string) string {
	var user v1alpha1.User
	r.must(r.env.Client().Get(r.Context(), key(r.namespace, person), &user))
	return user.Status.ExternalID
}

func (r *reading) post(path string, body map[string]any) {
	r.Helper()
	status, err := r.keeper.Call(r.Context(), http.MethodPost, path, body, nil)
	if err != nil || status >= 300 {
		r.Fatalf("POST %s: status %d, %v", path, status, err)
	}
}

// nothingMoved: every book is where it was, as it was, and there is no other. The server may write beside it.
func (r *reading) nothingMoved() {
	r.must(filepath.WalkDir(filepath.Join(r.folder, r.mark), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".epub" {
			if _, known := r.before[path]; !known {
				r.Errorf("a new file: %s", path)
			}
		}
		return err
	}))
	for path, was := range r.before {
		if sum(r, path) != was {
			r.Errorf("changed: %s", path)
		}
	}
}

// tidy takes what this run made off the server: libraries by hand, accounts by the rule that no User is left.
func (r *reading) tidy() {
	for person := range shelves {
		if person != "bob" {
			r.remove(&v1alpha1.User{}, person)
		}
	}
	for name, id := range r.library {
		r.remove(&v1alpha1.Library{}, name)
		status, err := r.keeper.Call(r.Context(), http.MethodDelete, "/libraries/"+string(id), nil, nil)
		if err != nil || status != http.StatusNoContent {
			r.Errorf("delete library %s: status %d, %v", name, status, err)
		}
	}
	shelves, err := r.keeper.Shelves(r.Context())
	r.must(err)
	if len(shelves) == 0 || !slices.ContainsFunc(shelves, func(s shishotest.Shelf) bool { return s.Name == shisho.PlaceholderName }) {
		r.Error("the placeholder library is gone")
	}
}

func key(namespace, name string) client.ObjectKey {
	return client.ObjectKey{Namespace: namespace, Name: name}
}

func sum(t testing.TB, path string) [sha256.Size]byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(text)
}
