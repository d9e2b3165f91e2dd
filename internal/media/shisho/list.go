package shisho

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	usersPath     = "/users"
	rolesPath     = "/roles"
	librariesPath = "/libraries"

	// pageSize is the most that the list of libraries gives at once; its default is ten (contract, section 1).
	pageSize = 100
	// maxReads is how often a list is read that changes meanwhile.
	maxReads = 3
)

// List reads all accounts and all libraries. A list of libraries is filtered by the grants of who asks, so Usher's own
// account must be granted all: otherwise a part would be taken for everything (R4).
func (d *Driver) List(ctx context.Context) (media.Listing, error) {
	if err := d.seesAll(ctx); err != nil {
		return media.Listing{}, err
	}
	users, err := d.users(ctx)
	if err != nil {
		return media.Listing{}, err
	}
	shelf, err := d.fresh(ctx)
	if err != nil {
		return media.Listing{}, err
	}
	d.shelves.looked(true, shelf.libraries...)
	d.shelves.noteHolders(shelf, users)
	listing := media.Listing{
		Accounts: make([]media.Account, 0, len(users)),
	}
	for _, u := range users {
		listing.Accounts = append(listing.Accounts, shelf.account(u))
	}
	listing.Libraries = shelf.ordinary()
	return listing, nil
}

// Libraries implements media.LibraryLister.
func (d *Driver) Libraries(ctx context.Context) ([]media.Library, error) {
	if err := d.seesAll(ctx); err != nil {
		return nil, err
	}
	s, err := d.fresh(ctx)
	return s.ordinary(), err
}

// ordinary are the libraries that a caller may name.
func (s shelf) ordinary() []media.Library {
	libraries := make([]media.Library, 0, len(s.libraries))
	for _, l := range s.libraries {
		if s.kinds[l.ID] == ordinary {
			libraries = append(libraries, l.library())
		}
	}
	return libraries
}

// users and roles come whole: without an offset, -1 is no limit.
func (d *Driver) users(ctx context.Context) ([]user, error) {
	return steady(ctx, d, usersPath, whole[user])
}

func (d *Driver) roles(ctx context.Context) ([]role, error) {
	return steady(ctx, d, rolesPath, whole[role])
}

// libraries come in pages.
func (d *Driver) libraries(ctx context.Context) ([]library, error) {
	return steady(ctx, d, librariesPath, paged[library])
}

// errMoved says that a list changed while it was read.
var errMoved = errors.New("the list changed while it was read")

// steady reads a list until it did not change meanwhile. The server counts and reads at two moments, so that even one
// answer may not agree with itself.
func steady[T listed](ctx context.Context, d *Driver, path string, read func(context.Context, *Driver, string) ([]T, error)) ([]T, error) {
	for range maxReads {
		all, err := read(ctx, d, path)
		if !errors.Is(err, errMoved) {
			return all, err
		}
	}
	return nil, media.Errorf(media.Unavailable, "GET %s: %v, %d times", path, errMoved, maxReads).WithCause(errMoved)
}

func whole[T listed](ctx context.Context, d *Driver, path string) ([]T, error) {
	page, err := page[T](ctx, d, path, url.Values{"limit": {"-1"}})
	if err == nil && len(page.Items) != *page.Total {
		return nil, errMoved
	}
	return page.Items, err
}

// paged reads page after page. They are in order of name, so that any change of how many there are may have moved one
// across the border of two pages.
func paged[T listed](ctx context.Context, d *Driver, path string) ([]T, error) {
	var all []T
	seen := map[int]bool{}
	for total := -1; ; {
		next, err := page[T](ctx, d, path, url.Values{"limit": {strconv.Itoa(pageSize)}, "offset": {strconv.Itoa(len(all))}})
		if err != nil {
			return nil, err
		}
		if total < 0 {
			total = *next.Total
		}
		for _, item := range next.Items {
			if seen[item.id()] {
				return nil, errMoved
			}
			seen[item.id()] = true
		}
		all = append(all, next.Items...)
		switch {
		case *next.Total != total, len(all) > total:
			return nil, errMoved
		case len(all) == total:
			return all, nil
		case len(next.Items) == 0:
			return nil, errMoved
		}
	}
}

func page[T listed](ctx context.Context, d *Driver, path string, query url.Values) (list[T], error) {
	var page list[T]
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: path, Query: query, List: true, Into: &page})
	return page, err
}
