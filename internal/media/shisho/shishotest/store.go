package shishotest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media/fold"
)

// store is the server's database. Ids are counted: none is used twice, unless an older database comes back.
type store struct {
	accounts  []*account
	roles     []*role
	libraries []*library
	books     []*book
	jobs      []*job
	keys      []*key
	cached    map[string]cachedLogin
	moves     []Move
	counters  map[string]int
	born      time.Time
	// breaking is after how many grants the next write of grants fails; -1 for never.
	breaking int
}

type account struct {
	id                 int
	username, email    string
	password           string
	role               *role
	active, mustChange bool
	grants             []grantRow
}

// grantRow is one row of an account's grants; library 0 is all of them.
type grantRow struct{ id, library int }

type role struct {
	id          int
	name        string
	system      bool
	created     time.Time
	permissions []permissionRow
}

type permissionRow struct {
	id                  int
	resource, operation string
}

type library struct {
	id         int
	name       string
	cover      string
	organize   bool
	preference string
	created    time.Time
	paths      []string
}

type book struct {
	id, library int
	title, path string
}

type job struct {
	id     int
	status string
}

type key struct {
	id, owner   int
	name, text  string
	permissions []string
}

func (s *store) next(kind string) int {
	s.counters[kind]++
	return s.counters[kind]
}

func (s *store) seed(born time.Time) {
	s.counters, s.cached, s.born, s.breaking = map[string]int{}, map[string]cachedLogin{}, born, -1
	reads := []string{"libraries:read", "books:read", "people:read", "series:read"}
	var all, edits []string
	for _, resource := range resources {
		all = append(all, resource+":read", resource+":write")
	}
	for _, permission := range reads {
		edits = append(edits, permission, strings.TrimSuffix(permission, "read")+"write")
	}
	for _, seeded := range []struct {
		name        string
		permissions []string
	}{{"admin", all}, {"viewer", reads}, {"editor", edits}} {
		r := &role{id: s.next("role"), name: seeded.name, system: true, created: born}
		for _, permission := range seeded.permissions {
			resource, operation, _ := strings.Cut(permission, ":")
			r.permissions = append(r.permissions, permissionRow{s.next("permission"), resource, operation})
		}
		s.roles = append(s.roles, r)
	}
}

var resources = []string{"libraries", "books", "people", "series", "users", "jobs", "config"}

func (r *role) may(permission string) bool {
	return slices.ContainsFunc(r.permissions, func(p permissionRow) bool { return p.resource+":"+p.operation == permission })
}

func (a *account) all() bool {
	return slices.ContainsFunc(a.grants, func(g grantRow) bool { return g.library == 0 })
}

// granted says whether single things of a library are shown.
func (a *account) granted(library int) bool {
	return a.all() || slices.ContainsFunc(a.grants, func(g grantRow) bool { return g.library == library })
}

// lists says whether things of a library are shown in lists: without any grant, everything is.
func (a *account) lists(library int) bool { return len(a.grants) == 0 || a.granted(library) }

func find[T any](all []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i]
	}
	return nil
}

func (s *store) account(id int) *account {
	return find(s.accounts, func(a *account) bool { return a.id == id })
}

func (s *store) named(username string) *account {
	return find(s.accounts, func(a *account) bool { return fold.ASCII(a.username) == fold.ASCII(username) })
}

func (s *store) mailed(email string) *account {
	return find(s.accounts, func(a *account) bool { return email != "" && fold.ASCII(a.email) == fold.ASCII(email) })
}

func (s *store) role(id int) *role { return find(s.roles, func(r *role) bool { return r.id == id }) }

func (s *store) library(id int) *library {
	return find(s.libraries, func(l *library) bool { return l.id == id })
}

// grant replaces an account's grants row by row, in no transaction: what fails in the middle leaves a part behind.
func (s *store) grant(a *account, all bool, libraries []int) error {
	a.grants = nil
	if all {
		libraries = []int{0}
	}
	breaking := s.breaking
	s.breaking = -1
	for i, library := range libraries {
		unknown := library != 0 && s.library(library) == nil
		twice := slices.ContainsFunc(a.grants, func(g grantRow) bool { return g.library == library })
		if (library == 0 && !all) || unknown || twice || i == breaking {
			return failure()
		}
		a.grants = append(a.grants, grantRow{s.next("grant"), library})
	}
	return nil
}

// copy is the database in a backup.
func (s *store) copy() store {
	c := *s
	c.counters, c.cached = maps.Clone(s.counters), map[string]cachedLogin{}
	c.roles = copied(s.roles, func(r *role) { r.permissions = slices.Clone(r.permissions) })
	c.accounts = copied(s.accounts, func(a *account) {
		a.grants = slices.Clone(a.grants)
		a.role = c.role(a.role.id)
	})
	c.libraries = copied(s.libraries, func(l *library) { l.paths = slices.Clone(l.paths) })
	c.books, c.jobs = copied(s.books, func(*book) {}), copied(s.jobs, func(*job) {})
	c.keys = copied(s.keys, func(k *key) { k.permissions = slices.Clone(k.permissions) })
	return c
}

func copied[T any](all []*T, deep func(*T)) []*T {
	var copies []*T
	for _, one := range all {
		c := *one
		deep(&c)
		copies = append(copies, &c)
	}
	return copies
}
