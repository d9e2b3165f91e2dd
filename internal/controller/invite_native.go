package controller

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/redeem"
)

// reference is what Usher writes into a server's invite to know its own again.
func reference(invite *v1alpha1.Invite) string {
	return referencePrefix + invite.Namespace + "/" + invite.Name
}

const referencePrefix = "usher/"

// agree makes the server's own invite what the manifest says. Who came before is recorded first, with what the invite gave
// until now.
func (r *inviteReconciler) agree(ctx context.Context, p *invitePass) *outcome {
	if !p.isNative {
		return unreadable(p.invite)
	}
	if p.able().WeakInvites {
		return r.agreeWeak(ctx, p)
	}
	p.record = readRecord(p.invite, p.identity())
	p.countUses()
	found, o := r.findNative(ctx, p)
	if o != nil {
		return o
	}
	var imports *outcome
	if found {
		imports = r.importUses(ctx, p)
		p.countUses()
	} else {
		// The server's invite was deleted by hand, or is still to be made: what was used up stays used up.
		p.earlier = p.record.forget(0, p.useKeys(), r.Clock.Now()).Earlier
	}
	want, problem := r.settings(ctx, p)
	if problem != nil && problem.kind == kindRetry {
		return problem
	}
	p.problem = problem
	p.uses = max(p.uses, p.earlier)
	switch {
	case !found && problem != nil:
		return problem
	case !found:
		return r.makeNative(ctx, p, want)
	case imports != nil:
		// The door is shut whatever else fails; what the invite gives stays until who came by it is recorded.
		want.Role, want.Libraries = p.native.Settings.Role, p.native.Settings.Libraries
	}
	if o := r.changeNative(ctx, p, want); o != nil {
		return o
	}
	if imports != nil {
		return imports
	}
	r.signCode(p)
	p.record.Terms, p.record.UIDs, p.redeemable = termsOf(p.invite), p.uids, problem == nil
	p.decideNative()
	if o := r.keepRecord(ctx, p.site, p.invite, p.record); o != nil {
		return o
	}
	return problem
}

// findNative finds the invite of this Invite's code, and kills what earlier ones of its name left on the server: their codes
// are known to people who were not invited by this one. Where something is to change, the list is read now, so that everybody
// who came before is in it.
func (r *inviteReconciler) findNative(ctx context.Context, p *invitePass) (bool, *outcome) {
	invites, err := p.to().Invites(ctx, usesPoll-1)
	if err != nil {
		return false, r.callFailed(p.site, err)
	}
	r.sweepShared(ctx, p.site, invites)
	if stale, o := r.changes(ctx, p, invites); o != nil {
		return false, o
	} else if stale {
		if invites, err = p.to().Invites(ctx, 0); err != nil {
			return false, r.callFailed(p.site, err)
		}
	}
	for _, invite := range invites {
		if invite.CodeHash == p.codeHash || invite.Reference != reference(p.invite) {
			continue
		}
		if o := r.killFormer(ctx, p, invite); o != nil {
			return false, o
		}
	}
	var found bool
	p.native, found = p.ownOf(invites)
	return found, nil
}

// changes says whether the manifest asks for something else than a list of the server's invites shows.
func (r *inviteReconciler) changes(ctx context.Context, p *invitePass, invites []media.Invite) (bool, *outcome) {
	var found bool
	if p.native, found = p.ownOf(invites); found {
		p.countUses()
	}
	want, problem := r.settings(ctx, p)
	if problem != nil && problem.kind == kindRetry {
		return false, problem
	}
	return found && (!p.native.Settings.Equal(want) || !p.record.Terms.same(termsOf(p.invite))), nil
}

// ownOf finds the invite that has this Invite's code.
func (p *invitePass) ownOf(invites []media.Invite) (media.Invite, bool) {
	i := slices.IndexFunc(invites, func(invite media.Invite) bool {
		return invite.CodeHash == p.codeHash && (p.formerKey == "" || invite.Reference == reference(p.invite))
	})
	if i < 0 {
		return media.Invite{}, false
	}
	return invites[i], true
}

// settings is what the server's invite is to admit. What does not resolve admits nobody (design D2), gives what it gave, and
// holds back no revocation.
func (r *inviteReconciler) settings(ctx context.Context, p *invitePass) (media.InviteSettings, *outcome) {
	spec := p.invite.Spec
	edges, ids, problem := r.edges(ctx, p)
	if problem == nil {
		problem = unreadable(p.invite)
	}
	if problem == nil {
		problem = r.unresolved(p, edges, ids)
	}
	if p.problem != nil && (problem == nil || problem.kind != kindRetry) {
		problem = p.problem
	}
	want := media.InviteSettings{Libraries: map[media.LibraryID]media.LibraryRole{}, Revoked: spec.Revoked, Email: spec.Email, Welcome: spec.Welcome}
	if p.offer != nil {
		role, _ := p.offer.Roles()
		want.Role = media.Role(role)
	}
	for _, edge := range edges {
		if id, resolved := ids[edge.Library]; resolved {
			want.Libraries[id] = media.LibraryRole(edge.Role)
		}
	}
	if problem != nil && p.native.ID != "" {
		want.Role, want.Libraries = p.native.Settings.Role, p.native.Settings.Libraries
	}
	p.bound(&want)
	if p.able().Invites {
		want.Held = problem != nil
	}
	want.Inviter = p.connection.Probe.SelfName
	if spec.Inviter != nil {
		want.Inviter = spec.Inviter.DisplayName
	}
	return want, problem
}

// bound sets how many may come, and until when. A server that cannot be told of the uses that it does not know may admit as
// many less.
func (p *invitePass) bound(want *media.InviteSettings) {
	spec := p.invite.Spec
	if p.able().Invites {
		want.PriorUses = p.earlier
	}
	if spec.MaxUses != nil {
		want.MaxUses = max(1, int(*spec.MaxUses)-p.earlier+want.PriorUses)
	}
	if spec.ExpiresAt != nil {
		end, _ := spec.ExpiresAt.Parse()
		want.ExpiresAt = later(end, time.Unix(0, 0)) // the zero time would mean never
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (r *inviteReconciler) edges(ctx context.Context, p *invitePass) ([]v1alpha1.RedeemedEdge, map[string]media.LibraryID, *outcome) {
	var libraries v1alpha1.LibraryList
	if err := r.Client.List(ctx, &libraries, ofServer(p.invite.Namespace, p.server.Name)...); err != nil {
		return nil, nil, retry(err)
	}
	if p.offer == nil {
		return nil, nil, p.offersProblem()
	}
	edges, err := access.OfferEdges(p.offer, libraries.Items)
	if err != nil {
		return nil, nil, stalled(v1alpha1.ReasonInvalidSpec, "spec.offers[0].libraries: %s", err)
	}
	return edges, orHas(p.believe(libraries.Items), p.native.Settings.Libraries), nil
}

// unresolved blocks an invite that names a Library which is not there: who came by it would get less than was meant, for good.
func (r *inviteReconciler) unresolved(p *invitePass, edges []v1alpha1.RedeemedEdge, ids map[string]media.LibraryID) *outcome {
	if p.offer.Libraries == nil {
		return nil
	}
	for _, ref := range p.offer.Libraries.Refs {
		if !slices.ContainsFunc(edges, func(e v1alpha1.RedeemedEdge) bool { return e.Library == ref.Name }) {
			return waiting(v1alpha1.ReasonReferencesUnresolved, "there is no Library %s on MediaServer %s: nobody is admitted until there is", ref.Name, p.server.Name)
		}
		if _, resolved := ids[ref.Name]; !resolved {
			return waiting(v1alpha1.ReasonReferencesUnresolved, "Library %s is not on the server (yet): nobody is admitted until it is; see its status", ref.Name)
		}
	}
	return nil
}

func (r *inviteReconciler) makeNative(ctx context.Context, p *invitePass, want media.InviteSettings) *outcome {
	if p.observing() {
		p.status.Plan = []string{"make the server's invite"}
		return observed(p.status.Plan)
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	if p.code == "" {
		return stalled(v1alpha1.ReasonKeyChanged, "the link is gone from the server, and its code was made with another key of Usher's (%s) and is nowhere else: bring that key back, or set the annotation %s on the MediaServer to get another link", p.formerKey, v1alpha1.AnnotationAcceptedKey)
	}
	// What the record counts of an invite that is gone is moved only when there is another: until then it may be found again.
	r.signCode(p)
	p.record.Server, p.record.Terms, p.record.UIDs = p.identity(), termsOf(p.invite), p.uids
	p.decideNative()
	if err := r.writeRecord(ctx, p.invite, p.record); err != nil {
		return retry(err)
	}
	ctx = media.WithReason(ctx, "the Invite has no link on the server")
	invite, err := p.to().CreateInvite(ctx, media.NewInvite{Code: p.code, Reference: reference(p.invite), Settings: want})
	if err != nil {
		return r.callFailed(p.site, err)
	}
	p.native, p.redeemable = invite, true
	p.status.ExternalID, p.status.Plan = string(invite.ID), nil
	p.record = p.record.forget(0, p.useKeys(), r.Clock.Now())
	if err := r.writeRecord(ctx, p.invite, p.record); err != nil {
		return retry(err)
	}
	return nil
}

func (r *inviteReconciler) changeNative(ctx context.Context, p *invitePass, want media.InviteSettings) *outcome {
	p.status.ExternalID, p.status.Plan = string(p.native.ID), nil
	if p.native.Settings.Equal(want) {
		return nil
	}
	if p.observing() {
		p.status.Plan = []string{"change what the server's invite admits"}
		return observed(p.status.Plan)
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	ctx = media.WithReason(ctx, "what the Invite admits has changed")
	invite, err := p.to().SetInvite(ctx, p.native.ID, want)
	if err != nil {
		return r.callFailed(p.site, err)
	}
	p.native = invite
	return nil
}

// inviteUses lists the newest uses for the status.
func inviteUses(redemptions []v1alpha1.Redemption, total int) *v1alpha1.InviteUses {
	sorted := slices.Clone(redemptions)
	slices.SortFunc(sorted, func(a, b v1alpha1.Redemption) int {
		if c := redeem.CameAt(&b).Compare(redeem.CameAt(&a)); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	uses := &v1alpha1.InviteUses{Total: int32(total)}
	for _, r := range firstListed(sorted) {
		uses.Items = append(uses.Items, v1alpha1.InviteUse{Username: r.Spec.Accounts[0].Username, User: r.Spec.Accounts[0].UserRef.Name, At: v1alpha1.NewTime(redeem.CameAt(&r))})
	}
	return uses
}
