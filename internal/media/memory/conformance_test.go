package memory_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/fold"
	"github.com/usher-media/usher/internal/media/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// person is somebody signed in to a Store.
type person struct{ *memory.Session }

func (p person) Libraries(context.Context) ([]media.LibraryID, error) { return p.Session.Libraries() }

// hand edits a Store.
type hand struct{ store *memory.Store }

func (h hand) SetAccess(username string, access media.Access) {
	h.store.EditAccount(username, func(a *media.Account) { a.Access = access.Clone() })
}

func (h hand) SetDisabled(username string, disabled bool) {
	h.store.EditAccount(username, func(a *media.Account) { a.Disabled = disabled })
}

func (h hand) DeleteAccount(username string) { h.store.RemoveAccount(username) }

func (h hand) RenameLibrary(id media.LibraryID, name string) {
	h.store.EditLibrary(id, func(l *media.Library) { l.Name = name })
}

func serve(store *memory.Store, config media.Config) drivertest.Server {
	return drivertest.Server{
		Open: store.Open, Config: config,
		Path: func(name string) string { return "/media/" + name },
		SignIn: func(_ context.Context, username, password string) (drivertest.Person, error) {
			session, err := store.SignIn(username, password)
			return person{session}, err
		},
		Fill: func(library media.Library) {
			store.EditLibrary(library.ID, func(l *media.Library) { l.Items = 1 })
		},
		Hand: hand{store},
		Faults: drivertest.Faults{
			Stall:  func() (<-chan struct{}, func()) { return stall(store) },
			Lose:   func() func() { return store.Lose(memory.Any, -1) },
			Writes: store.WriteCount,
		},
	}
}

func stall(store *memory.Store) (<-chan struct{}, func()) {
	arrived := make(chan struct{}, 64)
	return arrived, store.Hook(func(ctx context.Context, moment memory.Moment, _ memory.Call) error {
		if moment == memory.Before {
			arrived <- struct{}{}
			<-ctx.Done()
		}
		return nil
	})
}

func harness(options memory.Options) drivertest.Harness {
	start := func(options memory.Options) func(testing.TB) drivertest.Server {
		return func(testing.TB) drivertest.Server {
			store := memory.NewStore(options)
			return serve(store, store.Config())
		}
	}
	empty := options
	empty.SetupRequired = true
	return drivertest.Harness{
		Start: start(options), StartEmpty: start(empty), OneAccessWrite: true, PasswordEndsSessions: true,
		Settings: map[string]string{"emoji": "🎬", "publicSharing": "true"},
	}
}

// kinds are servers that differ in what they can do: each keeps the rules.
func kinds() map[string]memory.Options {
	without := func(edit func(*media.Capabilities)) memory.Options { return memory.Options{Capabilities: edit} }
	return map[string]memory.Options{
		"everything":      {},
		"chosen_ids":      without(func(c *media.Capabilities) { c.ChosenIDs = true }),
		"no_disable":      without(func(c *media.Capabilities) { c.Disable = false }),
		"no_zero_access":  without(func(c *media.Capabilities) { c.ZeroAccess = false }),
		"no_access_all":   without(func(c *media.Capabilities) { c.AccessAll = false }),
		"no_delete":       without(func(c *media.Capabilities) { c.DeleteAccount, c.DeleteLibrary = false, false }),
		"no_registration": without(func(c *media.Capabilities) { c.Registration, c.Bootstrap = false, false }),
		"no_profile":      without(func(c *media.Capabilities) { c.Email, c.DisplayName = false, false }),
		"no_library_roles": without(func(c *media.Capabilities) {
			c.LibraryRoles = c.LibraryRoles[:1]
		}),
		"no_passwords":    without(func(c *media.Capabilities) { c.Authenticate, c.RequirePasswordChange = false, false }),
		"passwords_fixed": without(func(c *media.Capabilities) { c.PasswordsFixed, c.RequirePasswordChange = true, false }),
		"few_roles": without(func(c *media.Capabilities) {
			delete(c.Roles, media.RoleGuest)
			delete(c.Roles, media.RoleEditor)
		}),
		"unique_library_names": {UniqueLibraryNames: true},
		"keyed_by_email":       {Traits: func(t *media.Traits) { t.KeyedByEmail = true }},
		"ascii_names": {Traits: func(t *media.Traits) {
			t.FoldUsername, t.FoldEmail, t.MinPassword, t.MaxPassword = fold.ASCII, fold.ASCII, 3, 72
		}},
	}
}

func TestConformance(t *testing.T) {
	for name, options := range kinds() {
		t.Run(name, func(t *testing.T) { drivertest.Run(t, harness(options)) })
	}
}

// An administrator that is not the owner makes no other administrators, and says so.
func TestConformanceAsAdmin(t *testing.T) {
	h := harness(memory.Options{})
	h.Start = func(testing.TB) drivertest.Server {
		store := memory.NewStore(memory.Options{})
		store.AddAccount(media.Account{Username: "usher", Role: media.RoleAdmin}, "usher's password")
		return serve(store, store.ConfigFor("usher", "usher's password"))
	}
	drivertest.Run(t, h)
}

func BenchmarkDriver(b *testing.B) { drivertest.Benchmark(b, harness(memory.Options{})) }
