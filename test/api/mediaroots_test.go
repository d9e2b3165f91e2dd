package api

import (
	"fmt"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/testenv"
)

// placements are paths below and outside of roots, all of which the API server takes as paths.
var placements = []struct {
	roots           string
	inside, outside []string
}{
	{"", nil, []string{"/media", "/", `C:\media`}},
	{"/media", []string{"/media", "/media/", "/media/movies", "/media//movies", "/media/...", "/media/.hidden"},
		[]string{"/", "/med", "/media-private", "/mediaroom/x", "/media2", "//media/x", `/media\x`, "/MEDIA/x", "/x/media", `C:\media`, `C:/media`, "/etc"}},
	{"/media/", []string{"/media", "/media/", "/media/movies"}, []string{"/media-private", "/"}},
	{"/media///", []string{"/media", "/media/movies"}, []string{"/media-private"}},
	{"/", []string{"/", "/etc", "/media-private"}, []string{`C:\media`, "C:/media"}},
	{"//", []string{"/etc"}, []string{`C:\media`}},
	{"/media/a.b", []string{"/media/a.b", "/media/a.b/c"}, []string{"/media/a-b", "/media/axb/c"}},
	{"/media/.*", []string{"/media/.*/x"}, []string{"/media/x", "/media/.x"}},
	{`/media\kids`, []string{`/media\kids`, `/media\kids/x`}, []string{"/media/kids", "/media/kids/x"}},
	{`C:\Media`, []string{`C:\Media`, `C:\Media\x`, "C:/Media/x", `C:\Media/x`}, []string{`C:\Media2`, `C:\`, `D:\Media\x`, "/Media/x", `C:\Media\.. \x`, `C:\Media\x.`, `C:\Media. \x`, `c:\media`}},
	{`C:\Media\`, []string{`C:\Media`, `C:\Media\x`}, []string{`C:\Media2`}},
	{`C:\`, []string{`C:\`, `C:\x`}, []string{"/x", `D:\x`}},
	{"/srv/a, /srv/b", []string{"/srv/a/x", "/srv/b"}, []string{"/srv", "/srv/ab", "/srv/c"}},
}

// TestMediaRoots: who may write Libraries chooses folders below the mediaRoots of the Library's own MediaServer, and nowhere
// else. Usher itself decides alike.
func TestMediaRoots(t *testing.T) {
	who := meet(t)
	for i, p := range placements {
		server := manifest(t, "MediaServer", who.namespace, fmt.Sprintf("server-%d", i), `{mediaRoots: [`+p.roots+`]}`)
		if err := strict(who.admin).Create(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	library := func(i int, path string) string {
		quoted, _ := yaml.Marshal([]string{path})
		return fmt.Sprintf("serverRef: {name: server-%d}\npaths:\n%s", i, quoted)
	}
	for i, p := range placements {
		testenv.Eventually(t, "the policy knows the MediaServer", func() bool {
			return tryCreate(t.Context(), who.editor, manifest(t, "Library", who.namespace, "x", library(i, "/nowhere/else"))) != nil || p.roots == "/" || p.roots == "//"
		})
		roots := split(p.roots)
		for _, path := range p.inside {
			object := manifest(t, "Library", who.namespace, "x", library(i, path))
			if err := tryCreate(t.Context(), who.editor, object); err != nil {
				t.Errorf("%s is refused below [%s]: %v", path, p.roots, err)
			}
			if len(access.OutsideRoots([]v1alpha1.LibraryPath{v1alpha1.LibraryPath(path)}, roots)) > 0 {
				t.Errorf("Usher does not see %s below [%s]", path, p.roots)
			}
		}
		for _, path := range p.outside {
			object := manifest(t, "Library", who.namespace, "x", library(i, path))
			mustSay(t, tryCreate(t.Context(), who.editor, object.DeepCopy()), fmt.Sprintf("lie outside of the mediaRoots of MediaServer server-%d", i))
			mustSay(t, tryCreate(t.Context(), who.administrator, object), "")
			if len(access.OutsideRoots([]v1alpha1.LibraryPath{v1alpha1.LibraryPath(path)}, roots)) == 0 {
				t.Errorf("Usher sees %s below [%s]", path, p.roots)
			}
		}
	}
}

func split(roots string) []v1alpha1.LibraryPath {
	var out []v1alpha1.LibraryPath
	if err := yaml.Unmarshal([]byte("["+roots+"]"), &out); err != nil {
		panic(err) // the table itself is wrong
	}
	return out
}

// TestPathsThatWereThere: what a Library has already is not asked for, in any order, and may be taken away.
func TestPathsThatWereThere(t *testing.T) {
	who := meet(t)
	standingServer(t, who.namespace)
	object := manifest(t, "Library", who.namespace, "old", `{paths: [/media/a, /srv/b, /srv/c]}`)
	if err := strict(who.admin).Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct{ paths, says string }{
		{`{paths: [/srv/c, /srv/b, /media/a]}`, ""},
		{`{paths: [/srv/b]}`, ""},
		{`{paths: [/media/a, /srv/b, /srv/c], displayName: Films}`, ""},
		{`{paths: [/media/a, /srv/b, /srv/c, /srv/d]}`, "the paths /srv/d lie outside of the mediaRoots"},
		{`{paths: [/srv]}`, "the paths /srv lie outside of the mediaRoots"},
	} {
		changed := object.DeepCopy()
		merge(spec(changed), parse(t, try.paths))
		mustSay(t, strictDry(who.editor).Update(t.Context(), changed), try.says)
	}
}
