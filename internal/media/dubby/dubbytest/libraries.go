package dubbytest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// types are those of the vendor's client, and of a screenshot (section 5).
var types = []string{"movie", "tv", "podcast"}

func (s *Server) libraryRoutes(add adder) {
	add("GET /v1/libraries", false, func(c *call) (int, any, *refused) {
		var entries []any
		for _, library := range c.s.Libraries {
			if c.sees(library) {
				entries = append(entries, c.s.libraryView(library))
			}
		}
		return c.list(entries)
	})
	add("POST /v1/libraries", false, admins(createLibrary), "name", "type", "paths", "enabled")
	add("GET /v1/libraries/{id}", false, onLibrary(func(c *call, library *Library) (int, any, *refused) {
		return http.StatusOK, c.s.libraryView(library), nil
	}))
	add("PATCH /v1/libraries/{id}", false, admins(onLibrary(patchLibrary)), "name", "paths", "enabled")
	add("DELETE /v1/libraries/{id}", false, admins(onLibrary(func(c *call, library *Library) (int, any, *refused) {
		c.s.Libraries = slices.DeleteFunc(c.s.Libraries, func(l *Library) bool { return l == library })
		c.s.grants = slices.DeleteFunc(c.s.grants, func(g grant) bool { return g.library == library.ID })
		return http.StatusOK, map[string]any{"success": true}, nil
	})))
	add("GET /v1/libraries/{id}/permissions", false, admins(onLibrary(listPermissions)))
	add("POST /v1/libraries/{id}/permissions", false, admins(onLibrary(postPermission)), "userId")
	add("DELETE /v1/libraries/{id}/permissions/{userId}", false, admins(onLibrary(deletePermission)))
}

// sees keeps the promise of the access page: owner and admins see all, others what they were granted.
func (c *call) sees(library *Library) bool {
	return c.administers() || slices.ContainsFunc(c.s.grants, func(g grant) bool { return g.library == library.ID && g.user == c.by.ID })
}

// onLibrary answers 404 for a library that is not there, or not for the caller.
func onLibrary(h func(*call, *Library) (int, any, *refused)) handle {
	return func(c *call) (int, any, *refused) {
		library := c.s.library(c.PathValue("id"))
		if library == nil || !c.sees(library) {
			return 0, nil, refuse(http.StatusNotFound, "Library not found")
		}
		return h(c, library)
	}
}

func (s *Server) libraryView(l *Library) map[string]any {
	var paths any = l.Paths
	if s.options.PackedPaths {
		packed, _ := json.Marshal(l.Paths)
		paths = string(packed)
	}
	return map[string]any{
		"id": l.ID, "name": l.Name, "type": l.Type, "paths": paths, "enabled": true, "itemCount": l.Items, "lastScannedAt": nil,
	}
}

func createLibrary(c *call) (int, any, *refused) {
	library := &Library{ID: c.s.newID()}
	switch {
	case !c.field("name", &library.Name) || library.Name == "" || len(library.Name) > 100:
		return 0, nil, invalid("name")
	case !c.field("type", &library.Type) || !slices.Contains(types, library.Type):
		return 0, nil, invalid("type")
	case !c.field("paths", &library.Paths) || !absolute(library.Paths):
		return 0, nil, invalid("paths")
	}
	c.s.Libraries = append(c.s.Libraries, library)
	return http.StatusCreated, c.s.libraryView(library), nil
}

func absolute(paths []string) bool {
	return len(paths) > 0 && !slices.ContainsFunc(paths, func(path string) bool { return !strings.HasPrefix(path, "/") })
}

func patchLibrary(c *call, library *Library) (int, any, *refused) {
	changed := *library
	switch {
	case c.body["name"] != nil && (!c.field("name", &changed.Name) || changed.Name == ""):
		return 0, nil, invalid("name")
	case c.body["paths"] != nil && (!c.field("paths", &changed.Paths) || !absolute(changed.Paths)):
		return 0, nil, invalid("paths")
	}
	*library = changed
	return http.StatusOK, c.s.libraryView(library), nil
}

func listPermissions(c *call, library *Library) (int, any, *refused) {
	var entries []any
	for _, g := range c.s.grants {
		if g.library != library.ID {
			continue
		}
		entry := map[string]any{"id": g.id, "libraryId": g.library, "canView": true, "grantedAt": "2026-01-02T03:04:05.000Z", "expiresAt": nil}
		if c.s.options.NestedUser {
			entry["user"] = map[string]any{"id": g.user, "displayName": "somebody"}
		} else {
			entry["userId"] = g.user
		}
		entries = append(entries, entry)
	}
	return c.list(entries)
}

func (s *Server) give(library, user string) {
	s.grants = append(s.grants, grant{s.newID(), library, user})
}

func postPermission(c *call, library *Library) (int, any, *refused) {
	var id string
	if !c.field("userId", &id) {
		return 0, nil, invalid("userId")
	}
	if c.s.user(id) == nil {
		return 0, nil, refuse(http.StatusNotFound, "User not found")
	}
	if !slices.ContainsFunc(c.s.grants, func(g grant) bool { return g.library == library.ID && g.user == id }) {
		c.s.give(library.ID, id)
	} else if c.s.options.StrictGrants {
		return 0, nil, refuse(http.StatusConflict, "Already granted")
	}
	return success(c.s.options.GrantStatus, http.StatusCreated)
}

func deletePermission(c *call, library *Library) (int, any, *refused) {
	before := len(c.s.grants)
	c.s.grants = slices.DeleteFunc(c.s.grants, func(g grant) bool { return g.library == library.ID && g.user == c.PathValue("userId") })
	if len(c.s.grants) == before && c.s.options.StrictGrants {
		return 0, nil, refuse(http.StatusNotFound, "Permission not found")
	}
	return success(c.s.options.RevokeStatus, http.StatusNoContent)
}

func success(status, usual int) (int, any, *refused) {
	if status == 0 {
		status = usual
	}
	if status == http.StatusNoContent {
		return status, nil, nil
	}
	return status, map[string]any{"success": true}, nil
}

// SetAccess gives an account exactly those libraries, as an owner does on the server's pages.
func (s *Server) SetAccess(email string, libraries []string) {
	s.Lock()
	defer s.Unlock()
	user := s.mailed(email)
	s.grants = slices.DeleteFunc(s.grants, func(g grant) bool { return g.user == user.ID })
	for _, library := range libraries {
		s.give(library, user.ID)
	}
}

// Remove deletes an account, as an owner does on the server's pages.
func (s *Server) Remove(email string) {
	s.Lock()
	defer s.Unlock()
	s.remove(s.mailed(email))
}

// EditLibrary changes a library behind everybody's back.
func (s *Server) EditLibrary(id string, edit func(*Library)) {
	s.Lock()
	defer s.Unlock()
	edit(s.library(id))
}

// AddLibrary makes a library behind everybody's back.
func (s *Server) AddLibrary(name string) Library {
	s.Lock()
	defer s.Unlock()
	library := &Library{ID: s.newID(), Name: name, Type: "movie", Paths: []string{"/media/" + name}}
	s.Libraries = append(s.Libraries, library)
	return *library
}

// Granted lists the ids of the libraries that an account was given.
func (s *Server) Granted(email string) []string {
	s.Lock()
	defer s.Unlock()
	var ids []string
	for _, g := range s.grants {
		if g.user == s.mailed(email).ID {
			ids = append(ids, g.library)
		}
	}
	return ids
}

// Shelves are the libraries as they are now.
func (s *Server) Shelves() []Library {
	s.Lock()
	defer s.Unlock()
	all := make([]Library, 0, len(s.Libraries))
	for _, library := range s.Libraries {
		all = append(all, *library)
	}
	return all
}
