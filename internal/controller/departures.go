package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// DefaultPruneWait is how long a deletion waits before it takes anything from anybody: for a deletion of the MediaServer,
// of the namespace or of the CRDs, so that the order in which everything is pruned decides nothing.
const DefaultPruneWait = 5 * time.Second

const (
	// namespaceKnownFor is how long an answer about a namespace is used again, where being late does no harm.
	namespaceKnownFor = 200 * time.Millisecond
	// crdsKnownFor is the same for the CRDs.
	crdsKnownFor = time.Second
)

// departures remembers deletions that are not followed yet. It is kept in memory: after a restart, what is still being
// deleted waits anew.
type departures struct {
	grants      lapsed[v1alpha1.LibraryGrant, *v1alpha1.LibraryGrant]
	redemptions lapsed[v1alpha1.Redemption, *v1alpha1.Redemption]

	mu sync.Mutex
	// seen is when an object was first seen to be deleted.
	seen map[types.UID]time.Time
	// retired are the MediaServers, by key, that were deleted with policy Retain and not made again.
	retired map[string]bool
}

// since is when an object was first seen to be deleted. The clock of the API server does not come into it.
func (d *departures) since(uid types.UID, now time.Time) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen == nil {
		d.seen = map[types.UID]time.Time{}
	}
	if _, known := d.seen[uid]; !known {
		d.seen[uid] = now
	}
	return d.seen[uid]
}

func (d *departures) forget(uid types.UID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.seen, uid)
}

func (d *departures) retire(server string, retired bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.retired == nil {
		d.retired = map[string]bool{}
	}
	if retired {
		d.retired[server] = true
	} else {
		delete(d.retired, server)
	}
}

func (d *departures) isRetired(server string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.retired[server]
}

// lapsed remembers objects that give access, have no finalizer, and are gone: it compares each listing with those before.
type lapsed[T any, P interface {
	*T
	client.Object
}] struct {
	mu     sync.Mutex
	scopes map[string]*lapsedScope[T]
}

type lapsedScope[T any] struct {
	present map[types.UID]*T
	gone    map[types.UID]departure[T]
}

// departure is one object that is gone, and since when.
type departure[T any] struct {
	object *T
	at     time.Time
}

// note takes note of a listing of a scope, and returns what is gone from it and not settled.
func (d *lapsed[T, P]) note(scope string, items []T, now time.Time) []departure[T] {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.scopes[scope]
	if s == nil {
		if len(items) == 0 {
			return nil
		}
		if d.scopes == nil {
			d.scopes = map[string]*lapsedScope[T]{}
		}
		s = &lapsedScope[T]{present: map[types.UID]*T{}, gone: map[types.UID]departure[T]{}}
		d.scopes[scope] = s
	}
	present := make(map[types.UID]*T, len(items))
	for i := range items {
		uid := P(&items[i]).GetUID()
		present[uid] = &items[i]
		delete(s.gone, uid) // a listing that was made before
	}
	for uid, object := range s.present {
		if present[uid] == nil {
			s.gone[uid] = departure[T]{object, now}
		}
	}
	s.present = present
	if len(s.present)+len(s.gone) == 0 {
		delete(d.scopes, scope)
	}
	if len(s.gone) == 0 {
		return nil
	}
	gone := make([]departure[T], 0, len(s.gone))
	for _, one := range s.gone {
		gone = append(gone, one)
	}
	return gone
}

// remembered returns what was in the last listing of a scope, and what is gone from it and not settled.
func (d *lapsed[T, P]) remembered(scope string) []types.UID {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.scopes[scope]
	if s == nil {
		return nil
	}
	uids := make([]types.UID, 0, len(s.present)+len(s.gone))
	return slices.AppendSeq(slices.AppendSeq(uids, maps.Keys(s.present)), maps.Keys(s.gone))
}

// settle forgets what is gone and stands for itself: from now on it gives nothing.
func (d *lapsed[T, P]) settle(scope string, settled []departure[T]) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.scopes[scope]; s != nil {
		for _, one := range settled {
			delete(s.gone, P(one.object).GetUID())
		}
	}
}

// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,resourceNames=mediaservers.usher.media;users.usher.media;libraries.usher.media;librarygrants.usher.media;redemptions.usher.media,verbs=get

// leaving says whether a server is being left altogether, read live: its MediaServer, the namespace or Usher's CRDs are
// being deleted, and not each object for itself.
func (k *Kit) leaving(ctx context.Context, namespace string, s site) (bool, error) {
	if s.server.UID != "" {
		var live v1alpha1.MediaServer
		err := k.Live.Get(ctx, client.ObjectKeyFromObject(s.server), &live)
		switch {
		case client.IgnoreNotFound(err) != nil:
			return false, err
		case err != nil:
			return true, nil
		case !live.DeletionTimestamp.IsZero():
			return live.Spec.DeletionPolicy != v1alpha1.MediaServerDeletionCascade, nil
		}
	}
	if terminating, err := k.terminatingNow(ctx, namespace); terminating || err != nil {
		return terminating, err
	}
	return k.crds.terminating(ctx, k.Live, k.Clock.Now())
}

// namespaces remembers for a moment which namespaces are being deleted.
type namespaces struct {
	mu     sync.Mutex
	byName map[string]namespaceState
}

type namespaceState struct {
	terminating bool
	at          time.Time
	// since is when it was first seen to be.
	since time.Time
}

// terminatingNow says whether a namespace is being deleted, read live.
func (k *Kit) terminatingNow(ctx context.Context, name string) (bool, error) {
	var namespace corev1.Namespace
	err := k.Live.Get(ctx, types.NamespacedName{Name: name}, &namespace)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("whether the namespace is being deleted: %w", err)
	}
	terminating := err != nil || !namespace.DeletionTimestamp.IsZero()
	k.namespaces.mu.Lock()
	defer k.namespaces.mu.Unlock()
	if k.namespaces.byName == nil {
		k.namespaces.byName = map[string]namespaceState{}
	}
	state := namespaceState{terminating: terminating, at: k.Clock.Now()}
	if terminating {
		state.since = state.at
		if before := k.namespaces.byName[name]; before.terminating {
			state.since = before.since
		}
	}
	k.namespaces.byName[name] = state
	return terminating, nil
}

// terminating is terminatingNow as of a moment ago. While nobody can tell, what was known last stands: nobody is kept
// from what a manifest takes at its time by an API server that does not answer.
func (k *Kit) terminating(ctx context.Context, name string) bool {
	known := k.knownTerminating(name)
	if !known.at.IsZero() && k.Clock.Since(known.at) < namespaceKnownFor {
		return known.terminating
	}
	if terminating, err := k.terminatingNow(ctx, name); err == nil {
		return terminating
	}
	return known.terminating
}

func (k *Kit) knownTerminating(name string) namespaceState {
	k.namespaces.mu.Lock()
	defer k.namespaces.mu.Unlock()
	return k.namespaces.byName[name]
}

// inTerminating is the outcome of an object in a namespace that is being deleted: nothing is made there any more, and
// nothing is taken because something else went first. Nil in any other namespace. What lasts gets a status: a password or a
// link that is gone cannot be made again there.
func (k *Kit) inTerminating(ctx context.Context, namespace string) *outcome {
	if !k.terminating(ctx, namespace) {
		return nil
	}
	o := namespaceDeleted(namespace)
	if left := terminatesBriefly - k.Clock.Since(k.knownTerminating(namespace).since); left > 0 {
		o.brief, o.after = true, jittered(left)
	}
	return o
}

// terminatesBriefly is how long a namespace that is being deleted costs no status of its objects: most are gone by then.
const terminatesBriefly = 10 * time.Second

func namespaceDeleted(namespace string) *outcome {
	return waiting(v1alpha1.ReasonDeleting, "namespace %s is being deleted: nothing is made there any more, and what is gone is not made again", namespace)
}

// crds remembers for a moment whether Usher's CRDs are being deleted.
type crds struct {
	mu    sync.Mutex
	known bool
	at    time.Time
}

// crdNames are the kinds that accounts and access depend on.
var crdNames = []string{"mediaservers", "users", "libraries", "librarygrants", "redemptions"}

// terminating says whether one of the CRDs is gone or being deleted. Where Usher may not read them, nobody is asked.
func (c *crds) terminating(ctx context.Context, live client.Reader, now time.Time) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && now.Sub(c.at) < crdsKnownFor {
		return c.known, nil
	}
	for _, name := range crdNames {
		crd := &metav1.PartialObjectMetadata{}
		crd.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
		err := live.Get(ctx, types.NamespacedName{Name: name + "." + v1alpha1.GroupVersion.Group}, crd)
		switch {
		case apierrors.IsForbidden(err):
			return false, nil
		case client.IgnoreNotFound(err) != nil:
			return false, err
		case err != nil || !crd.DeletionTimestamp.IsZero():
			c.known, c.at = true, now
			return true, nil
		}
	}
	c.known, c.at = false, now
	return false, nil
}
