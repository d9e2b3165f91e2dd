package jellyfin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
)

const (
	// temporaryPrefix begins the names of accounts on their way. The rest of such a name is random.
	temporaryPrefix = "usher-new-"
	// leftAfter is how long a name of an account on its way is there without this process making it, until it is taken for one
	// that a crash left behind: longer than another process may take that has just lost its lease.
	leftAfter = 3 * longestCall
)

// The account that stands for an API key. Its id and its name can be no person's.
const (
	apiKeyID   = media.AccountID("api-key")
	apiKeyName = "(API key)"
)

// apiKey stands for Usher where it has a key: it administers the server, and no person signs in with it.
func apiKey() media.Account {
	return media.Account{ID: apiKeyID, Username: apiKeyName, Role: media.RoleAdmin, Access: media.Access{All: true}.Clone()}
}

// temporary says whether a name is that of an account on its way.
func temporary(name string) bool {
	rest, is := strings.CutPrefix(name, temporaryPrefix)
	return is && id(rest) == rest && rest != ""
}

// List reads all accounts, each with its access, and then all libraries: a library that comes in between is not in a list
// yet. The second is for administrators only.
func (d *Driver) List(ctx context.Context) (media.Listing, error) {
	all, err := d.users(ctx)
	if err != nil {
		return media.Listing{}, err
	}
	v, err := d.look(ctx)
	if err != nil {
		return media.Listing{}, err
	}
	listing := media.Listing{Accounts: make([]media.Account, 0, len(all)+1), Libraries: v.libraries()}
	if d.isKeyed() {
		listing.Accounts = append(listing.Accounts, apiKey())
	}
	for _, u := range all {
		if !temporary(u.Name) {
			listing.Accounts = append(listing.Accounts, v.account(u))
		}
	}
	d.note(all, v)
	return listing, nil
}

// Libraries implements media.LibraryLister.
func (d *Driver) Libraries(ctx context.Context) ([]media.Library, error) {
	v, err := d.look(ctx)
	return v.libraries(), err
}

func (d *Driver) isKeyed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keyed
}

// note remembers what a list says that somebody has to mend: Mend, or an administrator.
func (d *Driver) note(all users, v view) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.amiss, d.blocked = nil, nil
	lapsed := map[media.LibraryID]int{}
	for _, u := range all {
		if len(u.policy.Blocked) > 0 {
			d.blocked = append(d.blocked, blockedWords(u, v))
		}
		if *u.policy.All {
			continue
		}
		for _, item := range u.policy.Folders {
			if name := v.lapsed[item]; name != "" {
				lapsed[name]++
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lapsed)) {
		f, _ := v.folder(name)
		d.amiss = append(d.amiss, fmt.Sprintf("the library that is now named %q was renamed on the server, which took it from the lists of all who had it (%d): it is put back into these", f.Name, lapsed[name]))
	}
	if left := d.left(all); len(left) > 0 {
		d.amiss = append(d.amiss, fmt.Sprintf("%d accounts were left behind by a creation that was cut short; nobody can use them: they are deleted", len(left)))
	}
}

// blockedWords name what nobody can mend by the server's interface: it shows the list of blocked folders, ignores it in what is
// posted, and goes by it before all others (section 5).
func blockedWords(u user, v view) string {
	var names []string
	for _, item := range u.policy.Blocked {
		name := item
		for _, f := range v.folders {
			if f.Item == item {
				name = f.Name
			}
		}
		names = append(names, fmt.Sprintf("%q", name))
	}
	return fmt.Sprintf("the account %s has a list of blocked folders from an older version (%s), which overrides what it was given, and which the server lets nobody change: delete the account on the server and let it be made anew, or clear its BlockedMediaFolders in the server's database",
		u.Name, strings.Join(names, ", "))
}

// left are accounts that nobody is making any more. Who calls it holds the lock.
func (d *Driver) left(all users) []user {
	var left []user
	seen := map[string]time.Time{}
	for _, u := range all {
		if !temporary(u.Name) || d.making[u.Name] || u.LastLogin != "" {
			continue
		}
		first := d.leftBehind[u.Name]
		if first.IsZero() {
			first = d.now()
		}
		if seen[u.Name] = first; d.now().Sub(first) >= leftAfter {
			left = append(left, u)
		}
	}
	d.leftBehind = seen
	return left
}
