package embedded

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	// pageSize is the server's largest.
	pageSize = 100
	// maxPages bounds a listing at a million entries: a server that never says that it is done is broken.
	maxPages = 10_000
)

// List reads all pages of accounts, then of libraries.
func (d *Driver) List(ctx context.Context) (media.Listing, error) {
	var listing media.Listing
	users, err := pages[user](ctx, d, "/v1/users", nil)
	if err != nil {
		return listing, err
	}
	if listing.Libraries, err = d.Libraries(ctx); err != nil {
		return listing, err
	}
	listing.Accounts = make([]media.Account, 0, len(users))
	for _, u := range users {
		listing.Accounts = append(listing.Accounts, u.account())
	}
	return listing, nil
}

// Libraries reads all pages of libraries.
func (d *Driver) Libraries(ctx context.Context) ([]media.Library, error) {
	found, err := pages[library](ctx, d, "/v1/libraries", nil)
	libraries := make([]media.Library, 0, len(found))
	for _, l := range found {
		libraries = append(libraries, l.library())
	}
	return libraries, err
}

// pages reads a whole list. A cursor that comes back, an entry that comes twice and a page that is empty but not the
// last are errors: what follows from them is not the whole list (R4).
func pages[T entry](ctx context.Context, d *Driver, path string, args []string) ([]T, error) {
	var all []T
	query := url.Values{"limit": {strconv.Itoa(pageSize)}}
	cursors, ids := map[string]bool{}, map[string]bool{}
	for range maxPages {
		var next page[T]
		call := wire.Call{Method: http.MethodGet, Path: path, Args: args, Query: query, List: true, Into: &next}
		if len(args) == 0 {
			call.Codes = wrongServer // of one object's list, 404 speaks of the object
		}
		if _, err := d.client.Do(ctx, call); err != nil {
			return nil, err
		}
		for _, item := range next.Items {
			if ids[item.id()] {
				return nil, incomplete(path, "it names an entry twice")
			}
			ids[item.id()] = true
		}
		all = append(all, next.Items...)
		cursor := next.NextCursor.value
		switch {
		case cursor == "":
			return all, nil
		case cursors[cursor]:
			return nil, incomplete(path, "its pages go round in a circle")
		case len(next.Items) == 0:
			return nil, incomplete(path, "a page before the last is empty")
		}
		cursors[cursor] = true
		query.Set("cursor", cursor)
	}
	return nil, incomplete(path, "it does not end")
}

func incomplete(path, why string) error {
	return media.Errorf(media.Unavailable, "GET %s: the list is not to be relied on: %s", path, why)
}
