package main

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

// visitor talks to the media server as somebody who signed in, as any app would: by HTTP, without Usher's driver.
type visitor struct {
	url, token string
}

type (
	library struct {
		ID, Name string
		Personal bool
	}
	item        struct{ ID, LibraryID, Title, Path string }
	holder      struct{ UserID, Username string }
	page[T any] struct {
		Items      []T
		NextCursor *string
	}
)

var browser = &http.Client{Timeout: 10 * time.Second}

// do sends a request and returns the answer's status, header and body.
func (v *visitor) do(ctx context.Context, method, path string, body any, header ...string) (int, http.Header, []byte, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, nil, err
		}
		payload = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, v.url+path, payload)
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if v.token != "" {
		request.Header.Set("Authorization", "Bearer "+v.token)
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

// signIn signs somebody in.
func signIn(ctx context.Context, url, login, password string) (*visitor, error) {
	v := &visitor{url: url}
	status, _, text, err := v.do(ctx, http.MethodPost, "/v1/auth/sign-in", map[string]string{"login": login, "password": password})
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
	v.token = answer.Token
	return v, nil
}

// list reads all pages of a list.
func list[T any](ctx context.Context, v *visitor, path string, query url.Values) ([]T, error) {
	var all []T
	if query == nil {
		query = url.Values{}
	}
	for {
		status, _, text, err := v.do(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
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

func (v *visitor) libraries(ctx context.Context) ([]library, error) {
	all, err := list[library](ctx, v, "/v1/libraries", nil)
	// Everybody has a library of their own, which no manifest gives.
	return slices.DeleteFunc(all, func(l library) bool { return l.Personal }), err
}

func (v *visitor) items(ctx context.Context, libraryID string) ([]item, error) {
	return list[item](ctx, v, "/v1/libraries/"+libraryID+"/items", nil)
}

func (v *visitor) search(ctx context.Context, text string) ([]item, error) {
	return list[item](ctx, v, "/v1/search", url.Values{"q": {text}})
}
