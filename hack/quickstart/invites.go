package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/hack/internal/household"
)

// The Invites of config/samples, and how each ends.
const (
	cousins      = "cousins"
	oldFlatmates = "old-flatmates"
	movieNight   = "movie-night"
	friends      = "friends"
)

var endsAs = map[string]v1alpha1.InviteState{
	cousins: v1alpha1.InviteExhausted, oldFlatmates: v1alpha1.InviteRevoked,
	movieNight: v1alpha1.InviteExpired, friends: v1alpha1.InvitePending,
}

// comers come by the link for cousins, which admits two; latecomer is the third. All see what the Invite gives.
var (
	comers     = []string{"nina", "omar"}
	latecomer  = "pia"
	comersSees = []string{household.Movies, household.TV}
)

// guests is the part of the proof that is about Invites.
type guests struct {
	*proof
	// links by the name of their Invite.
	links map[string]link
}

// link is what an Invite's Secret holds. The code is as good as a key.
type link struct{ code, url string }

// proveInvites walks through every state of an Invite.
func (q *quickstart) proveInvites(ctx context.Context) error {
	g := &guests{proof: newProof(q), links: map[string]link{}}
	for _, step := range []func(context.Context) error{
		g.readLinks, g.look, g.register, g.recorded, g.revoked, g.expire, g.states,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return g.verdict()
}

// readLinks reads each Invite's Secret, as an admin would to send the link.
func (g *guests) readLinks(ctx context.Context) error {
	for name := range endsAs {
		found, err := g.readLink(ctx, name)
		if err != nil {
			return err
		}
		g.links[name] = found
	}
	g.line(true, "the %d links are in the Secrets of their Invites", len(g.links))
	return nil
}

func (q *quickstart) readLink(ctx context.Context, invite string) (link, error) {
	var secret corev1.Secret
	if err := q.env.Client().Get(ctx, client.ObjectKey{Namespace: namespace, Name: invite + "-invite"}, &secret); err != nil {
		return link{}, fmt.Errorf("the link of Invite %s: %w", invite, err)
	}
	found := link{string(secret.Data["code"]), string(secret.Data["url"])}
	if !strings.HasPrefix(found.url, q.serverURL) || !strings.HasSuffix(found.url, found.code) || found.code == "" {
		return link{}, fmt.Errorf("the Secret of Invite %s holds no link to the media server", invite)
	}
	return found, nil
}

// look opens the link without an account, twice: page and preview say what it offers, and looking consumes nothing.
func (g *guests) look(ctx context.Context) error {
	for _, how := range []string{"opened by a stranger", "opened again"} {
		status, page, err := g.open(ctx, cousins)
		if err != nil {
			return err
		}
		offer, err := g.preview(ctx, cousins)
		if err != nil {
			return err
		}
		holds := status == http.StatusOK && strings.Contains(page, "Alice") && offer.CanAccept && offer.Status == "pending" &&
			offer.Inviter.DisplayName == "Alice" && slices.Equal(offer.names(), comersSees) &&
			offer.Remaining != nil && *offer.Remaining == len(comers)
		g.line(holds, "%-13s %s: %s invites to %s, %s left",
			cousins, how, offer.Inviter.DisplayName, strings.Join(offer.names(), " and "), offer.left())
	}
	return nil
}

// register brings two people in, and not the third, nor anybody without a link.
func (g *guests) register(ctx context.Context) error {
	for _, name := range comers {
		v, answer, err := g.signUp(ctx, name, g.links[cousins].code)
		if err != nil {
			return err
		}
		g.line(answer == "201", "%-13s registers %s: %s", cousins, name, answer)
		if answer != "201" {
			return fmt.Errorf("%s could not register", name)
		}
		g.people[name] = v
		if err := g.seesExactly(ctx, name); err != nil {
			return err
		}
	}
	if err := g.refused(ctx, cousins, "410 Invite has no remaining uses"); err != nil {
		return err
	}
	_, answer, err := g.signUp(ctx, latecomer, "")
	g.line(answer == "403 Registration is by invitation only", "%-13s registers %s: %s", "no link", latecomer, answer)
	return err
}

func (g *guests) seesExactly(ctx context.Context, name string) error {
	seen, err := g.people[name].Libraries(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var names []string
	for _, library := range seen {
		names = append(names, library.Name)
	}
	slices.Sort(names)
	g.line(slices.Equal(names, comersSees), "%-13s sees %s, should see %s", name, strings.Join(names, ", "), strings.Join(comersSees, ", "))
	return nil
}

// refused tries to register by a link that admits nobody any more.
func (g *guests) refused(ctx context.Context, invite, wanted string) error {
	_, answer, err := g.signUp(ctx, latecomer, g.links[invite].code)
	g.line(answer == wanted, "%-13s registers %s: %s", invite, latecomer, answer)
	return err
}

// revoked tries the link that was taken back.
func (g *guests) revoked(ctx context.Context) error {
	return g.refused(ctx, oldFlatmates, "410 Invite has been revoked")
}
