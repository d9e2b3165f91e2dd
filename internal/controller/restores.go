package controller

import (
	"context"
	"sync"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// restores counts, by server, the recorded accounts that changed names or went missing, by the look at which they did:
// several at one look are a restore, not people who were renamed. It is counted once a listing, and only when somebody asks.
type restores struct {
	mu      sync.Mutex
	servers map[string]departed
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
