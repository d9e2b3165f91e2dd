package redeem

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// annotationAttempt says when a reservation was last taken up.
const annotationAttempt = "usher.media/attempt"

func lastAttempt(r *v1alpha1.Redemption) time.Time {
	if at, err := time.Parse(time.RFC3339Nano, r.Annotations[annotationAttempt]); err == nil {
		return at
	}
	return CameAt(r)
}

func setAttempt(r *v1alpha1.Redemption, at time.Time) {
	if r.Annotations == nil {
		r.Annotations = map[string]string{}
	}
	r.Annotations[annotationAttempt] = at.Format(time.RFC3339Nano)
}

// admit takes a person with a reservation to the end.
func (e *Engine) admit(ctx context.Context, mine *v1alpha1.Redemption, account *v1alpha1.RedeemedAccount, request Request, server *media.Server) error {
	if err := e.declare(ctx, mine, account, request); err != nil {
		return err
	}
	id, err := e.await(ctx, mine, account)
	if err != nil {
		return err
	}
	key := media.AccountKey{ID: id, Username: account.Username}
	if err := server.SetPassword(ctx, key, media.NewPassword{Password: request.Password}); err != nil {
		return unavailable(err)
	}
	if err := Complete(ctx, e.client, mine, account.Server, string(id)); err != nil {
		return unavailable(err)
	}
	return nil
}

// declare makes the User of an account of a reservation, or finds the one that an earlier attempt made.
func (e *Engine) declare(ctx context.Context, mine *v1alpha1.Redemption, account *v1alpha1.RedeemedAccount, request Request) error {
	user := NewUser(mine, account, request.Person)
	user.Spec.Username = account.Username
	err := e.client.Create(ctx, user)
	switch {
	case err == nil:
		return nil
	case apierrors.IsInvalid(err):
		return e.takenBack(ctx, mine, ErrInvalid)
	case !apierrors.IsAlreadyExists(err):
		return unavailable(err)
	}
	existing := &v1alpha1.User{}
	if err := e.client.Get(ctx, client.ObjectKeyFromObject(user), existing); err != nil {
		return unavailable(err)
	}
	switch {
	case existing.Labels[v1alpha1.LabelRedemption] != mine.Name:
		return e.nameTaken(ctx, mine, existing)
	case !existing.DeletionTimestamp.IsZero():
		return unavailable(errBeingUndone)
	}
	return nil
}

// nameTaken is for a User of the wanted name that is not this reservation's. One that an abandoned attempt left behind,
// whose reservation is gone and which never had an account, is cleared away.
func (e *Engine) nameTaken(ctx context.Context, mine *v1alpha1.Redemption, existing *v1alpha1.User) error {
	other := types.NamespacedName{Namespace: mine.Namespace, Name: existing.Labels[v1alpha1.LabelRedemption]}
	orphan := other.Name != "" && len(existing.Finalizers) == 0 &&
		apierrors.IsNotFound(e.client.Get(ctx, other, &v1alpha1.Redemption{}))
	if !orphan {
		return e.takenBack(ctx, mine, ErrUsernameTaken)
	}
	err := e.client.Delete(ctx, existing, client.Preconditions{UID: &existing.UID, ResourceVersion: &existing.ResourceVersion})
	if err != nil {
		return unavailable(err)
	}
	return unavailable(errBeingUndone)
}

// await waits until the User's account is there with all that it is to have.
func (e *Engine) await(ctx context.Context, mine *v1alpha1.Redemption, account *v1alpha1.RedeemedAccount) (media.AccountID, error) {
	user := &v1alpha1.User{}
	key := types.NamespacedName{Namespace: mine.Namespace, Name: account.UserRef.Name}
	var refused bool
	err := wait.PollUntilContextTimeout(ctx, e.wait.Poll, e.wait.Account, true, func(ctx context.Context) (bool, error) {
		err := e.client.Get(ctx, key, user)
		if apierrors.IsNotFound(err) {
			return false, errBeingUndone
		}
		if err != nil {
			return false, nil // asked again until the time is over
		}
		refused = taken(user)
		return refused || ready(user), nil
	})
	switch {
	case err != nil:
		return "", unavailable(err)
	case refused:
		return "", e.undo(ctx, mine, user)
	}
	return media.AccountID(user.Status.ExternalID), nil
}

// ready says whether the account has all that its User asks for: InSync, since a User that is paused or observed is Ready
// without that.
func ready(user *v1alpha1.User) bool {
	condition := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ConditionInSync)
	return condition != nil && condition.Status == "True" && condition.ObservedGeneration == user.Generation &&
		user.Status.ExternalID != "" && user.Status.State == v1alpha1.UserActive
}

// taken says whether the name belongs to somebody else: on the server, or in the cluster.
func taken(user *v1alpha1.User) bool {
	condition := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ConditionStalled)
	return condition != nil && condition.Status == "True" && condition.ObservedGeneration == user.Generation && user.Status.ExternalID == "" &&
		(condition.Reason == v1alpha1.ReasonConflict || condition.Reason == v1alpha1.ReasonDuplicateClaim || condition.Reason == v1alpha1.ReasonAmbiguousName)
}

// undo takes back a use whose name was taken: first the User, whose controller makes sure that no account of ours is
// left, then the reservation.
func (e *Engine) undo(ctx context.Context, mine *v1alpha1.Redemption, user *v1alpha1.User) error {
	base, uid := user.DeepCopy(), user.UID
	base.UID = "" // so that the patch holds it: another User, made under this name meanwhile, is refused
	user.Spec.DeletionPolicy = v1alpha1.UserDeletionDelete
	if err := e.client.Patch(ctx, user, client.MergeFrom(base)); err != nil {
		return unavailable(err)
	}
	if err := e.client.Delete(ctx, user, client.Preconditions{UID: &uid}); client.IgnoreNotFound(err) != nil {
		return unavailable(err)
	}
	err := wait.PollUntilContextTimeout(ctx, e.wait.Poll, e.wait.Account, true, func(ctx context.Context) (bool, error) {
		err := e.client.Get(ctx, client.ObjectKeyFromObject(user), &v1alpha1.User{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		return unavailable(err)
	}
	return e.takenBack(ctx, mine, ErrUsernameTaken)
}

// takenBack frees the slot of a use that came to nothing, and returns why.
func (e *Engine) takenBack(ctx context.Context, mine *v1alpha1.Redemption, why error) error {
	if err := e.giveBack(ctx, mine); err != nil {
		return unavailable(err)
	}
	return why
}

// giveBack deletes a reservation for which nothing external exists.
func (e *Engine) giveBack(ctx context.Context, mine *v1alpha1.Redemption) error {
	return client.IgnoreNotFound(e.client.Delete(ctx, mine, client.Preconditions{UID: &mine.UID}))
}
