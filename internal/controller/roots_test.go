package controller

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
)

// TestOutsideRoots: what the API server may not have compared is compared here, and nothing else.
func TestOutsideRoots(t *testing.T) {
	made := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, try := range []struct {
		name    string
		after   time.Duration
		roots   []v1alpha1.LibraryPath
		has     []string
		allowed bool
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
		{name: "with the folder already", roots: []v1alpha1.LibraryPath{"/media"}, has: []string{"/srv/films"}},
		{name: "allowed", roots: []v1alpha1.LibraryPath{"/media"}, allowed: true},
	} {
		t.Run(try.name, func(t *testing.T) {
			p := &libraryPass{library: &v1alpha1.Library{}}
			p.now = made.Add(time.Minute)
			p.server = &v1alpha1.MediaServer{Spec: v1alpha1.MediaServerSpec{MediaRoots: try.roots}}
			p.server.CreationTimestamp = metav1.NewTime(made)
			p.library.CreationTimestamp = metav1.NewTime(made.Add(try.after))
			p.library.Spec.Paths = []v1alpha1.LibraryPath{"/srv/films"}
			if try.allowed {
				p.library.Annotations = map[string]string{v1alpha1.AnnotationAllowPaths: "true"}
			}
			if try.before != 0 {
				p.server.Annotations = map[string]string{v1alpha1.AnnotationAcceptObjectsBefore: made.Add(try.before).Format(time.RFC3339)}
			}
			if o := p.outsideRoots(try.has); (o != nil) != try.stalled {
				t.Errorf("stalled: %v, want %t", o, try.stalled)
			}
		})
	}
}
