package controller

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

// The functions below say which objects a changed object concerns. They read the cache only.

func requestFor(object client.Object) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)}
}

// list fills a list from the cache; an error is logged, since a map function has nowhere to send it, and mended by
// the next listing of the server, which brings everything back.
func (k *Kit) list(ctx context.Context, list client.ObjectList, options ...client.ListOption) {
	if err := k.Client.List(ctx, list, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		log.FromContext(ctx).Error(err, "could not list what a change concerns")
	}
}

// usersOfGrant are the Users that a LibraryGrant selects.
func (k *Kit) usersOfGrant(ctx context.Context, object client.Object) []reconcile.Request {
	grant, err := k.Grants.Compile(object.(*v1alpha1.LibraryGrant))
	if err != nil {
		return nil
	}
	return k.usersMatching(ctx, object.GetNamespace(), func(user *v1alpha1.User) bool { return grant.Users.Matches(user) })
}

// usersOfLibraries are the Users that some LibraryGrant or Redemption joins to one of the Libraries, and those who see
// everything. New ones that wait for another Library as well are brought back by that one.
func (r *userReconciler) usersOfLibraries(ctx context.Context, libraries []client.Object) []reconcile.Request {
	joined := r.joinedTo(ctx, libraries)
	return r.usersMatching(ctx, libraries[0].GetNamespace(), func(user *v1alpha1.User) bool {
		return joined(user) && r.firstLook(ctx, user) == 0
	})
}

// joinedTo says which Users some Libraries of one namespace concern.
func (k *Kit) joinedTo(ctx context.Context, libraries []client.Object) func(*v1alpha1.User) bool {
	grants := k.grantsByServer(ctx, libraries)
	redeemed := k.usersRedeeming(ctx, libraries)
	return func(user *v1alpha1.User) bool {
		joining, known := grants[user.Spec.ServerRef.Name]
		return known && (redeemed[user.Name] ||
			slices.ContainsFunc(joining, func(grant access.Grant) bool { return grant.Users.Matches(user) }) ||
			user.Spec.Access == v1alpha1.UserAccessAll || user.Spec.Role == v1alpha1.AccountRoleAdmin || user.Spec.Role == v1alpha1.AccountRoleOwner)
	}
}

// grantsByServer are the LibraryGrants that take one of some Libraries, by the server of these. It has each of their
// servers.
func (k *Kit) grantsByServer(ctx context.Context, libraries []client.Object) map[string][]access.Grant {
	grants := k.grantsIn(ctx, libraries[0].GetNamespace())
	byServer := map[string][]access.Grant{}
	for _, library := range libraries {
		byServer[serverNameOf(library)] = nil
	}
	for i := range grants {
		grant, err := k.Grants.Compile(&grants[i])
		if err != nil {
			continue
		}
		taken := map[string]bool{}
		for _, library := range libraries {
			if name := serverNameOf(library); !taken[name] && grant.Libraries.Matches(library) {
				taken[name] = true
				byServer[name] = append(byServer[name], grant)
			}
		}
	}
	return byServer
}

// usersRedeeming names the Users to whom an invite gave one of some Libraries.
func (k *Kit) usersRedeeming(ctx context.Context, libraries []client.Object) map[string]bool {
	var redemptions v1alpha1.RedemptionList
	k.list(ctx, &redemptions, client.InNamespace(libraries[0].GetNamespace()))
	given := map[string]bool{}
	for _, library := range libraries {
		given[library.GetName()] = true
	}
	users := map[string]bool{}
	for i := range redemptions.Items {
		for _, account := range redemptions.Items[i].Spec.Accounts {
			if slices.ContainsFunc(account.Libraries, func(edge v1alpha1.RedeemedEdge) bool { return given[edge.Library] }) {
				users[account.UserRef.Name] = true
			}
		}
	}
	return users
}

func (k *Kit) usersMatching(ctx context.Context, namespace string, matches func(*v1alpha1.User) bool) []reconcile.Request {
	var users v1alpha1.UserList
	k.list(ctx, &users, client.InNamespace(namespace))
	var requests []reconcile.Request
	for i := range users.Items {
		if matches(&users.Items[i]) {
			requests = append(requests, requestFor(&users.Items[i]))
		}
	}
	return requests
}

// usersOfClaim are the Users that may stand for the same account.
func (k *Kit) usersOfClaim(ctx context.Context, object client.Object) []reconcile.Request {
	var users v1alpha1.UserList
	k.list(ctx, &users, client.InNamespace(object.GetNamespace()), client.MatchingFields{indexClaim: userClaim(object.(*v1alpha1.User))})
	return requestsFor(users.Items)
}

// usersOfSecret are the Users that read a Secret, whoever owns it.
func (k *Kit) usersOfSecret(ctx context.Context, object client.Object) []reconcile.Request {
	var users v1alpha1.UserList
	k.list(ctx, &users, client.InNamespace(object.GetNamespace()), client.MatchingFields{indexSecret: object.GetName()})
	return requestsFor(users.Items)
}

// userKeeping is the User that keeps, or would keep, its generated password in a Secret.
func userKeeping(_ context.Context, object client.Object) []reconcile.Request {
	if owner, kept := userOfCredentials(object.GetName()); kept {
		return named(object.GetNamespace(), owner)
	}
	return nil
}

func (k *Kit) mediaServersOfSecret(ctx context.Context, object client.Object) []reconcile.Request {
	var servers v1alpha1.MediaServerList
	k.list(ctx, &servers, client.InNamespace(object.GetNamespace()), client.MatchingFields{indexSecret: object.GetName()})
	return requestsFor(servers.Items)
}

// grantsTaking are the LibraryGrants that take one of some Users or Libraries.
func (k *Kit) grantsTaking(ctx context.Context, objects []client.Object) []reconcile.Request {
	grants := k.grantsIn(ctx, objects[0].GetNamespace())
	var requests []reconcile.Request
	for i := range grants {
		grant, err := k.Grants.Compile(&grants[i])
		if err != nil {
			continue
		}
		if slices.ContainsFunc(objects, func(object client.Object) bool {
			if _, isUser := object.(*v1alpha1.User); isUser {
				return grant.Users.Matches(object)
			}
			return grant.Libraries.Matches(object)
		}) {
			requests = append(requests, requestFor(&grants[i]))
		}
	}
	return requests
}

// librariesBeside are the Libraries on the server of a Library.
func (k *Kit) librariesBeside(ctx context.Context, object client.Object) []reconcile.Request {
	return k.librariesOfServer(ctx, serverKey(object.GetNamespace(), serverNameOf(object)))
}

// librariesOfUsers are the Libraries on the servers of some Users.
func (k *Kit) librariesOfUsers(ctx context.Context, users []client.Object) []reconcile.Request {
	var requests []reconcile.Request
	visited := map[string]bool{}
	for _, user := range users {
		if name := serverNameOf(user); !visited[name] {
			visited[name] = true
			requests = append(requests, k.librariesBeside(ctx, user)...)
		}
	}
	return requests
}

// serverOf is the MediaServer of a User or a Library.
func (k *Kit) serverOf(_ context.Context, object client.Object) []reconcile.Request {
	return named(object.GetNamespace(), serverNameOf(object))
}

// serverBeingDeleted are the MediaServers of an object that wait for their objects.
func (k *Kit) serverBeingDeleted(ctx context.Context, object client.Object) (requests []reconcile.Request) {
	for _, name := range serverNamesOf(object) {
		var server v1alpha1.MediaServer
		err := k.Client.Get(ctx, types.NamespacedName{Namespace: object.GetNamespace(), Name: name}, &server)
		if err == nil && !server.DeletionTimestamp.IsZero() {
			requests = append(requests, requestFor(&server))
		}
	}
	return requests
}

func serverNameOf(object client.Object) string {
	switch o := object.(type) {
	case *v1alpha1.User:
		return o.Spec.ServerRef.Name
	case *v1alpha1.Library:
		return o.Spec.ServerRef.Name
	}
	return ""
}

// serverNamesOf are the MediaServers that an object names: several for an Invite, at most one for any other.
func serverNamesOf(object client.Object) (names []string) {
	invite, is := object.(*v1alpha1.Invite)
	if !is {
		return []string{serverNameOf(object)}
	}
	for i := range invite.Spec.Offers {
		names = append(names, invite.Spec.Offers[i].ServerRef.Name)
	}
	return names
}

func (k *Kit) usersOfServer(ctx context.Context, key string) []reconcile.Request {
	var users v1alpha1.UserList
	namespace, name, _ := strings.Cut(key, "/")
	k.list(ctx, &users, ofServer(namespace, name)...)
	return requestsFor(users.Items)
}

func (k *Kit) librariesOfServer(ctx context.Context, key string) []reconcile.Request {
	var libraries v1alpha1.LibraryList
	namespace, name, _ := strings.Cut(key, "/")
	k.list(ctx, &libraries, ofServer(namespace, name)...)
	return requestsFor(libraries.Items)
}

func (k *Kit) grantsOfServer(ctx context.Context, key string) []reconcile.Request {
	var grants v1alpha1.LibraryGrantList
	namespace, _, _ := strings.Cut(key, "/")
	k.list(ctx, &grants, client.InNamespace(namespace))
	return requestsFor(grants.Items)
}

func (k *Kit) invitesOfServer(ctx context.Context, key string) []reconcile.Request {
	var invites v1alpha1.InviteList
	namespace, name, _ := strings.Cut(key, "/")
	k.list(ctx, &invites, ofServer(namespace, name)...)
	return requestsFor(invites.Items)
}

// invitesBeside are the Invites on the server of a Library.
func (k *Kit) invitesBeside(ctx context.Context, object client.Object) []reconcile.Request {
	return k.invitesOfServer(ctx, serverKey(object.GetNamespace(), serverNameOf(object)))
}

func usersOfRedemption(_ context.Context, object client.Object) (requests []reconcile.Request) {
	for _, name := range usersRedeemed(object) {
		requests = append(requests, named(object.GetNamespace(), name)...)
	}
	return requests
}

// usersRedeemed names the Users that stand for the accounts of a Redemption.
func usersRedeemed(object client.Object) (names []string) {
	for _, account := range object.(*v1alpha1.Redemption).Spec.Accounts {
		names = append(names, account.UserRef.Name)
	}
	return names
}

func inviteOfRedemption(_ context.Context, object client.Object) []reconcile.Request {
	return named(object.GetNamespace(), object.(*v1alpha1.Redemption).Spec.InviteRef.Name)
}

// inviteOfSecret is the Invite that keeps, or would keep, its link in a Secret.
func inviteOfSecret(_ context.Context, object client.Object) []reconcile.Request {
	if invite, is := strings.CutSuffix(object.GetName(), inviteSuffix); is {
		return named(object.GetNamespace(), invite)
	}
	return nil
}

// of brings back what a MediaServer concerns by its key.
func of(requests func(context.Context, string) []reconcile.Request) handler.MapFunc {
	return func(ctx context.Context, server client.Object) []reconcile.Request {
		return requests(ctx, serverKey(server.GetNamespace(), server.GetName()))
	}
}

func named(namespace, name string) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}}
}

func serverItself(_ context.Context, key string) []reconcile.Request {
	namespace, name, _ := strings.Cut(key, "/")
	return named(namespace, name)
}

func requestsFor[T any, P interface {
	*T
	client.Object
}](items []T) []reconcile.Request {
	requests := make([]reconcile.Request, 0, len(items))
	for i := range items {
		requests = append(requests, requestFor(P(&items[i])))
	}
	return requests
}
