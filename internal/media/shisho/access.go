package shisho

import (
	"context"
	"errors"
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// SetAccess replaces all grants in one call, after looking whether the libraries are there.
//
// The server takes the old grants away before it writes the new ones, one by one. The placeholder comes first: what
// fails later leaves the account with it. Should nothing be left, the account is shut before this returns.
func (d *Driver) SetAccess(ctx context.Context, account media.Account, want media.Access) (media.Account, error) {
	id := number(account.ID)
	if err := d.refuseSelf(ctx, id); err != nil {
		return media.Account{}, err
	}
	wanted, err := d.grants(ctx, want)
	if err != nil {
		if media.CodeOf(err) == media.Unsupported && !want.All && len(want.Libraries) == 0 {
			d.switchOff(ctx, id) // less than wanted, instead of all that it had
		}
		return media.Account{}, err
	}
	u, err := d.change(ctx, id, userChange{grants: &wanted})
	if media.CodeOf(err) == media.Ambiguous {
		d.shutIfOpen(ctx, id)
	}
	if err != nil {
		return media.Account{}, err
	}
	after, err := d.account(ctx, u)
	if err == nil && !after.Access.Equal(want) {
		d.shutIfOpen(ctx, id)
		return media.Account{}, media.Errorf(media.Ambiguous, "POST %s: the server answered with another access", userPath)
	}
	return after, err
}

// grants turns an access into what the server takes: ids that are there, each once, the placeholder first.
func (d *Driver) grants(ctx context.Context, want media.Access) (grants, error) {
	ids := make([]int, 0, len(want.Libraries)+1)
	for _, id := range want.IDs() {
		if want.Libraries[id] != media.LibraryViewer {
			return grants{}, media.Errorf(media.Unsupported, "the server knows no roles in a library but Viewer")
		}
		ids = append(ids, number(id))
	}
	if want.All {
		return grants{All: true, Libraries: []int{}}, nil
	}
	s, err := d.fresh(ctx)
	if err != nil {
		return grants{}, err
	}
	if slices.ContainsFunc(ids, func(id int) bool { return !s.has(id) }) {
		return grants{}, media.Errorf(media.Invalid, "the server has no such library")
	}
	for _, l := range s.libraries {
		if slices.Contains(ids, l.ID) && d.shelves.another(l) {
			// Unavailable as a whole, so that the server is looked at before anything else is done to it.
			return grants{}, media.Errorf(media.Unavailable, "the library with the id %d is not the one that it was at the last look: looking again before it is given to anybody", l.ID)
		}
	}
	_, floor, err := d.lay(ctx, s)
	switch {
	case media.CodeOf(err) == media.Unsupported && len(ids) > 0:
	case err != nil:
		return grants{}, err
	default:
		ids = append(ids, floor)
	}
	slices.Sort(ids)
	if at := slices.Index(ids, floor); floor != 0 && at > 0 {
		ids = append([]int{floor}, slices.Delete(ids, at, at+1)...)
	}
	return grants{Libraries: ids}, nil
}

// grantFloor grants an account the placeholder and nothing else.
func (d *Driver) grantFloor(ctx context.Context, id, floor int) error {
	u, err := d.change(ctx, id, userChange{grants: &grants{Libraries: []int{floor}}})
	if err == nil && !slices.Equal(u.granted(), []int{floor}) {
		return media.Errorf(media.Ambiguous, "POST %s: the server did not grant the placeholder library", userPath)
	}
	return err
}

// shutWithin bounds how long an account is tried to be shut, also when the time of the call is over that opened it.
const shutWithin = longestCall / 3

// shutIfOpen looks at an account after a write that failed.
func (d *Driver) shutIfOpen(ctx context.Context, id int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutWithin)
	defer cancel()
	if u, err := d.user(ctx, id); err == nil && u.open() {
		d.shut(ctx, id)
	}
}

// shut closes an account that is shown every list: by the placeholder, or by the server's switch where that fails.
// Should both fail, the account shows as open in the next listing, and so is repaired then.
func (d *Driver) shut(ctx context.Context, id int) {
	s, err := d.fresh(ctx)
	if err == nil {
		_, floor, failed := d.lay(ctx, s)
		if err = failed; err == nil {
			err = d.grantFloor(ctx, id, floor)
		}
	}
	if err != nil {
		d.switchOff(ctx, id)
	}
}

func (d *Driver) switchOff(ctx context.Context, id int) {
	active := false
	_, _ = d.change(ctx, id, userChange{IsActive: &active})
}

// failedByServer says whether the server itself answered that it failed, instead of not answering.
func failedByServer(err error) bool {
	failed, ok := errors.AsType[*media.Error](err)
	return ok && failed.Unwrap() == nil
}
