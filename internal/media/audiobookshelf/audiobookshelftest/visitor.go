package audiobookshelftest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// Visitor is somebody at a server, the fake or a real one, who is signed in or about to be.
type Visitor struct {
	URL, Username, Password string
	// Token that the visitor shows.
	Token string
	// keeper sees all libraries, so that it can be told which of them open to this visitor; nil for who asks for those shown.
	keeper *Visitor
}

// Enter signs somebody in.
func Enter(ctx context.Context, url, username, password string) (*Visitor, error) {
	v := &Visitor{URL: url, Username: username, Password: password}
	var in struct {
		User struct {
			AccessToken string `json:"accessToken"`
		} `json:"user"`
	}
	err := v.Do(ctx, http.MethodPost, "/login", map[string]string{"username": username, "password": password}, &in)
	v.Token = in.User.AccessToken
	return v, err
}

// client keeps no connection, so that no test leaves one behind.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

// Do makes a call. Anything but a 200 is an error.
func (v *Visitor) Do(ctx context.Context, method, path string, body, into any) error {
	status, err := v.Try(ctx, method, path, body, into)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s %s: status %d", method, path, status)
	}
	return err
}

// Try makes a call and returns its status.
func (v *Visitor) Try(ctx context.Context, method, path string, body, into any) (int, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, method, v.URL+path, bytes.NewReader(raw))
	if err != nil {
		return 0, err
	}
	if body == nil {
		request, err = http.NewRequestWithContext(ctx, method, v.URL+path, nil)
		if err != nil {
			return 0, err
		}
	}
	request.Header.Set("Content-Type", "application/json")
	if v.Token != "" {
		request.Header.Set("Authorization", "Bearer "+v.Token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK && into != nil {
		err = json.NewDecoder(response.Body).Decode(into)
	}
	return response.StatusCode, err
}

// Shown are the ids of the libraries that the visitor is listed.
func (v *Visitor) Shown(ctx context.Context) ([]string, error) {
	var list struct {
		Libraries []struct {
			ID string `json:"id"`
		} `json:"libraries"`
	}
	if err := v.Do(ctx, http.MethodGet, "/api/libraries", nil, &list); err != nil {
		return nil, err
	}
	var ids []string
	for _, l := range list.Libraries {
		ids = append(ids, l.ID)
	}
	return ids, nil
}

// Libraries implements drivertest.Person: those that are listed and open. One that is only listed, or that opens without
// being listed, is named so, and so is never what was wanted.
func (v *Visitor) Libraries(ctx context.Context) ([]media.LibraryID, error) {
	shown, err := v.Shown(ctx)
	if err != nil {
		return nil, err
	}
	all := shown
	if v.keeper != nil {
		if all, err = v.keeper.Shown(ctx); err != nil {
			return nil, err
		}
	}
	seen := []media.LibraryID{}
	for _, id := range all {
		status, err := v.Try(ctx, http.MethodGet, "/api/libraries/"+id, nil, nil)
		if err != nil {
			return nil, err
		}
		listed, opens := slices.Contains(shown, id), status == http.StatusOK
		switch {
		case listed && opens:
			seen = append(seen, media.LibraryID(id))
		case listed:
			seen = append(seen, media.LibraryID("listed only: "+id))
		case opens:
			seen = append(seen, media.LibraryID("opens unlisted: "+id))
		}
	}
	return seen, nil
}
