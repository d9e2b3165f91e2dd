package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/usher-media/usher/hack/internal/household"
)

// scannedWithin is how long the media server may take to find the files of a new library.
const scannedWithin = 30 * time.Second

// awaitItems waits until the media server has scanned every library.
func (p *proof) awaitItems(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, scannedWithin)
	defer cancel()
	owner, total := p.people[household.People[0].Name], 0
	for _, name := range household.Libraries {
		for len(p.items[name]) == 0 {
			items, err := owner.Items(ctx, p.libraries[name].ID)
			if err == nil && len(items) == 0 {
				err = p.pause(ctx)
			}
			if err != nil {
				return fmt.Errorf("the files of %s: %w", name, err)
			}
			p.items[name] = items
		}
		total += len(p.items[name])
	}
	p.line(total == len(mediaFiles), "the media server shows %d of the %d files", total, len(mediaFiles))
	return nil
}

// strangers checks that a library does not exist for those who may not see it: not by id, not in lists, not in search.
func (p *proof) strangers(ctx context.Context) error {
	for _, person := range household.People {
		for _, name := range others(person) {
			problem, err := p.glimpse(ctx, p.people[person.Name], name)
			if err != nil {
				return err
			}
			if problem == "" {
				problem = "404 by id, and nothing of it in search"
			} else {
				problem = "NOT HIDDEN: " + problem
			}
			p.line(problem[0] == '4', "%-9s %-12s %s", person.Name, name, problem)
		}
	}
	return nil
}

// glimpse returns how somebody gets to see a trace of a library that should not exist for them.
func (p *proof) glimpse(ctx context.Context, v *household.Visitor, name string) (string, error) {
	library, first := p.libraries[name], p.items[name][0]
	for _, path := range []string{
		"/v1/libraries/" + library.ID, "/v1/libraries/" + library.ID + "/items", "/v1/items/" + first.ID, "/v1/items/" + first.ID + "/stream",
	} {
		status, _, _, err := v.Do(ctx, http.MethodGet, path, nil)
		if err != nil {
			return "", err
		}
		if status != http.StatusNotFound {
			return fmt.Sprintf("GET %s answers %d", path, status), nil
		}
	}
	ofLibrary := func(i household.Item) bool { return i.LibraryID == library.ID }
	found, err := v.Search(ctx, first.Title)
	if err != nil || slices.ContainsFunc(found, ofLibrary) {
		return "search finds " + first.Title, err
	}
	// The same search by somebody who may see it must find it; else the line above proves nothing.
	found, err = p.people[household.People[0].Name].Search(ctx, first.Title)
	if err != nil || !slices.ContainsFunc(found, ofLibrary) {
		return "search finds " + first.Title + " for nobody", err
	}
	return "", nil
}
