package shisho_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/shisho"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
)

// operation is a write that a process may die in.
type operation struct {
	name string
	// prepare makes the people of the world and returns the operation.
	prepare func(w *world) (run func(*shisho.Driver) error)
	// after is what each person may see in the end; nobody may see more than that and what they saw before.
	after func(w *world) map[string][]media.LibraryID
}

// TestCrashPoints lets the process die at each request of each write, before and after the server does it. Whoever is
// concerned never sees more than before and wanted together, in lists, search and OPDS, and doing it again converges.
func TestCrashPoints(t *testing.T) {
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			crash(t, op, emptyWorld)
		})
	}
}

// TestCrashPointsLive looks at the lists of the first real server that USHER_SHISHO_URL names, which is emptied.
func TestCrashPointsLive(t *testing.T) {
	urls := strings.Fields(os.Getenv("USHER_SHISHO_URL"))
	if len(urls) == 0 {
		t.Skip("USHER_SHISHO_URL names no real server: TestCrashPoints runs against the fake")
	}
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			crash(t, op, func(t testing.TB) *world {
				if err := shishotest.Empty(t.Context(), urls[0]); err != nil {
					t.Fatal(err)
				}
				return &world{TB: t, url: urls[0]}
			})
		})
	}
}

func crash(t *testing.T, op operation, start func(testing.TB) *world) {
	for at := 1; ; at++ {
		before, after := dieAt(start(t), op, at, false), dieAt(start(t), op, at, true)
		if before || after {
			continue
		}
		if at < 3 {
			t.Errorf("only %d requests: the process did not die in the middle", at-1)
		}
		return
	}
}

// dieAt runs an operation in a process that dies at a request, looks, and does it again in another process. It says
// whether the process got as far.
func dieAt(w *world, op operation, at int, answered bool) bool {
	w.furnish("Alpha", "Beta", "Gamma")
	run := op.prepare(w)
	after := op.after(w)
	before := map[string][]media.LibraryID{}
	for username := range after {
		before[username] = w.sees(username)
	}
	process := &dying{at: at, after: answered}
	err := run(w.open(process.wrap))
	if process.died() && err == nil {
		w.Errorf("request %d, answered %t: the process died, and its call succeeded", at, answered)
	}
	for username, wanted := range after {
		for _, id := range w.sees(username) {
			if !slices.Contains(wanted, id) && !slices.Contains(before[username], id) {
				w.Errorf("request %d, answered %t: %s sees %s", at, answered, username, id)
			}
		}
	}
	switch err := run(w.open(nil)); media.CodeOf(err) {
	case "", media.AlreadyExists, media.NotFound:
	default:
		w.Errorf("request %d, answered %t: again: %v", at, answered, err)
	}
	for username, wanted := range after {
		if got := w.sees(username); !slices.Equal(got, slices.Sorted(slices.Values(wanted))) {
			w.Errorf("request %d, answered %t: in the end %s sees %q, want %q", at, answered, username, got, wanted)
		}
	}
	return process.died()
}

func operations() []operation {
	var all []operation
	for name, pair := range map[string][2][]int{
		"one_for_another": {{0}, {1}}, "all_taken": {{0, 1}, {}}, "first_given": {{}, {0}}, "more": {{0}, {0, 1, 2}},
	} {
		all = append(all, setAccess(name, pair[0], pair[1]))
	}
	return append(all,
		create("with_one", false, 0), create("with_none", false), create("disabled", true, 0),
		operation{"SetAccess_of_an_open_account", openAccount, nobodySees("mia")},
		operation{"SetDisabled_disable", disable, nobodySees("mia")},
		operation{"SetDisabled_enable", enable, func(w *world) map[string][]media.LibraryID {
			return map[string][]media.LibraryID{"mia": {w.ids[0]}}
		}},
		operation{"SetDisabled_enable_without_a_grant", enableOpen, nobodySees("mia")},
		operation{"DeleteLibrary", deleteLibrary, func(w *world) map[string][]media.LibraryID {
			return map[string][]media.LibraryID{"mia": nil, "ben": nil, "tom": {w.ids[1]}, "eve": nil, "ann": {w.ids[1]}}
		}},
	)
}

func nobodySees(username string) func(*world) map[string][]media.LibraryID {
	return func(*world) map[string][]media.LibraryID { return map[string][]media.LibraryID{username: nil} }
}

func (w *world) some(numbers []int) []media.LibraryID {
	var ids []media.LibraryID
	for _, n := range numbers {
		ids = append(ids, w.ids[n])
	}
	return ids
}

func setAccess(name string, from, to []int) operation {
	return operation{"SetAccess_" + name, func(w *world) func(*shisho.Driver) error {
		account := w.person("mia", w.some(from)...)
		return func(d *shisho.Driver) error {
			_, err := d.SetAccess(w.ctx(), account, access(w.some(to)...))
			return err
		}
	}, func(w *world) map[string][]media.LibraryID { return map[string][]media.LibraryID{"mia": w.some(to)} }}
}

// create converges as the controllers do: what exists is given its access and its switch.
func create(name string, disabled bool, libraries ...int) operation {
	return operation{"CreateAccount_" + name, func(w *world) func(*shisho.Driver) error {
		want := newAccount("mia", w.some(libraries)...)
		want.Disabled = disabled
		return func(d *shisho.Driver) error {
			_, err := d.CreateAccount(w.ctx(), want)
			if media.CodeOf(err) != media.AlreadyExists {
				return err
			}
			account, there := w.listed(d, "mia")
			if !there {
				return fmt.Errorf("the account that exists is not listed")
			}
			if account, err = d.SetAccess(w.ctx(), account, want.Access); err == nil {
				_, err = d.SetDisabled(w.ctx(), account.ID, disabled)
			}
			return err
		}
	}, func(w *world) map[string][]media.LibraryID {
		if disabled {
			return map[string][]media.LibraryID{"mia": nil}
		}
		return map[string][]media.LibraryID{"mia": w.some(libraries)}
	}}
}

func openAccount(w *world) func(*shisho.Driver) error {
	id := w.personByHand("mia")
	return func(d *shisho.Driver) error {
		account, err := d.Account(w.ctx(), id)
		if err == nil {
			_, err = d.SetAccess(w.ctx(), account, access())
		}
		return err
	}
}

func disable(w *world) func(*shisho.Driver) error {
	return w.switching(w.person("mia", w.ids[0]).ID, true)
}

func enable(w *world) func(*shisho.Driver) error {
	id := w.person("mia", w.ids[0]).ID
	w.must(w.switching(id, true)(w.driver))
	return w.switching(id, false)
}

func enableOpen(w *world) func(*shisho.Driver) error {
	id := w.personByHand("mia")
	w.byHand("/users/"+string(id), map[string]any{"is_active": false})
	return w.switching(id, false)
}

func (w *world) switching(id media.AccountID, disabled bool) func(*shisho.Driver) error {
	return func(d *shisho.Driver) error {
		_, err := d.SetDisabled(w.ctx(), id, disabled)
		return err
	}
}

// deleteLibrary: mia has the placeholder, ben and tom do not, eve is deactivated, ann has two libraries and it.
func deleteLibrary(w *world) func(*shisho.Driver) error {
	empty, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: "Empty", MediaType: "Books", Paths: []string{w.TempDir()}})
	w.must(err)
	w.person("mia", empty.ID)
	w.personByHand("ben", empty.ID)
	w.personByHand("tom", empty.ID, w.ids[1])
	w.byHand("/users/"+string(w.personByHand("eve", empty.ID)), map[string]any{"is_active": false})
	w.person("ann", empty.ID, w.ids[1])
	w.ids = append(w.ids, empty.ID)
	return func(d *shisho.Driver) error { return d.DeleteLibrary(w.ctx(), empty.ID) }
}
