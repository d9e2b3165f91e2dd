package controller

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
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

// terms are what an Invite gives to who comes, besides the role and the libraries, which the server's invite holds.
type terms struct {
	Labels       map[string]v1alpha1.LabelValue `json:"labels,omitempty"`
	ExpiresAfter *time.Duration                 `json:"expiresAfter,omitempty"`
}

func termsOf(invite *v1alpha1.Invite) *terms {
	now := redeem.TermsOf(invite, &v1alpha1.InviteOffer{})
	return &terms{Labels: now.Labels, ExpiresAfter: now.ExpiresAfter}
}

func (t *terms) same(other *terms) bool {
	return t != nil && reflect.DeepEqual(t.ExpiresAfter, other.ExpiresAfter) && maps.Equal(t.Labels, other.Labels)
}

// ledger is what is known of the uses of a server's invite: who came by it and is imported, and how many came besides whom
// the server does not know. A server that was put back to an earlier time has forgotten some and may have others instead, so
// neither a number nor the time of the last use says who is new.
type ledger struct {
	record record
	// native is the server's invite, uses what it lists.
	native media.Invite
	uses   []media.InviteUse
	// recorded says whether a Redemption records a use, known whether one does or did: that was deleted, and the User stays.
	recorded, known func(media.InviteUse) bool
	// redemptions names the uses that Redemptions record: the zero key is one whose account is not known.
	redemptions []useKey
	now         time.Time
}

// imported says whether the server's invite has exactly the uses that the record knows.
func (r record) imported(native media.Invite) bool {
	return r.Imported == native.Uses && (native.LastUsedBy == "" || r.LastUsedBy == string(native.LastUsedBy))
}

// came is how many people have come by an Invite whose server counts that many, and which has so many Redemptions.
func (r record) came(server, redemptions int) int { return max(r.Earlier+server, redemptions) }

// unknown returns the uses that are still to be imported, and the record as it is once they are. Who was counted before and
// is listed again, by another database that came back, is not counted once more.
func (l ledger) unknown() ([]media.InviteUse, record) {
	next := l.record
	counted := max(l.native.Uses, len(l.uses))
	fresh, came := l.fresh()
	came += l.record.Earlier + l.record.Imported
	if l.inOrder() && next.LastUse.After(l.now) {
		next.LastUse = time.Time{} // by a clock that was ahead; all until then are listed, and so named
	}
	next = next.name(l.now, l.listed()...)
	came += next.uncounted(l.redemptions) // of a reconcile that did not end, of a database that is not there any more
	next = next.name(l.now, l.redemptions...)
	next.Earlier = max(came, counted+l.lost(counted)) - counted
	next.Imported, next.LastUsedBy = counted, ""
	if last := len(l.uses) - 1; last >= 0 {
		next.LastUsedBy = string(l.uses[last].Account)
	}
	return fresh, next
}

func (l ledger) listed() []useKey {
	keys := make([]useKey, 0, len(l.uses))
	for _, use := range l.uses {
		keys = append(keys, useKeyOf(use.Account, use.At))
	}
	return keys
}

// lost is how many people have Redemptions whom the server does not know. It counts some whom it does not list any more.
func (l ledger) lost(counted int) int {
	listed := 0
	for _, use := range l.uses {
		if l.recorded(use) {
			listed++
		}
	}
	return max(0, len(l.redemptions)-listed-(counted-len(l.uses)))
}

// fresh are the uses that were not imported before, and how many of them were not counted before. That no Redemption records a
// use does not make it one of them: one whose Redemption was deleted stays taken back.
func (l ledger) fresh() (fresh []media.InviteUse, came int) {
	if !l.record.namesUses() {
		return l.freshUnnamed()
	}
	imported := unpackUses(l.record.UseKeys)
	for _, use := range l.uses {
		if _, before := imported[useKeyOf(use.Account, use.At)]; before {
			continue
		}
		unnamed := !use.At.After(l.record.UsesUntil)
		if !unnamed || l.recorded(use) { // as a reconcile may have left it that did not end
			fresh = append(fresh, use)
		}
		if !unnamed {
			came++
		}
	}
	return fresh, came
}

// freshUnnamed is fresh for a record that does not name the uses: it was written before they were named, or was lost. Where
// the server still lists those that were imported, they are in the order in which it counted. Where it does not, those are new
// that no Redemption records and that are newer than all that were imported.
func (l ledger) freshUnnamed() (fresh []media.InviteUse, came int) {
	switch {
	case l.record.Uses == "":
		fresh = l.uses[min(l.record.Imported, len(l.uses)):]
	case l.inOrder():
		fresh = l.uses[l.record.digested():]
	default:
		fresh = slices.DeleteFunc(slices.Clone(l.uses), func(use media.InviteUse) bool {
			return l.recorded(use) || !use.At.After(l.record.LastUse)
		})
	}
	for _, use := range fresh {
		if !l.known(use) || use.At.After(l.record.LastUse) { // one that is known by a reconcile that did not end is not counted yet
			came++
		}
	}
	return fresh, came
}

// inOrder says whether the server lists, before all others, the uses that a record from before they were named has imported.
func (l ledger) inOrder() bool {
	n := l.record.digested()
	return l.record.Uses != "" && n <= len(l.uses) && digestOf(l.uses[:n]) == l.record.Uses
}

// digested is how many uses the digest of such a record is of.
func (r record) digested() (n int) {
	_, _ = fmt.Sscanf(r.Uses, "%d:", &n)
	return max(n, 0)
}

// digestOf names uses by who and when.
func digestOf(uses []media.InviteUse) string {
	sum := sha256.New()
	for _, use := range uses {
		_, _ = fmt.Fprintf(sum, "%s\x00%d\x00", use.Account, use.At.UnixMicro())
	}
	return fmt.Sprintf("%d:%s", len(uses), hex.EncodeToString(sum.Sum(nil)[:8]))
}

// maxUseKeys bounds how many uses a record names: 27 kB of an annotation.
const maxUseKeys = 2000

// useKey names a use: when it was, to the second as Redemptions have it, and who it was.
type useKey [10]byte

func useKeyOf(account media.AccountID, at time.Time) useKey {
	var key useKey
	seconds := binary.BigEndian.AppendUint64(nil, uint64(max(0, at.Unix())))
	copy(key[:5], seconds[3:])
	who := sha256.Sum256([]byte(account))
	copy(key[5:], who[:])
	return key
}

// until is the end of the second in which the use was.
func (k useKey) until() time.Time {
	seconds := binary.BigEndian.Uint64(append(make([]byte, 3), k[:5]...))
	return time.Unix(int64(seconds), int64(time.Second-1)).UTC()
}

// namesUses says whether the record names the uses that were imported.
func (r record) namesUses() bool { return r.UseKeys != "" || !r.UsesUntil.IsZero() }

// names says whether the record names a use as imported.
func (r record) names(use useKey) bool {
	_, named := unpackUses(r.UseKeys)[use]
	return named
}

// name names more uses in the record as imported. Of too many it names the newest, and for the others says until when they
// were. That is never a moment that is still to come, as by a server whose clock was ahead: nobody would be new until then.
func (r record) name(now time.Time, uses ...useKey) record {
	if !r.namesUses() {
		if !r.LastUse.IsZero() {
			r.UsesUntil = useKeyOf("", r.LastUse).until()
		}
		r.Uses, r.LastUse = "", time.Time{}
	}
	named := unpackUses(r.UseKeys)
	for _, key := range uses {
		named[key] = struct{}{}
	}
	delete(named, useKey{})
	keys := slices.SortedFunc(maps.Keys(named), func(a, b useKey) int { return bytes.Compare(a[:], b[:]) })
	if more := len(keys) - maxUseKeys; more > 0 {
		if last := keys[more-1].until(); last.After(r.UsesUntil) {
			r.UsesUntil = last
		}
		keys = keys[more:]
	}
	if r.UsesUntil.After(now) {
		r.UsesUntil = media.Moment(now)
	}
	packed := make([]byte, 0, len(keys)*len(useKey{}))
	for _, key := range keys {
		packed = append(packed, key[:]...)
	}
	r.UseKeys = base64.RawStdEncoding.EncodeToString(packed)
	return r
}

func unpackUses(text string) map[useKey]struct{} {
	packed, _ := base64.RawStdEncoding.DecodeString(text)
	keys := map[useKey]struct{}{}
	for key := range slices.Chunk(packed, len(useKey{})) {
		if len(key) == len(useKey{}) {
			keys[useKey(key)] = struct{}{}
		}
	}
	return keys
}

// uncounted is how many of the uses that Redemptions record the record, which names uses, does not count.
func (r record) uncounted(redemptions []useKey) (n int) {
	named := unpackUses(r.UseKeys)
	for _, key := range redemptions {
		if _, counts := named[key]; !counts && key != (useKey{}) && key.until().After(r.UsesUntil) {
			n++
		}
	}
	return n
}

// countStray counts a use of a link that is not the record's, once: it names it. A record that names no uses but has imported some
// does not begin to do so here: what the server lists tells which those are.
func (r record) countStray(now time.Time, use useKey) record {
	r.Earlier++
	if !r.namesUses() && r.Imported > 0 {
		return r
	}
	return r.name(now, use)
}

// forget counts the uses of a server's invite that is no more, which had counted that many, and those that Redemptions record, each
// once: it names them.
func (r record) forget(counted int, redemptions []useKey, now time.Time) record {
	here := r.Imported
	if r = r.name(now); r.namesUses() {
		here += r.uncounted(redemptions)
	}
	r = r.name(now, redemptions...)
	r.Earlier, r.Imported, r.LastUsedBy = max(r.Earlier+max(here, counted), len(redemptions)), 0, ""
	return r
}
