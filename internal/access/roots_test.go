package access_test

import (
	"fmt"
	"testing"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

// TestOutsideRoots; test/api tries many more, and that the admission policy agrees.
func TestOutsideRoots(t *testing.T) {
	roots := []v1alpha1.LibraryPath{"/media/", `D:\Films`}
	paths := []v1alpha1.LibraryPath{"/media/movies", "/media", "/media-private", "/", `D:\Films\new`, `D:\Films.\new`, `D:\Films\.. \Private`, `D:\Filmsx`}
	want := `[/media-private / D:\Films.\new D:\Films\.. \Private D:\Filmsx]`
	if got := fmt.Sprint(access.OutsideRoots(paths, roots)); got != want {
		t.Errorf("outside are %s, want %s", got, want)
	}
	if got := access.OutsideRoots(paths, nil); len(got) != len(paths) {
		t.Errorf("without roots, outside are only %v", got)
	}
}
