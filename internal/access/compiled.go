package access

import (
	"reflect"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
)

// GrantCache keeps LibraryGrants compiled between reconciles: each is compiled once for as long as its spec says the same,
// however many objects and reconciles ask. Keep says which LibraryGrants there are; the others are forgotten. Its zero value
// is empty. It is safe for concurrent use, and changes no LibraryGrant.
type GrantCache struct {
	compilations atomic.Int64

	mu         sync.Mutex
	namespaces map[string]*keptGrants
}

// keptGrants are the LibraryGrants of a namespace. listing counts the calls of Keep.
type keptGrants struct {
	listing int
	byUID   map[types.UID]*keptGrant
}

type keptGrant struct {
	// listing is the last one that had the LibraryGrant.
	listing int

	// mu is held while it is compiled: who wants it meanwhile waits for that.
	mu       sync.Mutex
	compiled bool
	// spec is what it was compiled from. A generation would not do: after etcd was restored, it is counted again from an
	// earlier one.
	spec  v1alpha1.LibraryGrantSpec
	grant Grant
	err   error
}

// Keep takes note of a complete listing of a namespace's LibraryGrants. What is neither in it nor named besides is forgotten.
func (c *GrantCache) Keep(namespace string, grants []v1alpha1.LibraryGrant, besides ...types.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.namespaces[namespace]
	if n == nil {
		n = &keptGrants{byUID: map[types.UID]*keptGrant{}}
	}
	n.listing++
	for i := range grants {
		kept := n.byUID[grants[i].UID]
		if kept == nil {
			kept = &keptGrant{}
			n.byUID[grants[i].UID] = kept
		}
		kept.listing = n.listing
	}
	for _, uid := range besides {
		if kept := n.byUID[uid]; kept != nil {
			kept.listing = n.listing
		}
	}
	for uid, kept := range n.byUID {
		if kept.listing != n.listing {
			delete(n.byUID, uid)
		}
	}
	switch {
	case len(n.byUID) == 0:
		delete(c.namespaces, namespace)
	case c.namespaces == nil:
		c.namespaces = map[string]*keptGrants{namespace: n}
	default:
		c.namespaces[namespace] = n
	}
}

// Compile is NewGrant, from memory where it can be. What Keep was not told of is compiled and not remembered. The LibraryGrant
// shares its memory with the cache from then on: nobody may change it, nor decode anything into it.
func (c *GrantCache) Compile(grant *v1alpha1.LibraryGrant) (Grant, error) {
	kept := c.kept(grant)
	if kept == nil {
		return c.compile(grant)
	}
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if !kept.compiled || !sameInput(&kept.spec, &grant.Spec) {
		kept.grant, kept.err = c.compile(grant)
		kept.spec, kept.compiled = grant.Spec, true
	}
	return kept.grant, kept.err
}

// Compilations counts how often a LibraryGrant was compiled.
func (c *GrantCache) Compilations() int64 { return c.compilations.Load() }

// Share has a new version of a LibraryGrant use the memory of the one that is compiled already, where both say the same: a
// selector is kept once. Call it before anybody else has the LibraryGrant.
func (c *GrantCache) Share(grant *v1alpha1.LibraryGrant) {
	kept := c.kept(grant)
	if kept == nil {
		return
	}
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.compiled && sameInput(&kept.spec, &grant.Spec) {
		grant.Spec.Libraries, grant.Spec.Users = kept.spec.Libraries, kept.spec.Users
	}
}

func (c *GrantCache) kept(grant *v1alpha1.LibraryGrant) *keptGrant {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.namespaces[grant.Namespace]; n != nil {
		return n.byUID[grant.UID]
	}
	return nil
}

func (c *GrantCache) compile(grant *v1alpha1.LibraryGrant) (Grant, error) {
	c.compilations.Add(1)
	return NewGrant(grant)
}

// sameInput says whether two specs compile to the same.
func sameInput(a, b *v1alpha1.LibraryGrantSpec) bool {
	return a.Role == b.Role && a.IncludeInvited == b.IncludeInvited && sameTargets(&a.Libraries, &b.Libraries) && sameTargets(&a.Users, &b.Users)
}

// sameTargets takes a glance where both are of one object, as in a cache.
func sameTargets(a, b *v1alpha1.Targets) bool {
	refs := len(a.Refs) == len(b.Refs) && (len(a.Refs) == 0 || &a.Refs[0] == &b.Refs[0])
	return a.All == b.All && (refs && a.Selector == b.Selector || reflect.DeepEqual(a, b))
}
