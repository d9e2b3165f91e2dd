package alcoves

import (
	"net/http"
	"strings"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// refusal is the server's error envelope: Echo's.
type refusal struct {
	Message *string `json:"message"`
}

const libraryGone = "Library not found"

// meanings are the texts that say more than their status (contract, sections 3 to 6).
var meanings = map[string]struct {
	code  media.Code
	words string
}{
	"Not Found":                                      {media.Unavailable, "the server has no such call: is the url right, and the server new enough (0.20)?"},
	"Email already registered":                       {media.AlreadyExists, "the email address is taken"},
	"Registration is disabled":                       {media.Unsupported, "registration is closed on the server, so that no account can be made without a database: set spec.registration of the MediaServer to InviteOnly, or give it spec.database"},
	"Registration requires an invite":                {media.Unsupported, "the server takes nobody without a link"},
	"Library must be empty before it can be deleted": {media.Conflict, "the library is not empty"},
	"Cannot delete your default library":             {media.Conflict, "it is a personal library"},
	"Only the library owner can delete it":           {media.PermissionDenied, "only the library's owner can delete it"},
	"Only library admins can perform this action":    {media.PermissionDenied, "the account that Usher uses is no admin of the library: make it one on the server's own pages"},
	"Cannot remove yourself from the library":        {media.Conflict, "an account cannot remove itself from a library"},
	"Member not found":                               {media.NotFound, "the account is no member of the library"},
	"Invite not found":                               {media.NotFound, "there is no such link"},
}

// classify reads an error of the server. What says "not found" or "conflict" without the server's envelope comes from
// somebody else, and says nothing about accounts and libraries.
func classify(r wire.Refusal) (media.Code, string) {
	var e refusal
	own := wire.Decode(r.Body, &e) == nil && e.Message != nil
	switch {
	case !own && (r.Status == http.StatusNotFound || r.Status == http.StatusGone || r.Status == http.StatusConflict):
		return media.Unavailable, "the server did not answer as an Alcoves media server does: is the url right?"
	case !own:
		return "", ""
	case *e.Message == libraryGone && r.Path == libraryPath:
		return media.NotFound, "the library is not there, or the account that Usher uses may not see it"
	case *e.Message == libraryGone:
		// Whoever asked for more than the library itself asked about somebody's access to it, and learns nothing here.
		return media.Unavailable, "the library is not there any more, or the account that Usher uses may not see it"
	case strings.HasPrefix(*e.Message, "Invite is not valid"):
		return media.Conflict, "the link that was made for this account is not valid any more"
	}
	meaning := meanings[*e.Message]
	return meaning.code, meaning.words
}
