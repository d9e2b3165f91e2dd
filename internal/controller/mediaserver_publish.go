package controller

import (
	"math/rand/v2"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// publish tells the server's objects how the connection is, and says when to look again.
func (r *mediaServerReconciler) publish(key string, server *v1alpha1.MediaServer, connection media.Connection, result *outcome) {
	now := r.Clock.Now()
	interval := syncInterval(server)
	connection.Generation = server.Generation
	connection.Reason, connection.Message = result.reason, result.message
	connection.Up = result.kind == kindDone || result.connected || result.reason == v1alpha1.ReasonObserving || result.reason == v1alpha1.ReasonInUse
	switch {
	case result.reason != v1alpha1.ReasonSecretNotFound:
		connection.SecretGone, connection.Remembered = time.Time{}, false
	case connection.SecretGone.IsZero():
		connection.SecretGone = now
	}
	if connection.Up {
		connection.Failures, connection.StaleAt = 0, now.Add(2*interval+firstProbeBackoff)
		if wait := jittered(interval); result.after == 0 || wait < result.after {
			result.after = wait
		}
	} else {
		connection.Failures++
		longest := lastProbeBackoff
		if !server.DeletionTimestamp.IsZero() || (!connection.SecretGone.IsZero() && connection.Server != nil) {
			longest = lettingGoBackoff
		}
		result.after = backoff(connection, *result, longest)
	}
	connection.RetryAt = now.Add(result.after)
	before := r.Connections.Put(key, connection)
	wentStale := !now.Before(connection.StaleAt) && (before.RetryAt.Before(connection.StaleAt) || before.RetryAt.IsZero())
	unseen := connection.Failures == unseenAfter
	if connection.Up || before.Up || unseen || before.Server == nil || before.Generation != connection.Generation || before.Reason != connection.Reason || before.Remembered != connection.Remembered || wentStale {
		r.Events.Dependents(key)
	}
}

// backoff is how long to wait before the next look at a server that is not up: what the server asked for, a long
// while for what a person must mend (whose edit wakes it), else from a second doubling to the longest.
func backoff(connection media.Connection, result outcome, longest time.Duration) time.Duration {
	switch {
	case result.after > 0:
		return result.after
	case result.reason == v1alpha1.ReasonIdentityChanged:
		return jittered(lastProbeBackoff) // the right server may come back by itself
	case result.kind == kindStalled, result.kind == kindHeld:
		return jittered(safetyPoll)
	}
	return jittered(min(firstProbeBackoff<<min(connection.Failures-1, 10), longest))
}

func syncInterval(server *v1alpha1.MediaServer) time.Duration {
	if server.Spec.SyncInterval == nil {
		return defaultSyncInterval
	}
	interval, err := server.Spec.SyncInterval.Parse()
	if err != nil {
		return defaultSyncInterval
	}
	return interval
}

// jittered spreads a wait by a tenth, so that what waits together does not come back together.
func jittered(d time.Duration) time.Duration {
	return d - d/20 + time.Duration(rand.Int64N(int64(d/10)+1))
}
