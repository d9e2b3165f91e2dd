package household

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Visitor talks to the media server as somebody who signed in, as any app would: by HTTP, without Usher's driver.
type Visitor struct {
	// URL of the server.
	URL string
	// Token of the session; empty before signing in.
	Token string
}

// Library of a media server.
type Library struct {
	ID, Name string
	// Personal says that it is somebody's own, which no manifest gives.
	Personal bool
}

// Item of a library.
type Item struct{ ID, LibraryID, Title, Path string }

// Holder is somebody who was given a library.
type Holder struct{ UserID, Username string }

type page[T any] struct {
	Items      []T
	NextCursor *string
}

var browser = &http.Client{Timeout: 10 * time.Second}

// Do sends a request and returns the answer's status, header and body.
func (v *Visitor) Do(ctx context.Context, method, path string, body any, header ...string) (int, http.Header, []byte, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, nil, err
		}
		payload = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, v.URL+path, payload)
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if v.Token != "" {
		request.Header.Set("Authorization", "Bearer "+v.Token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := browser.Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, response.Header, text, err
}

// SignIn signs somebody in.
func SignIn(ctx context.Context, url, login, password string) (*Visitor, error) {
	v := &Visitor{URL: url}
	status, _, text, err := v.Do(ctx, http.MethodPost, "/v1/auth/sign-in", map[string]string{"login": login, "password": password})
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("%s cannot sign in: the media server answers %d", login, status)
	}
	var answer struct{ Token string }
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	v.Token = answer.Token
	return v, nil
}

// List reads all pages of a list.
func List[T any](ctx context.Context, v *Visitor, path string, query url.Values) ([]T, error) {
	var all []T
	if query == nil {
		query = url.Values{}
	}
	for {
		status, _, text, err := v.Do(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
		if err != nil {
			return nil, err
		}
		if status != http.StatusOK {
			return nil, fmt.Errorf("GET %s: the media server answers %d", path, status)
		}
		var next page[T]
		if err := json.Unmarshal(text, &next); err != nil {
			return nil, fmt.Errorf("GET %s: %w", path, err)
		}
		all = append(all, next.Items...)
		if next.NextCursor == nil || *next.NextCursor == "" {
			return all, nil
		}
		query.Set("cursor", *next.NextCursor)
	}
}

// Libraries are those that the visitor sees, but for people's own.
func (v *Visitor) Libraries(ctx context.Context) ([]Library, error) {
	all, err := List[Library](ctx, v, "/v1/libraries", nil)
	return slices.DeleteFunc(all, func(l Library) bool { return l.Personal }), err
}

// Items are what is in a library.
func (v *Visitor) Items(ctx context.Context, libraryID string) ([]Item, error) {
	return List[Item](ctx, v, "/v1/libraries/"+libraryID+"/items", nil)
}

// Search finds items by their words.
func (v *Visitor) Search(ctx context.Context, text string) ([]Item, error) {
	return List[Item](ctx, v, "/v1/search", url.Values{"q": {text}})
}
