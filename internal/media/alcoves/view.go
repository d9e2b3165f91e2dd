package alcoves

import (
	"context"
	"errors"
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// view is what there is, from either source.
type view struct {
	listing media.Listing
	// managed are the libraries in which Usher's account may change who sees them, by the API.
	managed map[media.LibraryID]bool
	// links are those of each library that can still be used, where Usher's account may see them.
	links map[media.LibraryID][]link
	// sql says that the view comes from the database, which shows all libraries.
	sql bool
	// blind is why the database, which there is, was not asked; nil when it was.
	blind error
}

// List returns everything: from the database, where there is one, since only that shows the libraries of others.
func (d *Driver) List(ctx context.Context) (media.Listing, error) {
	self, err := d.administrator(ctx)
	if err != nil {
		return media.Listing{}, err
	}
	seen, err := d.look(ctx, self, "")
	return seen.listing, err
}

// look reads everything: of one account only, where only names it and that is cheaper. With a database of an unknown
// schema it reads by the API; with one that cannot be reached it fails, since a list without the libraries of others would
// look as if they were gone (R4).
func (d *Driver) look(ctx context.Context, self account, only media.AccountID) (view, error) {
	if d.database == nil {
		return d.lookByAPI(ctx)
	}
	var seen view
	err := d.database.read(ctx, self.ID, func(ctx context.Context, s *session) (err error) {
		seen, err = s.everything(ctx, only)
		return err
	})
	if errors.Is(err, errSchema) {
		unknown := err
		seen, err = d.lookByAPI(ctx)
		seen.blind = unknown
	}
	return seen, err
}

// lookByAPI reads accounts, libraries and who sees each. An error that the server kept to itself can make any of its
// lists short (section 9). So libraries must be the same before and after, and who is in either of two lists of a
// library's members counts as a member: taken for one too many, a person is removed twice, which does no harm.
func (d *Driver) lookByAPI(ctx context.Context) (view, error) {
	everybody, err := d.everybody(ctx)
	if err != nil {
		return view{}, err
	}
	var before, after libraries
	if err := d.get(ctx, librariesPath, &before); err != nil {
		return view{}, err
	}
	shared := map[string][]sharing{}
	for range 2 {
		for _, one := range before {
			if *one.IsDefault {
				continue
			}
			members, err := d.sharing(ctx, one.ID)
			if err != nil {
				return view{}, err
			}
			shared[one.ID] = append(shared[one.ID], members)
		}
	}
	if err := d.get(ctx, librariesPath, &after); err != nil {
		return view{}, err
	}
	if missing(before, after) {
		return view{}, media.Errorf(media.Unavailable, "GET %s: two lists in a row differ, so neither is believed", librariesPath)
	}
	return compose(everybody, before, shared), nil
}

// missing says whether a library of the first list is not in the second.
func missing(before, after libraries) bool {
	ids := map[string]bool{}
	for _, one := range after {
		ids[one.ID] = true
	}
	for _, one := range before {
		if !ids[one.ID] {
			return true
		}
	}
	return false
}

func compose(everybody accounts, all libraries, shared map[string][]sharing) view {
	seen := view{managed: map[media.LibraryID]bool{}, links: map[media.LibraryID][]link{}}
	access := map[string]media.Access{}
	for _, one := range everybody {
		converted := one.account()
		access[one.ID] = converted.Access
		seen.listing.Accounts = append(seen.listing.Accounts, converted)
	}
	for _, one := range all {
		id := media.LibraryID(one.ID)
		seen.listing.Libraries = append(seen.listing.Libraries, one.library())
		seen.managed[id] = one.manageable()
		for _, look := range shared[one.ID] {
			seen.links[id] = union(seen.links[id], look.InviteLinks)
			for _, m := range look.Members {
				if list, known := access[m.UserID]; known && !m.IsOwner {
					list.Libraries[id] = libraryRoles[m.Role]
				}
			}
		}
	}
	return seen
}

// union adds the links that one more look showed, as it showed them. One that is in either look counts: taken for one too
// many it is revoked twice, and taken for none it would be made again beside itself.
func union(known, more []link) []link {
	all := slices.Clone(more)
	for _, one := range known {
		if !slices.ContainsFunc(more, func(other link) bool { return other.ID == one.ID }) {
			all = append(all, one)
		}
	}
	return all
}

// sharing reads who sees a library.
func (d *Driver) sharing(ctx context.Context, id string) (sharing, error) {
	var who sharing
	if err := d.get(ctx, membersPath, &who, id); err != nil {
		return sharing{}, err
	}
	if who.LibraryID != id {
		return sharing{}, media.Errorf(media.Unavailable, "GET %s: the server answered with another library", membersPath)
	}
	return who, nil
}

// Account reads one account.
func (d *Driver) Account(ctx context.Context, id media.AccountID) (media.Account, error) {
	self, err := d.administrator(ctx)
	if err != nil {
		return media.Account{}, err
	}
	found, _, err := d.account(ctx, self, id)
	return found, err
}

// account reads one account, and the view that it was found in.
func (d *Driver) account(ctx context.Context, self account, id media.AccountID) (media.Account, view, error) {
	if !isID(string(id)) {
		return media.Account{}, view{}, noAccount()
	}
	seen, err := d.look(ctx, self, id)
	if err != nil {
		return media.Account{}, view{}, err
	}
	for _, one := range seen.listing.Accounts {
		if one.ID == id {
			return one, seen, nil
		}
	}
	return media.Account{}, view{}, noAccount()
}
