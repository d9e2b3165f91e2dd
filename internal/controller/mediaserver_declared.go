package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

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

// undeclared is what the newest listing has and no manifest names, by id or by name.
func (o serverObjects) undeclared(connection media.Connection) *v1alpha1.Undeclared {
	identity, inventory, fold := connection.Probe.Identity, connection.Server.Inventory(), connection.Server.Traits().FoldUsername
	accountIDs, usernames := map[string]bool{string(connection.Probe.Self): true}, map[string]bool{}
	for i := range o.users {
		accountIDs[readRecord(&o.users[i], identity).ID] = true
		usernames[fold(o.users[i].Spec.Username)] = true
	}
	libraryIDs, displayNames := map[media.LibraryID]bool{}, map[string]bool{}
	for _, st := range standings(site{connection: connection}, o.libraries) {
		if st.belief != access.BeliefDoubt && st.rival == nil { // else somebody else's library has the id
			libraryIDs[libraryID(st.library, identity)] = true
		}
		displayNames[st.library.Spec.DisplayName] = true
	}
	var accounts, libraries []string
	for account := range inventory.All() {
		if !accountIDs[string(account.ID)] && !usernames[fold(account.Username)] {
			accounts = append(accounts, account.Username)
		}
	}
	for _, library := range inventory.Libraries() {
		if !library.Personal && !libraryIDs[library.ID] && !displayNames[library.Name] {
			libraries = append(libraries, library.Name)
		}
	}
	return &v1alpha1.Undeclared{Accounts: undeclaredItems(accounts), Libraries: undeclaredItems(libraries)}
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

// plans counts in words what mode Observe would change; empty for nothing.
func (o serverObjects) plans(own []string) string {
	var words []string
	count := func(n int, one, many string) {
		switch {
		case n == 1:
			words = append(words, "1 "+one)
		case n > 1:
			words = append(words, fmt.Sprintf("%d %s", n, many))
		}
	}
	if len(own) > 0 {
		words = append(words, "the server itself")
	}
	count(withPlan(o.libraries), "Library", "Libraries")
	count(withPlan(o.users), "User", "Users")
	count(withPlan(o.invites), "Invite", "Invites")
	return strings.Join(words, ", ")
}

func withPlan[T any, P interface {
	*T
	object
}](items []T) (n int) {
	for i := range items {
		if plans(P(&items[i])) {
			n++
		}
	}
	return n
}

// observedServers are the MediaServers in mode Observe of some objects.
func (k *Kit) observedServers(ctx context.Context, objects []client.Object) []reconcile.Request {
	var requests []reconcile.Request
	visited := map[string]bool{}
	for _, one := range objects {
		name := serverNameOf(one)
		if visited[name] {
			continue
		}
		visited[name] = true
		var server v1alpha1.MediaServer
		key := client.ObjectKey{Namespace: one.GetNamespace(), Name: name}
		if k.Client.Get(ctx, key, &server) == nil && server.Spec.Mode == v1alpha1.ModeObserve {
			requests = append(requests, requestFor(&server))
		}
	}
	return requests
}
