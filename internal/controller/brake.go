package controller

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// brake counts who was shut out of which server lately: disabled, deleted, or left without any library. A mistake in a
// manifest that would shut out a whole household is stopped before it has (design D3). It is kept in memory: a restart
// begins a new window.
type brake struct {
	mu sync.Mutex
	// shut is by the UID of the MediaServer: one that is applied again under its name begins anew.
	shut map[types.UID]map[types.UID]time.Time
}

// allow says whether one more user may be shut out, and counts it then. The same user twice counts once.
func (b *brake) allow(server, user types.UID, limit int, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for other, users := range b.shut { // one that is gone is forgotten with the last that counts
		if other != server && !anyWithin(users, access.BrakeWindow, now) {
			delete(b.shut, other)
		}
	}
	if b.shut == nil {
		b.shut = map[types.UID]map[types.UID]time.Time{}
	}
	recent := b.shut[server]
	if recent == nil {
		recent = map[types.UID]time.Time{}
		b.shut[server] = recent
	}
	for uid, at := range recent {
		if now.Sub(at) >= access.BrakeWindow {
			delete(recent, uid)
		}
	}
	if _, counted := recent[user]; !counted && len(recent) >= limit {
		return false
	}
	recent[user] = now
	return true
}

func anyWithin(times map[types.UID]time.Time, window time.Duration, now time.Time) bool {
	for _, at := range times {
		if now.Sub(at) < window {
			return true
		}
	}
	return false
}

// mayShutOut asks before a user is shut out: whether the server is being left altogether, which shuts nobody out, and the
// burst brake. What ends at the time that a manifest has named long before is no mistake.
func (r *userReconciler) mayShutOut(ctx context.Context, p *userPass) *outcome {
	now := r.Clock.Now()
	if p.endsOnTime(now) {
		return nil
	}
	if p.user.DeletionTimestamp.IsZero() { // of one that is deleted, this is known
		if o := r.mayLose(ctx, p); o != nil {
			return o
		}
	}
	if access.BrakeReleased(p.server.Annotations[v1alpha1.AnnotationProceed], now) {
		return nil
	}
	declared, err := r.declaredAccounts(ctx, p.site, p.user.Namespace)
	if err != nil {
		return retry(err)
	}
	limit := access.BrakeLimit(len(declared))
	if r.brake.allow(p.server.UID, p.user.UID, limit, now) {
		return nil
	}
	o := waiting(v1alpha1.ReasonBurstBrake, "%d of %d users were shut out within ten minutes, and this one would be next: if that is meant, run kubectl annotate -n %s mediaserver %s --overwrite %s=%s",
		limit, len(declared), p.server.Namespace, p.server.Name, v1alpha1.AnnotationProceed, now.Add(2*time.Hour).UTC().Truncate(time.Hour).Format(time.RFC3339))
	o.after = time.Minute
	return o
}

// endsOnTime says whether what the account loses is what its manifests gave until a time that has come.
func (p *userPass) endsOnTime(now time.Time) bool {
	if !p.user.DeletionTimestamp.IsZero() || p.cascading() || p.want == v1alpha1.UserDisabled {
		return false
	}
	if p.want == v1alpha1.UserExpired {
		return true
	}
	given := access.EffectiveAccess(p.subject, p.libraries, access.GivenUntilNow(p.grants, now))
	known := map[media.LibraryID]bool{}
	for name := range given {
		known[p.ids[name]] = true
	}
	for id := range p.account.Access.Libraries {
		if !known[id] {
			return false
		}
	}
	return !p.account.Access.All
}
