package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/usher-media/usher/hack/internal/household"
)

// offer is what the media server tells whoever has an invite's code.
type offer struct {
	Inviter   struct{ DisplayName string }
	Libraries []household.Library
	Status    string
	CanAccept bool
	Remaining *int
}

// names of what is offered, sorted: the media server promises no order.
func (o offer) names() []string {
	var names []string
	for _, library := range o.Libraries {
		names = append(names, library.Name)
	}
	slices.Sort(names)
	return names
}

func (o offer) left() string {
	if o.Remaining == nil {
		return "any number"
	}
	return fmt.Sprint(*o.Remaining)
}

// preview asks what a link offers, without an account.
func (g *guests) preview(ctx context.Context, invite string) (offer, error) {
	var told offer
	status, _, text, err := (&household.Visitor{URL: g.serverURL}).Do(ctx, http.MethodGet, "/v1/invitations/"+g.links[invite].code, nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the preview of Invite %s: the media server answers %d", invite, status)
	}
	if err != nil {
		return told, err
	}
	return told, json.Unmarshal(text, &told)
}

// open gets the page behind a link, as a browser does.
func (g *guests) open(ctx context.Context, invite string) (int, string, error) {
	status, _, text, err := (&household.Visitor{URL: g.links[invite].url}).Do(ctx, http.MethodGet, "", nil)
	return status, string(text), err
}

// signUp makes an account by a code. The answer is the status, with the media server's words where it refuses.
func (g *guests) signUp(ctx context.Context, name, code string) (*household.Visitor, string, error) {
	v := &household.Visitor{URL: g.serverURL}
	form := map[string]string{"username": name, "password": "chosen-by-" + name, "displayName": name}
	if code != "" {
		form["inviteCode"] = code
	}
	status, _, text, err := v.Do(ctx, http.MethodPost, "/v1/auth/register", form)
	if err != nil {
		return nil, "", err
	}
	var answer struct{ Token, Error string }
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, "", fmt.Errorf("register %s: the media server answers %d: %w", name, status, err)
	}
	if status != http.StatusCreated {
		return nil, fmt.Sprintf("%d %s", status, answer.Error), nil
	}
	v.Token = answer.Token
	return v, fmt.Sprint(status), nil
}
