package jellyfintest

import "net/http"

// firstName is what the server calls the account that the wizard makes.
const firstName = "MyJellyfinUser"

func (s *Server) startupConfiguration(*call) answer {
	form := object{
		"UICulture": s.config.culture, "MetadataCountryCode": s.config.country, "PreferredMetadataLanguage": s.config.language,
	}
	if s.version.startupServerName() {
		form["ServerName"] = s.config.serverName
	}
	return ok(form)
}

// configure writes a field that is left out as an empty text (section 3).
func (s *Server) configure(c *call) answer {
	s.config.culture, s.config.country = c.body.text("UICulture"), c.body.text("MetadataCountryCode")
	s.config.language = c.body.text("PreferredMetadataLanguage")
	if s.version.startupServerName() {
		s.config.serverName = c.body.text("ServerName")
	}
	return noContent()
}

// firstUser makes the first user: a GET that writes (section 3).
func (s *Server) firstUser(*call) answer {
	if len(s.users) == 0 {
		first := s.addUser(firstName)
		first.policy["IsAdministrator"] = true
	}
	form := object{"Name": s.users[0].name}
	if s.version.startupUserLeaksHash() && s.users[0].password != "" {
		form["Password"] = "$PBKDF2-SHA512$iterations=210000$" + hashedID("hash", s.users[0].password)
	}
	return ok(form)
}

// nameFirstUser renames the first user and sets the password: on a server that is long set up, the first of its users,
// for any administrator (section 2, selfhostblocks#843). From 12.0 on only one without a password (section 3).
func (s *Server) nameFirstUser(c *call) answer {
	name, password := c.body.text("Name"), c.body.text("Password")
	switch {
	case len(s.users) == 0 && s.version.setupServer():
		return failed(http.StatusNotFound)
	case len(s.users) == 0:
		return failed(http.StatusInternalServerError)
	case s.version.startupUserOnce() && s.users[0].password != "":
		return stated(http.StatusForbidden, "The first user has a password.")
	case password == "":
		return stated(http.StatusBadRequest, "The password must not be empty.")
	case name != "" && !s.version.validName(name):
		return failed(http.StatusBadRequest)
	}
	if name != "" {
		s.users[0].name = name
	}
	s.users[0].password = password
	return noContent()
}

func (s *Server) remoteAccess(c *call) answer {
	s.config.remoteAccess = c.body.flag("EnableRemoteAccess")
	return noContent()
}

func (s *Server) complete(*call) answer {
	s.startup.completed = true
	return noContent()
}
