package jellyfin

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const wrongURL = "the server did not answer as a Jellyfin server does: is the url right, with its base path if it has one?"

// wrongServer: where these paths lead nowhere, something else answers at the URL.
var wrongServer = map[int]media.Code{http.StatusNotFound: media.Unavailable, http.StatusGone: media.Unavailable}

// classify reads an error of the server. What says "not found" or "conflict" in other words than the server's comes from
// somebody else, and says nothing about accounts and libraries.
func classify(r wire.Refusal) (media.Code, string) {
	switch r.Status {
	case http.StatusNotFound, http.StatusGone, http.StatusConflict:
		if !own(r) {
			return media.Unavailable, wrongURL
		}
	case http.StatusForbidden:
		return "", "the server refuses it: the API key or the account that Usher uses is no administrator's, or the account may not sign in now"
	case http.StatusServiceUnavailable:
		return "", "the server is still starting, or cannot answer now"
	}
	return "", ""
}

// own says whether a refusal is in one of the server's forms: its one text, a text in JSON, or problem details (section 8).
func own(r wire.Refusal) bool {
	if strings.TrimSpace(string(r.Body)) == "Error processing request." {
		return true
	}
	var text string
	var problem struct {
		Status int    `json:"status"`
		Title  string `json:"title"`
	}
	return json.Unmarshal(r.Body, &text) == nil || json.Unmarshal(r.Body, &problem) == nil && problem.Status == r.Status && problem.Title != ""
}

func noAccount() error { return media.Errorf(media.NotFound, "there is no such account") }
func noLibrary() error { return media.Errorf(media.NotFound, "there is no such library") }
