package shisho

import (
	"net/http"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// refusal is the server's error envelope (contract, section 1).
type refusal struct {
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

const wrongURL = "there is no Shisho API at this url: in the official image it is below /api, on the bare server's port at the root"

// rootPaths are always there: "not found" says that the url is wrong.
var rootPaths = map[string]bool{
	statusPath: true, loginPath: true, setupPath: true, mePath: true, usersPath: true, rolesPath: true, librariesPath: true,
	booksPath: true,
}

// meanings are the texts that say more than their status: causes of a 422 differ in nothing else.
var meanings = map[string]struct {
	code  media.Code
	words string
}{
	"Username already exists": {media.AlreadyExists, "the username is taken"},
	"Email already exists":    {media.AlreadyExists, "the email address is taken"},
	"Directory not found.":    {media.Invalid, "the server has no such directory: mount it there first"},
}

// classify reads an error of the server. What says "not found" or "conflict" without the server's envelope comes from
// somebody else, and says nothing about accounts and libraries.
func classify(r wire.Refusal) (media.Code, string) {
	var e refusal
	own := wire.Decode(r.Body, &e) == nil && e.Error != nil && e.Error.Code != ""
	missing := r.Status == http.StatusNotFound || r.Status == http.StatusGone
	switch {
	case missing && rootPaths[r.Path], !own && (missing || r.Status == http.StatusConflict):
		return media.Unavailable, wrongURL
	case !own:
		return "", ""
	case e.Error.Code == "password_reset_required":
		return media.PermissionDenied, "the account that Usher uses must choose another password first"
	}
	if meaning, known := meanings[e.Error.Message]; known {
		return meaning.code, meaning.words
	}
	return "", ""
}
