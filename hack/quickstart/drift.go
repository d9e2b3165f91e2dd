package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const (
	// syncInterval is that of config/samples; jittered by a tenth.
	syncInterval = 10 * time.Second
	// repairedWithin leaves a slow machine time for the repair itself.
	repairedWithin = syncInterval + syncInterval/10 + 5*time.Second
)

// repair takes a permission away by hand, as the server's owner, and waits until Usher gives it back.
func (p *proof) repair(ctx context.Context) error {
	const victim = "mia"
	kids := p.libraries[kidsMovies]
	id, err := p.userID(ctx, kids, victim)
	if err != nil {
		return err
	}
	status, _, _, err := p.people[household[0].name].do(ctx, http.MethodDelete, "/v1/libraries/"+kids.ID+"/permissions/"+id, nil)
	if err != nil {
		return err
	}
	sees, err := p.sees(ctx, victim, kids)
	if err != nil {
		return err
	}
	p.line(status == http.StatusNoContent && !sees, "%-9s loses %s, taken away by hand on the media server", victim, kids.Name)

	p.out.wait("for Usher to notice (syncInterval %s)", syncInterval)
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, repairedWithin)
	defer cancel()
	for !sees {
		if err := p.pause(ctx); err != nil {
			p.line(false, "%-9s does not see %s again after %s: %v", victim, kids.Name, repairedWithin, err)
			return nil
		}
		if sees, err = p.sees(ctx, victim, kids); err != nil {
			return err
		}
	}
	p.line(true, "%-9s sees %s again, %.1f s later", victim, kids.Name, time.Since(began).Seconds())
	return nil
}

// userID returns the id of somebody's account, from the list of who was given a library.
func (p *proof) userID(ctx context.Context, of library, name string) (string, error) {
	holders, err := list[holder](ctx, p.people[household[0].name], "/v1/libraries/"+of.ID+"/permissions", nil)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(holders, func(h holder) bool { return h.Username == name })
	if i < 0 {
		return "", fmt.Errorf("%s has no permission to see %s on the media server", name, of.Name)
	}
	return holders[i].UserID, nil
}

func (p *proof) sees(ctx context.Context, name string, which library) (bool, error) {
	seen, err := p.people[name].libraries(ctx)
	return slices.ContainsFunc(seen, func(l library) bool { return l.ID == which.ID }), err
}
