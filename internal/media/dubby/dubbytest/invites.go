package dubbytest

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

func (s *Server) inviteRoutes(add adder) {
	add("GET /v1/invites", false, admins(func(c *call) (int, any, *refused) {
		entries := make([]any, 0, len(c.s.Invites))
		for _, invite := range c.s.Invites {
			entries = append(entries, inviteView(invite))
		}
		return c.list(entries)
	}))
	add("POST /v1/invites", false, admins(createInvite), "role", "libraryIds", "expiresAt", "expiresInDays")
	add("DELETE /v1/invites/{id}", false, admins(deleteInvite))
	path, fields := "POST /v1/auth/register", []string{"email", "password", "displayName", "inviteCode"}
	if s.options.BetterAuth {
		path, fields[2] = "POST /api/auth/sign-up/email", "name"
	}
	add(path, true, register, fields...)
}

func inviteView(i *Invite) map[string]any {
	var usedBy any
	if i.UsedBy != "" {
		usedBy = i.UsedBy
	}
	return map[string]any{
		"id": i.ID, "role": i.Role, "libraryIds": i.Libraries, "usedBy": usedBy, "expiresAt": i.Expires.UTC().Format("2006-01-02T15:04:05.000Z"),
	}
}

func createInvite(c *call) (int, any, *refused) {
	invite := &Invite{ID: c.s.newID(), Code: c.s.newID() + c.s.newID(), Expires: time.Now().Add(7 * 24 * time.Hour), Libraries: []string{}}
	if !c.field("role", &invite.Role) || !slices.Contains([]string{"admin", "member", "guest"}, invite.Role) {
		return 0, nil, invalid("role")
	}
	if c.body["libraryIds"] != nil && !c.field("libraryIds", &invite.Libraries) {
		return 0, nil, invalid("libraryIds")
	}
	if c.s.options.InviteDays {
		days := 7.0
		if c.body["expiresAt"] != nil || (c.body["expiresInDays"] != nil && !c.field("expiresInDays", &days)) ||
			days != math.Trunc(days) || days < 1 || days > 30 {
			return 0, nil, invalid("expiresInDays")
		}
		invite.Expires = time.Now().Add(time.Duration(days) * 24 * time.Hour)
	} else if c.body["expiresInDays"] != nil || (c.body["expiresAt"] != nil && !c.field("expiresAt", &invite.Expires)) {
		return 0, nil, invalid("expiresAt")
	}
	if !time.Now().Before(invite.Expires) {
		return 0, nil, invalid("expiresAt")
	}
	c.s.Invites = append(c.s.Invites, invite)
	view := inviteView(invite)
	view["code"] = invite.Code
	return http.StatusCreated, view, nil
}

// deleteInvite deletes unused ones only (section 8).
func deleteInvite(c *call) (int, any, *refused) {
	i := slices.IndexFunc(c.s.Invites, func(i *Invite) bool { return i.ID == c.PathValue("id") })
	switch {
	case i < 0:
		return 0, nil, refuse(http.StatusNotFound, "Invite not found")
	case c.s.Invites[i].UsedBy != "":
		return 0, nil, refuse(http.StatusConflict, "Invite was used")
	}
	c.s.Invites = slices.Delete(c.s.Invites, i, i+1)
	return http.StatusNoContent, nil, nil
}

// register makes an account with the invite's role and libraries, and signs it in (section 8).
func register(c *call) (int, any, *refused) {
	var email, password, name, code string
	if !c.field("email", &email) || !strings.Contains(email, "@") {
		return 0, nil, invalid("email")
	}
	if !c.field("password", &password) || !goodPassword(password) {
		return 0, nil, invalid("password")
	}
	nameField := "displayName"
	if c.s.options.BetterAuth {
		nameField = "name"
	}
	if !c.field(nameField, &name) || name == "" {
		return 0, nil, invalid(nameField)
	}
	c.field("inviteCode", &code)
	i := slices.IndexFunc(c.s.Invites, func(i *Invite) bool {
		return i.Code == code && i.UsedBy == "" && time.Now().Before(i.Expires)
	})
	if code == "" || i < 0 {
		return 0, nil, refuse(http.StatusForbidden, "Invalid invite code")
	}
	if c.s.mailed(email) != nil {
		if c.s.options.BetterAuth {
			return 0, nil, betterAuth(http.StatusUnprocessableEntity, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", "User already exists. Use another email.")
		}
		return 0, nil, refuse(http.StatusConflict, "Email already registered")
	}
	if c.s.options.LowerCase {
		email = strings.ToLower(email)
	}
	user := &User{ID: c.s.newID(), Email: email, Name: name, Role: c.s.Invites[i].Role, Password: password, Active: true}
	c.s.Users = append(c.s.Users, user)
	c.s.Invites[i].UsedBy = user.ID
	for _, library := range c.s.Invites[i].Libraries {
		if c.s.library(library) != nil {
			c.s.give(library, user.ID)
		}
	}
	c.s.Audit = append(c.s.Audit, "user:create")
	return http.StatusOK, c.s.startSession(user), nil
}
