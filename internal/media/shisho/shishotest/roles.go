package shishotest

import (
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/usher-media/usher/internal/media/fold"
)

type pair struct {
	Resource  string `json:"resource"`
	Operation string `json:"operation"`
}

type roleChangeForm struct {
	Name        *string `json:"name"`
	Permissions []pair  `json:"permissions"`
}

func roleForm(r *role, whole bool) object {
	form := object{"id": r.id, "created_at": r.created, "updated_at": r.created, "name": r.name, "is_system": r.system}
	if whole && len(r.permissions) > 0 {
		rows := []object{}
		for _, p := range r.permissions {
			rows = append(rows, object{"id": p.id, "role_id": r.id, "resource": p.resource, "operation": p.operation})
		}
		form["permissions"] = rows
	}
	return form
}

func (s *Server) listRoles(c *call) (int, any, error) {
	query, err := c.query("limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	return list(s.roles, long, query, func(r *role) object { return roleForm(r, true) })
}

func (s *Server) getRole(c *call) (int, any, error) {
	if r := s.role(c.id()); r != nil {
		return http.StatusOK, roleForm(r, true), nil
	}
	return 0, nil, missing("Role")
}

func (f roleChangeForm) check(s *Server, of *role) error {
	if f.Name != nil {
		if n := utf8.RuneCountInString(*f.Name); n < 1 || n > 50 {
			return invalid(`"name" length must be greater than or equal to 1 characters`)
		}
		same := func(r *role) bool { return r != of && fold.ASCII(r.name) == fold.ASCII(*f.Name) }
		if slices.ContainsFunc(s.roles, same) {
			return invalid("Role name already exists")
		}
	}
	for _, p := range f.Permissions {
		switch {
		case !slices.Contains(resources, p.Resource):
			return invalid("Invalid resource: " + p.Resource)
		case p.Operation != "read" && p.Operation != "write":
			return invalid("Invalid operation: " + p.Operation)
		}
	}
	return nil
}

// permit replaces a role's permissions one by one: a pair that comes twice leaves the part before it behind.
func (s *Server) permit(r *role, pairs []pair) error {
	r.permissions = nil
	for i, p := range pairs {
		if slices.Contains(pairs[:i], p) {
			return failure()
		}
		r.permissions = append(r.permissions, permissionRow{s.next("permission"), p.Resource, p.Operation})
	}
	return nil
}

func (s *Server) createRole(c *call) (int, any, error) {
	var form roleChangeForm
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	if form.Name == nil {
		return 0, nil, invalid(`"name" is required`)
	}
	if err := form.check(s, nil); err != nil {
		return 0, nil, err
	}
	r := &role{id: s.next("role"), name: *form.Name, created: time.Time{}}
	s.roles = append(s.roles, r)
	if err := s.permit(r, form.Permissions); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, roleForm(r, true), nil
}

func (s *Server) updateRole(c *call) (int, any, error) {
	var form roleChangeForm
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	r := s.role(c.id())
	switch {
	case r == nil:
		return 0, nil, missing("Role")
	case r.system && form.Name != nil:
		return 0, nil, refuse(http.StatusForbidden, "forbidden", "Renaming a system role is not allowed.")
	}
	if err := form.check(s, r); err != nil {
		return 0, nil, err
	}
	if form.Name != nil {
		r.name = *form.Name
	}
	if len(form.Permissions) > 0 { // an empty list is taken for none
		if err := s.permit(r, form.Permissions); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, roleForm(r, true), nil
}

func (s *Server) deleteRole(c *call) (int, any, error) {
	r := s.role(c.id())
	switch {
	case r == nil:
		return 0, nil, missing("Role")
	case r.system:
		return 0, nil, refuse(http.StatusForbidden, "forbidden", "Deleting a system role is not allowed.")
	case slices.ContainsFunc(s.accounts, func(a *account) bool { return a.role == r }):
		return 0, nil, invalid("Cannot delete role that is assigned to users")
	}
	s.roles = slices.DeleteFunc(s.roles, func(other *role) bool { return other == r })
	return http.StatusNoContent, nil, nil
}
