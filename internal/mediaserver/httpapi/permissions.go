package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

type (
	newPermission struct {
		ID   string `path:"id"`
		Body struct {
			UserID string            `json:"userId"`
			Role   rules.LibraryRole `json:"role,omitempty" enum:"viewer,admin" doc:"Absent: as it is, or viewer"`
		}
	}
	onePermission struct {
		ID     string `path:"id"`
		UserID string `path:"userId"`
	}
	libraryPage struct {
		ID string `path:"id"`
		PageQuery
	}
)

// These are the calls of the Dubby access seed; its three curl commands work as that page writes them.
func (a *api) permissionRoutes() {
	r := route{path: "/v1/libraries/{id}/permissions", tag: "permissions"}
	add(a, r.with(http.MethodPost, "grant-permission", "Let a user see a library", 0), a.grant)
	add(a, r.with(http.MethodGet, "list-permissions", "Who was given a library", 0), a.listPermissions)
	r.path += "/{userId}"
	add(a, r.with(http.MethodDelete, "revoke-permission", "Take a library from a user", http.StatusNoContent), a.revoke)
}

func (a *api) grant(ctx context.Context, in *newPermission) (*body[Permission], error) {
	if _, err := a.libraryFor(ctx, in.ID, rules.ShareLibraries); err != nil {
		return nil, err
	}
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	holder, err := a.store.Grant(ctx, in.ID, in.Body.UserID, in.Body.Role, func(before, after rules.LibraryRole) error {
		if before == after {
			return nil
		}
		return rules.HandOn(giver, rules.GrantLibrary, inLibrary(in.ID, after), inLibrary(in.ID, before))
	})
	if errors.Is(err, store.ErrAccountNotFound) {
		return nil, invalidField("userId", "must be the id of a user")
	}
	return &body[Permission]{Body: permissionView(holder)}, err
}

func (a *api) revoke(ctx context.Context, in *onePermission) (*none, error) {
	if _, err := a.libraryFor(ctx, in.ID, rules.ShareLibraries); err != nil {
		return nil, err
	}
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	return nil, a.store.Revoke(ctx, in.ID, in.UserID, func(role rules.LibraryRole) error {
		return rules.HandOn(giver, rules.TakeLibrary, rules.Holding{}, inLibrary(in.ID, role))
	})
}

func (a *api) listPermissions(ctx context.Context, in *libraryPage) (*body[Page[Permission]], error) {
	if _, err := a.libraryFor(ctx, in.ID, rules.ShareLibraries); err != nil {
		return nil, err
	}
	list, err := a.store.Holders(ctx, in.ID, in.page())
	return pageOf(list, permissionView), err
}

// permissionsOf converts an access set and notes libraries that it names twice.
func permissionsOf(check *rules.Check, prefix string, entries []AccessEntry) []store.Permission {
	permissions, seen := make([]store.Permission, 0, len(entries)), make(map[string]bool, len(entries))
	for i, entry := range entries {
		if seen[entry.LibraryID] {
			check.Field(libraryField(prefix, i), "names a library for the second time")
		}
		seen[entry.LibraryID] = true
		role := entry.Role
		if role == "" {
			role = rules.Viewer
		}
		permissions = append(permissions, store.Permission{LibraryID: entry.LibraryID, Role: role})
	}
	return permissions
}

const textUnknownLibrary = "is not the id of a library"

func libraryField(prefix string, i int) string {
	return fmt.Sprintf("%slibraries[%d].libraryId", prefix, i)
}

// nameUnknown names the entries of an access set whose library does not exist; other errors pass.
func nameUnknown(err error, prefix string) error {
	var unknown *store.UnknownLibrariesError
	if !errors.As(err, &unknown) {
		return err
	}
	check := new(rules.Check)
	for _, i := range unknown.Positions {
		check.Field(libraryField(prefix, i), textUnknownLibrary)
	}
	return check.Err()
}
