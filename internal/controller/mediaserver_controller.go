package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// mediaServerReconciler keeps one connection a MediaServer: it opens, probes and lists, and tells its objects.
// Every reconcile is one look at the server.
type mediaServerReconciler struct {
	*Kit
	// announced holds the UIDs of the deleted MediaServers of which it was said what stays behind.
	announced sync.Map
	// surplus holds, by the UID of the MediaServer, that more undeclared accounts can sign in than before, until it is said.
	surplus sync.Map
}

const (
	defaultSyncInterval = 5 * time.Minute
	firstProbeBackoff   = time.Second
	lastProbeBackoff    = time.Minute
	// lettingGoBackoff is lastProbeBackoff while something waits to be let go: what is taken back, is so seconds after the
	// server is there again.
	lettingGoBackoff = 5 * time.Second
)

// +kubebuilder:rbac:groups=usher.media,resources=mediaservers,verbs=get;list;watch;patch;administer
// +kubebuilder:rbac:groups=usher.media,resources=mediaservers/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch

// Reconcile looks at the server once.
func (r *mediaServerReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	server := &v1alpha1.MediaServer{}
	if err := r.Client.Get(ctx, request.NamespacedName, server); err != nil {
		return r.forgotten(request, err)
	}
	before := server.DeepCopy()
	status := server.Status.DeepCopy()
	key := serverKey(server.Namespace, server.Name)
	now := r.Clock.Now()
	status.TakingOver = takingOver(server, r.Policies.Bound(), now)
	status.AcceptedObjects = access.NoteAccepted(server.Annotations[v1alpha1.AnnotationAcceptObjectsBefore], status.AcceptedObjects, server.CreationTimestamp.Time, now)
	connection, result := r.look(ctx, server, status)
	if result.kind == kindGone {
		r.sightings.forget(key)
		r.forget(key)
	} else {
		r.publish(key, server, connection, &result)
	}
	server.Status = *status
	server.Status.State = mediaServerState(result)
	if deleted(server) && server.Status.State == v1alpha1.MediaServerPending {
		server.Status.State = v1alpha1.MediaServerDeleting
	}
	return finish(ctx, r.Kit, before, server, result)
}

func mediaServerState(result outcome) v1alpha1.MediaServerState {
	switch {
	case result.kind == kindDone, result.connected, result.kind == kindHeld && result.reason == v1alpha1.ReasonObserving:
		return v1alpha1.MediaServerConnected
	case result.kind == kindStalled, result.reason == v1alpha1.ReasonSetupRequired, result.reason == v1alpha1.ReasonCredentialsRefused:
		return v1alpha1.MediaServerRefused
	case result.reason == v1alpha1.ReasonServerUnavailable, result.reason == v1alpha1.ReasonRateLimited:
		return v1alpha1.MediaServerUnavailable
	}
	return v1alpha1.MediaServerPending
}

// look goes through the phases. It returns the connection as found, which is published with the outcome.
func (r *mediaServerReconciler) look(ctx context.Context, server *v1alpha1.MediaServer, status *v1alpha1.MediaServerStatus) (media.Connection, outcome) {
	connection := r.Connections.Get(serverKey(server.Namespace, server.Name))
	if paused(server) {
		return connection, held(v1alpha1.ReasonPaused, "paused by the annotation "+v1alpha1.AnnotationPaused)
	}
	if wait := connection.RetryAt.Sub(r.Clock.Now()); connection.Reason == v1alpha1.ReasonRateLimited && wait > 0 && connection.Generation == server.Generation {
		return connection, outcome{kind: kindWaiting, reason: connection.Reason, message: connection.Message, after: wait}
	}
	if !server.DeletionTimestamp.IsZero() {
		inUse := r.letGo(ctx, server)
		if inUse.reason != v1alpha1.ReasonInUse {
			return connection, *inUse
		}
		connection, result := r.connect(ctx, server, status)
		if result.kind == kindDone || result.kind == kindHeld || result.connected {
			result = *inUse
		}
		return connection, result
	}
	r.departures.retire(serverKey(server.Namespace, server.Name), false)
	return r.connect(ctx, server, status)
}

// connect opens, probes and lists.
func (r *mediaServerReconciler) connect(ctx context.Context, server *v1alpha1.MediaServer, status *v1alpha1.MediaServerStatus) (media.Connection, outcome) {
	connection, o := r.open(ctx, server)
	if o != nil && o.reason == v1alpha1.ReasonSecretNotFound {
		return r.remembered(ctx, server, connection, *o)
	}
	if o != nil {
		return connection, *o
	}
	probe, o := r.probe(ctx, server, connection.Server)
	if o != nil {
		return connection, *o // what the server said before stays known
	}
	if o := r.sameAsBefore(ctx, server, probe.Identity); o != nil {
		return connection, *o // and so does what the server said that used to be here
	}
	if o := r.alone(ctx, server, status, probe.Identity); o != nil {
		return connection, *o
	}
	if o := r.recordIdentity(ctx, server, probe.Identity, connection.Server.Guards()); o != nil {
		return connection, *o
	}
	connection.Probe = probe
	connection.Server.Expect(probe.Identity)
	if o := r.register(ctx, server, status, connection); o != nil {
		return connection, *o
	}
	if err := connection.Server.Refresh(ctx, connection.Probe.Self); err != nil {
		return connection, connectionOutcome(err)
	}
	if o := r.mend(ctx, server, connection); o != nil {
		return connection, *o
	}
	r.sweepLinks(ctx, server, status, connection)
	if err := r.tellOfAnotherKey(ctx, server, status); err != nil {
		return connection, *retry(err)
	}
	return connection, r.describe(ctx, server, status, connection)
}

// probe asks the server who it is, and makes its first account when that is wanted.
func (r *mediaServerReconciler) probe(ctx context.Context, server *v1alpha1.MediaServer, to *media.Server) (media.Probe, *outcome) {
	probe, err := to.Probe(ctx)
	if err == nil && probe.SetupRequired {
		if o := r.bootstrap(ctx, server, to, probe); o != nil {
			return probe, o
		}
		probe, err = to.Probe(ctx)
	}
	if err != nil {
		o := connectionOutcome(err)
		return probe, &o
	}
	return probe, nil
}

// bootstrap makes the first account of a brand-new server; never of one that was seen before, since that one has
// lost its data and its people.
func (r *mediaServerReconciler) bootstrap(ctx context.Context, server *v1alpha1.MediaServer, to *media.Server, probe media.Probe) *outcome {
	switch {
	case r.knownIdentity(ctx, server) != "" && server.Annotations[v1alpha1.AnnotationAcceptServerIdentity] != probe.Identity:
		return stalled(v1alpha1.ReasonIdentityChanged, "the server was seen before and is empty now: restore its data, or set the annotation %s to %q to begin anew",
			v1alpha1.AnnotationAcceptServerIdentity, probe.Identity)
	case !server.Spec.Bootstrap || server.Spec.Mode == v1alpha1.ModeObserve:
		return waiting(v1alpha1.ReasonSetupRequired, "the server has no account yet: set spec.bootstrap to true (mode Enforce), or make its first account by hand with the credentials of Secret %s",
			server.Spec.Credentials.SecretRef.Name)
	}
	if err := to.Bootstrap(media.WithReason(ctx, "the server has no account yet, and spec.bootstrap is true")); err != nil && media.CodeOf(err) != media.AlreadyExists {
		o := connectionOutcome(err)
		return &o
	}
	r.normal(server, "Bootstrapped", "Bootstrap", "made the server's first account from Secret %s", server.Spec.Credentials.SecretRef.Name)
	return nil
}

// sameAsBefore makes sure that the same server answers behind the URL.
func (r *mediaServerReconciler) sameAsBefore(ctx context.Context, server *v1alpha1.MediaServer, identity string) *outcome {
	recorded := r.knownIdentity(ctx, server)
	accepted := server.Annotations[v1alpha1.AnnotationAcceptServerIdentity]
	if recorded != "" && recorded != identity && accepted != identity {
		r.sightings.forget(serverKey(server.Namespace, server.Name))
		return stalled(v1alpha1.ReasonIdentityChanged, "another server answers at this URL (%s, was %s): nothing is written to it; mend the URL, or set the annotation %s to %q to accept it",
			identity, recorded, v1alpha1.AnnotationAcceptServerIdentity, identity)
	}
	return nil
}

// recordIdentity records the server the first time.
func (r *mediaServerReconciler) recordIdentity(ctx context.Context, server *v1alpha1.MediaServer, identity string, guards []string) *outcome {
	if server.Spec.Mode == v1alpha1.ModeObserve || !server.DeletionTimestamp.IsZero() {
		return nil
	}
	known := readRecord(server, identity)
	known.Server, known.Guards = identity, guards
	if err := r.writeRecord(ctx, server, known); err != nil {
		return retry(err)
	}
	return nil
}

// register sets the registration mode where the manifest asks for one.
func (r *mediaServerReconciler) register(ctx context.Context, server *v1alpha1.MediaServer, status *v1alpha1.MediaServerStatus, connection media.Connection) *outcome {
	status.Plan = nil
	want := media.RegistrationMode(server.Spec.Registration)
	probe := connection.Probe
	switch {
	case want == "" || probe.Registration == want || !server.DeletionTimestamp.IsZero():
		return nil
	case !probe.Capabilities.Registration:
		return stalled(v1alpha1.ReasonUnsupported, "this server has no registration modes: remove spec.registration")
	case server.Spec.Mode == v1alpha1.ModeObserve:
		status.Plan = []string{"set registration to " + string(want) + " (now " + string(probe.Registration) + ")"}
		return nil
	}
	if err := connection.Server.SetRegistration(media.WithReason(ctx, "registration from "+string(probe.Registration)+" to "+string(want)), want); err != nil {
		o := connectionOutcome(err)
		return &o
	}
	r.normal(server, "RegistrationSet", "Register", "registration is now %s (was %s)", want, probe.Registration)
	return nil
}

// describe fills the status after a successful look.
func (r *mediaServerReconciler) describe(ctx context.Context, server *v1alpha1.MediaServer, status *v1alpha1.MediaServerStatus, connection media.Connection) outcome {
	probe := connection.Probe
	accounts, libraries := connection.Server.Inventory().Counts()
	status.Identity, status.Version, status.Account = probe.Identity, bounded(probe.Version, 64), bounded(probe.SelfName, 128)
	status.Capabilities = probe.Capabilities.Names()
	status.Users, status.Libraries = int32(accounts), int32(libraries)
	declared, err := r.objectsOf(ctx, server)
	if err != nil {
		return *retry(err)
	}
	undeclared, canSignIn := declared.undeclared(r.lookedAt(server, connection))
	status.Undeclared = undeclared
	r.warnOfMore(server, undeclared, canSignIn)
	message := "connected"
	if server.Spec.TLS != nil && server.Spec.TLS.InsecureSkipVerify {
		message = "connected, WITHOUT verifying the server's certificate (spec.tls.insecureSkipVerify)"
	}
	if len(probe.Warnings) > 0 {
		message += "; but " + bounded(strings.Join(probe.Warnings, "; "), 700)
		r.warnAgain(server, probe.Warnings)
	}
	if o := unreadable(server); o != nil {
		o.message, o.connected = o.message+fmt.Sprintf("; until then it is %s", defaultSyncInterval), true
		return *o
	}
	if server.Spec.Mode == v1alpha1.ModeObserve {
		if plans := declared.plans(status.Plan); plans != "" {
			return held(v1alpha1.ReasonObserving, "mode Observe, "+plans)
		}
	}
	return done(v1alpha1.ReasonSynced, message)
}

// connectionOutcome turns an error of the connection into an outcome of the MediaServer.
func connectionOutcome(err error) outcome {
	o := fromServer(err)
	switch reason := connectionReason(err); {
	case errors.Is(err, media.ErrOtherServer): // of its two halves: the database, since the identity was read
		o = stalled(v1alpha1.ReasonIdentityChanged, "%s", err)
	case reason == "":
	case reason == v1alpha1.ReasonCredentialsRefused:
		o = waiting(reason, "%s: mend the Secret, or the account's rights on the server", err)
	default:
		o = waiting(reason, "%s", err)
	}
	o.after = media.RetryAfter(err)
	return *o
}
