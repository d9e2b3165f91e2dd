package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

// comparedAfter is how much younger than its MediaServer a Library must be, for the admission policy to have compared
// each of its versions with the MediaServer's mediaRoots.
const comparedAfter = 2 * time.Second

// outsideRoots says why a library may not be given paths that it does not have. The API server asks who writes a Library
// for permission where the paths lie outside of the mediaRoots, or there are none, but has nothing to compare with while there is
// no MediaServer of that name: so what may have been written before the MediaServer is compared here.
func (p *libraryPass) outsideRoots(has []string) *outcome {
	server, library := p.server, p.library
	compared := library.CreationTimestamp.Sub(server.CreationTimestamp.Time) >= comparedAfter
	if compared || p.accepted(library, server.CreationTimestamp.Time) {
		return nil
	}
	allowed := access.AllowedPaths(library.Annotations[v1alpha1.AnnotationAllowPaths])
	added := slices.DeleteFunc(slices.Clone(library.Spec.Paths), func(path v1alpha1.LibraryPath) bool {
		return slices.Contains(has, string(path)) || slices.Contains(allowed, path)
	})
	outside := access.OutsideRoots(added, server.Spec.MediaRoots)
	if len(outside) == 0 {
		return nil
	}
	none := ""
	if len(server.Spec.MediaRoots) == 0 {
		none = ", which has none"
	}
	return stalled(v1alpha1.ReasonInvalidSpec, "the paths %s lie outside of the mediaRoots of MediaServer %s%s, and this Library is as old as the MediaServer or older, so that nobody was asked for permission: add the folder to spec.mediaRoots there, allow these paths (%s), or accept all Users and Libraries that are there (%s); each needs permission to administer the MediaServer",
		bounded(fmt.Sprint(outside), 200), server.Name, none, p.allowing(slices.Concat(allowed, outside)), p.acceptingAll())
}

// longestCommand is how long a command may be that stands in a condition beside others.
const longestCommand = 300

// allowing is the command that allows paths of this Library.
func (p *libraryPass) allowing(paths []v1alpha1.LibraryPath) string {
	value := strings.ReplaceAll(access.AllowingPaths(paths), "'", `'\''`)
	command := "kubectl annotate library " + p.library.Name + " -n " + p.library.Namespace + " --overwrite " + v1alpha1.AnnotationAllowPaths + "='" + value + "'"
	if len(command) > longestCommand {
		return "the annotation " + v1alpha1.AnnotationAllowPaths + ", a JSON list of them"
	}
	return command
}

// had are the paths that the library has on the server, and those that Usher gave it before.
func (p *libraryPass) had() []string {
	had := p.found.Paths
	if p.record.Library != nil {
		had = append(slices.Clone(had), p.record.Library.Paths...)
	}
	return had
}
