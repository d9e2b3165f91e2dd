package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/shisho"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
	"github.com/usher-media/usher/internal/testenv"
)

// holes opens what the server lets people open, and sees each hole shut.
func (r *reading) holes() {
	r.lostPlaceholder()
	r.spoiledPlaceholder()
	r.madeByHand()
}

// lostPlaceholder takes the placeholder from somebody who has libraries: nothing opens until the last of these goes.
func (r *reading) lostPlaceholder() {
	ids := []int{}
	for _, name := range shelves["mia"] {
		ids = append(ids, r.number(name))
	}
	r.post("/users/"+r.account("mia"), map[string]any{"library_ids": ids})
	r.look("shisho")
	testenv.Eventually(r, "mia has the placeholder again", func() bool { return r.holds("mia", r.placeholder()) })
}

// spoiledPlaceholder lets an Editor make a library of the placeholder.
func (r *reading) spoiledPlaceholder() {
	spoiled := r.placeholder()
	secret := filepath.Join(r.folder, r.mark, "secret")
	r.must(os.MkdirAll(secret, 0o755))
	file := filepath.Join(secret, "Secret.epub")
	r.must(shishotest.WriteBook(file, "Secret"))
	r.before[file] = sum(r, file)
	name, password := "edith-"+r.mark, "the editor's password"
	r.post("/users", map[string]any{"username": name, "password": password, "role_id": r.role("editor"), "library_ids": []int{spoiled}})
	edith, err := shishotest.Enter(r.Context(), r.url, name, password)
	r.must(err)
	status, err := edith.Call(r.Context(), http.MethodPost, "/libraries/"+strconv.Itoa(spoiled), map[string]any{"library_paths": []string{secret}}, nil)
	if err != nil || status != http.StatusOK {
		r.Fatalf("the server does not let an Editor do that any more: status %d, %v", status, err)
	}
	r.must(r.scan(r.Context()))
	r.look("shisho")
	testenv.Eventually(r, "everybody has another placeholder", func() bool {
		return !r.holds("mia", spoiled) && !r.holds("grace", spoiled) && len(r.listed(edith)) == 0
	})
	for _, person := range []string{"mia", "grace"} {
		r.reads(person, shelves[person])
	}
	var server v1alpha1.MediaServer
	testenv.Eventually(r, "the MediaServer names it", func() bool {
		r.must(r.env.Client().Get(r.Context(), key(r.namespace, "shisho"), &server))
		ready := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Status == metav1.ConditionTrue && strings.Contains(ready.Message, secret)
	})
	status, err = r.keeper.Call(r.Context(), http.MethodDelete, "/libraries/"+strconv.Itoa(spoiled), nil, nil)
	if err != nil || status != http.StatusNoContent {
		r.Fatalf("deleting what became of the placeholder: status %d, %v", status, err)
	}
	r.reads("grace", nil)
	r.post("/users/"+r.idOf(name), map[string]any{"is_active": false})
}

// madeByHand declares a library right after it was made by hand, before Usher looks.
func (r *reading) madeByHand() {
	name, folder := "By hand "+r.mark, filepath.Join(r.folder, r.mark, "by-hand")
	r.must(os.MkdirAll(folder, 0o755))
	r.post("/libraries", map[string]any{"name": name, "library_paths": []string{folder}, "cover_aspect_ratio": "book", "organize_file_structure": false})
	library := &v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "by-hand"}, Spec: v1alpha1.LibrarySpec{
		ServerRef: v1alpha1.LocalReference{Name: "shisho"}, DisplayName: name, MediaType: v1alpha1.MediaTypeBooks,
		Paths: []v1alpha1.LibraryPath{v1alpha1.LibraryPath(folder)}, AdoptionPolicy: v1alpha1.LibraryAdoptionIfUnique,
	}}
	r.must(r.env.Client().Create(r.Context(), library))
	testenv.Eventually(r, "the library is taken over", func() bool {
		r.must(r.env.Client().Get(r.Context(), key(r.namespace, "by-hand"), library))
		return meta.IsStatusConditionTrue(library.Status.Conditions, v1alpha1.ConditionReady)
	})
	all, err := r.keeper.Shelves(r.Context())
	r.must(err)
	if n := len(slices.DeleteFunc(all, func(s shishotest.Shelf) bool { return s.Name != name })); n != 1 {
		r.Errorf("the server has %d libraries named %s", n, name)
	}
	r.library["by-hand"] = media.LibraryID(library.Status.ExternalID)
}

// placeholder is the id of the one that is granted: the oldest that nobody changed.
func (r *reading) placeholder() int {
	r.Helper()
	all, err := r.keeper.Shelves(r.Context())
	r.must(err)
	oldest := 0
	for _, shelf := range all {
		whole := shelf.Name == shisho.PlaceholderName && len(shelf.Paths) == 1 && strings.HasPrefix(shelf.Paths[0].Path, "/proc/")
		if whole && (oldest == 0 || shelf.ID < oldest) {
			oldest = shelf.ID
		}
	}
	return oldest
}

func (r *reading) holds(person string, library int) bool {
	r.Helper()
	var user struct {
		Access []struct {
			Library *int `json:"library_id"`
		} `json:"library_access"`
	}
	_, err := r.keeper.Call(r.Context(), http.MethodGet, "/users/"+r.account(person), nil, &user)
	r.must(err)
	for _, grant := range user.Access {
		if grant.Library != nil && *grant.Library == library {
			return true
		}
	}
	return false
}

type numbered struct {
	Items []struct {
		ID             int
		Name, Username string
	}
}

func (r *reading) role(name string) int {
	r.Helper()
	var roles numbered
	_, err := r.keeper.Call(r.Context(), http.MethodGet, "/roles?limit=-1", nil, &roles)
	r.must(err)
	for _, role := range roles.Items {
		if role.Name == name {
			return role.ID
		}
	}
	r.Fatalf("there is no role %s", name)
	return 0
}

// idOf is the id of an account.
func (r *reading) idOf(username string) string {
	r.Helper()
	var users numbered
	_, err := r.keeper.Call(r.Context(), http.MethodGet, "/users?limit=-1", nil, &users)
	r.must(err)
	for _, user := range users.Items {
		if user.Username == username {
			return strconv.Itoa(user.ID)
		}
	}
	r.Fatalf("there is no account %s", username)
	return ""
}
