// Package suite fits the driver suite (drivertest) to Jellyfin, for the fake and for a real server.
package suite

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// Keeper signs an administrator in, on a device that nobody else uses.
type Keeper func(ctx context.Context, url string) (*jellyfintest.Visitor, error)

// Promises adds to a harness what the driver makes of the server. The people and the hand of its servers then speak of a library by
// the id that it had first, as the driver does: the server gives a renamed one another.
func Promises(h drivertest.Harness, keeper Keeper) drivertest.Harness {
	h.CreatesInSteps, h.PasswordEndsSessions, h.RevocationSignsOut, h.LibraryIDsByName = true, true, true, true
	h.OneAccessWrite = true
	h.GoesOn = func(fault string, request *http.Request) bool {
		// A server may have no library.
		return fault == "list_json_200" && strings.HasSuffix(request.URL.Path, "/Library/VirtualFolders")
	}
	start := h.Start
	h.Start = func(t testing.TB) drivertest.Server {
		t.Helper()
		s := start(t)
		m := &memory{TB: t, url: s.Config.URL, keeper: keeper, first: map[string]media.LibraryID{}}
		signIn, by := s.SignIn, s.Hand
		s.SignIn = func(ctx context.Context, username, password string) (drivertest.Person, error) {
			if _, err := m.look(ctx); err != nil {
				return nil, err
			}
			p, err := signIn(ctx, username, password)
			return person{p, m}, err
		}
		s.Hand = hand{by, m}
		return s
	}
	return h
}

// memory knows libraries by their folders.
type memory struct {
	testing.TB
	url    string
	keeper Keeper

	mu      sync.Mutex
	visitor *jellyfintest.Visitor
	first   map[string]media.LibraryID
}

// look returns the ids that libraries had first, by those that they have.
func (m *memory) look(ctx context.Context) (map[media.LibraryID]media.LibraryID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.visitor == nil {
		visitor, err := m.keeper(ctx, m.url)
		if err != nil {
			return nil, err
		}
		m.visitor = visitor
	}
	var all []struct {
		ItemID    media.LibraryID `json:"ItemId"`
		Locations []string
	}
	if _, err := m.visitor.Call(ctx, http.MethodGet, "/Library/VirtualFolders", nil, &all); err != nil {
		return nil, err
	}
	firsts := map[media.LibraryID]media.LibraryID{}
	for _, one := range all {
		for _, path := range one.Locations {
			if m.first[path] == "" {
				m.first[path] = one.ItemID
			}
			firsts[one.ItemID] = m.first[path]
		}
	}
	return firsts, nil
}

type person struct {
	drivertest.Person
	memory *memory
}

// Libraries implements drivertest.Person.
func (p person) Libraries(ctx context.Context) ([]media.LibraryID, error) {
	ids, err := p.Person.Libraries(ctx)
	if err != nil {
		return nil, err
	}
	firsts, err := p.memory.look(ctx)
	for i, id := range ids {
		if first := firsts[id]; first != "" {
			ids[i] = first
		}
	}
	return ids, err
}

type hand struct {
	drivertest.Hand
	memory *memory
}

// RenameLibrary implements drivertest.Hand.
func (h hand) RenameLibrary(id media.LibraryID, name string) {
	if _, err := h.memory.look(h.memory.Context()); err != nil {
		h.memory.Fatal(err)
	}
	h.Hand.RenameLibrary(id, name)
}
