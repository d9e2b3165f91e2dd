// Package matrix draws who sees which library: people down, libraries across.
package matrix

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/objects"
)

// Cell is what a person sees of a library.
type Cell struct {
	// Role that the manifests give; empty for none.
	Role v1alpha1.LibraryRole `json:"role,omitempty"`
	// Through lists what gives it.
	Through []string `json:"through,omitempty"`
	// Difference is "pending" where the server was not seen to have it, and "lingering" where the server was seen to have what the
	// manifests do not give.
	Difference string `json:"difference,omitempty"`
}

// Row is one person.
type Row struct {
	Server string `json:"server"`
	// User is the name of the object; empty where no manifest declares the account.
	User     string             `json:"user,omitempty"`
	Username string             `json:"username"`
	State    v1alpha1.UserState `json:"state,omitempty"`
	// Access by the name of the Library.
	Access map[string]Cell `json:"access"`
}

// Library is a column.
type Library struct {
	Name        string `json:"name"`
	Server      string `json:"server"`
	DisplayName string `json:"displayName"`
}

// Matrix is who sees what.
type Matrix struct {
	Libraries []Library `json:"libraries"`
	Rows      []Row     `json:"rows"`
	// Partial says that the statuses do not name everybody who sees a library: they hold the first 50.
	Partial bool `json:"partial,omitempty"`
}

// Build computes the matrix at a moment. At the present one, the difference to what the servers were seen to have is marked, and
// undeclared people are among the rows, as far as the statuses tell.
func Build(o objects.Objects, at time.Time, present bool) Matrix {
	m := Matrix{Libraries: []Library{}, Rows: []Row{}}
	for i := range o.Libraries {
		l := &o.Libraries[i]
		m.Libraries = append(m.Libraries, Library{l.Name, l.Spec.ServerRef.Name, l.Spec.DisplayName})
	}
	slices.SortStableFunc(m.Libraries, func(a, b Library) int { return strings.Compare(a.Server, b.Server) })
	for i := range o.Users {
		m.Rows = append(m.Rows, row(o, &o.Users[i], at, present))
	}
	if present {
		m.addUndeclared(o)
	}
	slices.SortStableFunc(m.Rows, func(a, b Row) int {
		declared := func(r Row) int { return min(1, len(r.User)) }
		return cmp.Or(strings.Compare(a.Server, b.Server), cmp.Compare(declared(b), declared(a)), strings.Compare(a.User+a.Username, b.User+b.Username))
	})
	return m
}

func row(o objects.Objects, user *v1alpha1.User, at time.Time, present bool) Row {
	r := Row{user.Spec.ServerRef.Name, user.Name, user.Spec.Username, o.State(user, at, present), map[string]Cell{}}
	effective := o.Effective(user, at)
	has, complete := objects.Has(user)
	for i := range o.Libraries {
		library := o.Libraries[i].Name
		edge := effective[library]
		cell := Cell{Role: edge.Role, Through: edge.Through}
		switch {
		case !present, o.Libraries[i].Spec.ServerRef != user.Spec.ServerRef:
		case edge.Role != "" && has[library] != edge.Role && complete:
			cell.Difference = "pending"
		case edge.Role == "" && has[library] != "":
			cell.Difference = "lingering"
		}
		if cell.Role != "" || cell.Difference != "" {
			r.Access[library] = cell
		}
	}
	return r
}

// addUndeclared adds the people whom the statuses of Libraries name, and no manifest declares.
func (m *Matrix) addUndeclared(o objects.Objects) {
	rows := map[[2]string]*Row{}
	var order [][2]string
	for i := range o.Libraries {
		library := &o.Libraries[i]
		members := library.Status.Members
		if members == nil {
			continue
		}
		m.Partial = m.Partial || int(members.Total) > len(members.Items)
		for _, member := range members.Items {
			if member.User != "" || declares(o, library.Spec.ServerRef, member.Username) {
				continue
			}
			key := [2]string{library.Spec.ServerRef.Name, member.Username}
			if rows[key] == nil {
				rows[key] = &Row{Server: key[0], Username: member.Username, Access: map[string]Cell{}}
				order = append(order, key)
			}
			role := v1alpha1.LibraryRoleViewer
			if member.Role != v1alpha1.LibraryMemberViewer {
				role = v1alpha1.LibraryRoleAdmin
			}
			rows[key].Access[library.Name] = Cell{Role: role}
		}
	}
	for _, key := range order {
		m.Rows = append(m.Rows, *rows[key])
	}
}

// declares says whether a User stands for an account: the status of a Library may be older than the User.
func declares(o objects.Objects, server v1alpha1.LocalReference, username string) bool {
	return slices.ContainsFunc(o.Users, func(u v1alpha1.User) bool {
		return u.Spec.ServerRef == server && strings.EqualFold(u.Spec.Username, username)
	})
}
