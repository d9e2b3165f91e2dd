package controller

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// killFormer kills a link that an earlier Invite of this name left on the server. One of this Invite itself, under a UID that
// it had before the cluster was restored, is read first: who came by it counts.
func (r *inviteReconciler) killFormer(ctx context.Context, p *invitePass, invite media.Invite) *outcome {
	if p.observing() {
		return nil
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	ctx = media.WithReason(ctx, "an earlier Invite of this name left its link")
	if p.had(invite, r.Keyring) {
		if o := r.closeAndImport(ctx, p, invite); o != nil {
			return o
		}
	}
	if err := p.to().DeleteInvite(ctx, invite.ID); err != nil {
		return r.callFailed(p.site, err)
	}
	r.normal(p.invite, "OldLinkRemoved", "Delete", "removed the link that an earlier Invite of this name had left on the server")
	return nil
}

// had says whether a link is this Invite's own, by a UID that it has or had.
func (p *invitePass) had(invite media.Invite, keys *Keyring) bool {
	return slices.ContainsFunc(p.uids, func(uid string) bool { return invite.CodeHash == codeHash(keys.InviteCode(types.UID(uid))) })
}

// closeAndImport records who came by a link that is about to be deleted with its list of uses. Nobody comes after that list
// was read: the link is closed first.
func (r *inviteReconciler) closeAndImport(ctx context.Context, p *invitePass, invite media.Invite) *outcome {
	if closed := invite.Settings; !closed.Revoked {
		closed.Revoked = true
		var err error
		if invite, err = p.to().SetInvite(ctx, invite.ID, closed); err != nil {
			return r.callFailed(p.site, err)
		}
	}
	p.native, p.isNative = invite, true
	return r.importUses(ctx, p)
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
		p.record = readRecord(p.invite, p.identity())
		for _, invite := range invites {
			if invite.Reference != reference(p.invite) {
				continue
			}
			ctx := media.WithReason(ctx, "the Invite is being deleted")
			if p.had(invite, r.Keyring) {
				if o := r.closeAndImport(ctx, p, invite); o != nil {
					return *o
				}
			}
			if err := p.to().DeleteInvite(ctx, invite.ID); err != nil {
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
