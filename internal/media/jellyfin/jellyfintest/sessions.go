package jellyfintest

import (
	"net/http"
	"slices"
	"time"
)

// session is what lives in memory of a device that somebody uses (section 4, additions B.6).
type session struct{ id, token, userID string }

// sessionRoutes: signing in and out, sessions, devices, and Quick Connect.
func (s *Server) sessionRoutes() []route {
	routes := []route{
		{method: "GET", path: "/Sessions", guard: signedIn, do: s.listSessions, query: params("controllableByUserId deviceId activeWithinSeconds")},
		{method: "POST", path: "/Sessions/Logout", guard: signedIn, do: s.logout},
		{method: "GET", path: "/Devices", guard: elevated, do: s.listDevices, query: params("userId")},
		{method: "DELETE", path: "/Devices", guard: elevated, do: s.deleteDevices, query: params("id")},
		{method: "GET", path: "/QuickConnect/Enabled", do: s.quickConnectEnabled},
		{method: "POST", path: "/QuickConnect/Initiate", do: s.initiate},
		{method: "GET", path: "/QuickConnect/Connect", do: s.connect, query: params("secret")},
		{method: "POST", path: "/QuickConnect/Authorize", guard: signedIn, do: s.authorize, query: params("code userId")},
		{method: "POST", path: "/Users/AuthenticateWithQuickConnect", do: s.authenticateWithQuickConnect, body: "QuickConnectDto"},
	}
	if s.version.initiateByGet() {
		routes = append(routes, route{method: "GET", path: "/QuickConnect/Initiate", do: s.initiate})
	}
	return routes
}

// authenticateByName signs somebody in. It needs a client that tells of itself (section 1).
func (s *Server) authenticateByName(c *call) answer {
	if !c.client.complete() {
		return failed(http.StatusBadRequest)
	}
	u := s.called(c.body.text("Username"))
	if u == nil {
		return failed(http.StatusUnauthorized)
	}
	s.plugIn(u)
	matches := u.password == c.body.text("Pw")
	switch {
	case u.disabled(), !u.policy.flag("EnableRemoteAccess") && !s.local(c.Request), !u.admin() && !u.withinHours(s.now()):
		// A security exception, whatever the password (section 8, additions B.13 and B.14).
		return failed(http.StatusForbidden)
	case !matches:
		s.failedLogin(u)
		return failed(http.StatusUnauthorized)
	}
	if s.version.loginSavesUser() {
		// The whole user that was loaded is saved (additions B.1).
		s.mu.Unlock()
		s.rewrite(u.id)
		s.mu.Lock()
	}
	u.policy["InvalidLoginAttemptCount"] = int64(0)
	if most := u.policy.number("MaxActiveSessions"); most > 0 && s.countSessions(u.id) >= most {
		// Counted at a login only, by live sessions: 403, not 401 (additions B.7).
		return failed(http.StatusForbidden)
	}
	u.lastLogin, u.lastActivity = s.now(), s.now()
	return s.welcome(u, c.client)
}

// failedLogin counts, and disables who failed too often: the server itself, by the same switch as an administrator
// (section 6). In 10.11.9 to 10.11.11 it only counts (corrections A.2).
func (s *Server) failedLogin(u *user) {
	count := u.policy.number("InvalidLoginAttemptCount") + 1
	u.policy["InvalidLoginAttemptCount"] = count
	if most := u.policy.number("LoginAttemptsBeforeLockout"); most > 0 && count >= most && !s.version.lockoutWithoutEffect() {
		u.policy["IsDisabled"] = true
	}
}

// welcome gives a device a token. One that the person had on the same device ends (additions B.6).
func (s *Server) welcome(u *user, from client) answer {
	s.end(func(d *device) bool { return d.userID == u.id && d.client.deviceID == from.deviceID })
	d := &device{token: newID(), userID: u.id, client: from, created: s.now()}
	s.devices = append(s.devices, d)
	s.use(d, s.now())
	return ok(object{"User": s.view(u), "SessionInfo": s.sessionView(d), "AccessToken": d.token, "ServerId": s.id})
}

// use makes a device's session live, as every request of it does.
func (l *live) use(d *device, now time.Time) {
	d.activity = now
	if l.sessions[d.token] == nil {
		l.sessions[d.token] = &session{id: newID(), token: d.token, userID: d.userID}
	}
}

// end ends the tokens of devices, and their sessions with them.
func (s *Server) end(is func(*device) bool) {
	s.devices = slices.DeleteFunc(s.devices, func(d *device) bool {
		if is(d) {
			delete(s.sessions, d.token)
			return true
		}
		return false
	})
	for id := range s.stale {
		if first(s.devices, func(d *device) bool { return d.userID == id }) == nil {
			delete(s.stale, id)
		}
	}
}

// revoke ends all tokens of a user's but one. Running streams go on, and no key is ended by it (additions B.5 and B.6).
func (s *Server) revoke(u *user, but string) {
	s.end(func(d *device) bool { return d.userID == u.id && d.token != but })
	delete(s.stale, u.id)
}

func (s *Server) countSessions(userID string) (n int64) {
	for _, one := range s.sessions {
		if one.userID == userID {
			n++
		}
	}
	return n
}

func (s *Server) sessionView(d *device) object {
	view := object{
		"Id": s.sessions[d.token].id, "UserId": d.userID, "Client": d.client.app, "DeviceName": d.client.device,
		"DeviceId": d.client.deviceID, "ApplicationVersion": d.client.version, "LastActivityDate": moment(d.activity),
		"IsActive": true, "ServerId": s.id, "SupportsRemoteControl": false, "HasCustomDeviceName": false,
	}
	if u := s.user(d.userID); u != nil {
		view["UserName"] = u.name
	}
	return view
}

// listSessions shows the live ones: all of them to administrators, and their own to others.
func (s *Server) listSessions(c *call) answer {
	views := []object{}
	within := time.Duration(c.whole("activeWithinSeconds", 0)) * time.Second
	for _, d := range s.devices {
		mine := c.caller.admin() || d.userID == c.caller.user.id
		asked := c.param("deviceId") == "" || c.param("deviceId") == d.client.deviceID
		recent := within == 0 || s.now().Sub(d.activity) <= within
		if s.sessions[d.token] != nil && mine && asked && recent {
			views = append(views, s.sessionView(d))
		}
	}
	return ok(views)
}

// logout ends the token that it is sent with (additions B.6). A key lives on (additions B.5).
func (s *Server) logout(c *call) answer {
	s.end(func(d *device) bool { return d.token == c.caller.token })
	return noContent()
}

// listDevices with a user does not list their devices, but all that they may use (additions B.6).
func (s *Server) listDevices(c *call) answer {
	var may *user
	if text := c.param("userId"); text != "" {
		id, isID := parseID(text)
		if !isID {
			return invalid("userId")
		}
		if may = s.user(id); may == nil {
			return failed(http.StatusNotFound)
		}
	}
	var items []object
	for _, d := range s.devices {
		u := s.user(d.userID)
		if u == nil || may != nil && !may.mayUse(d.client.deviceID) {
			continue
		}
		items = append(items, object{
			"Id": d.client.deviceID, "Name": d.client.device, "AppName": d.client.app, "AppVersion": d.client.version,
			"LastUserId": u.id, "LastUserName": u.name, "DateLastActivity": moment(d.activity), "Capabilities": object{},
		})
	}
	return ok(page(items, len(items), 0))
}

// deleteDevices signs out every user of a device. Before 12.0 it takes one id, and answers 404 to one that there is not;
// from 12.0 on several or none, and answers 400 without doing anything (corrections A.5).
func (s *Server) deleteDevices(c *call) answer {
	ids := c.values("id")
	if !s.version.deletesManyDevices() && len(ids) > 1 {
		ids = ids[:1]
	}
	unknown := slices.ContainsFunc(ids, func(id string) bool {
		return first(s.devices, func(d *device) bool { return d.client.deviceID == id }) == nil
	})
	switch {
	case s.version.deletesManyDevices() && unknown:
		return failed(http.StatusBadRequest)
	case !s.version.deletesManyDevices() && len(ids) == 0:
		return invalid("id")
	case !s.version.deletesManyDevices() && unknown:
		return bare(http.StatusNotFound)
	}
	s.end(func(d *device) bool { return slices.Contains(ids, d.client.deviceID) })
	return noContent()
}
