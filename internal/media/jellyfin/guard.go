package jellyfin

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// setUpGuard begins the word for a server that was seen set up, whatever it says of itself later (section 2).
const setUpGuard = "set-up "

// Guards are that the server was set up, and which library is which.
func (d *Driver) Guards() []string {
	d.mu.Lock()
	var guards []string
	for _, server := range slices.Sorted(maps.Keys(d.setUp)) {
		guards = append(guards, setUpGuard+server)
	}
	d.mu.Unlock()
	return append(guards, d.shelf.words()...)
}

// KnowGuards implements media.Guardian.
func (d *Driver) KnowGuards(guards []string) {
	for _, guard := range guards {
		server, is := strings.CutPrefix(guard, setUpGuard)
		if !is {
			d.shelf.know(guard)
			continue
		}
		if id(server) != "" {
			d.mu.Lock()
			d.setUp[id(server)] = true
			d.mu.Unlock()
		}
	}
}

// Amiss implements media.Guardian.
func (d *Driver) Amiss() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.amiss)
}

// Mend puts renamed libraries back into the lists of all who had them, those whom no manifest declares among them: nobody took
// it from them. And it deletes what creations left behind that were cut short.
func (d *Driver) Mend(ctx context.Context) error {
	v, err := d.look(ctx)
	if err != nil {
		return err
	}
	all, err := d.users(ctx)
	if err != nil {
		return err
	}
	if err := d.carry(ctx, v, all); err != nil {
		return err
	}
	d.mu.Lock()
	left := d.left(all)
	d.mu.Unlock()
	for _, u := range left {
		if err := d.remove(ctx, u.ID); err != nil {
			return err
		}
	}
	return nil
}

// carry writes the present ids of libraries into the lists that have former ones.
func (d *Driver) carry(ctx context.Context, v view, all users) error {
	return d.rewrite(ctx, all, func(item string) string {
		if name := v.lapsed[item]; name != "" {
			return v.items[name]
		}
		return item
	})
}

// rewrite replaces ids in everybody's list: by another, or by none. A list that is not in force stays as it is.
func (d *Driver) rewrite(ctx context.Context, all users, by func(item string) string) error {
	plan := func(u user) (change, bool, error) {
		items := make([]string, 0, len(u.policy.Folders))
		for _, item := range u.policy.Folders {
			if other := by(item); other != "" && !slices.Contains(items, other) {
				items = append(items, other)
			}
		}
		if *u.policy.All {
			return change{}, false, nil
		}
		return change{list: &listed{items: items}}, false, nil
	}
	for _, u := range all {
		if c, _, _ := plan(u); c.holds(u) {
			continue
		}
		if _, err := d.edit(ctx, media.AccountID(u.ID), plan); err != nil && media.CodeOf(err) != media.NotFound {
			return err
		}
	}
	return nil
}
