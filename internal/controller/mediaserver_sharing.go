package controller

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
)

// sightings holds who answered at each MediaServer's URL when it was last asked, by namespace/name: the objects tell of it
// later. Safe for concurrent use.
type sightings struct {
	mu    sync.Mutex
	byKey map[string]sighting
}

type sighting struct {
	identity string
	// holds: nobody in the namespace came before it, so that it writes.
	holds bool
}

func newSightings() *sightings { return &sightings{byKey: map[string]sighting{}} }

func (s *sightings) get(key string) (sighting, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, known := s.byKey[key]
	return seen, known
}

// of is the server that a MediaServer leads to, as far as anybody knows.
func (s *sightings) of(server *v1alpha1.MediaServer) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return seenAs(server, s.byKey)
}

func (s *sightings) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, key)
}

// decide notes who answers, and whether the MediaServer holds the server, with nobody else deciding at that moment.
func (s *sightings) decide(key, identity string, precedes func(seen map[string]sighting) bool) (holds bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.byKey[key]
	s.byKey[key] = sighting{identity: identity, holds: before.holds && before.identity == identity}
	holds = precedes(s.byKey)
	s.byKey[key] = sighting{identity: identity, holds: holds}
	return holds
}

// alone makes sure that no other MediaServer of the namespace leads to the same server: two would undo each other for
// ever. The one that holds it goes on; the other is stalled. A MediaServer of another namespace is only told of, since an
// identity is nothing but what a server says of itself.
func (r *mediaServerReconciler) alone(ctx context.Context, server *v1alpha1.MediaServer, status *v1alpha1.MediaServerStatus, identity string) *outcome {
	var all v1alpha1.MediaServerList
	if err := r.Client.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return retry(err)
	}
	var first *v1alpha1.MediaServer
	key, abroad := keyOf(server), false
	holds := r.sightings.decide(key, identity, func(seen map[string]sighting) bool {
		for i := range all.Items {
			other := &all.Items[i]
			switch {
			case other.UID == server.UID || seenAs(other, seen) != identity || toldApart(server, other, identity):
			case other.Namespace != server.Namespace:
				abroad = abroad || bothWrite(server, other)
			case bothWrite(server, other) && precedes(other, server, identity, seen):
				first = other
			}
		}
		return first == nil && server.Spec.Mode != v1alpha1.ModeObserve
	})
	r.tellShared(server, status, identity, abroad)
	if holds || first == nil {
		return nil
	}
	return stalled(v1alpha1.ReasonDuplicateClaim, "MediaServer %s leads to the same server (%s) and was first: nothing is written by this one; delete one of the two, or, if this is a copy at another address, set the annotation %s to %q",
		first.Name, identity, v1alpha1.AnnotationDistinctServer, identity)
}

// bothWrite: who only observes undoes nothing.
func bothWrite(one, other *v1alpha1.MediaServer) bool {
	return one.Spec.Mode != v1alpha1.ModeObserve && other.Spec.Mode != v1alpha1.ModeObserve
}

func keyOf(server *v1alpha1.MediaServer) string { return serverKey(server.Namespace, server.Name) }

// tellShared keeps the condition that says of MediaServers of other namespaces. It does not name them: who may read this
// object may not know of that one. The metric does.
func (r *mediaServerReconciler) tellShared(server *v1alpha1.MediaServer, status *v1alpha1.MediaServerStatus, identity string, abroad bool) {
	if !abroad {
		meta.RemoveStatusCondition(status.Conditions.Meta(), v1alpha1.ConditionIdentityShared)
		return
	}
	setCondition(status.Conditions.Meta(), metav1.Condition{
		Type: v1alpha1.ConditionIdentityShared, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSharedAcrossNamespaces, ObservedGeneration: server.Generation,
		Message: "a MediaServer of another namespace leads to this server, too, or to one that says it is this one: both go on, and may undo each other; whoever administers the cluster sees which by the metric usher_media_server_identity_shared. If this is a copy at another address, set the annotation " +
			v1alpha1.AnnotationDistinctServer + " to \"" + bounded(identity, 256) + "\"",
	}, r.Clock.Now())
}

// seenAs is the server that a MediaServer leads to, as far as anybody knows.
func seenAs(server *v1alpha1.MediaServer, seen map[string]sighting) string {
	if sighting, known := seen[keyOf(server)]; known {
		return sighting.identity
	}
	return cmp.Or(readIdentity(server), server.Status.Identity)
}

// precedes says which of two MediaServers holds the server that both lead to: the one that does so already, the one whose
// record names it (after a restore of the cluster no age tells), the older one, the one with the lower UID.
func precedes(one, other *v1alpha1.MediaServer, identity string, seen map[string]sighting) bool {
	rank := func(s *v1alpha1.MediaServer) int {
		sighting := seen[keyOf(s)]
		switch {
		case sighting.holds && sighting.identity == identity:
			return 0
		case readIdentity(s) == identity:
			return 1
		}
		return 2
	}
	return cmp.Or(
		cmp.Compare(rank(one), rank(other)),
		one.CreationTimestamp.Compare(other.CreationTimestamp.Time),
		strings.Compare(string(one.UID), string(other.UID)),
	) < 0
}

// toldApart says whether an administrator declared that two servers of one identity are two: one is a copy of the other's
// data. At one address they are one, whatever anybody says.
func toldApart(one, other *v1alpha1.MediaServer, identity string) bool {
	declared := one.Annotations[v1alpha1.AnnotationDistinctServer] == identity || other.Annotations[v1alpha1.AnnotationDistinctServer] == identity
	return declared && addressOf(one.Spec.URL) != addressOf(other.Spec.URL)
}

// addressOf is what two spellings of one URL have in common.
func addressOf(text string) string {
	parsed, err := url.Parse(text)
	if err != nil {
		return text
	}
	port := cmp.Or(parsed.Port(), map[string]string{"http": "80", "https": "443"}[strings.ToLower(parsed.Scheme)])
	return strings.TrimRight(strings.ToLower(parsed.Hostname()), ".") + ":" + port + strings.TrimRight(parsed.EscapedPath(), "/")
}

// mediaServersBeside are the others that lead to the server that a MediaServer leads to, or led to.
func (k *Kit) mediaServersBeside(ctx context.Context, object client.Object) []reconcile.Request {
	server, ok := object.(*v1alpha1.MediaServer)
	if !ok {
		return nil
	}
	identities := map[string]bool{readIdentity(server): true, server.Status.Identity: true}
	delete(identities, "")
	if len(identities) == 0 {
		return nil
	}
	var all v1alpha1.MediaServerList
	k.list(ctx, &all, client.UnsafeDisableDeepCopy)
	var requests []reconcile.Request
	for i := range all.Items {
		other := &all.Items[i]
		sighting, _ := k.sightings.get(keyOf(other))
		if other.UID != server.UID && (identities[sighting.identity] || identities[readIdentity(other)] || identities[other.Status.Identity]) {
			requests = append(requests, requestFor(other))
		}
	}
	return requests
}

// leadsElsewhere passes what decides which MediaServers lead to one server.
var leadsElsewhere = updates(func(before, now client.Object) bool {
	old, fresh := before.(*v1alpha1.MediaServer), now.(*v1alpha1.MediaServer)
	return readIdentity(old) != readIdentity(fresh) || old.Status.Identity != fresh.Status.Identity ||
		old.Spec.Mode != fresh.Spec.Mode || old.Spec.URL != fresh.Spec.URL ||
		old.Annotations[v1alpha1.AnnotationDistinctServer] != fresh.Annotations[v1alpha1.AnnotationDistinctServer]
})
