package shishotest

import (
	"slices"
	"time"

	"github.com/usher-media/usher/internal/media/shisho"
)

// Person is an account as the fake knows it.
type Person struct {
	Username, Role string
	// Shown are the names of the libraries whose things some list shows, sorted; the placeholder is none.
	Shown []string
	// Out: nobody can use the account, since it is switched off or must choose another password first.
	Out bool
}

// People are all accounts, by when they were made.
func (s *Server) People() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	var people []Person
	for _, a := range s.accounts {
		p := Person{Username: a.username, Role: a.role.name, Out: !a.active || a.mustChange}
		for _, l := range s.shown(a) {
			if l.name != shisho.PlaceholderName {
				p.Shown = append(p.Shown, l.name)
			}
		}
		people = append(people, p)
	}
	return people
}

// LibraryNames are the names of all libraries but the placeholders, sorted; one that is there twice is named twice.
func (s *Server) LibraryNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, l := range s.libraries {
		if l.name != shisho.PlaceholderName {
			names = append(names, l.name)
		}
	}
	slices.Sort(names)
	return names
}

// Accepts says whether somebody can use the account with a password.
func (s *Server) Accepts(username, password string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.named(username)
	return a != nil && a.active && !a.mustChange && a.password == password
}

// AddAccount makes an account as somebody does by hand, with the role viewer and no library, which shows it every list.
func (s *Server) AddAccount(username, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	viewer := find(s.roles, func(r *role) bool { return r.name == "viewer" })
	s.accounts = append(s.accounts, &account{id: s.next("user"), username: username, password: password, role: viewer, active: true})
}

// Switch turns an account on or off by hand.
func (s *Server) Switch(username string, active bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.named(username); a != nil {
		a.active = active
	}
}

// Give grants a library by hand. Take takes one away; who has none left is shown every list.
func (s *Server) Give(username, name string) {
	s.byName(username, name, func(a *account, l *library) {
		if !a.granted(l.id) {
			a.grants = append(a.grants, grantRow{s.next("grant"), l.id})
		}
	})
}

// Take is Give's opposite.
func (s *Server) Take(username, name string) {
	s.byName(username, name, func(a *account, l *library) {
		a.grants = slices.DeleteFunc(a.grants, func(g grantRow) bool { return g.library == l.id })
	})
}

func (s *Server) byName(username, name string, do func(*account, *library)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, l := s.named(username), find(s.libraries, func(l *library) bool { return l.name == name })
	if a != nil && l != nil {
		do(a, l)
	}
}

// AddLibrary makes a library by hand.
func (s *Server) AddLibrary(name, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.libraries = append(s.libraries, &library{
		id: s.next("library"), name: name, cover: "book", preference: "original", created: time.Now().UTC(), paths: []string{path},
	})
}

// Backup keeps the database as it is, and returns what brings it back: ids that were given meanwhile are given again.
func (s *Server) Backup() (restore func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.store.copy()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.store = kept.copy()
	}
}
