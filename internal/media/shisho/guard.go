package shisho

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// Guards are the placeholders that are there, whole or spoiled, each as "id@when it was made".
func (d *Driver) Guards() []string {
	s := &d.shelves
	s.mu.Lock()
	defer s.mu.Unlock()
	var guards []string
	for id, made := range s.known {
		if k, there := s.newest.kinds[id]; (there && k != ordinary) || s.newest.libraries == nil {
			guards = append(guards, strconv.Itoa(id)+"@"+made.UTC().Format(time.RFC3339))
		}
	}
	slices.Sort(guards)
	return guards
}

// KnowGuards implements media.Guardian.
func (d *Driver) KnowGuards(guards []string) {
	s := &d.shelves
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, guard := range guards {
		id, made, _ := strings.Cut(guard, "@")
		at, err := time.Parse(time.RFC3339, made)
		if n := number(media.LibraryID(id)); n != 0 && err == nil {
			s.known[n] = at
		}
	}
}

// noteHolders remembers which spoiled placeholders somebody was granted. One that nobody has, and that has a name of its
// own, is a library like any other from then on.
func (s *shelves) noteHolders(of shelf, users []user) {
	held := map[int]bool{}
	for _, u := range users {
		for _, id := range u.granted() {
			held[id] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = nil
	for _, l := range of.libraries {
		switch {
		case of.kinds[l.ID] != spoiled:
		case held[l.ID]:
			s.held = append(s.held, l)
		case l.Name != PlaceholderName:
			delete(s.known, l.ID)
		}
	}
}

// Amiss implements media.Guardian.
func (d *Driver) Amiss() []string {
	d.shelves.mu.Lock()
	defer d.shelves.mu.Unlock()
	var words []string
	for _, l := range d.shelves.held {
		words = append(words, l.words()+"; whoever was granted it is granted another placeholder")
	}
	return words
}

// words name a spoiled placeholder, and what to do with it.
func (l library) words() string {
	return fmt.Sprintf("somebody changed Usher's placeholder library (id %d, named %q, folders %q): delete it on the server, or give it a name of its own to use it as a library", l.ID, l.Name, l.paths())
}

// spoiledWords name the spoiled placeholders of a shelf.
func (s shelf) spoiledWords() []string {
	var words []string
	for _, l := range s.libraries {
		if s.kinds[l.ID] == spoiled {
			words = append(words, l.words())
		}
	}
	return words
}

// Mend takes the spoiled placeholders from everybody, those whom no manifest declares among them: the grant was Usher's.
// They get a whole one instead. What else they were granted stays.
func (d *Driver) Mend(ctx context.Context) error {
	s, err := d.fresh(ctx)
	if err != nil {
		return err
	}
	users, err := d.users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.all() || !slices.ContainsFunc(u.granted(), func(id int) bool { return s.kinds[id] == spoiled }) {
			continue
		}
		if s, err = d.cover(ctx, s, u); err != nil {
			d.shutIfOpen(ctx, u.ID)
			return err
		}
	}
	return nil
}

// cover grants a whole placeholder to an account, beside what it was granted but spoiled ones.
func (d *Driver) cover(ctx context.Context, s shelf, u user) (shelf, error) {
	s, floor, err := d.lay(ctx, s)
	if err != nil {
		return s, err
	}
	ids := []int{floor}
	for _, id := range u.granted() {
		if s.kinds[id] == ordinary {
			ids = append(ids, id)
		}
	}
	after, err := d.change(ctx, u.ID, userChange{grants: &grants{Libraries: ids}})
	if err == nil && !slices.Equal(slices.Sorted(slices.Values(after.granted())), slices.Sorted(slices.Values(ids))) {
		err = media.Errorf(media.Ambiguous, "POST %s: the server did not grant the placeholder library", userPath)
	}
	return s, err
}
