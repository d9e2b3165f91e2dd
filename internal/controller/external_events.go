package controller

import (
	"time"

	"github.com/usher-media/usher/internal/enqueue"
)

// ExternalEvents enqueue objects when something outside Kubernetes changed: a media server was listed, came up or went down.
type ExternalEvents struct {
	servers, users, libraries, grants, invites enqueue.External
	demands                                    *enqueue.Backoff[string]
}

// NewExternalEvents makes them for controllers that have not started.
func NewExternalEvents() *ExternalEvents {
	return &ExternalEvents{demands: enqueue.NewBackoff[string](lookAgainAfter, lastProbeBackoff, demandsForgotten)}
}

// Server asks for a fresh look at a media server soon.
func (e *ExternalEvents) Server(key string) { e.servers.Enqueue(key, lookAgainAfter) }

// Again asks for another look at a media server that was just looked at. Who asks over and over gets it ever more
// rarely, down to once in lastProbeBackoff.
func (e *ExternalEvents) Again(key string, now time.Time) {
	e.servers.Enqueue(key, e.demands.Next(key, now))
}

// Users enqueues every User of a media server.
func (e *ExternalEvents) Users(key string) { e.users.Enqueue(key, 0) }

// Dependents enqueues every Library, User, LibraryGrant and Invite of a media server.
func (e *ExternalEvents) Dependents(key string) {
	e.libraries.Enqueue(key, 0)
	e.users.Enqueue(key, 0)
	e.grants.Enqueue(key, grantsQuietPeriod)
	e.invites.Enqueue(key, 0)
}
