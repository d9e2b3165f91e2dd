package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/usher-media/usher/api/v1alpha1"
)

// letGoSite resolves the server of an object that is being deleted. It is more patient than site: a connection whose
// Secret is gone is still used, since its credentials are remembered until its objects are done. Where the server is
// gone for good, the object is released after a grace period, with an event that says what stays behind.
func (k *Kit) letGoSite(ctx context.Context, object client.Object, server, what string) (site, *outcome) {
	s, o := k.site(ctx, object.GetNamespace(), server)
	if o == nil {
		return s, nil
	}
	c := s.connection
	if c.Server != nil && c.Probe.Identity != "" && c.Reason == v1alpha1.ReasonSecretNotFound {
		s.connection.Up = true
		return s, nil
	}
	looked := c.Reason != "" && c.Generation == s.server.Generation
	gone := o.reason == v1alpha1.ReasonServerNotFound || (looked && (!s.server.DeletionTimestamp.IsZero() || c.Reason == v1alpha1.ReasonSecretNotFound))
	if !gone {
		return s, o
	}
	since := object.GetDeletionTimestamp().Time
	if since.Before(k.started) { // while the operator was not there, nobody waited
		since = k.started
	}
	waited := k.Clock.Since(since)
	if left := k.ReleaseAfter - waited; left > 0 {
		o.after = min(left, time.Minute)
		o.message += "; let go in " + left.Round(time.Second).String() + " with " + what + " left as it is"
		return s, o
	}
	// In a namespace that is being deleted nobody can write an event.
	log.FromContext(ctx).Info("let go of an object whose MediaServer is gone; it stays on the server as it is", "mediaServer", server, "what", what)
	k.warn(object, "LeftBehind", "Release", "MediaServer %s is gone: %s stays on the server as it is", server, what)
	return s, k.released(ctx, object)
}

// released removes the finalizer and ends the reconcile.
func (k *Kit) released(ctx context.Context, object client.Object) *outcome {
	if err := k.release(ctx, object); err != nil {
		return retry(err)
	}
	return &outcome{kind: kindGone}
}

// confirmCurrent reads the object live and compares: nothing is done to anybody on the word of a cache that is behind, as
// that of an operator that has just started can be. Everything that was taken from an account has changed its User's
// status, so an old view of the rest comes with an old version of the User.
func (k *Kit) confirmCurrent(ctx context.Context, object client.Object) error {
	live := object.DeepCopyObject().(client.Object)
	if err := k.Live.Get(ctx, client.ObjectKeyFromObject(object), live); err != nil {
		return err
	}
	if live.GetUID() != object.GetUID() || live.GetResourceVersion() != object.GetResourceVersion() {
		return apierrors.NewConflict(schema.GroupResource{Group: v1alpha1.GroupVersion.Group}, object.GetName(), errors.New("the cache is behind"))
	}
	return nil
}

// confirmDeleting reads the object live: nothing that cannot be undone is done on the word of a cache.
func (k *Kit) confirmDeleting(ctx context.Context, object client.Object) error {
	live := object.DeepCopyObject().(client.Object)
	if err := k.Live.Get(ctx, client.ObjectKeyFromObject(object), live); err != nil {
		return err
	}
	if live.GetUID() != object.GetUID() || live.GetDeletionTimestamp().IsZero() {
		return fmt.Errorf("%s is not being deleted (any more): the cache is behind", object.GetName())
	}
	return nil
}
