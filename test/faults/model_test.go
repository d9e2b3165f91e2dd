package faults

import (
	"context"
	"maps"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// manifests are all that people wrote, as the API server has it.
type manifests struct {
	users     map[string]*v1alpha1.User
	libraries map[string]*v1alpha1.Library
	grants    map[string]*v1alpha1.LibraryGrant
	// redemptions are no manifests, but what people came by: deleting one takes back what it gave.
	redemptions map[string]*v1alpha1.Redemption
}

// read reads the manifests; what is being deleted is not among them.
func (h *house) read() manifests {
	h.t.Helper()
	m := manifests{map[string]*v1alpha1.User{}, map[string]*v1alpha1.Library{}, map[string]*v1alpha1.LibraryGrant{}, map[string]*v1alpha1.Redemption{}}
	var users v1alpha1.UserList
	var libraries v1alpha1.LibraryList
	var grants v1alpha1.LibraryGrantList
	var redemptions v1alpha1.RedemptionList
	for _, list := range []client.ObjectList{&users, &libraries, &grants, &redemptions} {
		if err := h.client.List(context.Background(), list, client.InNamespace(h.namespace)); err != nil {
			h.t.Fatal(err)
		}
	}
	for i := range users.Items {
		m.put(&users.Items[i])
	}
	for i := range libraries.Items {
		m.put(&libraries.Items[i])
	}
	for i := range grants.Items {
		m.put(&grants.Items[i])
	}
	for i := range redemptions.Items {
		m.put(&redemptions.Items[i])
	}
	return m
}

func (m manifests) put(object client.Object) {
	if !object.GetDeletionTimestamp().IsZero() {
		return
	}
	switch o := object.(type) {
	case *v1alpha1.User:
		m.users[o.Name] = o
	case *v1alpha1.Library:
		m.libraries[o.Name] = o
	case *v1alpha1.LibraryGrant:
		m.grants[o.Name] = o
	case *v1alpha1.Redemption:
		m.redemptions[o.Name] = o
	}
}

// allowance is what manifests give to one account.
type allowance struct {
	// sees are the names of libraries on the server that Libraries declare; all are those, and every other; admin, too, but
	// only for as long as the account has that role.
	sees       map[string]bool
	all, admin bool
	enabled    bool
}

// allowances says what the manifests give, by username. It is written without a look at the rules of the code under
// test, for the manifests that these tests make.
func (m manifests) allowances(now time.Time) map[string]allowance {
	all := map[string]allowance{}
	for _, user := range m.users {
		a := allowance{sees: map[string]bool{}, enabled: !user.Spec.Disabled && (user.Spec.ExpiresAt == nil || now.Before(moment(user.Spec.ExpiresAt)))}
		a.all, a.admin = user.Spec.Access == v1alpha1.UserAccessAll, user.Spec.Role == v1alpha1.AccountRoleAdmin
		for _, library := range m.libraries {
			if a.all || m.granted(user, library, now) {
				a.sees[library.Spec.DisplayName] = true
			}
		}
		all[user.Spec.Username] = a
	}
	return all
}

func (m manifests) granted(user *v1alpha1.User, library *v1alpha1.Library, now time.Time) bool {
	for _, grant := range m.grants {
		begun := grant.Spec.NotBefore == nil || !now.Before(moment(grant.Spec.NotBefore))
		over := grant.Spec.NotAfter != nil && !now.Before(moment(grant.Spec.NotAfter))
		if begun && !over && !grant.Spec.Disabled && names(grant.Spec.Users, user) && names(grant.Spec.Libraries, library) {
			return true
		}
	}
	for _, r := range m.redemptions {
		if account := r.AccountOf(user.Name); account != nil && slices.ContainsFunc(account.Libraries, func(e v1alpha1.RedeemedEdge) bool { return e.Library == library.Name }) {
			return true
		}
	}
	return false
}

func names(targets v1alpha1.Targets, object client.Object) bool {
	if targets.All {
		return object.GetLabels()[v1alpha1.LabelRedemption] == "" // who came by a link is taken only by what is said
	}
	if targets.Selector != nil {
		for key, value := range targets.Selector.MatchLabels {
			if object.GetLabels()[key] != string(value) {
				return false
			}
		}
		return true
	}
	return slices.ContainsFunc(targets.Refs, func(ref v1alpha1.LocalReference) bool { return ref.Name == object.GetName() })
}

// add makes an allowance hold what another gives as well.
func (a allowance) add(other allowance) allowance {
	sum := allowance{sees: maps.Clone(a.sees), all: a.all || other.all, admin: a.admin || other.admin, enabled: a.enabled || other.enabled}
	if sum.sees == nil {
		sum.sees = map[string]bool{}
	}
	maps.Copy(sum.sees, other.sees)
	return sum
}

// moment is the date of a field. These tests make none that cannot be read.
func moment(t *v1alpha1.Time) time.Time {
	at, err := t.Parse()
	if err != nil {
		panic(err)
	}
	return at
}
