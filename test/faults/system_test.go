package faults

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/test/mortal"
)

// person is what an account amounts to on a media server.
type person struct {
	// Sees are the names of the libraries that the person sees, sorted.
	Sees     []string
	Disabled bool
	Role     media.Role
}

// system is a media server under test, seen from its own side.
type system interface {
	kind() v1alpha1.MediaServerType
	url() string
	// open makes drivers whose writes are a process's.
	open(*mortal.Process) media.Open
	// longestCall replaces the driver's own, which is made for servers far away.
	longestCall() time.Duration
	credentials() map[string]string
	mediaType() v1alpha1.MediaType
	path(library string) string
	// people are all accounts but Usher's own, by username.
	people() map[string]person
	// libraries are the names of the libraries, sorted; one that is there twice is there twice.
	libraries() []string
	// adminsSeeAll says whether the role Admin shows every library.
	adminsSeeAll() bool
	// accepts says whether somebody can sign in with a password.
	accepts(username, password string) bool

	// What somebody does by hand.
	addAccount(username, password string)
	setDisabled(username string, disabled bool)
	// give and take change what a person sees of a library, by its name.
	give(username, library string)
	take(username, library string)
	addLibrary(name string)
	removeAccount(username string)
	// down makes every call fail until it is called.
	down() (up func())
	// odd makes some calls fail for a while in ways of the server's own; n chooses which.
	odd(n int) (stop func())
}

// memorySystem is the media server in memory.
type memorySystem struct {
	store *memory.Store
	// switchless: accounts are disabled otherwise than by a switch.
	switchless bool
	// telling: the server tells when accounts were made and when passwords were set, as the embedded one does.
	telling bool
}

func newMemory(change func(*media.Capabilities)) *memorySystem { return newMemoryWith(change, nil) }

func newMemoryWith(change func(*media.Capabilities), traits func(*media.Traits)) *memorySystem {
	on := &memorySystem{}
	on.store = memory.NewStore(memory.Options{Traits: traits, Created: on.now, Capabilities: func(c *media.Capabilities) {
		c.ChosenIDs = true // as on the embedded server; Shisho chooses itself
		if change != nil {
			change(c)
		}
		on.switchless = !c.Disable
	}})
	return on
}

// now is the server's clock, where it has one.
func (m *memorySystem) now() time.Time {
	if !m.telling {
		return time.Time{}
	}
	return time.Now()
}

func (m *memorySystem) kind() v1alpha1.MediaServerType { return v1alpha1.MediaServerEmbedded }
func (m *memorySystem) url() string                    { return "http://memory.test" }
func (m *memorySystem) adminsSeeAll() bool             { return true }
func (m *memorySystem) longestCall() time.Duration     { return 100 * time.Millisecond }
func (m *memorySystem) mediaType() v1alpha1.MediaType  { return v1alpha1.MediaTypeMovies }
func (m *memorySystem) path(library string) string     { return "/media/" + library }

func (m *memorySystem) credentials() map[string]string {
	return map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword}
}

func (m *memorySystem) open(p *mortal.Process) media.Open { return p.Open(m.store.Open) }

func (m *memorySystem) people() map[string]person {
	people := map[string]person{}
	names := m.names()
	for _, account := range m.store.Accounts() {
		if account.Username == memory.DefaultOwner {
			continue
		}
		p := person{Disabled: account.Disabled, Role: account.Role}
		for id, name := range names {
			if account.Access.All || account.Role == media.RoleAdmin || account.Access.Libraries[id] != "" {
				p.Sees = append(p.Sees, name)
			}
		}
		slices.Sort(p.Sees)
		people[account.Username] = p
	}
	return people
}

func (m *memorySystem) names() map[media.LibraryID]string {
	names := map[media.LibraryID]string{}
	for _, library := range m.store.Libraries() {
		names[library.ID] = library.Name
	}
	return names
}

func (m *memorySystem) libraries() (names []string) {
	for _, library := range m.store.Libraries() {
		names = append(names, library.Name)
	}
	slices.Sort(names)
	return names
}

func (m *memorySystem) accepts(username, password string) bool {
	return m.store.CheckPassword(username, password)
}

func (m *memorySystem) addAccount(username, password string) {
	m.store.AddAccount(media.Account{Username: username, Role: media.RoleMember}, password)
}

func (m *memorySystem) setDisabled(username string, disabled bool) {
	m.store.EditAccount(username, func(a *media.Account) { a.Disabled = disabled })
}

func (m *memorySystem) give(username, library string) {
	m.editAccess(username, library, func(a media.Access, id media.LibraryID) { a.Libraries[id] = media.LibraryViewer })
}

func (m *memorySystem) take(username, library string) {
	m.editAccess(username, library, func(a media.Access, id media.LibraryID) { delete(a.Libraries, id) })
}

func (m *memorySystem) editAccess(username, library string, change func(media.Access, media.LibraryID)) {
	found, there := m.store.Library(library)
	if !there {
		return
	}
	m.store.EditAccount(username, func(a *media.Account) {
		access := a.Access.Clone()
		change(access, found.ID)
		a.Access = access
	})
}

func (m *memorySystem) addLibrary(name string) {
	m.store.AddLibrary(media.Library{Name: name, MediaType: media.MediaType(m.mediaType()), Paths: []string{m.path(strings.ToLower(name))}})
}

func (m *memorySystem) renameAccount(username, to string) {
	m.store.EditAccount(username, func(a *media.Account) { a.Username = to })
}

func (m *memorySystem) removeAccount(username string) { m.store.RemoveAccount(username) }

func (m *memorySystem) down() func() { return m.store.Down() }

// odd loses answers, limits the rate, fails, or is so slow that nobody waits for the answer.
func (m *memorySystem) odd(n int) func() {
	switch n % 4 {
	case 0:
		return m.store.Lose(memory.Any, 1+n%5)
	case 1:
		limited := media.Errorf(media.RateLimited, "too many requests")
		return m.store.Fail(memory.Any, 1+n%5, limited)
	case 2:
		return m.store.Fail(memory.Any, 1+n%5, media.Errorf(media.Unavailable, "502"))
	}
	at := []memory.Moment{memory.Before, memory.After}[n/4%2]
	return m.store.Hook(func(ctx context.Context, moment memory.Moment, _ memory.Call) error {
		if moment == at {
			<-ctx.Done()
		}
		return nil
	})
}
