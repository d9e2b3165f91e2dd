package access

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/usher-media/usher/api/v1alpha1"
)

var (
	drive = regexp.MustCompile(`^[A-Za-z]:`)
	// ignored is what Windows ignores at the end of a name.
	ignored = regexp.MustCompile(`[. ]([\\/]|$)`)
)

// OutsideRoots returns the paths that lie below none of the roots: as the admission policy usher-mediaroots decides.
func OutsideRoots(paths, roots []v1alpha1.LibraryPath) []v1alpha1.LibraryPath {
	var outside []v1alpha1.LibraryPath
	for _, path := range paths {
		below := slices.ContainsFunc(roots, func(root v1alpha1.LibraryPath) bool { return isBelow(string(path), string(root)) })
		if !below {
			outside = append(outside, path)
		}
	}
	return outside
}

func isBelow(path, root string) bool {
	if drive.MatchString(root) {
		if ignored.MatchString(path) {
			return false
		}
		path, root = strings.ReplaceAll(path, `\`, "/"), strings.ReplaceAll(root, `\`, "/")
	}
	root = strings.TrimRight(root, "/")
	return path == root || strings.HasPrefix(path, root+"/")
}

// AllowedPaths are the paths that the annotation usher.media/allow-paths names: a JSON list. Anything else allows none.
func AllowedPaths(annotation string) []v1alpha1.LibraryPath {
	var paths []v1alpha1.LibraryPath
	if json.Unmarshal([]byte(annotation), &paths) != nil {
		return nil
	}
	return paths
}

// AllowingPaths is the value of the annotation usher.media/allow-paths that allows paths.
func AllowingPaths(paths []v1alpha1.LibraryPath) string {
	var value strings.Builder
	encoder := json.NewEncoder(&value)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(paths) // a list of texts
	return strings.TrimSpace(value.String())
}
