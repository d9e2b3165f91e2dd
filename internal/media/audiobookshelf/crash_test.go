package audiobookshelf_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/audiobookshelf"
)

// operation is a write that a process may die in.
type operation struct {
	name string
	// prepare makes the people of the world and returns the operation.
	prepare func(w *world) (run func(*audiobookshelf.Driver) error)
	// after are the libraries that mia sees in the end, by their numbers.
	after []int
}

// TestCrashPoints lets the process die at each request of each write, before and after the server does it. Mia never sees
// more than before and wanted together, nobody is made twice, the server never ends, and doing it again converges.
func TestCrashPoints(t *testing.T) {
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			for at := 1; ; at++ {
				before, after := dieAt(newWorld(t, "Alpha", "Beta", "Gamma"), op, at, false), dieAt(newWorld(t, "Alpha", "Beta", "Gamma"), op, at, true)
				if before || after {
					continue
				}
				if at < 3 {
					t.Errorf("only %d requests: the process did not die in the middle", at-1)
				}
				return
			}
		})
	}
}

// dieAt runs an operation in a process that dies at a request, looks, and does it again in another process. It says
// whether the process got as far.
func dieAt(w *world, op operation, at int, answered bool) bool {
	run := op.prepare(w)
	before, wanted := w.sees("mia"), w.some(op.after)
	process := &dying{at: at, after: answered}
	err := run(w.open(process.wrap))
	if process.died() && err == nil {
		w.Errorf("request %d, answered %t: the process died, and its call succeeded", at, answered)
	}
	for _, id := range w.sees("mia") {
		if !slices.Contains(wanted, id) && !slices.Contains(before, id) {
			w.Errorf("request %d, answered %t: mia sees %s", at, answered, id)
		}
	}
	switch err := run(w.open(nil)); media.CodeOf(err) {
	case "", media.AlreadyExists, media.NotFound:
	default:
		w.Errorf("request %d, answered %t: again: %v", at, answered, err)
	}
	if got := w.sees("mia"); !slices.Equal(got, slices.Sorted(slices.Values(wanted))) {
		w.Errorf("request %d, answered %t: in the end mia sees %q, want %q", at, answered, got, wanted)
	}
	w.nobodyTwice()
	w.alive()
	return process.died()
}

func (w *world) nobodyTwice() {
	w.Helper()
	listing, err := w.driver.List(w.ctx())
	w.must(err)
	names := map[string]bool{}
	for _, account := range listing.Accounts {
		if names[account.Username] {
			w.Errorf("there are two accounts %s", account.Username)
		}
		names[account.Username] = true
	}
}

func (w *world) some(numbers []int) []media.LibraryID {
	var ids []media.LibraryID
	for _, n := range numbers {
		ids = append(ids, w.ids[n])
	}
	return ids
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
		operation{"SetAccess_of_an_exposed_account", exposed, nil},
		operation{"SetDisabled_disable", disable, nil},
		operation{"SetDisabled_enable", enable, []int{0}},
		operation{"SetDisabled_enable_an_exposed_account", enableExposed, nil},
		operation{"UpdateAccount_demote", demote, []int{0}},
		operation{"DeleteAccount_with_a_device", deleteAccount, nil},
		operation{"DeleteLibrary", deleteLibrary, nil},
	)
}

func setAccess(name string, from, to []int) operation {
	return operation{"SetAccess_" + name, func(w *world) func(*audiobookshelf.Driver) error {
		account := w.person("mia", w.some(from)...)
		return func(d *audiobookshelf.Driver) error {
			_, err := d.SetAccess(w.ctx(), account, access(w.some(to)...))
			return err
		}
	}, to}
}

// create converges as the controllers do: what exists is given its access and its switch.
func create(name string, disabled bool, numbers ...int) operation {
	after := numbers
	if disabled {
		after = nil
	}
	return operation{"CreateAccount_" + name, func(w *world) func(*audiobookshelf.Driver) error {
		want := newAccount("mia", w.some(numbers)...)
		want.Disabled = disabled
		return func(d *audiobookshelf.Driver) error {
			_, err := d.CreateAccount(w.ctx(), want)
			if media.CodeOf(err) != media.AlreadyExists {
				return err
			}
			account, there := w.listed(w.driver, "mia")
			if !there {
				return errors.New("the account that exists is not listed")
			}
			if account, err = d.SetAccess(w.ctx(), account, want.Access); err == nil {
				_, err = d.SetDisabled(w.ctx(), account.ID, disabled)
			}
			return err
		}
	}, after}
}

// exposed is an account with an empty list, as the server's own page makes it.
func exposed(w *world) func(*audiobookshelf.Driver) error {
	account := w.person("mia", w.ids[0])
	w.server.Hand.SetAccess("mia", access())
	return func(d *audiobookshelf.Driver) error {
		_, err := d.SetAccess(w.ctx(), account, access())
		return err
	}
}

func disable(w *world) func(*audiobookshelf.Driver) error {
	return w.switching(w.person("mia", w.ids[0]).ID, true)
}

func enable(w *world) func(*audiobookshelf.Driver) error {
	id := w.person("mia", w.ids[0]).ID
	w.server.Hand.SetDisabled("mia", true)
	return w.switching(id, false)
}

func enableExposed(w *world) func(*audiobookshelf.Driver) error {
	id := w.person("mia", w.ids[0]).ID
	w.server.Hand.SetAccess("mia", access())
	w.server.Hand.SetDisabled("mia", true)
	return w.switching(id, false)
}

func (w *world) switching(id media.AccountID, disabled bool) func(*audiobookshelf.Driver) error {
	return func(d *audiobookshelf.Driver) error {
		_, err := d.SetDisabled(w.ctx(), id, disabled)
		return err
	}
}

func demote(w *world) func(*audiobookshelf.Driver) error {
	want := newAccount("mia", w.ids[0])
	want.Role = media.RoleAdmin
	account, err := w.driver.CreateAccount(w.ctx(), want)
	w.must(err)
	return func(d *audiobookshelf.Driver) error {
		member := media.RoleMember
		_, err := d.UpdateAccount(w.ctx(), account.ID, media.AccountChange{Role: &member})
		return err
	}
}

func deleteAccount(w *world) func(*audiobookshelf.Driver) error {
	id := w.person("mia", w.ids[0]).ID
	w.fake.SetDevices(device("reader", string(id)))
	return func(d *audiobookshelf.Driver) error { return d.DeleteAccount(w.ctx(), id) }
}

func deleteLibrary(w *world) func(*audiobookshelf.Driver) error {
	w.person("mia", w.ids[0])
	return func(d *audiobookshelf.Driver) error { return d.DeleteLibrary(w.ctx(), w.ids[0]) }
}
