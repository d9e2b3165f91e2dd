package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// BuiltInRole is a role that every server has.
type BuiltInRole struct {
	Name        rules.Role   `json:"name" enum:"owner,admin,editor,member,guest"`
	Permissions []rules.Pair `json:"permissions" nullable:"false"`
}

// OwnRole is a role of the server's own.
type OwnRole struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Permissions []rules.Pair `json:"permissions" nullable:"false"`
	CreatedAt   time.Time    `json:"createdAt"`
	UpdatedAt   time.Time    `json:"updatedAt"`
}

// RolePage is one page of roles.
type RolePage struct {
	BuiltIn []BuiltInRole `json:"builtIn" nullable:"false" doc:"The same on every page"`
	Page[OwnRole]
}

type (
	newRole struct {
		Body struct {
			Name        string       `json:"name" minLength:"1" maxLength:"64"`
			Permissions []rules.Pair `json:"permissions" nullable:"false" maxItems:"14"`
		}
	}
	roleChange struct {
		ID   string `path:"id"`
		Body struct {
			Name        *string       `json:"name,omitempty" minLength:"1" maxLength:"64"`
			Permissions *[]rules.Pair `json:"permissions,omitempty" maxItems:"14" doc:"Replaces them all"`
		}
	}
)

func (a *api) roleRoutes() {
	r := route{path: "/v1/roles", tag: "roles", needs: rules.AssignRoles}
	one := r.at(r.path + "/{id}")
	look := r
	look.needs = rules.ViewUsers
	add(a, look.with(http.MethodGet, "list-roles", "The built-in roles and the server's own", 0), a.listRoles)
	add(a, r.with(http.MethodPost, "create-role", "Make a role of pairs of resource and operation", http.StatusCreated), a.createRole)
	add(a, one.with(http.MethodPatch, "update-role", "Rename a role of the server's own or change what it allows", 0), a.patchRole)
	add(a, one.with(http.MethodDelete, "delete-role", "Delete a role that nobody has", http.StatusNoContent), a.deleteRole)
}

func roleView(r *store.Role) OwnRole {
	return OwnRole{ID: r.ID, Name: r.Name, Permissions: r.Pairs, CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time()}
}

func (a *api) listRoles(ctx context.Context, in *PageQuery) (*body[RolePage], error) {
	list, err := a.store.Roles(ctx, in.page())
	page := RolePage{Page: pageOf(list, roleView).Body}
	for _, role := range rules.Roles() {
		page.BuiltIn = append(page.BuiltIn, BuiltInRole{Name: role, Permissions: role.Pairs()})
	}
	return &body[RolePage]{Body: page}, err
}

func (a *api) createRole(ctx context.Context, in *newRole) (*body[OwnRole], error) {
	role, check := &store.Role{ID: auth.NewID(), Name: in.Body.Name}, new(rules.Check)
	check.Field("name", rules.CheckRoleName(role.Name))
	role.Pairs = rules.CheckPairs(check, in.Body.Permissions)
	if err := check.Err(); err != nil {
		return nil, err
	}
	if err := rules.CheckPairsChange(callerOf(ctx).account.Actor(), nil, role.Pairs); err != nil {
		return nil, err
	}
	if err := a.store.CreateRole(ctx, role); err != nil {
		return nil, err
	}
	return &body[OwnRole]{Body: roleView(role)}, nil
}

func (a *api) patchRole(ctx context.Context, in *roleChange) (*body[OwnRole], error) {
	if rules.Role(in.ID).Valid() {
		return nil, rules.ErrBuiltIn
	}
	actor := callerOf(ctx).account.Actor()
	role, err := a.store.UpdateRole(ctx, in.ID, func(role *store.Role) error {
		check, before := new(rules.Check), role.Pairs
		if in.Body.Name != nil && *in.Body.Name != role.Name { // the name of a role from before may be one that none is given now
			role.Name = *in.Body.Name
			check.Field("name", rules.CheckRoleName(role.Name))
		}
		if in.Body.Permissions != nil {
			role.Pairs = rules.CheckPairs(check, *in.Body.Permissions)
		}
		if err := check.Err(); err != nil {
			return err
		}
		return rules.CheckPairsChange(actor, before, role.Pairs)
	})
	if err != nil {
		return nil, err
	}
	return &body[OwnRole]{Body: roleView(role)}, nil
}

func (a *api) deleteRole(ctx context.Context, in *byID) (*none, error) {
	if rules.Role(in.ID).Valid() {
		return nil, rules.ErrBuiltIn
	}
	actor := callerOf(ctx).account.Actor()
	return nil, a.store.DeleteRole(ctx, in.ID, func(role *store.Role) error {
		return rules.CheckPairsChange(actor, role.Pairs, nil)
	})
}
