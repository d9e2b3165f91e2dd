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

// retained says whether the MediaServer is being deleted and leaves everything as it is.
func (s site) retained() bool { return !s.server.DeletionTimestamp.IsZero() && !s.cascades() }

// cascading says whether the MediaServer is being deleted, and each of its objects is disposed of as its own policy says.
func (s site) cascading() bool { return !s.server.DeletionTimestamp.IsZero() && s.cascades() }

func (s site) cascades() bool {
	return s.server.Spec.DeletionPolicy == v1alpha1.MediaServerDeletionCascade
}

// left is the outcome of an object that is not being deleted, but whose MediaServer or namespace is: it stays as it is,
// with all that its status says. Nil for any other.
func (k *Kit) left(ctx context.Context, s site, namespace string) *outcome {
	if s.retained() {
		o := waiting(v1alpha1.ReasonDeleting, "MediaServer %s is being deleted, and leaves this as it is", s.server.Name)
		o.brief, o.after = true, jittered(safetyPoll)
		return o
	}
	return k.inTerminating(ctx, namespace)
}

// fate says whether an object is released as it is, because its server is being left altogether. The outcome is that of an
// object that waits until this can be told.
func (k *Kit) fate(ctx context.Context, object client.Object, s site) (leaving bool, o *outcome) {
	switch {
	case !deleted(object):
		return false, k.mayBeNext(s)
	case s.cascades():
		return false, nil
	case s.retained(), s.server.UID == "" && k.departures.isRetired(s.key):
		return true, nil
	}
	now := k.Clock.Now()
	if left := k.PruneWait - now.Sub(k.departures.since(object.GetUID(), now)); left > 0 {
		o := waiting(v1alpha1.ReasonDeleting, "waits whether MediaServer %s is being deleted, too", s.server.Name)
		o.brief, o.after = true, left
		return false, o
	}
	leaving, err := k.leaving(ctx, object.GetNamespace(), s)
	if err != nil {
		return false, retry(err)
	}
	return leaving, nil
}

// mayBeNext holds an object back that is not deleted, and whose MediaServer is, with policy Cascade: it may be the next to
// be deleted, and is let go for its own sake then.
func (k *Kit) mayBeNext(s site) *outcome {
	now := k.Clock.Now()
	left := k.PruneWait - now.Sub(k.departures.since(s.server.UID, now))
	if left <= 0 {
		return nil
	}
	o := waiting(v1alpha1.ReasonDeleting, "MediaServer %s is being deleted", s.server.Name)
	o.brief, o.after = true, left
	return o
}

// letGoSite resolves the server of an object that is being let go. It is more patient than site: a connection whose
// Secret is gone is still used while the server answers to it, since its credentials are remembered.
func (k *Kit) letGoSite(ctx context.Context, namespace, server string) (site, *outcome) {
	s, o := k.site(ctx, namespace, server)
	if s.connection.Remembered && s.connection.Generation == s.server.Generation {
		s.connection.Up = true
		return s, nil
	}
	if o != nil && s.connection.Reason == v1alpha1.ReasonSecretNotFound {
		k.Events.Server(s.key) // it looks whether the server still answers to the credentials from before
	}
	return s, o
}

// patience ends the wait of an object that is being let go, once its server has been gone for ReleaseAfter: it is released
// with an event that says what stays behind. Anything else that it waits for, it goes on waiting for.
func (k *Kit) patience(ctx context.Context, object client.Object, s site, o *outcome, what string) *outcome {
	why := s.goneForGood()
	if (o.kind != kindWaiting && o.kind != kindRetry) || o.brief || o.reason == v1alpha1.ReasonDisruptionLimit || why == "" || apierrors.ReasonForError(o.err) != "" {
		return o
	}
	if left := k.ReleaseAfter - k.Clock.Since(s.goneSince(object, k.started)); left > 0 {
		o.kind, o.err = kindWaiting, nil
		o.after = min(left, time.Minute)
		o.message += "; let go in " + left.Round(time.Second).String() + " with " + what + " left as it is"
		return o
	}
	// In a namespace that is being deleted nobody can write an event.
	log.FromContext(ctx).Info("let go of an object whose MediaServer is gone; it stays on the server as it is", "mediaServer", s.key, "what", what, "why", why)
	k.warn(object, "LeftBehind", "Release", "%s: %s stays on the server as it is", why, what)
	return nil
}

// goneForGood says in words why a server may never be reached again; empty where it will be.
func (s site) goneForGood() string {
	c := s.connection
	name := "MediaServer " + s.server.Name
	switch {
	case s.server.UID == "":
		return name + " is gone"
	case c.Reason == "", c.Up: // not looked at yet; or there
		return ""
	case c.Reason == v1alpha1.ReasonSecretNotFound && c.Server == nil:
		return "the Secret of " + name + " is gone, and so are its credentials, since Usher was started after that"
	case c.Reason == v1alpha1.ReasonSecretNotFound:
		return "the Secret of " + name + " is gone, and the server cannot be reached with the credentials from before"
	case !s.server.DeletionTimestamp.IsZero():
		return name + " is being deleted, and its server cannot be reached"
	}
	return ""
}

// goneSince is since when an object has waited for a server that is gone. While the operator was not there, nobody waited.
func (s site) goneSince(object client.Object, started time.Time) time.Time {
	since := started
	for _, at := range []time.Time{s.connection.SecretGone, deletedAt(object), deletedAt(s.server)} {
		if at.After(since) {
			since = at
		}
	}
	return since
}

func deletedAt(object client.Object) time.Time {
	if at := object.GetDeletionTimestamp(); at != nil {
		return at.Time
	}
	return time.Time{}
}

// released removes the finalizer and ends the reconcile.
func (k *Kit) released(ctx context.Context, object client.Object) *outcome {
	if err := k.release(ctx, object); err != nil {
		return retry(err)
	}
	k.departures.forget(object.GetUID())
	if object.GetDeletionTimestamp().IsZero() {
		return waiting(v1alpha1.ReasonDeleting, "its MediaServer is being deleted, and nothing is managed any more")
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

// confirmDeleting reads live that the object is being deleted, or else its MediaServer with policy Cascade: nothing that
// cannot be undone is done on the word of a cache.
func (k *Kit) confirmDeleting(ctx context.Context, s site, object client.Object) error {
	live := object.DeepCopyObject().(client.Object)
	if err := k.Live.Get(ctx, client.ObjectKeyFromObject(object), live); err != nil {
		return err
	}
	if live.GetUID() == object.GetUID() && !live.GetDeletionTimestamp().IsZero() {
		return nil
	}
	if live.GetUID() == object.GetUID() && s.cascading() {
		var server v1alpha1.MediaServer
		if err := k.Live.Get(ctx, client.ObjectKeyFromObject(s.server), &server); err != nil {
			return err
		}
		if (site{server: &server}).cascading() && server.UID == s.server.UID {
			return nil
		}
	}
	return fmt.Errorf("%s is not being deleted (any more): the cache is behind", object.GetName())
}
