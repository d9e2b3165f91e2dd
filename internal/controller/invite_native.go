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
	return "usher/" + invite.Namespace + "/" + invite.Name
}

// agree makes the server's own invite what the manifest says. An invite that an earlier Invite of the same name left
// there is killed: its code is known to people who were not invited by this one.
func (r *inviteReconciler) agree(ctx context.Context, p *invitePass) *outcome {
	if !p.isNative {
		return unreadable(p.invite)
	}
	if p.able().WeakInvites {
		return r.agreeWeak(ctx, p)
	}
	p.record = readRecord(p.invite, p.identity())
	invites, err := p.to().Invites(ctx, usesPoll-1)
	if err != nil {
		return r.callFailed(p.site, err)
	}
	hash := codeHash(p.code)
	var found bool
	for _, invite := range invites {
		switch {
		case invite.CodeHash == hash:
			p.native, found = invite, true
		case invite.Reference == reference(p.invite):
			if o := r.kill(ctx, p, invite); o != nil {
				return o
			}
		}
	}
	if !found {
		// The server's invite was deleted by hand, or is still to be made: what was used up stays used up.
		p.record.Earlier, p.record.Imported = max(p.record.Earlier+p.record.Imported, len(p.redemptions)), 0
	}
	want, problem := r.settings(ctx, p)
	if problem != nil && problem.kind == kindRetry {
		return problem
	}
	// What does not resolve admits nobody (DESIGN D2), and holds back no revocation.
	want.Revoked = want.Revoked || problem != nil
	if !found {
		if problem != nil {
			return problem
		}
		return r.makeNative(ctx, p, want)
	}
	p.uses = max(p.uses, p.record.Earlier+p.native.Uses)
	if o := r.changeNative(ctx, p, want); o != nil {
		return o
	}
	if problem == nil {
		return r.keepRecord(ctx, p.site, p.invite, p.record)
	}
	if o := r.importUses(ctx, p); o != nil {
		return o
	}
	return problem
}

// settings is what the server's invite is to admit. Libraries that do not resolve give nothing.
func (r *inviteReconciler) settings(ctx context.Context, p *invitePass) (media.InviteSettings, *outcome) {
	spec := p.invite.Spec
	edges, ids, problem := r.edges(ctx, p)
	if problem == nil {
		problem = unreadable(p.invite)
	}
	if problem == nil {
		problem = r.unresolved(p, edges)
	}
	want := media.InviteSettings{Role: media.Role(spec.Role), Libraries: map[media.LibraryID]media.LibraryRole{}, Revoked: spec.Revoked, Email: spec.Email, Welcome: spec.Welcome}
	for _, edge := range edges {
		if id, resolved := ids[edge.Library]; resolved {
			want.Libraries[id] = media.LibraryRole(edge.Role)
		}
	}
	if spec.MaxUses != nil {
		left := int(*spec.MaxUses) - p.record.Earlier
		want.MaxUses = max(left, 1)
		want.Revoked = want.Revoked || left < 1
	}
	if spec.ExpiresAt != nil {
		end, _ := spec.ExpiresAt.Parse()
		want.ExpiresAt = later(end, time.Unix(0, 0)) // the zero time would mean never
	}
	want.Inviter = p.connection.Probe.SelfName
	if spec.Inviter != nil {
		want.Inviter = spec.Inviter.DisplayName
	}
	return want, problem
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
	edges, err := access.InviteEdges(p.invite, libraries.Items)
	if err != nil {
		return nil, nil, stalled(v1alpha1.ReasonInvalidSpec, "spec.libraries: %s", err)
	}
	return edges, p.believe(libraries.Items).orHas(p.native.Settings.Libraries), nil
}

// unresolved blocks an invite that names a Library which does not exist: who came by it would see less than was meant.
func (r *inviteReconciler) unresolved(p *invitePass, edges []v1alpha1.RedeemedEdge) *outcome {
	if p.invite.Spec.Libraries == nil {
		return nil
	}
	for _, ref := range p.invite.Spec.Libraries.Refs {
		if !slices.ContainsFunc(edges, func(e v1alpha1.RedeemedEdge) bool { return e.Library == ref.Name }) {
			return waiting(v1alpha1.ReasonReferencesUnresolved, "there is no Library %s on MediaServer %s: nobody is admitted until there is", ref.Name, p.server.Name)
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
	p.record.Server = p.identity()
	if err := r.writeRecord(ctx, p.invite, p.record); err != nil {
		return retry(err)
	}
	ctx = media.WithReason(ctx, "the Invite has no link on the server")
	invite, err := p.to().CreateInvite(ctx, media.NewInvite{Code: p.code, Reference: reference(p.invite), Settings: want})
	if err != nil {
		return r.callFailed(p.site, err)
	}
	p.native = invite
	p.status.ExternalID, p.status.Plan = string(invite.ID), nil
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

func (r *inviteReconciler) kill(ctx context.Context, p *invitePass, invite media.Invite) *outcome {
	if p.observing() {
		return nil
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	ctx = media.WithReason(ctx, "an earlier Invite of this name left its link")
	if err := p.to().DeleteInvite(ctx, invite.ID); err != nil {
		return r.callFailed(p.site, err)
	}
	r.normal(p.invite, "OldLinkRemoved", "Delete", "removed the link that an earlier Invite of this name had left on the server")
	return nil
}

// letGo kills the link and leaves the people.
func (r *inviteReconciler) letGo(ctx context.Context, p *invitePass) outcome {
	if !slices.Contains(p.invite.Finalizers, v1alpha1.Finalizer) {
		return outcome{kind: kindGone}
	}
	var o *outcome
	if p.site, o = r.letGoSite(ctx, p.invite, p.invite.Spec.ServerRef.Name, "the server's invite"); o != nil {
		return *o
	}
	if !p.observing() && p.able().WeakInvites {
		if o := r.dropWeak(ctx, p); o != nil {
			return *o
		}
	}
	if !p.observing() && p.able().Invites {
		if o := p.mayWrite(); o != nil {
			return *o
		}
		invites, err := p.to().Invites(ctx, 0)
		if err != nil {
			return *r.callFailed(p.site, err)
		}
		for _, invite := range invites {
			if invite.Reference != reference(p.invite) {
				continue
			}
			if o := r.importLast(ctx, p, invite); o != nil {
				return *o
			}
			if err := p.to().DeleteInvite(media.WithReason(ctx, "the Invite is being deleted"), invite.ID); err != nil {
				return *r.callFailed(p.site, err)
			}
		}
	}
	r.secrets.forget(p.invite.UID)
	if err := r.deleteSecret(ctx, p.invite, inviteSecretName(p.invite)); err != nil {
		return *retry(err)
	}
	return *r.released(ctx, p.invite)
}

// importLast records who came by an invite that is about to be deleted with its list of uses.
func (r *inviteReconciler) importLast(ctx context.Context, p *invitePass, invite media.Invite) *outcome {
	if invite.CodeHash != codeHash(r.Keyring.InviteCode(p.invite.UID)) {
		return nil // an earlier Invite's
	}
	p.record = readRecord(p.invite, p.identity())
	p.native, p.isNative = invite, true
	return r.importUses(ctx, p)
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
		uses.Items = append(uses.Items, v1alpha1.InviteUse{Username: r.Spec.Username, User: r.Spec.UserRef.Name, At: v1alpha1.NewTime(redeem.CameAt(&r))})
	}
	return uses
}
