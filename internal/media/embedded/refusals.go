package embedded

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// refusal is the server's error envelope.
type refusal struct {
	Text    *string `json:"error"`
	Details []struct {
		Path    string `json:"path"`
		Message string `json:"message"`
	} `json:"details"`
}

// refusedFields are the fields whose names an error may repeat: those that requests hold.
var refusedFields = []string{
	"username", "email", "displayName", "role", "password", "access", "libraries", "name", "type", "paths", "emoji",
	"sharingEnabled", "registration", "maxUses", "expiresAt", "inviter", "welcome",
}

// reasons are the server's words that an error may repeat: fixed texts, which hold nothing of a request.
var reasons = regexp.MustCompile(`^(must have \d{1,6} to \d{1,6} characters` +
	`|must not contain (?:control|invisible) characters|must not begin or end with a space|must be valid UTF-8|must look like mia@example\.org|expected length [<>]= \d{1,6}` +
	`|does not exist|cannot be read by this server|is not a directory|cannot be opened as a directory` +
	`|lies outside of the root folders|holds people's personal libraries)(?:;|$)`)

// meanings are the texts that say more than their status.
var meanings = map[string]struct {
	code  media.Code
	words string
}{
	"Username already exists":                        {media.AlreadyExists, "the username is taken"},
	"Email already exists":                           {media.AlreadyExists, "the email address is taken"},
	"The owner cannot be changed":                    {media.Conflict, "the server's owner cannot be changed"},
	"You cannot change your own role":                {media.Conflict, "an account cannot change its own role"},
	"You cannot disable or delete your own account":  {media.Conflict, "an account cannot disable or delete itself"},
	"Library must be empty before it can be deleted": {media.Conflict, "the library is not empty"},
	"Password change required":                       {media.PermissionDenied, "the account that Usher uses must choose another password first"},
}

// classify reads an error of the server. What says "not found" or "conflict" without the server's envelope comes from
// somebody else, and says nothing about accounts and libraries.
func classify(r wire.Refusal) (media.Code, string) {
	var e refusal
	own := wire.Decode(r.Body, &e) == nil && e.Text != nil
	switch {
	case !own && (r.Status == http.StatusNotFound || r.Status == http.StatusGone || r.Status == http.StatusConflict):
		return media.Unavailable, "the server did not answer as an Embedded media server does: is the url right?"
	case !own:
		return "", ""
	}
	if meaning, known := meanings[*e.Text]; known {
		return meaning.code, meaning.words
	}
	if r.Status == http.StatusUnprocessableEntity {
		return "", e.fields()
	}
	return "", ""
}

// fields names the field that the server refuses, if it is one of ours, and why, if those are words that are known: never
// a value.
func (e refusal) fields() string {
	for _, detail := range e.Details {
		for _, field := range refusedFields {
			if detail.Path != field && !strings.HasPrefix(detail.Path, field+".") && !strings.HasPrefix(detail.Path, field+"[") {
				continue
			}
			if reason := reasons.FindStringSubmatch(detail.Message); reason != nil {
				return "the server refuses the field " + field + ": " + reason[1]
			}
			return "the server refuses the field " + field
		}
	}
	return ""
}
