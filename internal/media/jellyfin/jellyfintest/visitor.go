package jellyfintest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// Visitor talks to a Jellyfin server as a person, an administrator or a key does, without the driver.
type Visitor struct {
	// URL of the API.
	URL string
	// Token of the person's device, or an API key; empty for nobody.
	Token string
	// UserID is the person's; empty for a key.
	UserID string
	// Device is the id of the device.
	Device string
}

// callTime bounds one call of a visitor.
const callTime = time.Minute

// Enter signs somebody in at a server, on a device of their own that is the same each time.
func Enter(ctx context.Context, url, username, password string) (*Visitor, error) {
	return EnterOn(ctx, url, "device of "+strings.ToLower(username), username, password)
}

// EnterOn signs somebody in on a device.
func EnterOn(ctx context.Context, url, device, username, password string) (*Visitor, error) {
	v := &Visitor{URL: url, Device: device}
	var entered struct {
		AccessToken string
		User        struct{ ID string }
	}
	form := map[string]string{"Username": username, "Pw": password}
	if err := v.must(ctx, http.MethodPost, "/Users/AuthenticateByName", form, &entered); err != nil {
		return nil, err
	}
	v.Token, v.UserID = entered.AccessToken, entered.User.ID
	return v, nil
}

// Call makes a call with the visitor's token and reads a good answer into what into points to. It returns the status.
func (v *Visitor) Call(ctx context.Context, method, path string, body, into any) (int, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return 0, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, v.URL+path, &sent)
	if err != nil {
		return 0, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	header := `MediaBrowser Client="Visitor", Device="A test", Version="1.0", DeviceId="` + url.QueryEscape(v.Device) + `"`
	if v.Token != "" {
		header += `, Token="` + v.Token + `"`
	}
	request.Header.Set("Authorization", header)
	// A connection of its own for each call: none is left when the test ends.
	request.Close = true
	answer, err := (&http.Client{Timeout: callTime}).Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	if into == nil || answer.StatusCode >= 300 {
		_, err = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode, err
	}
	return answer.StatusCode, json.NewDecoder(answer.Body).Decode(into)
}

// must makes a call that must succeed.
func (v *Visitor) must(ctx context.Context, method, path string, body, into any) error {
	status, err := v.Call(ctx, method, path, body, into)
	if err == nil && status >= 300 {
		err = fmt.Errorf("%s %s: status %d", method, path, status)
	}
	return err
}

// Seen is one entry of a list that a person is shown.
type Seen struct{ ID, Name string }

// Views are the libraries that the person is shown.
func (v *Visitor) Views(ctx context.Context) ([]Seen, error) {
	var views struct{ Items []Seen }
	err := v.must(ctx, http.MethodGet, "/UserViews?"+v.as(), nil, &views)
	return views.Items, err
}

// Libraries are the ids of those.
func (v *Visitor) Libraries(ctx context.Context) ([]media.LibraryID, error) {
	views, err := v.Views(ctx)
	ids := make([]media.LibraryID, 0, len(views))
	for _, view := range views {
		ids = append(ids, media.LibraryID(view.ID))
	}
	return ids, err
}

// Items are the titles of all that the person is shown in lists, in all libraries.
func (v *Visitor) Items(ctx context.Context) ([]Seen, error) {
	var items struct{ Items []Seen }
	err := v.must(ctx, http.MethodGet, "/Items?recursive=true&"+v.as(), nil, &items)
	return items.Items, err
}

func (v *Visitor) as() string { return url.Values{"userId": {v.UserID}}.Encode() }

// As signs somebody in without their password, by Quick Connect, which an administrator or a key may do for anybody
// (additions B.8): to see what they see.
func (v *Visitor) As(ctx context.Context, userID string) (*Visitor, error) {
	as := &Visitor{URL: v.URL, UserID: userID, Device: "Quick Connect of " + userID}
	var begun struct{ Secret, Code string }
	if err := as.must(ctx, http.MethodPost, "/QuickConnect/Initiate", nil, &begun); err != nil {
		return nil, err
	}
	query := url.Values{"code": {begun.Code}, "userId": {userID}}
	if err := v.must(ctx, http.MethodPost, "/QuickConnect/Authorize?"+query.Encode(), nil, nil); err != nil {
		return nil, err
	}
	var entered struct{ AccessToken string }
	err := as.must(ctx, http.MethodPost, "/Users/AuthenticateWithQuickConnect", map[string]string{"Secret": begun.Secret}, &entered)
	as.Token = entered.AccessToken
	return as, err
}

// Leave ends the visitor's token.
func (v *Visitor) Leave(ctx context.Context) error {
	return v.must(ctx, http.MethodPost, "/Sessions/Logout", nil, nil)
}

// SetUp completes a server's wizard with the account Owner, as somebody does at the server's own pages.
func SetUp(ctx context.Context, url string) error {
	v := &Visitor{URL: url}
	for _, step := range []struct {
		method, path string
		body         any
	}{
		{http.MethodGet, "/Startup/Configuration", nil},
		{http.MethodPost, "/Startup/Configuration", map[string]string{
			"UICulture": "en-US", "MetadataCountryCode": "US", "PreferredMetadataLanguage": "en",
		}},
		{http.MethodGet, "/Startup/User", nil},
		{http.MethodPost, "/Startup/User", map[string]string{"Name": Owner, "Password": OwnerPassword}},
		{http.MethodPost, "/Startup/RemoteAccess", map[string]bool{"EnableRemoteAccess": true}},
		{http.MethodPost, "/Startup/Complete", nil},
	} {
		if err := v.must(ctx, step.method, step.path, step.body, nil); err != nil {
			return err
		}
	}
	return nil
}
