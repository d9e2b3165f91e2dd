package jellyfin

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/usher-media/usher/internal/media"
)

const (
	// feudAfter is how often a list may be undone that this driver wrote, within feudWithin, until it is left to an administrator
	// to say who writes it.
	feudAfter  = 3
	feudWithin = 6 * time.Hour
)

// feuds remember the lists that were written, and which of them somebody else keeps writing: a plug-in that gives folders at each
// sign-in (B.17) would go on for ever.
type feuds struct {
	mu  *sync.Mutex
	all map[string]*feud
}

type feud struct {
	wrote listed
	// login is when the person had signed in last by then.
	login  string
	undone []time.Time
}

func newFeuds() feuds { return feuds{mu: &sync.Mutex{}, all: map[string]*feud{}} }

// undone counts how often a list was replaced that this driver had written, and the person had signed in meanwhile: what
// somebody does by hand is repaired, and no feud.
func (f feuds) undone(u user, now time.Time) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.all[u.ID]
	if one == nil {
		return 0
	}
	one.undone = slices.DeleteFunc(one.undone, func(t time.Time) bool { return now.Sub(t) > feudWithin })
	found := u.list()
	other := found.all != one.wrote.all || !same(found.items, one.wrote.items)
	if other && one.login != u.LastLogin {
		one.undone = append(one.undone, now)
	}
	one.wrote, one.login = found, u.LastLogin
	return len(one.undone)
}

func (f feuds) wrote(u user) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all[u.ID] == nil {
		f.all[u.ID] = &feud{}
	}
	f.all[u.ID].wrote, f.all[u.ID].login = u.list(), u.LastLogin
}

func (u user) list() listed { return listed{all: *u.policy.All, items: u.policy.Folders} }

// SetAccess replaces an account's list in one write. Who is to lose something is signed out first.
func (d *Driver) SetAccess(ctx context.Context, account media.Account, want media.Access) (media.Account, error) {
	for _, role := range want.Libraries {
		if role != media.LibraryViewer {
			return media.Account{}, noLibraryRoles()
		}
	}
	if err := d.refuseSelf(ctx, account.ID); err != nil {
		return media.Account{}, err
	}
	v, err := d.look(ctx)
	if err != nil {
		return media.Account{}, err
	}
	list, err := v.list(want)
	if err != nil {
		return media.Account{}, err
	}
	feuding := false
	u, err := d.edit(ctx, account.ID, func(u user) (change, bool, error) {
		if len(u.policy.Blocked) > 0 {
			return change{}, false, media.Errorf(media.Conflict, "%s", blockedWords(u, v))
		}
		before, _ := v.access(u)
		c := change{list: &list}
		if feuding = d.feuds.undone(u, d.now()) >= feudAfter; feuding {
			less, err := v.list(before.Common(want)) // what is too much is taken all the same
			if err != nil {
				return change{}, false, err
			}
			c.list = &less
		}
		return c, !want.Includes(before), nil
	})
	if err != nil {
		return media.Account{}, err
	}
	d.feuds.wrote(u)
	after := v.account(u)
	switch {
	case feuding && !after.Access.Equal(want):
		return media.Account{}, media.Errorf(media.Conflict, "something else writes which libraries the account %s sees, whenever it signs in (by %s): what Usher set was replaced %d times within %s. Let one of the two decide: take libraries out of the settings of the plug-in that signs people in, or this User out of the manifests (deletionPolicy Retain). Until then Usher only takes away what is too much",
			u.Name, u.policy.Provider, feudAfter, feudWithin)
	case !after.Access.Equal(want) || after.Exposed:
		return media.Account{}, media.Errorf(media.Ambiguous, "POST %s: the server did not keep the access that was set", policyPath)
	}
	return after, nil
}

// list turns an access into what the server takes. EnableAllFolders is in every write: left out, it would be true (section 5).
func (v view) list(want media.Access) (listed, error) {
	if want.All {
		return listed{all: true}, nil
	}
	list := listed{items: []string{}}
	for _, name := range want.IDs() {
		switch item := v.items[name]; {
		case want.Libraries[name] != media.LibraryViewer:
			return listed{}, noLibraryRoles()
		case item == "":
			return listed{}, media.Errorf(media.Invalid, "the server has no such library")
		default:
			list.items = append(list.items, item)
		}
	}
	return list, nil
}

func noLibraryRoles() error {
	return media.Errorf(media.Unsupported, "the server knows no roles in a library but Viewer")
}
