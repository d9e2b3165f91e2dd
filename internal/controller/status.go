package controller

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// object is one of Usher's kinds, as far as its status is concerned.
type object interface {
	client.Object
	StatusConditions() *[]metav1.Condition
	SetObservedGeneration(int64)
}

// finish turns an outcome into conditions, writes the status once when it differs from before, and says when to
// look again. before is the object as it was read, now with the status that the reconcile computed.
func finish(ctx context.Context, k *Kit, before, now object, o outcome) (reconcile.Result, error) {
	if o.kind == kindGone {
		held := heldByOthers(now)
		if held == nil {
			return reconcile.Result{}, nil
		}
		o = *held
	}
	if apierrors.IsConflict(o.err) {
		return overtaken, nil
	}
	if apierrors.HasStatusCause(o.err, corev1.NamespaceTerminatingCause) {
		o = *namespaceDeleted(now.GetNamespace()) // nothing can be made there any more
	}
	if o.early && len(*before.StatusConditions()) > 0 {
		return reconcile.Result{RequeueAfter: jittered(safetyPoll)}, nil // the first look brings it back
	}
	if o.brief {
		return reconcile.Result{RequeueAfter: o.after}, nil // what it waits for brings it back
	}
	_, isGrant := now.(*v1alpha1.LibraryGrant)
	o.conditions(now.StatusConditions(), !isGrant, now.GetGeneration(), k.Clock.Now())
	if o.handled() {
		now.SetObservedGeneration(now.GetGeneration())
	}
	err := writeStatus(ctx, k.Client, before, now)
	if apierrors.IsConflict(err) {
		return overtaken, nil
	}
	if err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	k.warnOfFailure(before, now, o)
	if o.err != nil {
		return reconcile.Result{}, o.err
	}
	if o.kind == kindWaiting && o.after == 0 {
		o.after = jittered(safetyPoll)
	}
	priority := handler.LowPriority
	return reconcile.Result{RequeueAfter: o.after, Priority: &priority}, nil
}

// heldByOthers is the outcome of an object that is let go and stays all the same, because of the finalizers of others: nil for one
// that is gone.
func heldByOthers(object object) *outcome {
	others := slices.DeleteFunc(slices.Clone(object.GetFinalizers()), func(f string) bool { return f == v1alpha1.Finalizer })
	if object.GetDeletionTimestamp().IsZero() || len(others) == 0 {
		return nil
	}
	return waiting(v1alpha1.ReasonDeleting, "let go: Usher manages nothing of it any more. It stays because of the finalizers of others: %s", bounded(strings.Join(others, ", "), 500))
}

// warnOfFailure emits an event when an object has just failed: when it stalls, or a MediaServer that was connected no longer
// is. An outage of a server is one event, not one of each of its objects.
func (k *Kit) warnOfFailure(before, now object, o outcome) {
	const action = "Reconcile"
	stalledBefore := meta.FindStatusCondition(*before.StatusConditions(), v1alpha1.ConditionStalled)
	_, isServer := now.(*v1alpha1.MediaServer)
	wasReady := meta.IsStatusConditionTrue(*before.StatusConditions(), v1alpha1.ConditionReady)
	switch {
	case o.kind == kindStalled && (stalledBefore == nil || stalledBefore.Reason != o.reason),
		isServer && wasReady && now.GetDeletionTimestamp().IsZero() && (o.kind == kindWaiting || o.kind == kindRetry):
		k.warn(now, o.reason, action, "%s", bounded(o.message, 1000))
	}
}

// overtaken is for an object that somebody else wrote in between: their event brings it back, this only makes sure.
var overtaken = reconcile.Result{RequeueAfter: time.Second}

// writeStatus sends the difference of the status, or nothing when there is none. It uses optimistic locking: status updates
// trigger no reconcile, so a status computed from a stale object would persist.
func writeStatus(ctx context.Context, c client.Client, before, now object) error {
	base := before.DeepCopyObject().(client.Object)
	// Metadata is not the status's business: only what differs below .status is sent.
	base.SetResourceVersion(now.GetResourceVersion())
	base.SetAnnotations(now.GetAnnotations())
	base.SetFinalizers(now.GetFinalizers())
	base.SetManagedFields(now.GetManagedFields())
	if apiequality.Semantic.DeepEqual(base, now) {
		return nil
	}
	return c.Status().Patch(ctx, now, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
}

// setCondition is meta.SetStatusCondition with the caller's clock.
func setCondition(conditions *[]metav1.Condition, condition metav1.Condition, now time.Time) {
	condition.Message = bounded(condition.Message, 1024)
	if old := meta.FindStatusCondition(*conditions, condition.Type); old == nil || old.Status != condition.Status {
		condition.LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
	}
	meta.SetStatusCondition(conditions, condition)
}

func removeCondition(conditions *[]metav1.Condition, kind string) {
	meta.RemoveStatusCondition(conditions, kind)
}

// bounded cuts a text that came from outside.
func bounded(text string, limit int) string { return media.Truncate(text, limit) }

// maxListed bounds every list in a status.
const maxListed = 50

// firstListed cuts a list for a status.
func firstListed[T any](items []T) []T {
	return items[:min(len(items), maxListed)]
}
