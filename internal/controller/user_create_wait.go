package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access/plan"
)

// patience is how long a new account waits at the longest for libraries that are being made at the same time, so that it
// is made with them, in one call. One that cannot be made says so, and is not waited for.
const patience = 15 * time.Second

// serverPatience is how long the Users of a server wait, when the operator starts, for its own look at the server.
const serverPatience = 10 * time.Second

// grantsFollow is how long after a User its LibraryGrants may come, when a household is applied that is there already.
const grantsFollow = 5 * time.Second

// grantsOnTheirWay holds back what would take access from an account that was adopted by a User as new as that: the
// LibraryGrants that give it may be the next to be applied. Who is to be disabled does not wait.
func (p *userPass) grantsOnTheirWay(now time.Time, next plan.Plan) *outcome {
	left := grantsFollow - now.Sub(p.user.CreationTimestamp.Time)
	if left <= 0 || p.record.Origin != v1alpha1.OriginAdopted || p.snapshot.WantDisabled || next.Of.Renamed() || next.Of.Leaving || !next.Loses() {
		return nil
	}
	o := waiting(v1alpha1.ReasonProgressing, "account adopted; waiting briefly for LibraryGrants before revoking access")
	o.after = left
	return o
}

// firstLook says how long a User is not worth a look: while the operator, which has just started, has not looked at the
// server, and while a Library that it is to be made with is on its way. The server's look, or the last of these Libraries,
// brings it back; the time only makes sure.
func (r *userReconciler) firstLook(ctx context.Context, object client.Object) time.Duration {
	user := object.(*v1alpha1.User)
	if len(user.Status.Conditions) > 0 {
		if _, o := r.site(ctx, user.Namespace, user.Spec.ServerRef.Name); o != nil && o.early {
			return jittered(serverPatience)
		}
	}
	if patienceLeft(user, r.Clock.Now()) <= 0 || parseRecord(user).Server != "" || !user.DeletionTimestamp.IsZero() || paused(user) {
		return 0
	}
	p := &userPass{user: user, status: &v1alpha1.UserStatus{}}
	var o *outcome
	if p.site, o = r.site(ctx, user.Namespace, user.Spec.ServerRef.Name); o != nil || p.observing() {
		return 0
	}
	if o = r.gather(ctx, p); o != nil {
		return 0
	}
	_, left := p.libraryOnItsWay(r.Clock.Now())
	return left
}

func patienceLeft(user *v1alpha1.User, now time.Time) time.Duration {
	return patience - now.Sub(user.CreationTimestamp.Time)
}

// libraryOnItsWay names a Library that a new User is to see, that is as new, and not made yet, and says how long it is
// waited for.
func (p *userPass) libraryOnItsWay(now time.Time) (name string, left time.Duration) {
	if left = patienceLeft(p.user, now); left <= 0 || p.view().AccessWithheld() {
		return "", 0
	}
	for i := range p.snapshot.Libraries {
		library := &p.snapshot.Libraries[i]
		_, wanted := p.snapshot.Effective[library.Name]
		_, resolved := p.snapshot.Beliefs.Given[library.Name]
		if wanted && !resolved && onItsWay(library) {
			return library.Name, left
		}
	}
	return "", 0
}

// librariesOnTheirWay holds a new User back while a Library that it is to see is on its way.
func (p *userPass) librariesOnTheirWay(now time.Time) *outcome {
	name, left := p.libraryOnItsWay(now)
	if left <= 0 {
		return nil
	}
	o := waiting(v1alpha1.ReasonProgressing, "Library %s is being made", name)
	o.brief, o.after = true, left
	return o
}
