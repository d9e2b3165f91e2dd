package jellyfintest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Impostor is what Navidrome serves as a Jellyfin API of its own (Navidrome contract, additions 2): it calls itself
// "Jellyfin Server", and says of everybody that they see everything and are enabled, whatever is so.
type Impostor struct {
	// URL of the API.
	URL string
	// Token that a sign-in gives; nobody's password is looked at.
	Token string
}

// StartImpostor starts one that gives itself out as a release; empty for its own "10.9.11". It stops with the test.
func StartImpostor(t testing.TB, version Version) *Impostor {
	t.Helper()
	if version == "" {
		version = "10.9.11"
	}
	i := &Impostor{Token: "header." + newID() + ".signature"}
	id := newID()
	mux := http.NewServeMux()
	serve := func(pattern string, signedIn bool, body any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if signedIn && !i.knows(r) {
				bare(http.StatusUnauthorized).write(w)
				return
			}
			ok(body).write(w)
		})
	}
	user := object{
		"Name": Owner, "Id": id, "ServerId": id, "HasPassword": true, "HasConfiguredPassword": true,
		"Policy": object{"IsAdministrator": true, "IsDisabled": false, "EnableAllFolders": true, "EnabledFolders": []string{}},
	}
	serve("GET /jellyfin/System/Info/Public", false, object{
		"Id": id, "ServerName": "Navidrome 0.64.0", "ProductName": "Jellyfin Server", "Version": string(version), "StartupWizardCompleted": true,
	})
	serve("GET /jellyfin/System/Info", true, object{"Id": id, "ProductName": "Jellyfin Server", "Version": string(version)})
	serve("POST /jellyfin/Users/AuthenticateByName", false, object{"User": user, "AccessToken": i.Token, "ServerId": id})
	serve("GET /jellyfin/Users/Public", false, []object{user})
	serve("GET /jellyfin/Users/Me", true, user)
	serve("GET /jellyfin/Users/{id}", true, user)
	serve("GET /jellyfin/UserViews", true, page([]object{{"Id": newID(), "Name": "Music", "CollectionType": "music"}}, 1, 0))
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	i.URL = web.URL + "/jellyfin"
	return i
}

// knows says whether a request brings the token, in any of the forms that are taken.
func (i *Impostor) knows(r *http.Request) bool {
	return r.Header.Get("X-Emby-Token") == i.Token || r.URL.Query().Get("api_key") == i.Token || r.URL.Query().Get("ApiKey") == i.Token ||
		strings.Contains(r.Header.Get("Authorization"), `Token="`+i.Token+`"`)
}
