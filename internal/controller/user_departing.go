package controller

import (
	"context"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

// leavingFor is how long it counts that the MediaServer, the namespace or the CRDs are being deleted, until that is asked again.
const leavingFor = time.Minute

// departing finds what gave access and has just been deleted. For a while it keeps what the account has: the MediaServer,
// or the whole namespace, may be the next to be deleted, and then nothing is taken. A change of what is there (a grant that
// becomes narrower, or disabled) is followed at once.
func (r *userReconciler) departing(ctx context.Context, p *userPass) *outcome {
	now := r.Clock.Now()
	grantScope := p.user.Namespace
	redemptionScope := p.user.Namespace + "/" + p.user.Name
	grants := r.departures.grants.note(grantScope, p.grants, now)
	redemptions := r.departures.redemptions.note(redemptionScope, p.redemptions, now)
	libraries := p.librariesGoing()
	if len(grants)+len(redemptions)+len(libraries) == 0 {
		return nil
	}
	leaving := false
	grants, dueGrants := due(grants, now.Add(-r.PruneWait))
	redemptions, dueRedemptions := due(redemptions, now.Add(-r.PruneWait))
	pending := append(times(grants), times(redemptions)...)
	if len(dueGrants)+len(dueRedemptions) > 0 {
		var err error
		switch leaving, err = r.leaving(ctx, p.user.Namespace, p.site); {
		case err != nil:
			return retry(err)
		case leaving:
			grants, redemptions = append(grants, dueGrants...), append(redemptions, dueRedemptions...)
		default:
			r.departures.grants.settle(grantScope, dueGrants)
			r.departures.redemptions.settle(redemptionScope, dueRedemptions)
		}
	}
	r.keepFor(p, grants, redemptions, now)
	p.next = access.Earlier(p.next, decidedAt(pending, leaving, r.PruneWait, now))
	return nil
}

// decidedAt is when it is to be decided next what becomes of what has departed: of what is pending when its wait is over, and of what
// is kept because everything is being left, in a while. It is never a moment that has passed, at which nothing would change.
func decidedAt(pending []time.Time, leaving bool, wait time.Duration, now time.Time) (next time.Time) {
	for _, at := range pending {
		next = access.Earlier(next, at.Add(wait))
	}
	if leaving {
		next = access.Earlier(next, now.Add(leavingFor))
	}
	return next
}

// due parts what has departed since a moment from what had before.
func due[T any](all []departure[T], before time.Time) (pending, due []departure[T]) {
	for _, one := range all {
		if one.at.After(before) {
			pending = append(pending, one)
		} else {
			due = append(due, one)
		}
	}
	return pending, due
}

func times[T any](all []departure[T]) []time.Time {
	out := make([]time.Time, 0, len(all))
	for _, one := range all {
		out = append(out, one.at)
	}
	return out
}

// librariesGoing are the Libraries that are being deleted and not withdrawn yet.
func (p *userPass) librariesGoing() (going []string) {
	for i := range p.snapshot.Libraries {
		if library := &p.snapshot.Libraries[i]; !library.DeletionTimestamp.IsZero() && !access.Withdrawn(library) {
			going = append(going, library.Name)
		}
	}
	return going
}

// keepFor computes what the account keeps for now: the access that it would have if nothing had been deleted lately.
func (r *userReconciler) keepFor(p *userPass, grants []departure[v1alpha1.LibraryGrant], redemptions []departure[v1alpha1.Redemption], now time.Time) {
	allGrants, allRedemptions := p.grants[:len(p.grants):len(p.grants)], p.redemptions[:len(p.redemptions):len(p.redemptions)]
	for _, one := range grants {
		allGrants = append(allGrants, *one.object)
	}
	for _, one := range redemptions {
		allRedemptions = append(allRedemptions, *one.object)
	}
	libraries := make([]v1alpha1.Library, len(p.snapshot.Libraries))
	for i := range p.snapshot.Libraries {
		libraries[i] = p.snapshot.Libraries[i]
		if !access.Withdrawn(&libraries[i]) {
			libraries[i].DeletionTimestamp = nil
		}
	}
	active, _ := access.ActiveGrants(allGrants, r.Grants.Compile, now)
	subject := p.subjectOf(p.user, allRedemptions)
	subject.SeesAll = false // what a role sees is in no list
	p.snapshot.Kept = access.EffectiveAccess(subject, libraries, active)
}

// mayLose says whether the account may lose something now. What shuts somebody out is not done in a household that is being
// left altogether, which a restart, or a cache that is behind, can have hidden until here.
func (r *userReconciler) mayLose(ctx context.Context, p *userPass) *outcome {
	if p.cascades() {
		return nil
	}
	leaving, err := r.leaving(ctx, p.user.Namespace, p.site)
	if err != nil {
		return retry(err)
	}
	if !leaving {
		return nil
	}
	o := waiting(v1alpha1.ReasonDeleting, "MediaServer %s is being left altogether: the account stays as it is", p.server.Name)
	o.brief, o.after = true, jittered(safetyPoll)
	return o
}
