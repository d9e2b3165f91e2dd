package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/redeem"
)

// offer is what an Invite gives to who comes, besides the role and the libraries, which the server's invite holds.
type offer struct {
	Labels       map[string]v1alpha1.LabelValue `json:"labels,omitempty"`
	ExpiresAfter *time.Duration                 `json:"expiresAfter,omitempty"`
}

func offerOf(invite *v1alpha1.Invite) *offer {
	now := redeem.OfferOf(invite)
	return &offer{Labels: now.Labels, ExpiresAfter: now.ExpiresAfter}
}

func (o *offer) same(other *offer) bool {
	return o != nil && reflect.DeepEqual(o.ExpiresAfter, other.ExpiresAfter) && maps.Equal(o.Labels, other.Labels)
}

// ledger is what is known of the uses of a server's invite: who came by it and is imported, and how many came besides whom
// the server does not know. A server that was put back to an earlier time has forgotten some and may have others instead, so
// a number says nothing about who is new.
type ledger struct {
	record record
	// native is the server's invite, uses what it lists.
	native media.Invite
	uses   []media.InviteUse
	// recorded says whether a Redemption records a use, known whether one does or did: that was deleted, and the User stays.
	recorded, known func(media.InviteUse) bool
	// redemptions is how many there are.
	redemptions int
}

// imported says whether the server's invite has exactly the uses that the record knows.
func (r record) imported(native media.Invite) bool {
	return r.Imported == native.Uses && (native.LastUsedBy == "" || r.LastUsedBy == string(native.LastUsedBy))
}

// came is how many people have come by an Invite whose server counts that many, and which has so many Redemptions.
func (r record) came(server, redemptions int) int { return max(r.Earlier+server, redemptions) }

// unknown returns the uses that are still to be imported, and the record as it is once they are. Who was counted before and
// is listed again, by a newer database that came back, is not counted once more.
func (l ledger) unknown() ([]media.InviteUse, record) {
	next := l.record
	fresh := l.fresh()
	counted := max(l.native.Uses, len(l.uses))
	came := l.record.Earlier + l.record.Imported
	for _, use := range fresh {
		if !l.known(use) || use.At.After(l.record.LastUse) { // one that is known by a pass that did not end is not counted yet
			came++
		}
	}
	next.Earlier = max(came, counted+l.lost(counted)) - counted
	next.Imported, next.Uses, next.LastUsedBy = counted, digestOf(l.uses), ""
	if last := len(l.uses) - 1; last >= 0 {
		next.LastUsedBy = string(l.uses[last].Account)
		if l.uses[last].At.After(next.LastUse) {
			next.LastUse = l.uses[last].At
		}
	}
	return fresh, next
}

// lost is how many people have Redemptions whom the server does not know. It counts some whom it does not list any more.
func (l ledger) lost(counted int) int {
	listed := 0
	for _, use := range l.uses {
		if l.recorded(use) {
			listed++
		}
	}
	return max(0, l.redemptions-listed-(counted-len(l.uses)))
}

// fresh are the uses that came after those that are imported. Where the server still lists these, they are in the order in
// which it counted. Where it does not, those are new that no Redemption records and that are newer than all that were
// imported: one whose Redemption was deleted stays taken back.
func (l ledger) fresh() []media.InviteUse {
	var listed int
	_, _ = fmt.Sscanf(l.record.Uses, "%d:", &listed)
	switch {
	case l.record.Uses == "": // imported before uses were named
		return l.uses[min(l.record.Imported, len(l.uses)):]
	case listed <= len(l.uses) && digestOf(l.uses[:listed]) == l.record.Uses:
		return l.uses[listed:]
	}
	return slices.DeleteFunc(slices.Clone(l.uses), func(use media.InviteUse) bool {
		return l.recorded(use) || !use.At.After(l.record.LastUse)
	})
}

// digestOf names uses by who and when.
func digestOf(uses []media.InviteUse) string {
	sum := sha256.New()
	for _, use := range uses {
		_, _ = fmt.Fprintf(sum, "%s\x00%d\x00", use.Account, use.At.UnixMicro())
	}
	return fmt.Sprintf("%d:%s", len(uses), hex.EncodeToString(sum.Sum(nil)[:8]))
}

// forget counts the uses of a server's invite that is no more.
func (r record) forget(atLeast int) record {
	r.Earlier, r.Imported, r.Uses, r.LastUsedBy = max(r.Earlier+r.Imported, atLeast), 0, "", ""
	return r
}
