package controller

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

// TestOutsideRoots: what the API server may not have compared is compared here, and nothing else.
func TestOutsideRoots(t *testing.T) {
	made := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, try := range []struct {
		name    string
		after   time.Duration
		roots   []v1alpha1.LibraryPath
		has     []string
		allowed string
		before  time.Duration
		stalled bool
	}{
		{name: "older", after: -time.Hour, roots: []v1alpha1.LibraryPath{"/media"}, stalled: true},
		{name: "of the same moment", roots: []v1alpha1.LibraryPath{"/media"}, stalled: true},
		{name: "a moment younger", after: time.Second, roots: []v1alpha1.LibraryPath{"/media"}, stalled: true},
		{name: "younger", after: 2 * time.Second, roots: []v1alpha1.LibraryPath{"/media"}},
		{name: "below a root", roots: []v1alpha1.LibraryPath{"/srv"}},
		{name: "without roots", stalled: true},
		{name: "older, and without roots", after: -time.Hour, stalled: true},
		{name: "younger, and without roots", after: 2 * time.Second},
		{name: "accepted", roots: []v1alpha1.LibraryPath{"/media"}, before: time.Second},
		{name: "accepted, and without roots", before: time.Second},
		{name: "not accepted, since it was made later", after: time.Second, before: time.Millisecond, stalled: true},
		{name: "older, and accepted", after: -time.Hour, before: time.Second},
		{name: "accepted before the MediaServer", after: -time.Hour, before: -time.Second, stalled: true},
		{name: "with the folder already", roots: []v1alpha1.LibraryPath{"/media"}, has: []string{"/srv/films"}},
		{name: "allowed", roots: []v1alpha1.LibraryPath{"/media"}, allowed: `["/srv/films"]`},
		{name: "allowed among others", roots: []v1alpha1.LibraryPath{"/media"}, allowed: `["/x", "/srv/films"]`},
		{name: "others are allowed", roots: []v1alpha1.LibraryPath{"/media"}, allowed: `["/srv", "/srv/films/", "/srv/film"]`, stalled: true},
		{name: "allowed as it was once", roots: []v1alpha1.LibraryPath{"/media"}, allowed: "true", stalled: true},
		{name: "allowed in other words", roots: []v1alpha1.LibraryPath{"/media"}, allowed: "/srv/films", stalled: true},
		{name: "allowed and cut off", roots: []v1alpha1.LibraryPath{"/media"}, allowed: `["/srv/films"`, stalled: true},
	} {
		t.Run(try.name, func(t *testing.T) {
			p := &libraryPass{library: &v1alpha1.Library{}}
			p.now = made.Add(time.Minute)
			p.server = &v1alpha1.MediaServer{Spec: v1alpha1.MediaServerSpec{MediaRoots: try.roots}}
			p.server.CreationTimestamp = metav1.NewTime(made)
			p.library.CreationTimestamp = metav1.NewTime(made.Add(try.after))
			p.library.Spec.Paths = []v1alpha1.LibraryPath{"/srv/films"}
			p.library.Annotations = map[string]string{v1alpha1.AnnotationAllowPaths: try.allowed}
			if try.before != 0 {
				p.server.Status.AcceptedObjects = access.NoteAccepted(made.Add(try.before).Format(time.RFC3339), nil, made, p.now)
			}
			if o := p.outsideRoots(try.has); (o != nil) != try.stalled {
				t.Errorf("stalled: %v, want %t", o, try.stalled)
			}
		})
	}
}
