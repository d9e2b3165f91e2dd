package controller

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// restores counts, by server, the recorded accounts that changed names or went missing, by the look at which they did:
// several at one look are a restore, not people who were renamed. It is counted once a listing, and only when somebody asks.
type restores struct {
	mu      sync.Mutex
	servers map[string]departed
	// notices are the restores that were noticed, by server; tries spreads the sign-ins that one asks for, and tried remembers them.
	notices map[string]notice
	tries   renewals
	tried   *lru.Cache
	// returns are when servers were last found again, after the operator's start or an outage.
	returns map[string]*returned
}

func newRestores() *restores { return &restores{tried: lru.New(4096)} }

// returned is a server that was found again: in the meantime it may have been put back to an earlier time. The password that
// was set last is the first to be undone by that.
type returned struct {
	at     time.Time
	down   bool
	newest types.UID
	listed bool
}

// watch notes whether a server is up.
func (d *restores) watch(k *Kit, s site) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.returns[s.key]
	switch {
	case !s.connection.Up:
		if known != nil {
			known.down = true
		}
	case known == nil || known.down || s.connection.Opened.After(known.at):
		if d.returns == nil {
			d.returns = map[string]*returned{}
		}
		d.returns[s.key] = &returned{at: k.Clock.Now()}
	}
}

// lastSet says whether a User's password is the one that was set last before its server was found again, and when that was.
func (d *restores) lastSet(ctx context.Context, k *Kit, s site, user *v1alpha1.User) (bool, time.Time, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.returns[s.key]
	if known == nil {
		return false, time.Time{}, nil
	}
	if !known.listed {
		var users v1alpha1.UserList
		if err := k.Client.List(ctx, &users, ofServer(s.server.Namespace, s.server.Name)...); err != nil {
			return false, known.at, err
		}
		var last time.Time
		for i := range users.Items {
			if at := readRecord(&users.Items[i], s.identity()).PasswordAt; at.After(last) && at.Before(known.at) {
				last, known.newest = at, users.Items[i].UID
			}
		}
		known.listed = true
	}
	return known.newest == user.UID, known.at, nil
}

// notice is when a restore was noticed, and at which look.
type notice struct {
	inventory *media.Inventory
	listing   int
	at        time.Time
}

// notice notes that a server was put back to an earlier time between a look and the one before: its Users are asked whether
// they have what they had. What was noticed by an earlier operator is noticed again, by those that are still in doubt.
func (d *restores) notice(k *Kit, s site, listing int) {
	d.mu.Lock()
	known := d.notices[s.key]
	news := known.inventory != s.inventory() || listing > known.listing
	if news {
		if d.notices == nil {
			d.notices = map[string]notice{}
		}
		d.notices[s.key] = notice{inventory: s.inventory(), listing: listing, at: k.Clock.Now()}
	}
	d.mu.Unlock()
	if news {
		k.Events.Users(s.key)
	}
}

// noticed is when the last restore of a server was noticed; the zero time for none.
func (d *restores) noticed(s site) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.notices[s.key]; known.inventory == s.inventory() {
		return known.at
	}
	return time.Time{}
}

type departed struct {
	inventory *media.Inventory
	listing   int
	// changed counts by the number of the listing.
	changed map[int]int
}

// at is how many changed at a listing.
func (d *restores) at(ctx context.Context, k *Kit, s site, listing int) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.servers[s.key]
	if known.inventory != s.inventory() || known.listing != s.inventory().Listings() {
		known = departed{inventory: s.inventory(), listing: s.inventory().Listings(), changed: map[int]int{}}
		var users v1alpha1.UserList
		if err := k.Client.List(ctx, &users, ofServer(s.server.Namespace, s.server.Name)...); err != nil {
			return 0, err
		}
		for i := range users.Items {
			if s.departed(&users.Items[i]) {
				known.changed[s.inventory().AccountChanged(media.AccountID(readRecord(&users.Items[i], s.identity()).ID))]++
			}
		}
		if d.servers == nil {
			d.servers = map[string]departed{}
		}
		d.servers[s.key] = known
	}
	return known.changed[listing], nil
}

// departed says whether a User's account is not there, or has another name than is known of it.
func (s site) departed(user *v1alpha1.User) bool {
	r := readRecord(user, s.identity())
	if r.ID == "" || (r.Doubt != nil && !r.Doubt.Restored) {
		return false
	}
	account, found := s.inventory().Account(media.AccountID(r.ID))
	if !found {
		return user.DeletionTimestamp.IsZero() && !neverSeen(user, r) && r.Believed != believedGone // else Usher may have deleted it
	}
	fold := s.to().Traits().FoldUsername
	return fold(account.Username) != fold(user.Spec.Username) && account.Username != r.Believed
}

// neverSeen says whether an account was announced with its id, and has not been seen since.
func neverSeen(user *v1alpha1.User, r record) bool {
	return r.announced() && user.Status.ExternalID != r.ID
}

// accountOf is a User's account on the server. One that is in doubt is none: nothing is taken from it.
func (s site) accountOf(user *v1alpha1.User) (media.Account, bool) {
	r := readRecord(user, s.identity())
	account, found := s.inventory().Account(media.AccountID(r.ID))
	return account, found && r.Doubt == nil
}
