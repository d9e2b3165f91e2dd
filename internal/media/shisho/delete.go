package shisho

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// DeleteLibrary deletes a library that holds no book. Its files stay.
//
// The grants of a library go with it, and whoever has none left would be shown every list. So accounts that were
// granted nothing else are granted the placeholder first, deactivated ones among them; afterwards all are looked at
// once more.
func (d *Driver) DeleteLibrary(ctx context.Context, id media.LibraryID) error {
	if _, err := d.library(ctx, id); err != nil {
		return err
	}
	books, err := d.books(ctx, number(id))
	switch {
	case err != nil:
		return err
	case books > 0:
		return media.Errorf(media.Conflict, "the library is not empty: it holds %d books", books)
	}
	before, err := d.coverHolders(ctx, number(id))
	if err != nil {
		return err
	}
	_, err = d.client.Do(ctx, wire.Call{
		Method: http.MethodDelete, Path: libraryPath, Args: []string{string(id)}, Want: http.StatusNoContent,
	})
	if code := media.CodeOf(err); code != "" && code != media.Ambiguous {
		return err
	}
	if failed := d.shutOpened(ctx, before); err == nil {
		err = failed
	}
	return err
}

// coverHolders grants the placeholder to everybody who was granted this library alone. It returns who had no grant
// before that.
func (d *Driver) coverHolders(ctx context.Context, id int) (open map[int]bool, err error) {
	s, err := d.fresh(ctx)
	if err != nil {
		return nil, err
	}
	users, err := d.users(ctx)
	if err != nil {
		return nil, err
	}
	open = map[int]bool{}
	for _, u := range users {
		open[u.ID] = u.open()
		if len(u.Grants) == 0 || slices.ContainsFunc(u.Grants, func(g grant) bool { return g.Library.number() != id }) {
			continue
		}
		var floor int
		if s, floor, err = d.lay(ctx, s); err != nil {
			return nil, err
		}
		if err := d.grantFloor(ctx, u.ID, floor); err != nil {
			d.shutIfOpen(ctx, u.ID)
			return nil, err
		}
	}
	return open, nil
}

// shutOpened closes every account that the deletion left without a grant: one that was granted the library meanwhile.
func (d *Driver) shutOpened(ctx context.Context, before map[int]bool) error {
	users, err := d.users(ctx)
	if err != nil {
		return media.Errorf(media.Ambiguous, "DELETE %s: it is not known who sees what since: %s", libraryPath, strconv.Quote(err.Error())).WithCause(err)
	}
	for _, u := range users {
		if u.open() && !before[u.ID] {
			d.shut(ctx, u.ID)
		}
	}
	return nil
}
