package jellyfin_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/jellyfin"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// operation is a write that a process may die in.
type operation struct {
	name string
	// prepare makes the people of the world and returns the operation, as a reconcile makes it again and again.
	prepare func(w *world) (run func(context.Context, *jellyfin.Driver) error)
	// after is what each person sees in the end; nobody sees more than that and what they saw before.
	after map[string][]string
}

// TestCrashPoints lets the process die at each request of each write, before and after the server does it. Nobody ever sees more
// than before and wanted together, and another process that knows what was recorded comes to what was wanted.
func TestCrashPoints(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		for _, op := range operations() {
			t.Run(string(version)+"/"+op.name, func(t *testing.T) {
				t.Parallel()
				crash(t, version, op)
			})
		}
	}
}

func crash(t *testing.T, version jellyfintest.Version, op operation) {
	for at := 1; ; at++ {
		before, after := dieAt(t, version, op, at, false), dieAt(t, version, op, at, true)
		if before || after {
			continue
		}
		if at < 3 {
			t.Errorf("only %d requests: the process did not die in the middle", at-1)
		}
		return
	}
}

func dieAt(t *testing.T, version jellyfintest.Version, op operation, at int, answered bool) bool {
	w := newWorld(t, jellyfintest.Options{Version: version}, "Alpha", "Beta", "Gamma")
	run := op.prepare(w)
	before := map[string][]string{}
	for username := range op.after {
		before[username] = w.sees(username)
	}
	guards := w.driver.Guards() // recorded at the last look
	process := &dying{at: at, after: answered}
	err := run(w.ctx(), w.open(process.wrap))
	if process.died() && err == nil {
		w.Errorf("request %d, answered %t: the process died, and its call succeeded", at, answered)
	}
	for username, wanted := range op.after {
		for _, name := range w.sees(username) {
			if !slices.Contains(wanted, name) && !slices.Contains(before[username], name) {
				w.Errorf("request %d, answered %t: %s sees %s", at, answered, username, name)
			}
		}
	}
	next := w.open(nil)
	next.KnowGuards(guards)
	if _, err := next.List(w.ctx()); err == nil && len(next.Amiss()) > 0 {
		w.must(next.Mend(w.ctx()))
	}
	switch err := run(w.ctx(), next); media.CodeOf(err) {
	case "", media.NotFound:
	default:
		w.Errorf("request %d, answered %t: again: %v", at, answered, err)
	}
	for username, wanted := range op.after {
		if got := w.sees(username); !slices.Equal(got, slices.Sorted(slices.Values(wanted))) {
			w.Errorf("request %d, answered %t: in the end %s sees %q, want %q", at, answered, username, got, wanted)
		}
	}
	return process.died()
}

func operations() []operation {
	var all []operation
	for name, pair := range map[string][2][]string{
		"one_for_another": {{"Alpha"}, {"Beta"}}, "all_taken": {{"Alpha", "Beta"}, {}}, "first_given": {{}, {"Alpha"}},
		"more": {{"Alpha"}, {"Alpha", "Beta", "Gamma"}},
	} {
		all = append(all, setAccess(name, pair[0], pair[1]))
	}
	return append(all,
		create("with_one", media.RoleMember, false, "Alpha"), create("with_none", media.RoleMember, false),
		create("disabled", media.RoleMember, true, "Alpha"), create("administrator", media.RoleAdmin, false, "Beta"),
		operation{"SetAccess_of_all", takeAll, map[string][]string{"mia": {"Beta"}}},
		operation{"SetAccess_of_what_is_gone", forgetGone, map[string][]string{"mia": {"Beta"}}},
		operation{"SetDisabled_disable", switching("mia", media.RoleMember, true), map[string][]string{"mia": nil}},
		operation{"SetDisabled_administrator", switching("mia", media.RoleAdmin, true), map[string][]string{"mia": nil}},
		operation{"SetDisabled_enable", enable, map[string][]string{"mia": {"Alpha"}}},
		operation{"UpdateAccount_demote", demote, map[string][]string{"mia": {"Alpha"}}},
		operation{"UpdateLibrary_rename", renameLibrary, map[string][]string{"mia": {"Delta"}, "ben": {"Beta", "Delta"}, "tom": nil}},
		operation{"DeleteLibrary", deleteLibrary, map[string][]string{"mia": nil, "ben": {"Beta"}}},
		operation{"CreateLibrary_of_a_former_name", createFormer, map[string][]string{"mia": nil, "ben": {"Beta"}}},
		operation{"DeleteAccount", deleteAccount, map[string][]string{"mia": nil}},
	)
}

func setAccess(name string, from, to []string) operation {
	return operation{"SetAccess_" + name, func(w *world) func(context.Context, *jellyfin.Driver) error {
		account := w.person("mia", from...)
		w.signIn("mia")
		return func(ctx context.Context, d *jellyfin.Driver) error {
			_, err := d.SetAccess(ctx, account, w.access(to...))
			return err
		}
	}, map[string][]string{"mia": to}}
}

// create converges as the controllers do: what exists by its name is whole.
func create(name string, role media.Role, disabled bool, libraries ...string) operation {
	after := libraries
	if disabled {
		after = nil
	}
	return operation{"CreateAccount_" + name, func(w *world) func(context.Context, *jellyfin.Driver) error {
		want := w.wanted("mia", libraries...)
		want.Role, want.Disabled = role, disabled
		return func(ctx context.Context, d *jellyfin.Driver) error {
			_, err := d.CreateAccount(ctx, want)
			if media.CodeOf(err) != media.AlreadyExists {
				return err
			}
			p := w.fake.Person("mia")
			if p.Disabled != disabled || p.Administrator != (role == media.RoleAdmin) || !slices.Equal(p.Shown, libraries) && len(libraries) > 0 {
				return fmt.Errorf("what is found by its name is not whole: %+v", p)
			}
			return nil
		}
	}, map[string][]string{"mia": after}}
}

// takeAll: somebody made an account by hand, which sees everything.
func takeAll(w *world) func(context.Context, *jellyfin.Driver) error {
	account := media.Account{ID: w.fake.AddAccount("mia", password), Username: "mia"}
	w.signIn("mia")
	return func(ctx context.Context, d *jellyfin.Driver) error {
		_, err := d.SetAccess(ctx, account, w.access("Beta"))
		return err
	}
}

// forgetGone: the list has the id of a library that is gone.
func forgetGone(w *world) func(context.Context, *jellyfin.Driver) error {
	account := w.person("mia", "Alpha", "Beta")
	w.byHand("DELETE", "/Library/VirtualFolders?name=Alpha&refreshLibrary=true", nil)
	return func(ctx context.Context, d *jellyfin.Driver) error {
		after, err := d.SetAccess(ctx, account, w.access("Beta"))
		if err == nil && (after.Exposed || len(w.fake.Person("mia").Granted) != 1) {
			err = fmt.Errorf("the list still has what is gone: %v", w.fake.Person("mia").Granted)
		}
		return err
	}
}

func switching(username string, role media.Role, disabled bool) func(w *world) func(context.Context, *jellyfin.Driver) error {
	return func(w *world) func(context.Context, *jellyfin.Driver) error {
		want := w.wanted(username, "Alpha")
		want.Role = role
		account, err := w.driver.CreateAccount(w.ctx(), want)
		w.must(err)
		w.signIn(username)
		return func(ctx context.Context, d *jellyfin.Driver) error {
			_, err := d.SetDisabled(ctx, account.ID, disabled)
			return err
		}
	}
}

func enable(w *world) func(context.Context, *jellyfin.Driver) error {
	run := switching("mia", media.RoleMember, false)(w)
	_, err := w.driver.SetDisabled(w.ctx(), media.AccountID(w.fake.Person("mia").ID), true)
	w.must(err)
	return run
}

func demote(w *world) func(context.Context, *jellyfin.Driver) error {
	want := w.wanted("mia", "Alpha")
	want.Role = media.RoleAdmin
	account, err := w.driver.CreateAccount(w.ctx(), want)
	w.must(err)
	member := media.RoleMember
	return func(ctx context.Context, d *jellyfin.Driver) error {
		_, err := d.UpdateAccount(ctx, account.ID, media.AccountChange{Role: &member})
		return err
	}
}

// renameLibrary: two have the library, one of them by nobody's manifest, and one has nothing.
func renameLibrary(w *world) func(context.Context, *jellyfin.Driver) error {
	w.person("mia", "Alpha")
	w.person("ben", "Alpha", "Beta")
	w.person("tom")
	id, name := w.ids["Alpha"], "Delta"
	return func(ctx context.Context, d *jellyfin.Driver) error {
		_, err := d.UpdateLibrary(ctx, id, media.LibraryChange{Name: &name})
		return err
	}
}

func deleteLibrary(w *world) func(context.Context, *jellyfin.Driver) error {
	w.person("mia", "Alpha")
	w.person("ben", "Alpha", "Beta")
	id := w.ids["Alpha"]
	return func(ctx context.Context, d *jellyfin.Driver) error { return d.DeleteLibrary(ctx, id) }
}

// createFormer: two have the id of a library that somebody deleted, and that is made again under its name.
func createFormer(w *world) func(context.Context, *jellyfin.Driver) error {
	w.person("mia", "Alpha")
	w.person("ben", "Alpha", "Beta")
	w.byHand("DELETE", "/Library/VirtualFolders?name=Alpha&refreshLibrary=true", nil)
	return func(ctx context.Context, d *jellyfin.Driver) error {
		_, err := d.CreateLibrary(ctx, media.NewLibrary{Name: "Alpha", MediaType: "Movies", Paths: []string{"/media/other"}})
		if media.CodeOf(err) == media.AlreadyExists {
			return nil
		}
		return err
	}
}

func deleteAccount(w *world) func(context.Context, *jellyfin.Driver) error {
	account := w.person("mia", "Alpha")
	w.signIn("mia")
	return func(ctx context.Context, d *jellyfin.Driver) error { return d.DeleteAccount(ctx, account.ID) }
}

// byHand makes a call as the administrator at the server's own pages.
func (w *world) byHand(method, path string, body any) {
	w.Helper()
	keeper := &jellyfintest.Visitor{URL: w.fake.URL, Token: w.key}
	if status, err := keeper.Call(w.ctx(), method, path, body, nil); err != nil || status >= 300 {
		w.Fatalf("%s %s: status %d, %v", method, path, status, err)
	}
}
