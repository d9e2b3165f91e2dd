package memory

import (
	"github.com/usher-media/usher/internal/media"
)

// What follows is done by hand, behind the driver's back: drift, and looking at what is really there. None of it
// counts as a call, runs hooks or is checked.

// Accounts returns every account in the order of creation.
func (s *Store) Accounts() []media.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	accounts := make([]media.Account, 0, len(s.accounts))
	for _, a := range s.accounts {
		accounts = append(accounts, copyAccount(a))
	}
	return accounts
}

// Account returns the account with that name, in any spelling that the server takes for it.
func (s *Store) Account(username string) (media.Account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.named(username); a != nil {
		return copyAccount(a), true
	}
	return media.Account{}, false
}

// Libraries returns every library in the order of creation.
func (s *Store) Libraries() []media.Library {
	s.mu.Lock()
	defer s.mu.Unlock()
	libraries := make([]media.Library, 0, len(s.libraries))
	for _, l := range s.libraries {
		libraries = append(libraries, copyLibrary(l))
	}
	return libraries
}

// Library returns the first library with exactly that name.
func (s *Store) Library(name string) (media.Library, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.libraries {
		if l.Name == name {
			return copyLibrary(l), true
		}
	}
	return media.Library{}, false
}

// AddAccount puts an account in as it is and returns its id, a new one where it has none. An empty role is Member.
func (s *Store) AddAccount(add media.Account, password string) media.AccountID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if add.ID == "" {
		add.ID = media.AccountID(s.newID("account"))
	}
	if add.Role == "" {
		add.Role = media.RoleMember
	}
	add.Access = add.Access.Clone()
	s.add(&account{Account: add, password: s.hash(password)})
	return add.ID
}

// EditAccount changes an account as edit says; false when there is none of that name.
func (s *Store) EditAccount(username string, edit func(*media.Account)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.named(username)
	if a == nil {
		return false
	}
	s.leave(a)
	a.Access = a.Access.Clone()
	edit(&a.Account)
	s.enter(a)
	if a.Disabled {
		s.endSessions(a.ID)
	}
	return true
}

// ChangePassword sets a password without ending sessions; false when there is no account of that name.
func (s *Store) ChangePassword(username, password string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.named(username)
	if a != nil {
		a.password, a.PasswordSet = s.hash(password), s.created()
	}
	return a != nil
}

// RemoveAccount takes an account away; false when there is none of that name.
func (s *Store) RemoveAccount(username string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.named(username)
	if a != nil {
		s.removeAccount(a)
	}
	return a != nil
}

// AddLibrary puts a library in as it is and returns its id, a new one where it has none.
func (s *Store) AddLibrary(add media.Library) media.LibraryID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if add.ID == "" {
		add.ID = media.LibraryID(s.newID("library"))
	}
	added := copyLibrary(&add)
	s.addLibrary(&added)
	return add.ID
}

// EditLibrary changes a library as edit says; false when there is none with that id.
func (s *Store) EditLibrary(id media.LibraryID, edit func(*media.Library)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.library(id)
	if l != nil {
		edited := copyLibrary(l)
		edit(&edited)
		*l = edited
	}
	return l != nil
}

// RemoveLibrary takes a library and all access to it away, empty or not; false when there is none with that id.
func (s *Store) RemoveLibrary(id media.LibraryID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.library(id)
	if l != nil {
		s.removeLibrary(id)
	}
	return l != nil
}

// SetIdentity makes the Store another server behind the same URL.
func (s *Store) SetIdentity(identity string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identity = identity
}

// EditCapabilities changes what the server can do, as an upgrade would.
func (s *Store) EditCapabilities(edit func(*media.Capabilities)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edited := cloneCapabilities(s.capabilities)
	edit(&edited)
	s.capabilities = edited
}

// Wipe takes every account and library away: a server that lost its data, waiting for its first account.
func (s *Store) Wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts, s.libraries, s.index = nil, nil, newIndex()
	clear(s.sessions)
}

// Backup returns what puts the Store back to what it is now, as a restored database would: accounts, their passwords,
// libraries and registration. Nobody is signed in then. Where ids of both may be given out
// again, they are.
func (s *Store) Backup() (restore func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	accounts, libraries := s.copies()
	nextID, registration := s.nextID, s.registration
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.accounts, s.libraries, s.index, s.registration = nil, nil, newIndex(), registration
		clear(s.sessions)
		for _, a := range accounts {
			again := *a
			s.add(&again)
		}
		for _, l := range libraries {
			again := copyLibrary(l)
			s.addLibrary(&again)
		}
		if !s.traits.AccountIDsNeverReused && !s.traits.LibraryIDsNeverReused {
			s.nextID = nextID
		}
	}
}

// copies are all accounts and libraries as they are now.
func (s *Store) copies() (accounts []*account, libraries []*media.Library) {
	for _, a := range s.accounts {
		accounts = append(accounts, &account{Account: copyAccount(a), password: a.password})
	}
	for _, l := range s.libraries {
		library := copyLibrary(l)
		libraries = append(libraries, &library)
	}
	return accounts, libraries
}

// Registration returns who may register.
func (s *Store) Registration() media.RegistrationMode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.registration
}
