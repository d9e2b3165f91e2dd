package jellyfintest

import (
	"cmp"
	"net/http"
	"slices"
)

// userRoutes: accounts, their policies and passwords. The forms with the id in the path are hidden since 10.9 and still
// there in 12.0 (section 9).
func (s *Server) userRoutes() []route {
	routes := []route{
		{method: "GET", path: "/Users", guard: signedIn, do: s.listUsers, query: params("isHidden isDisabled")},
		{method: "GET", path: "/Users/Public", do: s.publicUsers},
		{method: "GET", path: "/Users/Me", guard: signedIn, do: s.me},
		{method: "GET", path: "/Users/{id}", guard: anyHour, do: s.getUser},
		{method: "POST", path: "/Users/New", guard: elevated, do: s.createUser, body: "CreateUserByName"},
		{method: "POST", path: "/Users/{id}/Policy", guard: elevated, do: s.setPolicy, body: "UserPolicy"},
		{method: "DELETE", path: "/Users/{id}", guard: elevated, do: s.deleteUser},
		{method: "POST", path: "/Users", guard: signedIn, do: s.updateUser, body: "UserDto", query: params("userId")},
		{method: "POST", path: "/Users/{id}", guard: signedIn, do: s.updateUser, body: "UserDto"},
		{method: "POST", path: "/Users/Configuration", guard: signedIn, do: s.setConfiguration, body: "UserConfiguration", query: params("userId")},
		{method: "POST", path: "/Users/{id}/Configuration", guard: signedIn, do: s.setConfiguration, body: "UserConfiguration"},
		{method: "POST", path: "/Users/Password", guard: signedIn, do: s.setPassword, body: "UpdateUserPassword", query: params("userId")},
		{method: "POST", path: "/Users/{id}/Password", guard: signedIn, do: s.setPassword, body: "UpdateUserPassword"},
		{method: "POST", path: "/Users/AuthenticateByName", do: s.authenticateByName, body: "AuthenticateUserByName"},
		{method: "POST", path: "/Users/ForgotPassword", do: s.forgotPassword, body: "ForgotPasswordDto"},
		{method: "POST", path: "/Users/ForgotPassword/Pin", do: s.redeemPin, body: "ForgotPasswordPinDto"},
	}
	if s.version.easyPasswordRoute() {
		routes = append(routes, route{method: "POST", path: "/Users/{id}/EasyPassword", guard: signedIn, do: func(*call) answer {
			return bare(http.StatusForbidden)
		}})
	}
	return routes
}

// addUser makes an account as the server does before anybody sets a policy: it sees everything (section 4).
func (s *Server) addUser(name string) *user {
	policy := s.schemas.empty("UserPolicy")
	policy["AuthenticationProviderId"], policy["PasswordResetProviderId"] = passwordProvider, resetProvider
	policy["EnableLiveTvManagement"] = s.version.liveTvForNewUsers()
	u := &user{id: newID(), name: name, policy: policy, configuration: s.schemas.empty("UserConfiguration")}
	s.users = append(s.users, u)
	return u
}

// view is a user as the server writes it: nulls are left out, and there is no e-mail address (section 4).
func (s *Server) view(u *user) object {
	hasPassword := u.password != "" || s.version.hasPasswordConstant()
	form := object{
		"Name": u.name, "ServerId": s.id, "Id": u.id, "HasPassword": hasPassword, "HasConfiguredPassword": hasPassword,
		"HasConfiguredEasyPassword": false, "EnableAutoLogin": false, "Configuration": u.configuration, "Policy": s.policyView(u),
	}
	if !u.lastLogin.IsZero() {
		form["LastLoginDate"] = moment(u.lastLogin)
	}
	if !u.lastActivity.IsZero() {
		form["LastActivityDate"] = moment(u.lastActivity)
	}
	return form
}

// views are users by name. The order is not in the contract.
func (s *Server) views(users []*user) []object {
	views := make([]object, 0, len(users))
	for _, u := range slices.SortedStableFunc(slices.Values(users), func(a, b *user) int { return cmp.Compare(a.name, b.name) }) {
		views = append(views, s.view(u))
	}
	return views
}

// listUsers shows everybody, with their policies, to whoever is signed in (corrections A.4). There are no pages.
func (s *Server) listUsers(c *call) answer {
	var users []*user
	for _, u := range s.users {
		hidden, byHidden := c.flag("isHidden")
		disabled, byDisabled := c.flag("isDisabled")
		if s.emptied || byHidden && u.policy.flag("IsHidden") != hidden || byDisabled && u.disabled() != disabled {
			continue
		}
		users = append(users, u)
	}
	return ok(s.views(users))
}

// publicUsers are those that the sign-in page shows: neither hidden nor disabled, and allowed on the device that asks
// (additions B.15).
func (s *Server) publicUsers(c *call) answer {
	var users []*user
	for _, u := range s.users {
		if !u.policy.flag("IsHidden") && !u.disabled() && u.mayUse(c.client.deviceID) {
			users = append(users, u)
		}
	}
	return ok(s.views(users))
}

// me needs a user: a key has none (section 1).
func (s *Server) me(c *call) answer {
	if c.isKey() {
		return failed(http.StatusBadRequest)
	}
	return ok(s.view(c.caller.user))
}

func (s *Server) getUser(c *call) answer {
	id, isID := c.id()
	if !isID {
		return invalid("userId")
	}
	if u := s.user(id); u != nil {
		return ok(s.view(u))
	}
	return stated(http.StatusNotFound, "User not found")
}

// createUser works in two steps, and takes an account without a password, into which anybody gets (section 4). A bad name
// and one that is taken answer alike; a race for a name that was lost is a 500 since 10.11.9 (corrections A.3).
func (s *Server) createUser(c *call) answer {
	name, password := c.body.text("Name"), c.body.text("Password")
	if !s.version.validName(name) || s.called(name) != nil {
		return failed(http.StatusBadRequest)
	}
	s.mu.Unlock()
	goOn := s.reach(NameFree, name)
	s.mu.Lock()
	switch {
	case !goOn:
		return failed(http.StatusInternalServerError)
	case s.called(name) != nil && s.version.normalizedNames():
		return failed(http.StatusInternalServerError)
	case s.called(name) != nil:
		return failed(http.StatusBadRequest)
	}
	u := s.addUser(name)
	u.password = password
	return ok(s.view(u))
}

// updateUser renames where the name is another, and replaces the configuration; the policy in the body is not looked at,
// but must be whole (section 4).
func (s *Server) updateUser(c *call) answer {
	u, refused, found := c.subject()
	if !found {
		return refused
	}
	if c.mayNotPrefer() {
		return stated(http.StatusForbidden, "User update not allowed.")
	}
	if name := c.body.text("Name"); name != u.name {
		if !s.renames(u, name) {
			return failed(http.StatusBadRequest)
		}
		u.name = name
	}
	u.configuration = configurationOf(c.body)
	return noContent()
}

func configurationOf(body object) object {
	configuration, _ := body["Configuration"].(object)
	return configuration.clone()
}

func (s *Server) setConfiguration(c *call) answer {
	u, refused, found := c.subject()
	if !found {
		return refused
	}
	if c.mayNotPrefer() {
		return stated(http.StatusForbidden, "User configuration update forbidden.")
	}
	u.configuration = c.body.clone()
	return noContent()
}

// setPassword: who is no administrator must bring the old one. ResetPassword blanks the password, ignores the new one and
// ends no session; a new password ends all of the user's but the caller's own (section 4, additions B.5).
func (s *Server) setPassword(c *call) answer {
	u, refused, found := c.subject()
	if !found {
		return refused
	}
	password := c.body.text("NewPw")
	switch {
	case c.body.flag("ResetPassword") && u.admin():
		return failed(http.StatusBadRequest)
	case c.body.flag("ResetPassword"):
		u.password = ""
		return noContent()
	case c.mayNotPrefer():
		return stated(http.StatusForbidden, "User is not allowed to update the password.")
	case !c.caller.admin() && c.body.text("CurrentPw") != u.password:
		return stated(http.StatusForbidden, "Invalid user or password entered.")
	case password == "" && u.admin():
		// Not in the contract: an administrator's password is never blank.
		return failed(http.StatusBadRequest)
	}
	u.password = password
	s.revoke(u, c.caller.token)
	return noContent()
}

// mayNotPrefer: who may not change their own preferences may not change their password either
// (EnableUserPreferenceAccess; administrators are exempt).
func (c *call) mayNotPrefer() bool {
	return !c.caller.admin() && !c.caller.user.policy.flag("EnableUserPreferenceAccess")
}

// deleteUser has ended the tokens and removed the playlists before it refuses to delete the last user or the last
// administrator (section 4, additions B.2).
func (s *Server) deleteUser(c *call) answer {
	id, isID := c.id()
	if !isID {
		return invalid("userId")
	}
	u := s.user(id)
	if u == nil {
		return failed(http.StatusNotFound)
	}
	s.revoke(u, "")
	u.playlists = nil
	switch {
	case len(s.users) == 1:
		return failed(http.StatusInternalServerError)
	case u.admin() && s.count((*user).admin) == 1:
		return failed(http.StatusBadRequest)
	}
	s.users = slices.DeleteFunc(s.users, func(other *user) bool { return other == u })
	return noContent()
}
