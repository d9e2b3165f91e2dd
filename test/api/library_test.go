package api

import (
	"fmt"
	"strings"
	"testing"
)

var goodLibraries = map[string]string{
	"the smallest":            `{}`,
	"embedded":                `{embedded: {emoji: "🧸", publicSharing: false}}`,
	"alcoves":                 `{alcoves: {emoji: "🧸", faceRecognition: false, objectDetection: true, publicSharing: false}}`,
	"alcoves, without paths":  `{paths: null, mediaType: Mixed, alcoves: {}}`,
	"shisho":                  `{mediaType: Books, shisho: {organizeFiles: false, coverAspectRatio: Book}}`,
	"audiobookshelf":          `{mediaType: Audiobooks, audiobookshelf: {provider: openlibrary, icon: books-1}}`,
	"an existing one":         `{paths: null, externalID: lib-1, adoptionPolicy: IfUnique}`,
	"an existing one, moved":  `{externalID: lib-1}`,
	"never adopted":           `{adoptionPolicy: Never, externalID: ""}`,
	"deleted with its object": `{deletionPolicy: Delete}`,
	"paths of Windows":        `{paths: ['C:\Media\Movies', 'd:/media', '/dots/..hidden/...']}`,
	"fifty paths":             `{paths: [` + paths(50) + `]}`,
	"the longest path":        `{paths: [/` + strings.Repeat("p", 1023) + `]}`,
}

const (
	badLibraryName = "displayName must not begin or end with a space or hold control characters"
	badPath        = "a path must be absolute, as the media server sees it, and hold no .. and no control characters"
	noPath         = "give paths, or the externalID of an existing library whose paths are to stay as they are, or the block alcoves, whose libraries have none"
	twoBlocks      = "give at most one of embedded, alcoves, shisho and audiobookshelf: the one of the server's type"
)

func paths(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("/media/%d", i)
	}
	return strings.Join(all, ", ")
}

var badLibraries = []refusal{
	{"no server", `{serverRef: null}`, "spec.serverRef: Required value"},
	{"an empty server name", `{serverRef: {name: ""}}`, "spec.serverRef.name"},
	{"a long server name", `{serverRef: {name: ` + strings.Repeat("s", 254) + `}}`, "spec.serverRef.name: Too long"},
	{"no display name", `{displayName: null}`, "spec.displayName: Required value"},
	{"an empty display name", `{displayName: ""}`, "spec.displayName"},
	{"a long display name", `{displayName: ` + strings.Repeat("d", 101) + `}`, "spec.displayName: Too long"},
	{"a space before the display name", `{displayName: " Movies"}`, badLibraryName},
	{"a line break in the display name", `{displayName: "Mov\nies"}`, badLibraryName},
	{"no media type", `{mediaType: null}`, "spec.mediaType: Required value"},
	{"an unknown media type", `{mediaType: Films}`, `spec.mediaType: Unsupported value: "Films": supported values: "Movies", "Shows", "Music"`},
	{"no paths", `{paths: null}`, noPath},
	{"empty paths", `{paths: []}`, noPath},
	{"no paths and an empty external id", `{paths: null, externalID: ""}`, noPath},
	{"fifty-one paths", `{paths: [` + paths(51) + `]}`, "spec.paths: Too many: 51: must have at most 50 items"},
	{"a path twice", `{paths: [/media, /media]}`, `spec.paths[1]: Duplicate value: "/media"`},
	{"an empty path", `{paths: [""]}`, "spec.paths[0]"},
	{"a long path", `{paths: [/` + strings.Repeat("p", 1024) + `]}`, "spec.paths[0]: Too long"},
	{"a relative path", `{paths: [media/movies]}`, badPath},
	{"a path upwards", `{paths: [/media/../etc]}`, badPath},
	{"a path that ends upwards", `{paths: [/media/..]}`, badPath},
	{"a path of Windows upwards", `{paths: ['C:\media\..\secret']}`, badPath},
	{"a line break in a path", `{paths: ["/media\n"]}`, badPath},
	{"a long external id", `{externalID: ` + strings.Repeat("x", 129) + `}`, "spec.externalID: Too long"},
	{"an external id that may not be adopted", `{externalID: lib-1, adoptionPolicy: Never}`, "externalID takes over an existing library: it does not go with adoptionPolicy Never"},
	{"an unknown adoption policy", `{adoptionPolicy: Always}`, `spec.adoptionPolicy: Unsupported value: "Always": supported values: "Never", "IfUnique"`},
	{"an unknown deletion policy", `{deletionPolicy: Disable}`, `spec.deletionPolicy: Unsupported value: "Disable": supported values: "Retain", "Delete"`},
	{"two blocks", `{embedded: {}, shisho: {}}`, twoBlocks},
	{"a long emoji (embedded)", `{embedded: {emoji: ` + strings.Repeat("e", 17) + `}}`, "spec.embedded.emoji: Too long"},
	{"a long emoji (alcoves)", `{alcoves: {emoji: ` + strings.Repeat("e", 17) + `}}`, "spec.alcoves.emoji: Too long"},
	{"an unknown cover", `{shisho: {coverAspectRatio: Square}}`, `spec.shisho.coverAspectRatio: Unsupported value: "Square"`},
	{"a long provider", `{audiobookshelf: {provider: ` + strings.Repeat("p", 101) + `}}`, "spec.audiobookshelf.provider: Too long"},
	{"a long icon", `{audiobookshelf: {icon: ` + strings.Repeat("i", 101) + `}}`, "spec.audiobookshelf.icon: Too long"},
	{"a field of another server's", `{embedded: {faceRecognition: true}}`, `unknown field "spec.embedded.faceRecognition"`},
}

var libraryChanges = []change{
	{"to another server", `{}`, `{serverRef: {name: cabin}}`, "serverRef is immutable: delete this Library and make a new one"},
	{"to another media type", `{}`, `{mediaType: Shows}`, "mediaType is immutable: delete this Library and make a new one"},
	{"to another name", `{}`, `{displayName: Films}`, ""},
	{"to other paths", `{}`, `{paths: [/elsewhere]}`, ""},
	{"to a first external id", `{externalID: ""}`, `{externalID: lib-1}`, ""},
	{"to another external id", `{externalID: lib-1}`, `{externalID: lib-2}`, "externalID is immutable once set: delete this Library and make a new one"},
	{"to an empty external id", `{externalID: lib-1}`, `{externalID: ""}`, "externalID is immutable once set: delete this Library and make a new one"},
	{"to no external id", `{externalID: lib-1}`, `{externalID: null}`, "externalID is immutable once set: delete this Library and make a new one"},
}

func TestLibrary(t *testing.T) { testKind(t, "Library", goodLibraries, badLibraries, libraryChanges) }
