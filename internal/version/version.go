// Package version says which version of Usher this is. The file VERSION is its only source: the programs, the chart and what
// `make release` makes have it from there.
package version

import (
	"cmp"
	_ "embed" // the file VERSION
	"runtime"
	"runtime/debug"
	"strings"
)

//go:embed VERSION
var file string

// stamped is what a build says instead (-ldflags "-X github.com/usher-media/usher/internal/version.stamped=1.2.3-rc.1").
var stamped string

// Number is the version as of semantic versioning, without a v: 1.2.3, or 1.2.3-dev on the way to it.
func Number() string { return cmp.Or(stamped, strings.TrimSpace(file)) }

// Build is the version with the revision that it was built from, where the Go tool recorded it, and Go's version.
func Build() string {
	words := []string{Number()}
	if info, found := debug.ReadBuildInfo(); found {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				words = append(words, setting.Value)
			}
		}
	}
	return strings.Join(append(words, runtime.Version()), " ")
}
