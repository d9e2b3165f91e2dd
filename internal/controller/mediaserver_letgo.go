package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// forgotten closes the connection of a MediaServer that is not there any more.
func (r *mediaServerReconciler) forgotten(request reconcile.Request, err error) (reconcile.Result, error) {
	if apierrors.IsNotFound(err) {
		key := request.String()
		r.sightings.forget(key)
		r.forget(key)
		r.Events.Dependents(key)
		return reconcile.Result{}, nil
	}
	return reconcile.Result{}, err
}

// readIdentity is the server that a MediaServer has been connected to; empty before the first time.
func readIdentity(server *v1alpha1.MediaServer) string {
	var r record
	_ = json.Unmarshal([]byte(server.Annotations[v1alpha1.AnnotationOwned]), &r)
	return r.Server
}

// letGo releases a deleted MediaServer. With policy Retain its objects stay as they are: it waits only until the links of
// its Invites are closed, and for those of its objects that are deleted, too. With Cascade it waits until each of them is
// disposed of as its own policy says.
func (r *mediaServerReconciler) letGo(ctx context.Context, server *v1alpha1.MediaServer) *outcome {
	r.terminating(ctx, server.Namespace) // a namespace that is being deleted takes no events
	s := site{key: serverKey(server.Namespace, server.Name), server: server}
	objects, err := r.objectsOf(ctx, server)
	if err != nil {
		return retry(err)
	}
	if s.retained() {
		r.departures.retire(s.key, true)
		r.announceRelease(server, objects)
	}
	waitsFor := objects.held(s.waitsFor)
	left := r.ReleaseAfter - r.Clock.Since(s.goneSince(server, r.started))
	if len(waitsFor) > 0 && (s.cascading() || left > 0) {
		o := r.inUse(s, waitsFor, objects.braked())
		if s.retained() {
			o.after = left
		}
		return o
	}
	if wait := r.lingers(s, objects); wait > 0 && len(waitsFor) == 0 {
		o := waiting(v1alpha1.ReasonInUse, "being deleted: stays for a moment, for what is deleted together with it")
		o.after = wait
		return o
	}
	if len(waitsFor) > 0 {
		log.FromContext(ctx).Info("let go of a MediaServer, though not all of its objects are", "mediaServer", s.key, "objects", waitsFor)
		r.warn(server, "LeftBehind", "Release", "let go, though these are not (their links on the server may still be open): %s", bounded(strings.Join(waitsFor, ", "), 500))
	}
	if err := r.release(ctx, server); err != nil {
		return retry(err)
	}
	r.departures.forget(server.UID)
	return &outcome{kind: kindGone}
}

// lingers says how long a MediaServer that leaves everything as it is stays for those of its objects that may be deleted
// next: they are released as they are because it is being deleted, also by an operator that has just started.
func (r *mediaServerReconciler) lingers(s site, objects serverObjects) time.Duration {
	if !s.retained() || len(objects.held(func(client.Object) bool { return true })) == 0 {
		return 0
	}
	now := r.Clock.Now()
	return r.PruneWait - now.Sub(r.departures.since(s.server.UID, now))
}

// held names those that have something to let go on the server, and that a condition takes.
func (o serverObjects) held(takes func(client.Object) bool) (names []string) {
	add := func(kind string, object client.Object) {
		if controllerutil.ContainsFinalizer(object, v1alpha1.Finalizer) && takes(object) {
			names = append(names, kind+" "+object.GetName())
		}
	}
	for i := range o.invites {
		add("Invite", &o.invites[i])
	}
	for i := range o.libraries {
		add("Library", &o.libraries[i])
	}
	for i := range o.users {
		add("User", &o.users[i])
	}
	return names
}

// links names the Invites that have a link on the server.
func (o serverObjects) links() (names []string) {
	for i := range o.invites {
		if hasLink(&o.invites[i]) {
			names = append(names, o.invites[i].Name)
		}
	}
	return names
}

// braked counts the Users that the disruption limit holds.
func (o serverObjects) braked() (n int) {
	for i := range o.users {
		if isBraked(&o.users[i]) {
			n++
		}
	}
	return n
}

func deleted(object client.Object) bool { return !object.GetDeletionTimestamp().IsZero() }

// waitsFor says what a MediaServer that is being deleted waits for: with Retain, for open links, and for what is released
// in a moment; with Cascade, for everything.
func (s site) waitsFor(object client.Object) bool {
	_, isInvite := object.(*v1alpha1.Invite)
	return s.cascading() || ((isInvite || deleted(object)) && !paused(object))
}

// announceRelease says, once, what the deletion of a MediaServer leaves as it is.
func (r *mediaServerReconciler) announceRelease(server *v1alpha1.MediaServer, objects serverObjects) {
	if _, announced := r.announced.LoadOrStore(server.UID, true); announced {
		return
	}
	ending := 0
	for i := range objects.users {
		if endsLater(&objects.users[i], r.Clock.Now()) {
			ending++
		}
	}
	kind, note, links := r.normal, "", "links of Invites are closed"
	if open := objects.links(); server.Spec.Mode == v1alpha1.ModeObserve && len(open) > 0 {
		kind, links = r.warn, "mode Observe writes nothing, so that the links of these Invites stay as they are, and may still admit people: revoke them there: "+bounded(strings.Join(open, ", "), 500)
	}
	if ending > 0 {
		kind, note = r.warn, fmt.Sprintf("; %d of these accounts have an end date (expiresAt), which nobody brings about now", ending)
	}
	kind(server, "Released", "Release", "%d accounts, with their access, and %d libraries stay on the server as they are (deletionPolicy Retain); %s%s", len(objects.users), len(objects.libraries), links, note)
}

// inUse says what a deleted MediaServer waits for, and what can be done about it.
func (r *mediaServerReconciler) inUse(s site, waitsFor []string, braked int) *outcome {
	first := bounded(strings.Join(waitsFor[:min(len(waitsFor), 3)], ", "), 200)
	if s.cascading() {
		if braked > 0 {
			first += fmt.Sprintf("; the disruption limit holds %d of them (DisruptionLimit), until the annotation %s is set here as the message of each says", braked, v1alpha1.AnnotationProceed)
		}
		return waiting(v1alpha1.ReasonInUse, "being deleted with deletionPolicy Cascade: waits until each of its objects is disposed of as its own deletionPolicy says: %d still, first: %s; to leave the others as they are, run kubectl patch mediaserver %s -n %s --type=merge -p '{\"spec\":{\"deletionPolicy\":\"Retain\"}}'",
			len(waitsFor), first, s.server.Name, s.server.Namespace)
	}
	return waiting(v1alpha1.ReasonInUse, "being deleted: closes the links of its Invites, and leaves accounts, access and libraries as they are: %d objects still (first: %s), for %s at most; there is nothing to do", len(waitsFor), first, r.ReleaseAfter)
}

// lettingGo says whether something of the server is being let go, so that the connection is needed although its Secret is
// gone.
func (r *mediaServerReconciler) lettingGo(ctx context.Context, server *v1alpha1.MediaServer) bool {
	objects, err := r.objectsOf(ctx, server)
	takes := deleted
	if deleted(server) {
		takes = site{server: server}.waitsFor
	}
	return err == nil && len(objects.held(takes)) > 0
}

// remembered looks at a server whose Secret is gone, with the credentials from before, for what is being let go.
func (r *mediaServerReconciler) remembered(ctx context.Context, server *v1alpha1.MediaServer, connection media.Connection, missing outcome) (media.Connection, outcome) {
	connection.Remembered = false
	if connection.Server == nil || !r.lettingGo(ctx, server) {
		return connection, missing
	}
	probe, o := r.probe(ctx, server, connection.Server)
	if o == nil {
		o = r.sameAsBefore(ctx, server, probe.Identity)
	}
	if o == nil {
		if err := connection.Server.Refresh(ctx, probe.Self); err != nil {
			failed := connectionOutcome(err)
			o = &failed
		}
	}
	if o != nil {
		missing.message += "; with the credentials from before: " + o.message
		return connection, missing
	}
	connection.Probe, connection.Remembered = probe, true
	missing.message += "; what is being deleted is still let go, with the credentials from before"
	return connection, missing
}
