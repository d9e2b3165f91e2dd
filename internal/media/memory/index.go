package memory

import (
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// index finds accounts and libraries without going through all of them: tests with ten thousand people use a Store.
// The slices of the Store keep the order of creation.
type index struct {
	ids       map[media.AccountID]*account
	names     map[string]*account
	emails    map[string]*account
	libraries map[media.LibraryID]*media.Library
}

func newIndex() index {
	return index{
		ids: map[media.AccountID]*account{}, names: map[string]*account{}, emails: map[string]*account{},
		libraries: map[media.LibraryID]*media.Library{},
	}
}

// add puts an account at the end.
func (s *Store) add(a *account) {
	s.accounts = append(s.accounts, a)
	s.enter(a)
}

// enter puts an account's keys into the index.
func (s *Store) enter(a *account) {
	s.index.ids[a.ID] = a
	s.index.names[s.traits.FoldUsername(a.Username)] = a
	if a.Email != "" {
		s.index.emails[s.traits.FoldEmail(a.Email)] = a
	}
}

// leave takes an account's keys out of the index.
func (s *Store) leave(a *account) {
	delete(s.index.ids, a.ID)
	if name := s.traits.FoldUsername(a.Username); s.index.names[name] == a {
		delete(s.index.names, name)
	}
	if email := s.traits.FoldEmail(a.Email); s.index.emails[email] == a {
		delete(s.index.emails, email)
	}
}

func (s *Store) find(id media.AccountID) *account { return s.index.ids[id] }

// named finds an account as the server matches names at sign-in: by username, and by email where people use that.
func (s *Store) named(name string) *account {
	if a := s.index.names[s.traits.FoldUsername(name)]; a != nil || !s.traits.KeyedByEmail {
		return a
	}
	return s.mailed(name)
}

func (s *Store) mailed(email string) *account { return s.index.emails[s.traits.FoldEmail(email)] }

func (s *Store) removeAccount(a *account) {
	s.accounts = slices.DeleteFunc(s.accounts, func(other *account) bool { return other == a })
	s.leave(a)
	s.endSessions(a.ID)
}

func (s *Store) library(id media.LibraryID) *media.Library { return s.index.libraries[id] }

func (s *Store) addLibrary(l *media.Library) {
	s.libraries = append(s.libraries, l)
	s.index.libraries[l.ID] = l
}

// removeLibrary takes a library and all access to it away.
func (s *Store) removeLibrary(id media.LibraryID) {
	s.libraries = slices.DeleteFunc(s.libraries, func(l *media.Library) bool { return l.ID == id })
	delete(s.index.libraries, id)
	for _, a := range s.accounts {
		if _, listed := a.Access.Libraries[id]; listed {
			a.Access = a.Access.Clone()
			delete(a.Access.Libraries, id)
		}
	}
}
