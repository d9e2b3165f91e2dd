package audiobookshelftest

import (
	"maps"
	"net/http"
	"slices"
)

var kinds = []string{"admin", "user", "guest"}

func without[T any](all []*T, is func(*T) bool) []*T { return slices.DeleteFunc(slices.Clone(all), is) }

// included is the parameter of some lists, which ends the process when it is a list itself.
func included(c *call) {
	if c.URL.Query().Has("include[]") {
		panic(crash{"include.split is not a function"})
	}
}

func (s *Server) listUsers(c *call) (any, error) {
	if !c.user.isAdmin() {
		return nil, plain(http.StatusForbidden)
	}
	included(c)
	all := []object{}
	for _, a := range s.users {
		form := a.form(c.user.kind != "root")
		delete(form, "mediaProgress")
		delete(form, "bookmarks")
		all = append(all, form)
	}
	return object{"users": all}, nil
}

// asked is the account that the path names, for an administrator.
func (s *Server) asked(c *call) (*account, error) {
	if !c.user.isAdmin() {
		return nil, plain(http.StatusForbidden)
	}
	a := s.account(c.PathValue("id"))
	if a == nil {
		return nil, plain(http.StatusNotFound)
	}
	return a, nil
}

func (s *Server) getUser(c *call) (any, error) {
	a, err := s.asked(c)
	if err != nil {
		return nil, err
	}
	return a.form(c.user.kind != "root"), nil
}

func (s *Server) createUser(c *call) (any, error) {
	if !c.user.isAdmin() {
		return nil, plain(http.StatusForbidden)
	}
	username, named := c.body["username"].(string)
	password, secured := c.body["password"].(string)
	kind, _ := either(c.body["type"], "user").(string)
	switch {
	case !named || !secured || username == "" || password == "":
		return nil, say(http.StatusBadRequest, "Username and password are required")
	case !slices.Contains(kinds, kind):
		return nil, say(http.StatusBadRequest, "Invalid account type")
	case s.exactly(username):
		return nil, say(http.StatusBadRequest, "Username already taken")
	}
	s.pass() // the password is hashed between the look and the account
	a := s.newAccount(kind, username, password)
	a.active = truthy(c.body["isActive"])
	if email, ok := c.body["email"].(string); ok {
		a.email = email
	}
	stored := a.permissions.(object)
	given, _ := c.body["permissions"].(object)
	list, _ := texts(either(c.body["librariesAccessible"], given["librariesAccessible"]))
	tags, _ := texts(either(c.body["itemTagsSelected"], given["itemTagsSelected"]))
	setFlags(stored, given, defaults(kind))
	stored["librariesAccessible"], stored["itemTagsSelected"] = anys(list), anys(tags)
	s.users = append(s.users, a)
	return object{"user": a.form(false)}, nil
}

// exactly says whether there is an account of a name, letter by letter.
func (s *store) exactly(username string) bool {
	return slices.ContainsFunc(s.users, func(a *account) bool { return a.username == username })
}

// setFlags sets what is yes or no and known. A list is given as one of them when it counts as false: then "false" is stored in
// its place, and later ends the process.
func setFlags(stored, given, known object) (changed bool) {
	if truthy(given["librariesAccessible"]) || truthy(given["itemTagsSelected"]) {
		given = maps.Clone(given)
		delete(given, "librariesAccessible")
		delete(given, "itemTagsSelected")
	}
	for name, value := range given {
		_, isKnown := known[name]
		_, isStored := stored[name]
		if flag, ok := value.(bool); ok && (isKnown || isStored) && stored[name] != any(flag) {
			stored[name], changed = flag, true
		}
	}
	return changed
}

func (s *Server) updateUser(c *call) (any, error) {
	a, err := s.asked(c)
	switch {
	case err != nil:
		return nil, err
	case a.kind == "root" && c.user.kind != "root":
		return nil, plain(http.StatusForbidden)
	case a.kind == "root":
		delete(c.body, "type")
	}
	if err := fit(c.body); err != nil {
		return nil, err
	}
	if username, _ := c.body["username"].(string); username != "" && username != a.username {
		if s.exactly(username) {
			return nil, say(http.StatusBadRequest, "Username already taken")
		}
		a.username = username
		s.signOut(a.id)
	}
	if truthy(c.body["password"]) {
		// What is no text hashes to nothing, and nobody can sign in any more.
		a.password, a.hasPassword = c.body["password"].(string)
		s.signOut(a.id)
	}
	setPermissions(a, c.body)
	if email, _ := c.body["email"].(string); email != "" {
		a.email = email
	}
	if kind, _ := c.body["type"].(string); kind != "" {
		a.kind = kind
	}
	if active, there := c.body["isActive"]; there {
		a.active = truthy(active)
	}
	return object{"success": true, "user": a.form(false)}, nil
}

// fit refuses the fields that cannot be changed, or have the wrong type.
func fit(body object) error {
	for _, name := range []string{"id", "pash", "token", "extraData", "bookmarks"} {
		if _, there := body[name]; there {
			return say(http.StatusBadRequest, `Key "`+name+`" cannot be updated`)
		}
	}
	for _, name := range []string{"email", "username"} {
		if _, ok := body[name].(string); truthy(body[name]) && !ok {
			return say(http.StatusBadRequest, "Invalid "+name)
		}
	}
	if kind, _ := body["type"].(string); truthy(body["type"]) && !slices.Contains(kinds, kind) {
		return say(http.StatusBadRequest, "Invalid account type")
	}
	switch body["permissions"].(type) {
	case nil, object, []any:
		return nil
	}
	if truthy(body["permissions"]) {
		return say(http.StatusBadRequest, "Invalid permissions")
	}
	return nil
}

// setPermissions changes the flags one by one, and the lists together with them only. The list beside the permissions beats
// the one within, also when it is empty. A row without a list to compare with ends the process.
func setPermissions(a *account, body object) {
	given, ok := body["permissions"].(object)
	if !ok {
		return
	}
	stored, _ := a.permissions.(object)
	after := maps.Clone(stored)
	if after == nil {
		after = object{}
	}
	changed := setFlags(after, given, defaults(a.kind))
	for _, name := range []string{"itemTagsSelected", "librariesAccessible"} {
		list, ok := texts(either(body[name], given[name]))
		if !ok {
			continue
		}
		if a.permissions == nil {
			panic(crash{"cannot read " + name + " of null"})
		}
		if joined(anys(list)) != joined(stored[name]) {
			after[name], changed = anys(list), true
		}
	}
	if changed {
		a.permissions = after
	}
}

func (s *Server) deleteUser(c *call) (any, error) {
	a, err := s.asked(c)
	switch {
	case err != nil:
		return nil, err
	case a == c.user:
		return nil, plain(http.StatusBadRequest)
	case a.kind == "root":
		return nil, plain(http.StatusForbidden)
	}
	s.users = without(s.users, func(other *account) bool { return other == a })
	s.keys = without(s.keys, func(k *key) bool { return k.user == a.id })
	s.signOut(a.id)
	return object{"success": true}, nil
}

// mail shows the devices, beside the password of the mail server.
func (s *Server) mail(c *call) (any, error) {
	if !c.user.isAdmin() {
		return nil, plain(http.StatusNotFound)
	}
	return object{"settings": object{"id": "email-settings", "pass": "a mail password", "ereaderDevices": append([]object{}, s.devices...)}}, nil
}

func (s *Server) setDevices(c *call) (any, error) {
	list, ok := c.body["ereaderDevices"].([]any)
	if !c.user.isAdmin() {
		return nil, plain(http.StatusNotFound)
	}
	if !ok {
		return nil, say(http.StatusBadRequest, "Invalid payload. ereaderDevices array required")
	}
	devices := []object{}
	for _, one := range list {
		if !truthy(member(one, "name")) || !truthy(member(one, "email")) {
			return nil, say(http.StatusBadRequest, "Invalid payload. ereaderDevices array items must have name and email")
		}
		device := maps.Clone(one.(object))
		// A device for named people without a name is one for administrators.
		if people, _ := texts(device["users"]); device["availabilityOption"] == "specificUsers" && len(people) == 0 {
			device["availabilityOption"] = "adminOrUp"
		}
		devices = append(devices, device)
	}
	s.devices = devices
	return object{"ereaderDevices": devices}, nil
}
