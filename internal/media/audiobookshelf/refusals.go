package audiobookshelf

import (
	"bytes"
	"net/http"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// meanings are the plain words that say more than the status 400 (contract, sections 4 and 6).
var meanings = map[string]struct {
	code  media.Code
	words string
}{
	"Username already taken":                                   {media.AlreadyExists, "the username is taken"},
	"Invalid request. Custom metadata provider does not exist": {media.Invalid, "the server has no such custom metadata provider"},
	"Custom metadata provider does not exist":                  {media.Invalid, "the server has no such custom metadata provider"},
}

// objects are the paths at which "not found" says something of an object. Everywhere else it says that the url is wrong.
var objects = map[string]bool{userPath: true, libraryPath: true, itemsPath: true}

// classify reads an error of the server, whose words are plain text. That an object is not there is only believed once a
// list agrees (see noUser and noLibrary).
func classify(r wire.Refusal) (media.Code, string) {
	switch r.Status {
	case http.StatusBadRequest:
		if meaning, known := meanings[string(bytes.TrimSpace(r.Body))]; known {
			return meaning.code, meaning.words
		}
	case http.StatusNotFound, http.StatusGone:
		if !objects[r.Path] {
			return media.Unavailable, "the server did not answer as an Audiobookshelf server does: is the url right, and is it version 2.26 or later?"
		}
	}
	return "", ""
}
