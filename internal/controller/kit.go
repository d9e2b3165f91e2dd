package controller

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/admission"
	"github.com/usher-media/usher/internal/media"
)

// Kit is what all reconcilers share.
type Kit struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Cached reads from the cache alone, where Secrets are kept as metadata.
	Cached client.Reader
	// Live reads and writes without a cache: for Secrets, and before anything that cannot be undone.
	Live client.Client
	// Recorder emits events.
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Drivers by type of MediaServer.
	Drivers map[v1alpha1.MediaServerType]media.Open
	// Observe is told of every call to a media server; may be nil.
	Observe func(server string, call media.Call)
	// Forget is told of every MediaServer that is no more; may be nil.
	Forget func(server string)
	// Acting is closed when this replica begins to act; nil when it always does.
	Acting <-chan struct{}
	// Grants are LibraryGrants compiled, shared by all reconciles.
	Grants *access.GrantCache
	// Keyring derives first passwords and hashes.
	Keyring *Keyring
	// Connections of all MediaServers.
	Connections *media.Connections
	// Events enqueue objects when something outside Kubernetes changed.
	Events *ExternalEvents
	// Policies knows whether the admission policies bind.
	Policies *admission.Guard
	// AllowedAddresses may be dialled though no media server is usually there.
	AllowedAddresses []netip.Prefix
	// PortalURL is where Usher's own invite pages are; empty where it serves none.
	PortalURL string
	// ReleaseAfter is how long a deleted object waits for a MediaServer that is itself gone, before it is let go with
	// an event that says what stays behind.
	ReleaseAfter time.Duration
	// PruneWait is how long a deletion waits before it takes anything from anybody (see DefaultPruneWait).
	PruneWait time.Duration

	// sightings of the servers at the MediaServers' URLs.
	sightings *sightings

	counters counters
	// renewals spreads what an accepted key makes anew.
	renewals   renewals
	closed     closedLinks
	departures departures
	namespaces namespaces
	crds       crds
	// started is when the operator began to look.
	started time.Time
}

// Defaults of a Kit.
const (
	// DefaultReleaseAfter is how long a deleted object waits for a MediaServer that is gone.
	DefaultReleaseAfter = 10 * time.Minute
	// safetyPoll brings back an object that waits, should a wake-up ever be missed.
	safetyPoll = 10 * time.Minute
)

func (k *Kit) normal(object client.Object, reason, action, format string, args ...any) {
	k.event(object, "Normal", reason, action, format, args...)
}

func (k *Kit) warn(object client.Object, reason, action, format string, args ...any) {
	k.event(object, "Warning", reason, action, format, args...)
}

// event emits an event, but not in a namespace that is being deleted, which takes none.
func (k *Kit) event(object client.Object, kind, reason, action, format string, args ...any) {
	if k.knownTerminating(object.GetNamespace()).terminating {
		return
	}
	k.Recorder.Eventf(object, nil, kind, reason, action, format, args...)
}

// acting says whether this replica is the one that acts.
func (k *Kit) acting() bool {
	select {
	case <-k.Acting:
		return true
	default:
		return k.Acting == nil
	}
}

// forget drops all that is known of a MediaServer.
func (k *Kit) forget(key string) {
	k.Connections.Remove(key)
	k.closed.forget(key)
	if k.Forget != nil {
		k.Forget(key)
	}
}

// serverKey names a MediaServer in Connections.
func serverKey(namespace, name string) string { return namespace + "/" + name }

// reportFailure tells the connection of an error that concerns all of its objects, so that they wait together
// and the MediaServer's own reconcile finds out what is the matter. Other errors pass by.
func (k *Kit) reportFailure(s site, err error) {
	reason := connectionReason(err)
	if reason == "" || !media.ConcernsConnection(err) || errors.Is(err, context.Canceled) {
		return
	}
	if k.Connections.Fail(s.key, s.connection.Server, reason, err.Error(), k.Clock.Now().Add(media.RetryAfter(err))) {
		k.Events.Server(s.key)
	}
}

// connectionReason says which errors concern the connection rather than one object; empty for the others.
func connectionReason(err error) string {
	switch media.CodeOf(err) {
	case media.Unavailable:
		return v1alpha1.ReasonServerUnavailable
	case media.RateLimited:
		return v1alpha1.ReasonRateLimited
	case media.Unauthenticated, media.PermissionDenied:
		return v1alpha1.ReasonCredentialsRefused
	}
	return ""
}
