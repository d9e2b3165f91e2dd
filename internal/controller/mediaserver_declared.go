package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// maxUndeclaredNames and maxUndeclaredName bound what status.undeclared lists.
const maxUndeclaredNames, maxUndeclaredName = 10, 64

// serverObjects are the manifests of one MediaServer.
type serverObjects struct {
	users     []v1alpha1.User
	libraries []v1alpha1.Library
	invites   []v1alpha1.Invite
}

// objectsOf reads them from the cache.
func (k *Kit) objectsOf(ctx context.Context, server *v1alpha1.MediaServer) (serverObjects, error) {
	var users v1alpha1.UserList
	var libraries v1alpha1.LibraryList
	var invites v1alpha1.InviteList
	for _, list := range []client.ObjectList{&users, &libraries, &invites} {
		if err := k.Client.List(ctx, list, ofServer(server.Namespace, server.Name)...); err != nil {
			return serverObjects{}, err
		}
	}
	return serverObjects{users.Items, libraries.Items, invites.Items}, nil
}

// undeclared is what the newest listing has and no manifest owns: by its recorded id; where none is recorded yet, as what
// has its name and would be taken over. canSignIn are the accounts among it that are not disabled.
func (o serverObjects) undeclared(s site) (undeclared *v1alpha1.Undeclared, canSignIn map[media.AccountID]bool) {
	accountIDs, libraryIDs := o.ownAccounts(s), o.ownLibraries(s)
	var accounts, enabled, libraries []string
	canSignIn = map[media.AccountID]bool{}
	for account := range s.inventory().All() {
		if accountIDs[account.ID] {
			continue
		}
		accounts = append(accounts, account.Username)
		if !account.Disabled {
			enabled = append(enabled, account.Username)
			canSignIn[account.ID] = true
		}
	}
	for _, library := range s.inventory().Libraries() {
		if !library.Personal && !libraryIDs[library.ID] {
			libraries = append(libraries, library.Name)
		}
	}
	enabledItems := undeclaredItems(enabled)
	return &v1alpha1.Undeclared{Accounts: undeclaredItems(accounts), EnabledAccounts: &enabledItems, Libraries: undeclaredItems(libraries)}, canSignIn
}

// importedWithin is how long who comes by an Invite may be undeclared.
const importedWithin = 10 * time.Second

// surplus is that more undeclared accounts can sign in than before: since when, which, and what it was before.
type surplus struct {
	at        time.Time
	canSignIn map[media.AccountID]bool
	before    v1alpha1.UndeclaredItems
}

// stays says whether more accounts that were there at its beginning can sign in now than could before.
func (s surplus) stays(canSignIn map[media.AccountID]bool) bool {
	n := 0
	for id := range canSignIn {
		if s.canSignIn[id] {
			n++
		}
	}
	return n > int(s.before.Total)
}

// warnOfMore says by an event that more accounts can sign in which no manifest declares than before: those of deleted Users, after
// a restore, or some that were made by hand. Who has just come by an Invite is declared at the next look. What was there from the
// beginning is in the status alone.
func (r *mediaServerReconciler) warnOfMore(server *v1alpha1.MediaServer, now *v1alpha1.Undeclared, canSignIn map[media.AccountID]bool) {
	before := server.Status.Undeclared
	if before == nil || before.EnabledAccounts == nil {
		return
	}
	begun := surplus{at: r.Clock.Now(), canSignIn: canSignIn, before: *before.EnabledAccounts}
	known, pending := r.surplus.Load(server.UID)
	if pending {
		begun.before = known.(surplus).before
	}
	switch {
	case !begun.stays(canSignIn):
		r.surplus.Delete(server.UID)
		return
	case !pending || !known.(surplus).stays(canSignIn):
		r.surplus.Store(server.UID, begun)
		return
	case begun.at.Sub(known.(surplus).at) < importedWithin:
		return
	}
	r.surplus.Delete(server.UID)
	news := slices.DeleteFunc(slices.Clone(now.EnabledAccounts.Names), func(name string) bool { return slices.Contains(begun.before.Names, name) })
	r.warn(server, "UndeclaredAccounts", "Look", "%d accounts can sign in that no manifest declares (%d before; among them now %q): were they made by hand, or did an older database bring deleted ones back? Declare those who are to come in as Users, and disable or delete the others on the server",
		now.EnabledAccounts.Total, begun.before.Total, news)
}

func (o serverObjects) ownAccounts(s site) map[media.AccountID]bool {
	own := map[media.AccountID]bool{s.connection.Probe.Self: true}
	fold := s.to().Traits().FoldUsername
	for i := range o.users {
		user := &o.users[i]
		r := readRecord(user, s.identity())
		if r.ID != "" {
			own[media.AccountID(r.ID)] = r.Doubt == nil || own[media.AccountID(r.ID)]
			continue
		}
		named := s.inventory().AccountsNamed(fold(user.Spec.Username))
		wanted := &userPass{site: s, user: user}
		if len(named) == 1 && !declines(user) && (r.open() || wanted.adoptable(named[0])) {
			own[named[0].ID] = true
		}
	}
	return own
}

func (o serverObjects) ownLibraries(s site) map[media.LibraryID]bool {
	own := map[media.LibraryID]bool{}
	for _, st := range standings(s, o.libraries) {
		library := st.library
		wanted := &libraryPass{site: s, library: library}
		switch {
		case st.id != "":
			if st.belief != access.BeliefDoubt && st.rival == nil { // else somebody else's library has the id
				own[st.id] = true
			}
		case declines(library):
		case library.Spec.ExternalID != "":
			own[media.LibraryID(library.Spec.ExternalID)] = true
		default:
			named := s.inventory().LibrariesNamed(library.Spec.DisplayName)
			if len(named) == 1 && (st.record.open() || wanted.adoptionPolicy() != v1alpha1.LibraryAdoptionNever) {
				own[named[0].ID] = true
			}
		}
	}
	return own
}

// declines says whether an object has said that it takes nothing over.
func declines(o object) bool {
	return meta.IsStatusConditionTrue(*o.StatusConditions(), v1alpha1.ConditionStalled)
}

func undeclaredItems(names []string) v1alpha1.UndeclaredItems {
	total := len(names)
	slices.Sort(names)
	names = names[:min(total, maxUndeclaredNames)]
	for i, name := range names {
		names[i] = presentableName(name)
	}
	return v1alpha1.UndeclaredItems{Total: int32(total), Names: names}
}

// presentableName makes of a name that anybody may have chosen one that a terminal shows as what it is.
func presentableName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name)
	if characters := []rune(name); len(characters) > maxUndeclaredName {
		return string(characters[:maxUndeclaredName-1]) + "…"
	}
	return name
}

// plansOfKind are the objects of a kind that have a plan: those that would be changed, and those that are in conflict.
type plansOfKind struct {
	one, many            string
	planning, conflicted int
}

func plansOf[T any, P interface {
	*T
	object
}](items []T, one, many string) plansOfKind {
	kind := plansOfKind{one: one, many: many}
	for i := range items {
		switch item := P(&items[i]); {
		case !plans(item):
		case declines(item):
			kind.conflicted++
		default:
			kind.planning++
		}
	}
	return kind
}

func appendCount(words []string, n int, one, many string) []string {
	switch {
	case n == 0:
		return words
	case n == 1:
		return append(words, "1 "+one)
	}
	return append(words, fmt.Sprintf("%d %s", n, many))
}

// plans counts in words what mode Observe would change, and what it would not, since a person must decide; empty for
// nothing.
func (o serverObjects) plans(own []string) string {
	var plans, conflicts []string
	if len(own) > 0 {
		plans = append(plans, "the server itself")
	}
	for _, kind := range []plansOfKind{
		plansOf(o.libraries, "Library", "Libraries"), plansOf(o.users, "User", "Users"), plansOf(o.invites, "Invite", "Invites"),
	} {
		plans = appendCount(plans, kind.planning, kind.one, kind.many)
		conflicts = appendCount(conflicts, kind.conflicted, kind.one, kind.many)
	}
	words := "would change: " + strings.Join(plans, ", ")
	switch {
	case len(plans)+len(conflicts) == 0:
		return ""
	case len(plans) == 0:
		words = "would change nothing"
	}
	if len(conflicts) > 0 {
		words += "; in conflict: " + strings.Join(conflicts, ", ") + " (left alone until a person decides)"
	}
	return words + "; the status.plan of each says how"
}

// observedServers are the MediaServers in mode Observe of some objects.
func (k *Kit) observedServers(ctx context.Context, objects []client.Object) []reconcile.Request {
	return k.serversOf(ctx, objects, func(s *v1alpha1.MediaServer) bool { return s.Spec.Mode == v1alpha1.ModeObserve })
}

// serversBeingDeleted are the MediaServers of some objects that wait for them.
func (k *Kit) serversBeingDeleted(ctx context.Context, objects []client.Object) []reconcile.Request {
	return k.serversOf(ctx, objects, func(s *v1alpha1.MediaServer) bool { return deleted(s) })
}

func (k *Kit) serversOf(ctx context.Context, objects []client.Object, which func(*v1alpha1.MediaServer) bool) []reconcile.Request {
	var requests []reconcile.Request
	visited := map[string]bool{}
	for _, one := range objects {
		for _, name := range serverNamesOf(one) {
			if visited[name] {
				continue
			}
			visited[name] = true
			var server v1alpha1.MediaServer
			key := client.ObjectKey{Namespace: one.GetNamespace(), Name: name}
			if k.Client.Get(ctx, key, &server) == nil && which(&server) {
				requests = append(requests, requestFor(&server))
			}
		}
	}
	return requests
}
