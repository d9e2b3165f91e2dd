package redeem

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// AbandonedAfter is when a reservation counts as abandoned: much longer than any attempt lasts.
const AbandonedAfter = 10 * time.Minute

// Sweep frees the slot of each reservation that a crash left before anything was made for it: nobody has worked on it
// for long, and no User was declared, so that there can be no account. The client must read live.
//
// It returns how many it freed, and when the next may be abandoned (the zero time: none).
func Sweep(ctx context.Context, live client.Client, redemptions []v1alpha1.Redemption, now time.Time) (freed int, next time.Time, err error) {
	for i := range redemptions {
		r := &redemptions[i]
		if r.Status.Phase == v1alpha1.RedemptionCompleted || !r.DeletionTimestamp.IsZero() {
			continue
		}
		if at := lastAttempt(r).Add(AbandonedAfter); now.Before(at) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		done, err := free(ctx, live, r)
		if err != nil {
			return freed, next, err
		}
		if done {
			freed++
		}
	}
	return freed, next, nil
}

// free deletes a reservation without a User, unless somebody took it up meanwhile.
func free(ctx context.Context, live client.Client, r *v1alpha1.Redemption) (bool, error) {
	if len(r.Spec.Accounts) == 0 { // of before it had accounts: nobody can tell who came by it
		return false, nil
	}
	for _, account := range r.Spec.Accounts {
		err := live.Get(ctx, types.NamespacedName{Namespace: r.Namespace, Name: account.UserRef.Name}, &v1alpha1.User{})
		if !apierrors.IsNotFound(err) {
			return false, err
		}
	}
	err := live.Delete(ctx, r, client.Preconditions{UID: &r.UID, ResourceVersion: &r.ResourceVersion})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
