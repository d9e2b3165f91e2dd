package shisho

import "testing"

// WithoutDirectories lets no directory hold the placeholder, until the test ends.
func WithoutDirectories(t testing.TB) {
	before := placeholderPaths
	placeholderPaths = []string{"/there/is/no/such/directory"}
	t.Cleanup(func() { placeholderPaths = before })
}
