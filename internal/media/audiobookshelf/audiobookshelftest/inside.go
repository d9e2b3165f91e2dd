package audiobookshelftest

import (
	"errors"
	"slices"
)

// gate holds those who look at a name until as many have as it waits for.
type gate struct {
	missing int
	open    chan struct{}
}

// HoldCreations lets the next n creations of accounts all look at the names before any of them makes its account, as those
// that come at the same moment do.
func (s *Server) HoldCreations(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate = &gate{missing: n, open: make(chan struct{})}
}

// pass waits at the gate, while others may go on.
func (s *Server) pass() {
	g := s.gate
	if g == nil {
		return
	}
	if g.missing--; g.missing == 0 {
		s.gate = nil
		close(g.open)
		return
	}
	s.mu.Unlock()
	<-g.open
	s.mu.Lock()
}

// Dead says by which request the process ended; empty while it runs.
func (s *Server) Dead() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// Stuck says how many requests will never be answered.
func (s *Server) Stuck() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stuck
}

// Restart starts the process again. It fails for good with a schedule in the database that is none.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.libraries {
		if cron, _ := l.settings["autoScanCronExpression"].(string); !validCron(cron) {
			s.dead = true
			return errors.New("the server does not start: a library's schedule is none")
		}
	}
	s.dead, s.why = false, ""
	return nil
}

// Calls returns and forgets the requests so far, each as "METHOD path".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// Bodies returns and forgets what the requests that write carried.
func (s *Server) Bodies() []Body {
	s.mu.Lock()
	defer s.mu.Unlock()
	bodies := s.bodies
	s.bodies = nil
	return bodies
}

// Permissions are the stored ones of an account, as the database has them.
func (s *Server) Permissions(username string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.only(username)
	stored, _ := a.permissions.(object)
	return stored
}

// SetPermissions writes the row of an account by hand, whatever it lacks then.
func (s *Server) SetPermissions(username string, permissions map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.only(username)
	a.permissions = nil
	if permissions != nil {
		a.permissions = permissions
	}
}

func (s *Server) only(username string) *account {
	a := find(s.users, func(a *account) bool { return a.username == username })
	if a == nil {
		panic("audiobookshelftest: there is no " + username)
	}
	return a
}

// RegisterByOpenID makes an account as the server does when somebody signs in by OpenID Connect for the first time: it sees
// everything, and the name may be taken. It returns the id.
func (s *Server) RegisterByOpenID(username string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.newAccount("user", username, "")
	a.linked = true
	s.users = append(s.users, a)
	return a.id
}

// UseOpenID switches signing in by OpenID Connect on, with registration or without.
func (s *Server) UseOpenID(register bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.openID, s.register = true, register
}

// SwitchLocalOff switches signing in by password off.
func (s *Server) SwitchLocalOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.local = false
}

// EndAccessTokens lets every access token be over, as after an hour.
func (s *Server) EndAccessTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// LegacyToken is the token of an account that never ends.
func (s *Server) LegacyToken(username string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.only(username).token
}

// AddItem puts an item into the first folder of a library. Explicit ones are not shown to everybody.
func (s *Server) AddItem(id string, explicit bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.library(id); l != nil {
		s.items = append(s.items, &item{id: newID(), library: id, folder: l.folders[0].id, explicit: explicit})
	}
}

// Items counts what a library holds.
func (s *Server) Items(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(s.items), func(i *item) bool { return i.library != id }))
}

// SetDevices sets the e-reader devices.
func (s *Server) SetDevices(devices ...map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices = devices
}

// Devices are the e-reader devices.
func (s *Server) Devices() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.devices)
}

// MakeLibrary makes a library by hand, and returns its id.
func (s *Server) MakeLibrary(name, path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &library{
		id: newID(), name: name, kind: "book", icon: "database", provider: "google", created: s.options.Now(),
		folders: []*folder{{newID(), path}}, settings: object{"autoScanCronExpression": nil},
	}
	s.libraries = append(s.libraries, l)
	return l.id
}

// SetLibraryKind writes what a library is said to hold, which the server does not look at.
func (s *Server) SetLibraryKind(id, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.library(id); l != nil {
		l.kind = kind
	}
}
