package dubby

import (
	"net/http"
	"slices"
	"strings"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// wrongServer: where these paths lead nowhere, something else answers at the URL.
var wrongServer = map[int]media.Code{http.StatusNotFound: media.Unavailable, http.StatusGone: media.Unavailable}

// refusal is an error in either shape: that of /v1, or better-auth's (section 2).
type refusal struct {
	Text    *string `json:"error"`
	Message *string `json:"message"`
	Code    string  `json:"code"`
	Details []struct {
		Path any `json:"path"`
	} `json:"details"`
}

// taken are better-auth's codes for an email address that has an account.
var taken = []string{"USER_ALREADY_EXISTS", "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"}

// refusedFields are the fields whose names an error may repeat.
var refusedFields = []string{"email", "password", "displayName", "name", "role", "type", "paths", "expiresAt", "inviteCode"}

// classify reads an error of the server. What says "not found" or "conflict" without one of the server's envelopes comes
// from somebody else, and says nothing about accounts and libraries.
func classify(r wire.Refusal) (media.Code, string) {
	var e refusal
	own := wire.Decode(r.Body, &e) == nil && (e.Text != nil || e.Message != nil)
	switch {
	case !own && (r.Status == http.StatusNotFound || r.Status == http.StatusGone || r.Status == http.StatusConflict):
		return media.Unavailable, "the server did not answer as a Dubby server does: is the url right?"
	case own && slices.Contains(taken, e.Code):
		return media.AlreadyExists, "the email address is taken"
	case own && r.Status == http.StatusUnprocessableEntity:
		return "", e.fields()
	}
	return "", ""
}

// fields names the field that the server refuses, if it is one of ours: never a value, nor words of the server's.
func (e refusal) fields() string {
	for _, detail := range e.Details {
		path, ok := detail.Path.(string)
		if steps, list := detail.Path.([]any); list && len(steps) > 0 {
			path, ok = steps[0].(string)
		}
		first, _, _ := strings.Cut(path, ".")
		if ok && slices.Contains(refusedFields, first) {
			return "the server refuses the field " + first
		}
	}
	return ""
}
