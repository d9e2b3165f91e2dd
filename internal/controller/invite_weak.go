package controller

import (
	"context"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// agreeWeak keeps one live link while the Invite is Pending, and none else, on a server whose links keep a weaker promise
// (media.Capabilities.WeakInvites). The server chooses the code, knows no reference and cannot change a link, so the
// record says which link is this Invite's, and another one takes its place when something differs.
func (r *inviteReconciler) agreeWeak(ctx context.Context, p *invitePass) *outcome {
	p.record, p.code = readRecord(p.invite, p.identity()), ""
	p.earlier = p.record.Earlier
	found, o := r.findWeak(ctx, p)
	if o != nil {
		return o
	}
	want, problem := r.weakSettings(ctx, p)
	if problem != nil && problem.kind == kindRetry {
		return problem
	}
	p.problem = problem
	if found && (problem != nil || !r.admits(p) || !p.native.Settings.Equal(want) || p.restored()) {
		if o := r.retireWeak(ctx, p); o != nil {
			return o
		}
		found = false
		want, _ = r.weakSettings(ctx, p) // fewer may come by the next
	}
	switch {
	case problem != nil:
		return problem
	case found:
		p.code, p.status.ExternalID, p.status.Plan, p.redeemable = p.native.Code, string(p.native.ID), nil, true
		p.record.Terms, p.record.UIDs = termsOf(p.invite), p.uids
		p.decideNative()
		return r.keepRecord(ctx, p.site, p.invite, p.record)
	case !r.admits(p):
		return nil
	case p.record.ID != "" && !p.observing():
		// The recorded link is not in the list. A list can be short: no link is made while that one may live.
		if o := r.retireWeak(ctx, p); o != nil || !r.admits(p) {
			return o
		}
		want, _ = r.weakSettings(ctx, p)
	}
	return r.makeWeak(ctx, p, want)
}

// restored says whether the Invite has another UID than when its link was made: the cluster was restored, and links do not
// outlive that.
func (p *invitePass) restored() bool {
	known := p.record.UIDs
	return len(known) > 0 && known[len(known)-1] != string(p.invite.UID)
}

// admits says whether anybody may come now.
func (r *inviteReconciler) admits(p *invitePass) bool {
	state, _ := access.InviteState(p.invite, p.uses, r.Clock.Now())
	return state == v1alpha1.InvitePending
}

// weakSettings are those of a link that admits. That it names who invites is left to the server, unless it is asked for.
func (r *inviteReconciler) weakSettings(ctx context.Context, p *invitePass) (media.InviteSettings, *outcome) {
	want, problem := r.settings(ctx, p)
	want.Revoked = false
	if p.invite.Spec.Inviter == nil {
		want.Inviter = ""
	}
	return want, problem
}

// findWeak finds the recorded link and imports who came by it. What was used up by one that is not listed any more stays
// used up.
func (r *inviteReconciler) findWeak(ctx context.Context, p *invitePass) (bool, *outcome) {
	p.uses = max(p.uses, p.record.Earlier+p.record.Imported)
	if p.record.ID == "" {
		return false, nil
	}
	age := usesPoll - 1
	if !p.record.Terms.same(termsOf(p.invite)) { // all who came before are to be in the list
		age = 0
	}
	invites, err := p.to().Invites(ctx, age)
	if err != nil {
		return false, r.callFailed(p.site, err)
	}
	for _, invite := range invites {
		if string(invite.ID) == p.record.ID {
			p.native = invite
			o := r.importUses(ctx, p)
			p.countUses()
			return true, o
		}
	}
	p.native = media.Invite{ID: media.InviteID(p.record.ID)}
	return false, nil
}

// forgetWeak counts the uses of a link that is no more.
func (p *invitePass) forgetWeak(now time.Time) {
	p.record = p.record.forget(p.native.Uses, p.useKeys(), now)
	p.record.ID, p.native, p.earlier = "", media.Invite{}, p.record.Earlier
}

// retireWeak revokes the link, and asks once more who came by it, where the server still tells.
func (r *inviteReconciler) retireWeak(ctx context.Context, p *invitePass) *outcome {
	if p.observing() {
		p.status.Plan = []string{"revoke the server's link"}
		return observed(p.status.Plan)
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	if err := p.to().DeleteInvite(ctx, p.native.ID); err != nil {
		return r.callFailed(p.site, err)
	}
	switch uses, err := p.to().InviteUses(ctx, p.native.ID); media.CodeOf(err) {
	case "":
		p.native.Uses = max(p.native.Uses, len(uses))
		if o := r.importUses(ctx, p); o != nil {
			return o
		}
	case media.NotFound:
	default:
		return r.callFailed(p.site, err)
	}
	p.forgetWeak(r.Clock.Now())
	p.uses = max(p.uses, p.earlier)
	p.status.ExternalID = ""
	if err := r.writeRecord(ctx, p.invite, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// makeWeak makes the link and records it. One that a crash leaves unrecorded is known to nobody: its code never left the
// server.
func (r *inviteReconciler) makeWeak(ctx context.Context, p *invitePass, want media.InviteSettings) *outcome {
	if p.observing() {
		p.status.Plan = []string{"make a link on the server"}
		return observed(p.status.Plan)
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	p.record.Server, p.record.Terms, p.record.UIDs = p.identity(), termsOf(p.invite), p.uids
	p.decideNative()
	if err := r.writeRecord(ctx, p.invite, p.record); err != nil {
		return retry(err)
	}
	invite, err := p.to().CreateInvite(ctx, media.NewInvite{Settings: want})
	if err != nil {
		return r.callFailed(p.site, err)
	}
	p.record.ID = string(invite.ID)
	if err := r.writeRecord(ctx, p.invite, p.record); err != nil {
		_ = p.to().DeleteInvite(ctx, invite.ID)
		return retry(err)
	}
	p.native, p.code, p.redeemable = invite, invite.Code, true
	p.status.ExternalID, p.status.Plan = p.record.ID, nil
	return nil
}

// dropWeak kills the recorded link of an Invite that goes away, and leaves the people.
func (r *inviteReconciler) dropWeak(ctx context.Context, p *invitePass) *outcome {
	p.isNative = p.delivery() == v1alpha1.DeliveryNative
	p.record = r.linkRecord(p)
	if !p.isNative || p.record.ID == "" {
		return nil
	}
	found, o := r.findWeak(ctx, p)
	if o != nil {
		return o
	}
	if !found { // revoked by somebody, or its library is gone: no reason to keep the Invite
		if p.mayWrite() == nil && !p.observing() {
			_ = p.to().DeleteInvite(ctx, p.native.ID)
		}
		return nil
	}
	return r.retireWeak(ctx, p)
}
