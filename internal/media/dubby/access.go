package dubby

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const permissionsPath = "/v1/libraries/{id}/permissions"

// readers is how many libraries are asked at once for their permissions.
const readers = 4

// holders says who was given which library.
type holders map[media.AccountID]map[media.LibraryID]media.LibraryRole

func (h holders) of(id media.AccountID) media.Access {
	return media.Access{Libraries: h[id]}.Clone()
}

// permissions reads who was given each of the libraries, in one call a library. Whatever else an entry says, it is a
// grant: what Usher takes for none would never be revoked.
func (d *Driver) permissions(ctx context.Context, libraries []media.Library) (holders, error) {
	var mu sync.Mutex
	all := holders{}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for _, l := range libraries {
		if l.Personal { // nobody is granted it
			continue
		}
		group.Go(func() error {
			return d.list(within, permissionsPath, wrongServer, func(raw json.RawMessage) error {
				var p permission
				if json.Unmarshal(raw, &p) != nil || p.user() == "" {
					return errForm
				}
				mu.Lock()
				defer mu.Unlock()
				if all[p.user()] == nil {
					all[p.user()] = map[media.LibraryID]media.LibraryRole{}
				}
				all[p.user()][l.ID] = media.LibraryViewer
				return nil
			}, string(l.ID))
		})
	}
	return all, group.Wait()
}

// wantedAccess refuses what the server cannot say: access to all libraries, and roles in a library.
func wantedAccess(want media.Access) error {
	if want.All {
		return media.Errorf(media.Unsupported, "a Dubby server gives access to all libraries only by the roles Owner and Admin")
	}
	for _, role := range want.Libraries {
		if role != media.LibraryViewer {
			return media.Errorf(media.Unsupported, "a Dubby server knows no roles in a library: a library is seen or not")
		}
	}
	return nil
}

// unknownLibraries refuses libraries that are not there, or are somebody's own. It is not NotFound: that would say that the account is gone.
func unknownLibraries(want media.Access, libraries []media.Library) error {
	for id := range want.Libraries {
		i := slices.IndexFunc(libraries, func(l media.Library) bool { return l.ID == id })
		switch {
		case i < 0:
			return media.Errorf(media.Invalid, "a library that was to be granted does not exist")
		case libraries[i].Personal:
			return media.Errorf(media.Conflict, "a library of somebody's own is never granted to anybody")
		}
	}
	return nil
}

// SetAccess revokes first and grants then, one call a library, and reads back every library that it touched.
func (d *Driver) SetAccess(ctx context.Context, account media.Account, want media.Access) (media.Account, error) {
	if err := wantedAccess(want); err != nil {
		return media.Account{}, err
	}
	u, err := d.user(ctx, account.ID)
	if err != nil {
		return media.Account{}, err
	}
	libraries, err := d.libraries(ctx)
	if err != nil {
		return media.Account{}, err
	}
	if err := unknownLibraries(want, libraries); err != nil {
		return media.Account{}, err
	}
	now, err := d.permissions(ctx, libraries)
	if err != nil {
		return media.Account{}, err
	}
	// A list that hides somebody is not believed alone: what was seen a moment ago is taken, too.
	has := now.of(account.ID)
	for id, role := range account.Access.Libraries {
		if _, wanted := want.Libraries[id]; !wanted {
			has.Libraries[id] = role
		}
	}
	if err := d.converge(ctx, account.ID, has, want); err != nil {
		return media.Account{}, err
	}
	return u.account(want.Clone()), nil
}

// converge makes the calls from one access to the other, and proves that they did what they say.
func (d *Driver) converge(ctx context.Context, id media.AccountID, now, want media.Access) error {
	var touched []media.Library
	for _, library := range now.IDs() {
		if _, stays := want.Libraries[library]; !stays {
			if err := d.revoke(ctx, library, id); err != nil {
				return err
			}
			touched = append(touched, media.Library{ID: library})
		}
	}
	for _, library := range want.IDs() {
		if _, there := now.Libraries[library]; !there {
			if err := d.grant(ctx, library, id); err != nil {
				return err
			}
			touched = append(touched, media.Library{ID: library})
		}
	}
	if len(touched) == 0 {
		return nil
	}
	after, err := d.permissions(ctx, touched)
	if err != nil {
		return media.Errorf(media.Ambiguous, "the access was changed, but could not be read back").WithCause(err)
	}
	expected := want.Clone().Libraries
	maps.DeleteFunc(expected, func(id media.LibraryID, _ media.LibraryRole) bool {
		return !slices.ContainsFunc(touched, func(l media.Library) bool { return l.ID == id })
	})
	if !after.of(id).Equal(media.Access{Libraries: expected}) {
		return media.Errorf(media.Ambiguous, "the server did not keep the access that was set")
	}
	return nil
}

// grant gives one library. Any 2xx is success; 409 says that it was given before, which reading back proves (section 6).
func (d *Driver) grant(ctx context.Context, library media.LibraryID, id media.AccountID) error {
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: permissionsPath, Args: []string{string(library)}, Body: map[string]string{"userId": string(id)},
		// The account was there a moment ago: what is missing is the library or, as likely, both.
		Codes: map[int]media.Code{http.StatusNotFound: media.Invalid},
	})
	if media.CodeOf(err) == media.Conflict {
		return nil
	}
	return err
}

// revoke takes one library. Any 2xx is success; 404 says that it was taken before, which reading back proves.
func (d *Driver) revoke(ctx context.Context, library media.LibraryID, id media.AccountID) error {
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodDelete, Path: permissionsPath + "/{userId}", Args: []string{string(library), string(id)},
	})
	if media.CodeOf(err) == media.NotFound {
		return nil
	}
	return err
}
