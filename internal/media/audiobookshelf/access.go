package audiobookshelf

import (
	"context"
	"errors"
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// SetAccess sets the flag and the list in one call and one place, after reading the account and the libraries.
//
// The server stores any id, so that what is no library is refused here. It keeps a row that lacks a list, tells it as an
// empty one, and ends at the change (see endedAt).
func (d *Driver) SetAccess(ctx context.Context, account media.Account, want media.Access) (media.Account, error) {
	wanted, err := d.seen(ctx, want)
	if err != nil {
		return media.Account{}, err
	}
	u, err := d.changeable(ctx, account.ID)
	if err != nil {
		return media.Account{}, err
	}
	if err := d.writable(u); err != nil {
		return media.Account{}, err
	}
	after, err := d.change(ctx, u.ID, accessChange{Permissions: wanted})
	d.endedAt(ctx, u, err)
	if err != nil {
		return media.Account{}, err
	}
	if after.all() != wanted.All || !slices.Equal(slices.Sorted(slices.Values(after.Accessible)), wanted.List) || !after.whole() {
		return media.Account{}, notKept()
	}
	return d.accountOf(ctx, after)
}

// seen turns an access into what the server takes: ids that are there, in order, each once.
func (d *Driver) seen(ctx context.Context, want media.Access) (seen, error) {
	for _, id := range want.IDs() {
		if want.Libraries[id] != media.LibraryViewer {
			return seen{}, media.Errorf(media.Unsupported, "the server knows no roles in a library but Viewer")
		}
	}
	switch {
	case want.All:
		return seen{All: true, List: []string{}}, nil
	case len(want.Libraries) == 0:
		return seen{List: []string{nobodys}}, nil
	}
	shelf, err := d.libraries(ctx)
	if err != nil {
		return seen{}, err
	}
	known := d.know(shelf)
	list := make([]string, 0, len(want.Libraries))
	for _, id := range want.IDs() {
		if !known[string(id)] {
			if err := d.seesAll(ctx); err != nil {
				return seen{}, err
			}
			return seen{}, media.Errorf(media.Invalid, "the server has no such library")
		}
		list = append(list, string(id))
	}
	return seen{List: list}, nil
}

// maxEnded is how often the server may end at a change of one account before no other is tried.
const maxEnded = 2

// writable refuses to change what an account sees where the server would end by it.
func (d *Driver) writable(u user) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !u.whole():
		return media.Errorf(media.Conflict, "the account has no whole permissions on the server, which would end if they were changed: delete the account there, or restore its row")
	case len(u.Accessible) > 0:
		delete(d.ended, u.ID)
	case d.ended[u.ID] >= maxEnded:
		return media.Errorf(media.Conflict, "the server ended %d times as the access of this account was changed, which it does where the row of the account lacks the list of libraries: delete the account there, or restore its row", d.ended[u.ID])
	}
	return nil
}

// endedAt counts the changes with which the connection ended, of an account whose list is told as empty: the server tells a
// list that its row does not have in the same way, and ends when it compares with it.
func (d *Driver) endedAt(ctx context.Context, u user, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := errors.AsType[*media.Error](err)
	switch {
	case err == nil:
		delete(d.ended, u.ID)
	case ok && e.Code == media.Ambiguous && !e.Answered && ctx.Err() == nil && len(u.Accessible) == 0:
		d.ended[u.ID]++
	}
}
