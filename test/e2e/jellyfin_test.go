package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
	"github.com/usher-media/usher/internal/testenv"
)

// cinema is what each person of the samples is to see, by the libraries' names on the server. Otto cannot sign in.
var cinema = map[string][]string{
	"alice": {"Home Videos", "Kids Movies", "Movies", "TV Shows"}, "bob": {"Kids Movies", "Movies", "TV Shows"},
	"mia": {"Kids Movies"}, "grace": {}, "otto": {},
}

// projecting is the household of config/samples/jellyfin at one fake, which Usher sets up.
type projecting struct {
	*household
	fake *jellyfintest.Server
}

// TestJellyfin applies config/samples/jellyfin to a brand-new server of each release, and looks through the people's eyes: at first,
// after changes by hand, after a library was renamed on the server and in the manifests, and after ten grants at once.
func TestJellyfin(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		t.Run(string(version), func(t *testing.T) {
			fake := jellyfintest.Start(t, jellyfintest.Options{Version: version, Sees: func(string) bool { return true }})
			p := &projecting{fake: fake}
			p.household = apply(t, "jellyfin", func(object *unstructured.Unstructured) {
				if object.GetKind() == "MediaServer" {
					_ = unstructured.SetNestedField(object.Object, fake.URL, "spec", "url")
				}
			})
			p.ready()
			for person, want := range cinema {
				p.watches(person, want...)
			}
			p.drift()
			p.renamed()
			p.manyGrants()
			p.leaves("bob")
		})
	}
}

// shown are the names of what a person is shown who signs in with the password that Usher made. Whoever is signed out on the way, as
// when access is taken at that moment, signs in again.
func (p *projecting) shown(person string) []string {
	p.Helper()
	username, password := p.credentials(person)
	var views []jellyfintest.Seen
	for range 5 {
		visitor, err := jellyfintest.EnterOn(p.Context(), p.fake.URL, "eyes-of-"+username, username, password)
		if err != nil {
			return []string{}
		}
		if views, err = visitor.Views(p.Context()); err == nil {
			break
		}
		if !strings.Contains(err.Error(), "status 401") {
			p.must(err)
		}
	}
	names := []string{}
	for _, view := range views {
		names = append(names, view.Name)
	}
	slices.Sort(names)
	return names
}

func (p *projecting) watches(person string, want ...string) {
	p.Helper()
	if got := p.shown(person); !slices.Equal(got, want) && len(got)+len(want) > 0 {
		p.Errorf("%s sees %q, want %q", person, got, want)
	}
}

// comesToWatch looks at the server again and again until a person sees that.
func (p *projecting) comesToWatch(person string, want ...string) {
	p.Helper()
	p.look("jellyfin")
	testenv.Eventually(p, fmt.Sprintf("%s sees %q", person, want), func() bool { return slices.Equal(p.shown(person), want) })
}

// drift: somebody opens everything to a child, on the server's own page.
func (p *projecting) drift() {
	p.fake.SetPolicy("mia", "EnableAllFolders", true)
	if got := p.shown("mia"); len(got) != 4 {
		p.Errorf("the change by hand changes nothing: %q", got)
	}
	p.comesToWatch("mia", "Kids Movies")
}

// renamed: by hand, a library gets its name and its people back; in a manifest, its people keep it.
func (p *projecting) renamed() {
	keeper, err := jellyfintest.EnterOn(p.Context(), p.fake.URL, "the keeper's", "keeper", "demonstration-only-please-change")
	p.must(err)
	query := url.Values{"name": {"Kids Movies"}, "newName": {"Children"}, "refreshLibrary": {"true"}}
	status, err := keeper.Call(p.Context(), http.MethodPost, "/Library/VirtualFolders/Name?"+query.Encode(), nil, nil)
	if err != nil || status >= 300 {
		p.Fatalf("status %d, %v", status, err)
	}
	p.watches("mia")
	p.comesToWatch("mia", "Kids Movies")
	library := &v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: "kids-movies"}}
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"displayName":"For Children"}}`))
	p.must(p.env.Client().Patch(p.Context(), library, patch))
	p.comesToWatch("mia", "For Children")
	p.comesToWatch("bob", "For Children", "Movies", "TV Shows")
	if slices.Contains(p.fake.LibraryNames(), "Kids Movies") {
		p.Errorf("the libraries are %q", p.fake.LibraryNames())
	}
}

// manyGrants: ten grants at once cost a person at most two writes of their policy.
func (p *projecting) manyGrants() {
	const many = 10
	names := []string{}
	for i := range many {
		name := fmt.Sprintf("extra-%d", i)
		library := &v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name}}
		library.Spec = v1alpha1.LibrarySpec{
			ServerRef: v1alpha1.LocalReference{Name: "jellyfin"}, DisplayName: name, MediaType: v1alpha1.MediaTypeMovies,
			Paths: []v1alpha1.LibraryPath{v1alpha1.LibraryPath("/media/" + name)},
		}
		p.must(p.env.Client().Create(p.Context(), library))
		names = append(names, name)
	}
	for _, name := range names {
		testenv.Eventually(p, name+" is there", func() bool { return slices.Contains(p.fake.LibraryNames(), name) })
	}
	before := p.fake.Count("POST /Users/{id}/Policy")
	for _, name := range names {
		grant := &v1alpha1.LibraryGrant{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name}}
		grant.Spec.Libraries.Refs = []v1alpha1.LocalReference{{Name: name}}
		grant.Spec.Users.Refs = []v1alpha1.LocalReference{{Name: "grace"}}
		p.must(p.env.Client().Create(p.Context(), grant))
	}
	p.comesToWatch("grace", names...)
	if posts := p.fake.Count("POST /Users/{id}/Policy") - before; posts > 2 {
		p.Errorf("ten grants at once cost %d writes of the policy", posts)
	}
}

// leaves removes a User and sees the account disabled.
func (p *projecting) leaves(person string) {
	p.Helper()
	username, password := p.credentials(person)
	p.remove(&v1alpha1.User{}, person)
	if _, err := jellyfintest.Enter(p.Context(), p.fake.URL, username, password); err == nil || !p.fake.Person(username).Disabled {
		p.Errorf("%s can sign in still", person)
	}
}
