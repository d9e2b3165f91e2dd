package alcoves

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const noDatabase = "the MediaServer has no spec.database: give it one, or send the person a link (an Invite with delivery Native)"

// difference is what to do so that an access becomes another.
type difference struct {
	take, change, give []media.LibraryID
}

func compare(now, want media.Access) difference {
	var d difference
	for _, id := range now.IDs() {
		switch role, kept := want.Libraries[id]; {
		case !kept:
			d.take = append(d.take, id)
		case role != now.Libraries[id]:
			d.change = append(d.change, id)
		}
	}
	for _, id := range want.IDs() {
		if _, has := now.Libraries[id]; !has {
			d.give = append(d.give, id)
		}
	}
	return d
}

// SetAccess takes what is to be taken, then changes roles, then gives. What the API can do goes by the API; what it
// cannot is one transaction. With each library that is taken its live links are revoked: by one of them the person
// would come back (section 5).
func (d *Driver) SetAccess(ctx context.Context, of media.Account, want media.Access) (media.Account, error) {
	if err := checkAccess(want); err != nil {
		return media.Account{}, err
	}
	self, err := d.administrator(ctx)
	if err != nil {
		return media.Account{}, err
	}
	now, seen, err := d.accountWhileDatabaseDown(ctx, self, of.ID)
	if err != nil {
		return media.Account{}, err
	}
	diff := compare(now.Access, want)
	// A view by the API shows only some libraries: where there is a database, what is given is looked for there.
	if err := seen.knows(diff.give); err != nil && (seen.sql || d.database == nil) {
		return media.Account{}, err
	}
	byAPI, bySQL := diff.split(seen)
	if err := d.actByAPI(ctx, now.ID, byAPI, seen, want); err != nil {
		return media.Account{}, err
	}
	if seen.blind != nil && seen.hides(of.Access, want) { // what the API could take is taken
		return media.Account{}, seen.blind
	}
	after, err := d.actBySQL(ctx, self, now.ID, bySQL, want)
	if err == nil && after.ID == "" {
		after, _, err = d.accountWhileDatabaseDown(ctx, self, of.ID)
	}
	if seen.blind != nil {
		after.Disabled = of.Disabled // which only the database knows
	}
	if err == nil && !after.Access.Equal(want) {
		return media.Account{}, media.Errorf(media.Ambiguous, "the server did not keep the access that was set")
	}
	return after, err
}

// accountWhileDatabaseDown reads an account by the API where the database cannot be reached: what is taken away must not
// wait for it. Nothing is given then, and no list is made of it.
func (d *Driver) accountWhileDatabaseDown(ctx context.Context, self account, id media.AccountID) (media.Account, view, error) {
	found, seen, err := d.account(ctx, self, id)
	if errors.Is(err, errUnreachable) && ctx.Err() == nil {
		down := err
		withoutDatabase := *d
		withoutDatabase.database = nil
		found, seen, err = withoutDatabase.account(ctx, self, id)
		seen.blind = down
	}
	return found, seen, err
}

// checkAccess refuses what the server cannot say, before anything is written.
func checkAccess(want media.Access) error {
	if want.All {
		return media.Errorf(media.Unsupported, "the server has no access to all libraries")
	}
	for id, role := range want.Libraries {
		if _, err := libraryRoleWord(role); err != nil {
			return err
		}
		if !isID(string(id)) {
			return media.Errorf(media.Invalid, "there is no such library to give")
		}
	}
	return nil
}

// hides says whether an account has a library that it is to lose and that the view does not show: it cannot be said then
// that it lost it.
func (v view) hides(has, want media.Access) bool {
	for _, id := range has.IDs() {
		_, wanted := want.Libraries[id]
		if !wanted && !slices.ContainsFunc(v.listing.Libraries, func(one media.Library) bool { return one.ID == id }) {
			return true
		}
	}
	return false
}

// knows refuses to give a library that is not there, or that is somebody's own.
func (v view) knows(give []media.LibraryID) error {
	known := map[media.LibraryID]media.Library{}
	for _, one := range v.listing.Libraries {
		known[one.ID] = one
	}
	for _, id := range give {
		one, there := known[id]
		switch {
		case !there:
			return media.Errorf(media.Invalid, "there is no such library to give")
		case one.Personal:
			return media.Errorf(media.Conflict, "a personal library is never given to anybody else")
		}
	}
	return nil
}

// split says what goes by which way. Usher's account can change by the API what it owns or is an admin of.
func (d difference) split(seen view) (byAPI, bySQL difference) {
	part := func(ids []media.LibraryID, api, sql *[]media.LibraryID) {
		for _, id := range ids {
			if seen.managed[id] {
				*api = append(*api, id)
			} else {
				*sql = append(*sql, id)
			}
		}
	}
	part(d.take, &byAPI.take, &bySQL.take)
	part(d.change, &byAPI.change, &bySQL.change)
	bySQL.give = d.give
	return byAPI, bySQL
}

func (d *Driver) actByAPI(ctx context.Context, id media.AccountID, diff difference, seen view, want media.Access) error {
	for _, library := range diff.take {
		if err := d.revokeLinks(ctx, string(library), seen.links[library]); err != nil {
			return err
		}
		if err := d.removeMember(ctx, string(library), string(id)); err != nil {
			return err
		}
	}
	for _, library := range diff.change {
		if err := d.setRole(ctx, string(library), string(id), want.Libraries[library]); err != nil {
			return err
		}
	}
	return nil
}

// removeMember removes somebody from a library. Who is no member is removed already.
func (d *Driver) removeMember(ctx context.Context, library, user string) error {
	var done reply
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodDelete, Path: memberPath, Args: []string{library, user}, Into: &done})
	if media.CodeOf(err) == media.NotFound {
		return nil
	}
	return err
}

func (d *Driver) setRole(ctx context.Context, library, user string, role media.LibraryRole) error {
	word, err := libraryRoleWord(role)
	if err != nil {
		return err
	}
	var done reply
	_, err = d.client.Do(ctx, wire.Call{
		Method: http.MethodPatch, Path: memberPath, Args: []string{library, user}, Body: map[string]string{"role": word}, Into: &done,
	})
	if media.CodeOf(err) == media.NotFound {
		return media.Errorf(media.Conflict, "the account was removed from the library at the same moment")
	}
	return err
}

// actBySQL does in one transaction what is left for the database, and returns the account as it is then; the zero
// Account when nothing is left.
func (d *Driver) actBySQL(ctx context.Context, self account, id media.AccountID, diff difference, want media.Access) (media.Account, error) {
	if len(diff.take)+len(diff.change)+len(diff.give) == 0 {
		return media.Account{}, nil
	}
	switch {
	case d.database == nil && len(diff.take)+len(diff.change) > 0:
		return media.Account{}, media.Errorf(media.PermissionDenied, "the account that Usher uses is no admin of a library that is to be taken away or changed: make it one on the server's own pages, or give the MediaServer spec.database")
	case d.database == nil:
		return media.Account{}, media.Errorf(media.Unsupported, "a library cannot be given to an account that exists, since %s", noDatabase)
	}
	return d.database.writeAccount(ctx, self, func(ctx context.Context, s *session) (media.AccountID, error) {
		for _, library := range diff.take {
			if err := s.take(ctx, id, library); err != nil {
				return "", err
			}
		}
		for _, library := range append(diff.change, diff.give...) {
			if err := s.give(ctx, id, library, want.Libraries[library]); err != nil {
				return "", err
			}
		}
		return id, nil
	})
}
