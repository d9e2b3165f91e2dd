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
// manifest that would shut out a whole household is stopped before it has (DESIGN D3). It is kept in memory: a restart
// begins a new window.
type brake struct {
	mu   sync.Mutex
	shut map[string]map[types.UID]time.Time
}

// allow says whether one more user may be shut out, and counts it then. The same user twice counts once.
func (b *brake) allow(server string, user types.UID, limit int, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut == nil {
		b.shut = map[string]map[types.UID]time.Time{}
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

// mayShutOut asks the burst brake before a user is shut out. What ends at the time that a manifest has named long
// before is no mistake, and a server that is itself being deleted is being left altogether: nobody is asked then.
func (r *userReconciler) mayShutOut(ctx context.Context, p *userPass) *outcome {
	now := r.Clock.Now()
	if p.endsOnTime(now) || !p.server.DeletionTimestamp.IsZero() || access.BrakeReleased(p.server.Annotations[v1alpha1.AnnotationProceed], now) {
		return nil
	}
	declared, err := r.declaredAccounts(ctx, p.site, p.user.Namespace)
	if err != nil {
		return retry(err)
	}
	limit := access.BrakeLimit(len(declared))
	if r.brake.allow(p.key, p.user.UID, limit, now) {
		return nil
	}
	o := waiting(v1alpha1.ReasonBurstBrake, "%d of %d users were shut out within ten minutes, and this one would be next: if that is meant, run kubectl annotate -n %s mediaserver %s --overwrite %s=%s",
		limit, len(declared), p.server.Namespace, p.server.Name, v1alpha1.AnnotationProceed, now.Add(2*time.Hour).UTC().Truncate(time.Hour).Format(time.RFC3339))
	o.after = time.Minute
	return o
}

// endsOnTime says whether what the account loses is what its manifests gave until a time that has come.
func (p *userPass) endsOnTime(now time.Time) bool {
	if !p.user.DeletionTimestamp.IsZero() || p.want == v1alpha1.UserDisabled {
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
