package dubbytest

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
)

func (s *Server) nameField() string {
	if s.options.BetterAuth {
		return "name"
	}
	return "displayName"
}

func (s *Server) userView(u *User) map[string]any {
	return map[string]any{
		"id": u.ID, "email": u.Email, s.nameField(): u.Name, "role": u.Role, "isActive": u.Active,
		"avatarUrl": nil, "createdAt": "2026-01-02T03:04:05.000Z", "lastLoginAt": nil,
	}
}

func (s *Server) userRoutes(add adder) {
	add("GET /v1/users", false, admins(func(c *call) (int, any, *refused) {
		entries := make([]any, 0, len(c.s.Users))
		for _, user := range c.s.Users {
			entries = append(entries, c.s.userView(user))
		}
		return c.list(entries)
	}))
	fields := []string{}
	if s.options.RoleRoute {
		add("PATCH /v1/users/{id}/role", false, admins(patchUser), "role")
	} else {
		fields = append(fields, "role")
	}
	if !s.options.Bare {
		fields = append(fields, "isActive", s.nameField())
		add("GET /v1/users/{id}", false, admins(func(c *call) (int, any, *refused) {
			if user := c.s.user(c.PathValue("id")); user != nil {
				return http.StatusOK, c.s.userView(user), nil
			}
			return 0, nil, refuse(http.StatusNotFound, "User not found")
		}))
		add("DELETE /v1/users/{id}", false, admins(deleteUser))
		add("PUT /v1/users/{id}/password", false, admins(putPassword), "newPassword")
	}
	if len(fields) > 0 {
		add("PATCH /v1/users/{id}", false, admins(patchUser), fields...)
	}
}

// patchUser keeps the guards of section 4: nobody changes their own role, the owner's stays, only the owner promotes.
func patchUser(c *call) (int, any, *refused) {
	user := c.s.user(c.PathValue("id"))
	if user == nil {
		return 0, nil, refuse(http.StatusNotFound, "User not found")
	}
	changed := *user
	if c.body["role"] != nil && !c.field("role", &changed.Role) {
		return 0, nil, invalid("role")
	}
	if c.body["isActive"] != nil && !c.field("isActive", &changed.Active) {
		return 0, nil, invalid("isActive")
	}
	if name := c.s.nameField(); c.body[name] != nil && !c.field(name, &changed.Name) {
		return 0, nil, invalid(name)
	}
	switch {
	case !slices.Contains([]string{"owner", "admin", "member", "guest"}, changed.Role):
		return 0, nil, invalid("role")
	case changed.Role != user.Role && (user == c.by || user.Role == "owner" || changed.Role == "owner"):
		return 0, nil, refuse(http.StatusForbidden, "The role cannot be changed")
	case changed.Role == "admin" && user.Role != "admin" && c.by.Role != "owner":
		return 0, nil, refuse(http.StatusForbidden, "Only the owner can promote users to admin")
	case !changed.Active && (user == c.by || user.Role == "owner"):
		return 0, nil, refuse(http.StatusForbidden, "The account cannot be deactivated")
	}
	*user = changed
	return http.StatusOK, c.s.userView(user), nil
}

func deleteUser(c *call) (int, any, *refused) {
	user := c.s.user(c.PathValue("id"))
	switch {
	case user == nil:
		return 0, nil, refuse(http.StatusNotFound, "User not found")
	case user == c.by || user.Role == "owner":
		return 0, nil, refuse(http.StatusForbidden, "The account cannot be deleted")
	}
	c.s.remove(user)
	return http.StatusNoContent, nil, nil
}

// remove deletes an account, its sessions and its grants.
func (s *Server) remove(user *User) {
	s.Users = slices.DeleteFunc(s.Users, func(u *User) bool { return u == user })
	s.grants = slices.DeleteFunc(s.grants, func(g grant) bool { return g.user == user.ID })
	for token, id := range s.sessions {
		if id == user.ID {
			delete(s.sessions, token)
		}
	}
}

func putPassword(c *call) (int, any, *refused) {
	user := c.s.user(c.PathValue("id"))
	if user == nil {
		return 0, nil, refuse(http.StatusNotFound, "User not found")
	}
	var password string
	if !c.field("newPassword", &password) || !goodPassword(password) {
		return 0, nil, invalid("newPassword")
	}
	user.Password = password
	return http.StatusNoContent, nil, nil
}

// goodPassword is the rule of section 3.
func goodPassword(password string) bool {
	return len(password) >= 8 && len(password) <= 128 && strings.ContainsFunc(password, unicode.IsLower) &&
		strings.ContainsFunc(password, unicode.IsUpper) && strings.ContainsFunc(password, unicode.IsDigit)
}
