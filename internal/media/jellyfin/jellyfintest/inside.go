package jellyfintest

import (
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// Person is an account as the fake knows it.
type Person struct {
	ID, Username         string
	Administrator        bool
	Disabled             bool
	Hidden               bool
	LiveTvManagement     bool
	LyricManagement      bool
	InvalidLoginAttempts int
	// Shown are the names of the libraries that the person is shown, sorted.
	Shown []string
	// Granted are the ids in the policy, those that no library has any more among them.
	Granted []string
	// Playlists of the person's, by name.
	Playlists []string
	// Tokens is how many devices the person is signed in on.
	Tokens int
}

// People are all accounts, by when they were made.
func (s *Server) People() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	var people []Person
	for _, u := range s.users {
		p := Person{
			ID: u.id, Username: u.name, Administrator: u.admin(), Disabled: u.disabled(), Hidden: u.policy.flag("IsHidden"),
			LiveTvManagement: u.policy.flag("EnableLiveTvManagement"), LyricManagement: u.policy.flag("EnableLyricManagement"),
			InvalidLoginAttempts: int(u.policy.number("InvalidLoginAttemptCount")), Granted: u.policy.texts("EnabledFolders"),
			Playlists: slices.Clone(u.playlists),
		}
		for _, i := range s.items {
			if i.library() && s.shows(u, i) {
				p.Shown = append(p.Shown, i.name)
			}
		}
		slices.Sort(p.Shown)
		for _, d := range s.devices {
			if d.userID == u.id {
				p.Tokens++
			}
		}
		people = append(people, p)
	}
	return people
}

// Person is the account of that name; zero where there is none.
func (s *Server) Person(username string) Person {
	for _, p := range s.People() {
		if upper(p.Username) == upper(username) {
			return p
		}
	}
	return Person{}
}

// Policy is a stored field of somebody's policy, such as "MaxActiveSessions", in the form in which JSON has it.
func (s *Server) Policy(username, field string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.called(username); u != nil {
		return cloneValue(u.policy[field])
	}
	return nil
}

// SetPolicy writes a field of somebody's policy by hand, past all rules: a bool, int64, float64, string or []any.
func (s *Server) SetPolicy(username, field string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.called(username); u != nil {
		u.policy[field] = cloneValue(value)
	}
}

// BlockFolders gives an account what only older servers wrote: libraries that are blocked, which override what is enabled
// (section 5). None takes it away.
func (s *Server) BlockFolders(username string, libraries ...media.LibraryID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.called(username); u != nil {
		u.blockedFolders = nil
		for _, id := range libraries {
			u.blockedFolders = append(u.blockedFolders, string(id))
		}
	}
}

// AddAccount makes an account as somebody does by hand, with what the server gives by itself: every library.
func (s *Server) AddAccount(username, password string) media.AccountID {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.addUser(username)
	u.password = password
	return media.AccountID(u.id)
}

// AddPlaylist gives somebody a playlist.
func (s *Server) AddPlaylist(username, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.called(username); u != nil {
		u.playlists = append(u.playlists, name)
	}
}

// Accepts says whether somebody gets in with a password.
func (s *Server) Accepts(username, password string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.called(username)
	return u != nil && !u.disabled() && u.password == password
}

// AddLibrary makes a library by hand, as the server's pages do: it is refreshed at once.
func (s *Server) AddLibrary(name, kind string, paths ...string) media.LibraryID {
	s.mu.Lock()
	defer s.mu.Unlock()
	options := s.schemas.empty("LibraryOptions")
	options["PathInfos"] = infosOf(paths)
	s.folders = append(s.folders, &folder{name: name, kind: kind, locations: append([]string{}, paths...), options: options})
	s.validate()
	return media.LibraryID(s.libraryID(name))
}

// LibraryNames are the names of all libraries, sorted.
func (s *Server) LibraryNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, f := range s.folders {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return names
}

// Item is something in a library.
type Item struct {
	// Name and Type ("Movie", "Series", "Audio", "Book"; empty for Movie).
	Name, Type string
	// Rating is its official rating; empty for none.
	Rating string
	Tags   []string
}

// AddItem puts something into a library, and returns its id, which depends on nothing but where it lies.
func (s *Server) AddItem(library string, i Item) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.Type == "" {
		i.Type = "Movie"
	}
	f := s.folder(library)
	if f == nil {
		return ""
	}
	path := "/" + i.Name
	if len(f.locations) > 0 {
		path = f.locations[0] + path
	}
	made := &item{
		id: hashedID("MediaBrowser.Controller.Entities."+i.Type, path), kind: i.Type, name: i.Name, folder: library, path: path, rating: i.Rating,
		tags: slices.Clone(i.Tags),
	}
	s.items = append(s.items, made)
	return made.id
}

// ShowNoUsers makes GET /Users answer an empty list, as a server does that has lost its database.
func (s *Server) ShowNoUsers(none bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emptied = none
}

// SetLegacyAuthorization turns the legacy forms of authorization on or off; before 10.11 there is no such switch
// (section 1).
func (s *Server) SetLegacyAuthorization(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version.legacySwitch() {
		s.config.legacyAuthorization = on
	}
}

// SetQuickConnect turns Quick Connect on or off (additions B.8).
func (s *Server) SetQuickConnect(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.quickConnect = on
}

// SetCountry sets the country, on which the ratings depend: "US" or "DE" (corrections A.7).
func (s *Server) SetCountry(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.country = code
}

// Backup keeps the database as it is, and returns what brings it back.
func (s *Server) Backup() (restore func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.store.copy()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.store, s.live = kept.copy(), newLive()
	}
}

// ssoPolicy is what a plug-in for sign-ins writes into an account.
type ssoPolicy struct {
	provider  string
	libraries []any
}

// SignsInBySSO makes a plug-in write the libraries of an account at each of its sign-ins, and the provider's id: another
// writer, which replaces EnabledFolders whole (additions B.17). No libraries are none.
func (s *Server) SignsInBySSO(username, provider string, libraries ...media.LibraryID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.called(username); u != nil {
		u.sso = &ssoPolicy{provider: provider}
		for _, id := range libraries {
			u.sso.libraries = append(u.sso.libraries, string(id))
		}
	}
}

// plugIn applies what the plug-in writes.
func (s *Server) plugIn(u *user) {
	if u.sso != nil {
		u.policy["AuthenticationProviderId"] = u.sso.provider
		u.policy["EnableAllFolders"], u.policy["EnabledFolders"] = false, cloneValue(append([]any{}, u.sso.libraries...))
	}
}
