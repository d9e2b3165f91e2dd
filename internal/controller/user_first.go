package controller

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// patience is how long a new account waits for libraries that are being made at the same time, so that it is made with
// them, in one call.
const patience = 5 * time.Second

// firstLook says how long a User is not worth a look: while a Library that it is to be made with is on its way. Each of
// these brings it back when it is there; the time only makes sure.
func (r *userReconciler) firstLook(ctx context.Context, object client.Object) time.Duration {
	user := object.(*v1alpha1.User)
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
	if left = patienceLeft(p.user, now); left <= 0 || p.withheld() {
		return "", 0
	}
	for i := range p.libraries {
		library := &p.libraries[i]
		_, wanted := p.effective[library.Name]
		_, resolved := p.ids[library.Name]
		if wanted && !resolved && meta.FindStatusCondition(library.Status.Conditions, v1alpha1.ConditionReady) == nil {
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
