package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/usher-media/usher/hack/internal/household"
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
	kids := p.libraries[household.KidsMovies]
	id, err := p.userID(ctx, kids, victim)
	if err != nil {
		return err
	}
	status, _, _, err := p.people[household.People[0].Name].Do(ctx, http.MethodDelete, "/v1/libraries/"+kids.ID+"/permissions/"+id, nil)
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
func (p *proof) userID(ctx context.Context, of household.Library, name string) (string, error) {
	holders, err := household.List[household.Holder](ctx, p.people[household.People[0].Name], "/v1/libraries/"+of.ID+"/permissions", nil)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(holders, func(h household.Holder) bool { return h.Username == name })
	if i < 0 {
		return "", fmt.Errorf("%s has no permission to see %s on the media server", name, of.Name)
	}
	return holders[i].UserID, nil
}

func (p *proof) sees(ctx context.Context, name string, which household.Library) (bool, error) {
	seen, err := p.people[name].Libraries(ctx)
	return slices.ContainsFunc(seen, func(l household.Library) bool { return l.ID == which.ID }), err
}
