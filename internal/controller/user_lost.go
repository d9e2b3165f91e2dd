package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
)

// recall reads the record. One that was lost, as when the whole object is replaced by its manifest, is made again of what
// the status remembers: the id is a witness like the recorded one, and is believed no more than that one.
func (r *userReconciler) recall(ctx context.Context, p *userPass) *outcome {
	p.record = readRecord(p.user, p.identity())
	if !p.lostRecord() || p.observing() {
		return nil
	}
	s := p.user.Status
	p.record = record{ID: s.ExternalID, Origin: s.Origin, Server: p.identity(), Rotation: p.user.Annotations[v1alpha1.AnnotationRotatePassword], Assumed: true}
	if s.State == v1alpha1.UserDisabled || s.State == v1alpha1.UserExpired {
		p.record.Disabled, p.record.Method, p.record.Locked = true, s.DisableMethod, s.DisableMethod == v1alpha1.DisableLockOut
	}
	if !p.user.DeletionTimestamp.IsZero() {
		return nil
	}
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	r.warn(p.user, "RecordLost", "Recall", "the annotation %s was removed: it is written again, since the status remembers account %s", v1alpha1.AnnotationOwned, s.ExternalID)
	return nil
}

// lostRecord says whether the annotation is gone, or cannot be read, though there was one: a status names an account only
// then. A record of another server is none that was lost.
func (p *userPass) lostRecord() bool {
	return parseRecord(p.user).Server == "" && p.user.Status.ExternalID != "" && p.user.Status.Origin != ""
}

// assumePassword takes the password of the manifest for the one that the account has, after the record was lost. Where it
// was made here, it must still be what its Secret holds.
func (r *userReconciler) assumePassword(ctx context.Context, p *userPass) *outcome {
	want, o := r.wantedPassword(ctx, p)
	if o != nil {
		return o
	}
	p.record.Assumed = false
	switch {
	case want.fromSecret:
		p.record.apply(want)
	case want.kept:
		var secret corev1.Secret
		err := r.Live.Get(ctx, types.NamespacedName{Namespace: p.user.Namespace, Name: credentialsSecretName(p.user)}, &secret)
		if client.IgnoreNotFound(err) != nil {
			return retry(err)
		}
		if string(secret.Data["password"]) == want.password {
			p.record.apply(want)
		}
	}
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// vanished says what is left behind by a User that went at once, since it had lost its finalizer with its record: nobody
// could do then what its deletion policy says. One that is let go in the ordinary way had a deletion timestamp before.
func (r *userReconciler) vanished(ctx context.Context, e event.DeleteEvent, _ workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	user, ok := e.Object.(*v1alpha1.User)
	if !ok || e.DeleteStateUnknown || !user.DeletionTimestamp.IsZero() || user.Status.ExternalID == "" || user.Status.Origin == "" {
		return
	}
	if parseRecord(user).Released {
		return // what its deletion policy says, or that nothing is done, was decided with its MediaServer
	}
	r.terminating(ctx, user.Namespace)
	r.warn(user, "LeftBehind", "Release", "account %q (%s) is left on the server as it is: the User had lost its finalizer when it was deleted", user.Spec.Username, user.Status.ExternalID)
}
