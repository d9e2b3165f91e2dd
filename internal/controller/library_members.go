package controller

import (
	"context"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// members lists who sees a library, from what the server has: declared or not, by list, by role or by "all".
func (r *libraryReconciler) members(ctx context.Context, p *libraryPass) (*v1alpha1.LibraryMembers, error) {
	able := p.able()
	var seeing []media.Account
	for account := range p.inventory().All() {
		if _, _, sees := seesLibrary(able, account, p.found.ID); sees && !account.Disabled {
			seeing = append(seeing, account)
		}
	}
	slices.SortFunc(seeing, func(a, b media.Account) int { return strings.Compare(a.Username, b.Username) })
	members := &v1alpha1.LibraryMembers{Total: int32(len(seeing))}
	for _, account := range firstListed(seeing) {
		role, all, _ := seesLibrary(able, account, p.found.ID)
		user, err := r.declaredBy(ctx, p.site, p.library.Namespace, account)
		if err != nil {
			return nil, err
		}
		members.Items = append(members.Items, v1alpha1.LibraryMember{Username: account.Username, Role: v1alpha1.LibraryRole(role), User: user, All: all})
	}
	return members, nil
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

// declaredAccounts maps the accounts of a server to the names of the Users that declare them.
func (k *Kit) declaredAccounts(ctx context.Context, s site, namespace string) (map[media.AccountID]string, error) {
	var users v1alpha1.UserList
	if err := k.Client.List(ctx, &users, ofServer(namespace, s.server.Name)...); err != nil {
		return nil, err
	}
	declared := make(map[media.AccountID]string, len(users.Items))
	for i := range users.Items {
		if id := readRecord(&users.Items[i], s.identity()).ID; id != "" {
			declared[media.AccountID(id)] = users.Items[i].Name
		}
	}
	return declared, nil
}

// holders names the declared accounts that still have a library in their list, as their Users.
func (r *libraryReconciler) holders(ctx context.Context, s site, library *v1alpha1.Library, id media.LibraryID) ([]string, error) {
	var users v1alpha1.UserList
	if err := r.Client.List(ctx, &users, ofServer(library.Namespace, s.server.Name)...); err != nil {
		return nil, err
	}
	var names []string
	for i := range users.Items {
		account, known := s.accountOf(&users.Items[i])
		// Also that of an account that sees everything by its role: it may have another role one day.
		if known && account.Access.Libraries[id] != "" && account.Role != media.RoleOwner {
			names = append(names, users.Items[i].Name)
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
		if saysGiven(&user, library.Name) {
			given = append(given, name)
		}
	}
	return given, nil
}

// saysGiven says whether a User's status says that Usher gave a Library to its account. What the bounded list has no room
// for counts as given.
func saysGiven(user *v1alpha1.User, library string) bool {
	listed := user.Status.Access
	if listed == nil {
		return false
	}
	n := len(listed.Items)
	return len(throughBefore(user, library)) > 0 || int(listed.Total) > n && (n == 0 || listed.Items[n-1].Library < library)
}

// throughBefore is what a Library that a User's account had came from, by its status.
func throughBefore(user *v1alpha1.User, library string) []string {
	if listed := user.Status.Access; listed != nil {
		for i := range listed.Items {
			if listed.Items[i].Library == library {
				return listed.Items[i].Through
			}
		}
	}
	return nil
}
