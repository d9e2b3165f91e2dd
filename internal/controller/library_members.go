package controller

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

// members lists who sees a library, from what the server has: declared or not, by list, by role or by "all". The owner
// comes first, as on the pages of servers whose libraries have one (Alcoves seed, line 66).
func (r *libraryReconciler) members(ctx context.Context, p *libraryPass) (*v1alpha1.LibraryMembers, error) {
	type member struct {
		account media.Account
		v1alpha1.LibraryMember
	}
	var seeing []member
	for account := range p.inventory().All() {
		role, all, sees := memberOf(p.able(), account, p.found)
		if sees && !account.Disabled {
			seeing = append(seeing, member{account, v1alpha1.LibraryMember{Username: account.Username, Role: role, All: all}})
		}
	}
	owner := func(m member) int {
		if m.Role == v1alpha1.LibraryMemberOwner {
			return 0
		}
		return 1
	}
	slices.SortFunc(seeing, func(a, b member) int {
		return cmp.Or(cmp.Compare(owner(a), owner(b)), strings.Compare(a.Username, b.Username))
	})
	members := &v1alpha1.LibraryMembers{Total: int32(len(seeing))}
	for _, m := range firstListed(seeing) {
		var err error
		if m.User, err = r.declaredBy(ctx, p.site, p.library.Namespace, m.account); err != nil {
			return nil, err
		}
		members.Items = append(members.Items, m.LibraryMember)
	}
	return members, nil
}

// memberOf says what an account is to a library. Who administers the server administers each library that it sees by that.
func memberOf(able media.Capabilities, account media.Account, library media.Library) (role v1alpha1.LibraryMemberRole, all, sees bool) {
	listed, all, sees := seesLibrary(able, account, library.ID)
	switch {
	case account.ID == library.Owner:
		return v1alpha1.LibraryMemberOwner, all, true
	case sees && account.Role == media.RoleOwner && able.Roles[account.Role].SeesAll:
		return v1alpha1.LibraryMemberOwner, all, true
	case sees && able.Roles[account.Role].SeesAll && able.Roles[account.Role].Administers:
		return v1alpha1.LibraryMemberAdmin, all, true
	}
	return v1alpha1.LibraryMemberRole(listed), all, sees
}

// declaredBy is the name of the User that declares an account; empty for none.
func (k *Kit) declaredBy(ctx context.Context, s site, namespace string, account media.Account) (string, error) {
	var users v1alpha1.UserList
	claim := client.MatchingFields{indexClaim: claimOf(s.server.Name, account.Username)}
	if err := k.Client.List(ctx, &users, client.InNamespace(namespace), claim, client.UnsafeDisableDeepCopy); err != nil {
		return "", err
	}
	for i := range users.Items {
		if readRecord(&users.Items[i], s.identity()).ID == string(account.ID) {
			return users.Items[i].Name, nil
		}
	}
	return "", nil
}

// seesLibrary says whether an account sees a library on its server, in which role, and whether it sees all.
func seesLibrary(able media.Capabilities, account media.Account, id media.LibraryID) (role media.LibraryRole, all, sees bool) {
	all = account.Access.All || able.Roles[account.Role].SeesAll
	role, sees = account.Access.Libraries[id]
	if all && role == "" {
		role = media.LibraryViewer
	}
	return role, all, all || sees
}

// holders names the declared accounts that still have a library in their list, as their Users. Those that were let go with
// a MediaServer that is being deleted do not count: what they have, they keep.
func (r *libraryReconciler) holders(ctx context.Context, s site, library *v1alpha1.Library, id media.LibraryID) ([]string, error) {
	var users v1alpha1.UserList
	if err := r.Client.List(ctx, &users, ofServer(library.Namespace, s.server.Name)...); err != nil {
		return nil, err
	}
	var names []string
	for i := range users.Items {
		user := &users.Items[i]
		if s.cascading() && !controllerutil.ContainsFinalizer(user, v1alpha1.Finalizer) {
			continue
		}
		account, known := s.accountOf(user)
		// Also that of an account that sees everything by its role: it may have another role one day.
		if known && account.Access.Holds(id) && account.Role != media.RoleOwner {
			names = append(names, user.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// givenTo names the Users whose accounts have a library in their list and whose status says that Usher gave it.
func (r *libraryReconciler) givenTo(ctx context.Context, s site, library *v1alpha1.Library, id media.LibraryID) ([]string, error) {
	holders, err := r.holders(ctx, s, library, id)
	if err != nil {
		return nil, err
	}
	var given []string
	for _, name := range holders {
		var user v1alpha1.User
		if err := r.Client.Get(ctx, client.ObjectKey{Namespace: library.Namespace, Name: name}, &user); client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		if plan.SaysGiven(&user, library.Name) {
			given = append(given, name)
		}
	}
	return given, nil
}
