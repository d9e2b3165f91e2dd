package shisho

import (
	"testing"
	"time"
)

// WithoutDirectories lets no directory hold the placeholder, until the test ends.
func WithoutDirectories(t testing.TB) {
	before := placeholderPaths
	placeholderPaths = []string{"/there/is/no/such/directory"}
	t.Cleanup(func() { placeholderPaths = before })
}

// Later lets a driver's last sign-in be long ago.
func Later(d *Driver) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signedIn = time.Time{}
}
