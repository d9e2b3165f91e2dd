package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/access/plan"
)

// libraryGrantReconciler derives a LibraryGrant's status. It calls no server and sets no finalizer: a grant is input
// for the Users' reconciler.
type libraryGrantReconciler struct{ *Kit }

// +kubebuilder:rbac:groups=usher.media,resources=librarygrants,verbs=list;watch
// +kubebuilder:rbac:groups=usher.media,resources=librarygrants/status,verbs=patch

// grantPass is one reconcile of a LibraryGrant.
type grantPass struct {
	grant  *v1alpha1.LibraryGrant
	status *v1alpha1.LibraryGrantStatus
	// compiled is the grant ready for matching, others all grants that give access now, this one among them.
	compiled access.Grant
	others   []access.Grant
	// libraries and users that the grant takes.
	libraries []v1alpha1.Library
	users     []v1alpha1.User
	// selected says whether a selector, or all: true, takes anything at all.
	selected struct{ libraries, users bool }
	// all libraries of the namespace, for the effective access of a user.
	allLibraries []v1alpha1.Library
	redemptions  []v1alpha1.Redemption
	sites        map[string]site
	// unseen says of servers that cannot be looked at why.
	unseen map[string]*outcome
	// beliefs are the Libraries of each server by what is believed of them.
	beliefs map[string]plan.Beliefs
	blocked []v1alpha1.BlockedEdge
	next    time.Time
}

// Reconcile derives the status once.
func (r *libraryGrantReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	grant := &v1alpha1.LibraryGrant{}
	if err := r.Client.Get(ctx, request.NamespacedName, grant); err != nil {
		if apierrors.IsNotFound(err) {
			_, err = r.grantsOf(ctx, request.Namespace) // nobody else may ask any more, and have it forgotten
		}
		return reconcile.Result{}, err
	}
	before := grant.DeepCopy()
	p := &grantPass{grant: grant, status: grant.Status.DeepCopy(), sites: map[string]site{}, unseen: map[string]*outcome{}, beliefs: map[string]plan.Beliefs{}}
	result := r.reconcile(ctx, p).orSooner(r.Clock.Now(), p.next)
	grant.Status = *p.status
	return finish(ctx, r.Kit, before, grant, result)
}

func (r *libraryGrantReconciler) reconcile(ctx context.Context, p *grantPass) outcome {
	if !p.grant.DeletionTimestamp.IsZero() {
		return outcome{kind: kindGone}
	}
	if o := r.gather(ctx, p); o != nil {
		return *o
	}
	p.checkReferences()
	edges := p.countEdges()
	p.report(edges, r.Clock.Now())
	if o := unreadable(p.grant); o != nil {
		return *o
	}
	if unresolved := p.unresolved(); len(unresolved) > 0 {
		return *waiting(v1alpha1.ReasonReferencesUnresolved, "gives no access to what does not resolve: %s", strings.Join(unresolved[:min(3, len(unresolved))], "; "))
	}
	return done(v1alpha1.ReasonResolved, "all references resolve; "+p.words(edges))
}

// gather reads what the grant takes, and where that lives.
func (r *libraryGrantReconciler) gather(ctx context.Context, p *grantPass) *outcome {
	grants, err := r.grantsOf(ctx, p.grant.Namespace)
	if err != nil {
		return retry(err)
	}
	if p.compiled, err = compileListed(r.Grants, p.grant, grants); err != nil {
		return stalled(v1alpha1.ReasonInvalidSpec, "a selector is none: %s", err)
	}
	now := r.Clock.Now()
	p.status.State, p.next = access.GrantState(p.grant, now)
	var libraries v1alpha1.LibraryList
	var redemptions v1alpha1.RedemptionList
	for _, list := range []client.ObjectList{&libraries, &redemptions} {
		if err := r.Client.List(ctx, list, client.InNamespace(p.grant.Namespace), client.UnsafeDisableDeepCopy); err != nil {
			return retry(err)
		}
	}
	p.others, _ = access.ActiveGrants(grants, r.Grants.Compile, now)
	p.allLibraries, p.redemptions = libraries.Items, redemptions.Items
	p.libraries = slices.DeleteFunc(slices.Clone(libraries.Items), func(l v1alpha1.Library) bool {
		return !l.DeletionTimestamp.IsZero() || !p.compiled.Libraries.Matches(&l)
	})
	selector := p.compiled.Libraries.Selector()
	p.selected.libraries = slices.ContainsFunc(p.libraries, func(l v1alpha1.Library) bool { return selector.Matches(labels.Set(l.Labels)) })
	if err := r.gatherUsers(ctx, p); err != nil {
		return retry(err)
	}
	return r.visit(ctx, p)
}

// compileListed compiles a LibraryGrant as it is in a listing of the cache, which nobody changes. The answer to a status patch is
// decoded into the reconciler's own copy: what is compiled of that may not be kept.
func compileListed(compiled *access.GrantCache, grant *v1alpha1.LibraryGrant, listed []v1alpha1.LibraryGrant) (access.Grant, error) {
	for i := range listed {
		if listed[i].UID == grant.UID && listed[i].ResourceVersion == grant.ResourceVersion {
			return compiled.Compile(&listed[i])
		}
	}
	return access.NewGrant(grant)
}

// gatherUsers has the cache select them: a list of all would be the largest thing in memory.
func (r *libraryGrantReconciler) gatherUsers(ctx context.Context, p *grantPass) error {
	var users v1alpha1.UserList
	selector := p.compiled.Users.Selector()
	if err := r.Client.List(ctx, &users, client.InNamespace(p.grant.Namespace), client.MatchingLabelsSelector{Selector: selector}, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	users.Items = slices.DeleteFunc(users.Items, func(u v1alpha1.User) bool { return !p.compiled.Users.Matches(&u) })
	p.selected.users = len(users.Items) > 0
	for _, name := range p.compiled.Users.Names() {
		var user v1alpha1.User
		err := r.Client.Get(ctx, client.ObjectKey{Namespace: p.grant.Namespace, Name: name}, &user)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		if err == nil && !slices.ContainsFunc(users.Items, func(u v1alpha1.User) bool { return u.Name == name }) {
			users.Items = append(users.Items, user)
		}
	}
	p.users = slices.DeleteFunc(users.Items, func(u v1alpha1.User) bool { return !u.DeletionTimestamp.IsZero() })
	return nil
}

// visit reads the connection of each server that the grant touches.
func (r *libraryGrantReconciler) visit(ctx context.Context, p *grantPass) *outcome {
	visit := func(server string) *outcome {
		if _, visited := p.sites[server]; visited {
			return nil
		}
		s, o := r.site(ctx, p.grant.Namespace, server)
		if o != nil && (o.kind == kindRetry || o.early) {
			return o
		}
		if o != nil {
			s.connection.Server = nil
		} else {
			o = s.unseen() // the edges that it had when it was last seen are counted
		}
		if o != nil {
			p.unseen[server] = o
		}
		p.sites[server] = s
		return nil
	}
	for i := range p.libraries {
		if o := visit(p.libraries[i].Spec.ServerRef.Name); o != nil {
			return o
		}
	}
	for i := range p.users {
		if o := visit(p.users[i].Spec.ServerRef.Name); o != nil {
			return o
		}
	}
	return nil
}

// checkReferences blocks names that resolve to nothing, and those that find no counterpart on their server.
func (p *grantPass) checkReferences() {
	servers := map[string]bool{}
	for i := range p.users {
		servers[p.users[i].Spec.ServerRef.Name] = true
	}
	for _, name := range p.compiled.Libraries.Names() {
		i := slices.IndexFunc(p.libraries, func(l v1alpha1.Library) bool { return l.Name == name })
		switch {
		case i < 0:
			p.block(name, "", "NotFound", "there is no Library "+name+" in this namespace")
		case len(servers) > 0 && !servers[p.libraries[i].Spec.ServerRef.Name]: // nobody yet is not somebody elsewhere
			p.block(name, "", "NoCounterpart", "none of the users is on the library's server "+p.libraries[i].Spec.ServerRef.Name)
		}
	}
	clear(servers)
	for i := range p.libraries {
		servers[p.libraries[i].Spec.ServerRef.Name] = true
	}
	for _, name := range p.compiled.Users.Names() {
		i := slices.IndexFunc(p.users, func(u v1alpha1.User) bool { return u.Name == name })
		switch {
		case i < 0:
			p.block("", name, "NotFound", "there is no User "+name+" in this namespace")
		case len(servers) > 0 && !servers[p.users[i].Spec.ServerRef.Name]:
			p.block("", name, "NoCounterpart", "none of the libraries is on the user's server "+p.users[i].Spec.ServerRef.Name)
		}
	}
}

func (p *grantPass) block(library, user, reason, message string) {
	p.blocked = append(p.blocked, v1alpha1.BlockedEdge{Library: library, User: user, Reason: reason, Message: message})
}

// unresolved says in words which references resolve to nothing.
func (p *grantPass) unresolved() []string {
	var words []string
	for _, edge := range p.blocked {
		if edge.Reason == "NotFound" || edge.Reason == "NoCounterpart" {
			words = append(words, edge.Message)
		}
	}
	return words
}

// report fills counts, blocked edges and the condition Applied.
func (p *grantPass) report(edges edgeCount, now time.Time) {
	p.status.Edges = &v1alpha1.GrantEdges{
		Desired: edges.desired, Applied: edges.applied, Summary: fmt.Sprintf("%d/%d", edges.applied, edges.desired),
	}
	p.status.Blocked = nil
	if len(p.blocked) > 0 {
		p.status.Blocked = &v1alpha1.GrantBlocked{Total: int32(len(p.blocked)), Items: firstListed(p.blocked)}
	}
	applied := metav1.Condition{Type: v1alpha1.ConditionApplied, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonApplied, Message: edges.progress(), ObservedGeneration: p.grant.Generation}
	switch missing := edges.desired - edges.applied + edges.lingering; {
	case missing > edges.unknown+edges.observed:
		applied.Status, applied.Reason = metav1.ConditionFalse, v1alpha1.ReasonEdgesPending
	case edges.unseen != nil:
		applied.Status, applied.Reason = metav1.ConditionUnknown, edges.unseen.reason
	case missing > 0:
		applied.Status, applied.Reason = metav1.ConditionFalse, v1alpha1.ReasonObserving
	}
	setCondition(p.status.Conditions.Meta(), applied, now)
}
