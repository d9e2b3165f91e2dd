package controller

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// killFormer kills a link that an earlier Invite of this name left on the server, or this one under a UID or a key that it had
// before. Who came by it is recorded first.
func (r *inviteReconciler) killFormer(ctx context.Context, p *invitePass, invite media.Invite) *outcome {
	if p.observing() {
		return nil
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	known := r.closed.of(p.key)
	if remade, news := known.remade(invite); remade && !p.had(invite, r.Keyring) {
		if news {
			r.tellOfOrphan(ctx, p.site, "LinkLeftOpen", fmt.Sprintf("another link of Invite %s is on the server: it was removed, and somebody made it again, such as another cluster whose namespace has the same name", p.invite.Name))
		}
		return nil
	}
	which := "the link of an earlier Invite of this name"
	if p.had(invite, r.Keyring) {
		which = "the link that this Invite had under another UID, or another key of Usher's, as before a restore of the cluster"
	}
	ctx = media.WithReason(ctx, "it is "+which)
	if o := r.closeAndImport(ctx, p, invite); o != nil {
		return o
	}
	if err := p.to().DeleteInvite(ctx, invite.ID); err != nil {
		return r.callFailed(p.site, err)
	}
	known.kill(invite)
	r.normal(p.invite, "OldLinkRemoved", "Delete", "removed %s from the server", which)
	return nil
}

// had says whether a link is this Invite's own, by its record or by a UID that it has or had.
func (p *invitePass) had(invite media.Invite, keys *Keyring) bool {
	return (invite.CodeHash == p.record.CodeHash && p.record.CodeHash != "") || slices.ContainsFunc(p.uids, func(uid string) bool { return invite.CodeHash == codeHash(keys.InviteCode(types.UID(uid))) })
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
	if p.had(invite, r.Keyring) && (p.record.CodeHash == "" || p.record.CodeHash == invite.CodeHash) {
		return r.importUses(ctx, p)
	}
	return r.importStrays(ctx, p)
}

// letGo kills the link and leaves the people. It is for an Invite that is deleted, and for each of a MediaServer that is
// deleted: nobody would count who comes by an open link.
func (r *inviteReconciler) letGo(ctx context.Context, p *invitePass) outcome {
	r.terminating(ctx, p.invite.Namespace) // a namespace that is being deleted takes no events
	deleted := !p.invite.DeletionTimestamp.IsZero()
	switch {
	case controllerutil.ContainsFinalizer(p.invite, v1alpha1.Finalizer):
	case deleted:
		return outcome{kind: kindGone}
	default:
		p.unmanaged = true
		return *waiting(v1alpha1.ReasonDeleting, "MediaServer %s is being deleted: no link is open on it", p.server.Name)
	}
	var o *outcome
	if p.site, o = r.letGoSite(ctx, p.invite.Namespace, p.server.Name); o == nil {
		o = r.killLinks(ctx, p)
	}
	if o != nil {
		if o = r.patience(ctx, p.invite, p.site, o, "the link of Invite "+p.invite.Name+" (whoever has it may still come by it, so revoke it there)"); o != nil {
			return *o
		}
	}
	p.unmanaged = true
	if deleted {
		r.secrets.forget(p.invite.UID)
		if err := r.deleteSecret(ctx, p.invite, "Invite", inviteSecretName(p.invite)); err != nil {
			return *retry(err)
		}
	}
	left := p.observing() && hasLink(p.invite)
	result := r.released(ctx, p.invite)
	if left && result.err == nil {
		r.warn(p.invite, "LeftBehind", "Release", "mode Observe writes nothing: the link of Invite %s stays on the server as it is, and whoever has it may still come by it, so revoke it there", p.invite.Name)
	}
	return *result
}

// killLinks returns nil when no link of the Invite is open on the server.
func (r *inviteReconciler) killLinks(ctx context.Context, p *invitePass) *outcome {
	ctx = media.WithReason(ctx, "the Invite, or its MediaServer, is being deleted")
	if p.observing() {
		return nil
	}
	if p.able().WeakInvites {
		if o := r.dropWeak(ctx, p); o != nil {
			return o
		}
	}
	if !p.able().Invites {
		return nil
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	invites, err := p.to().Invites(ctx, 0)
	if err != nil {
		return r.callFailed(p.site, err)
	}
	p.isNative = true
	p.record = r.linkRecord(p)
	for _, invite := range invites {
		if invite.Reference != reference(p.invite) {
			continue
		}
		if o := r.killLink(ctx, p, invite); o != nil {
			return o
		}
	}
	return nil
}

// hasLink says whether a link of an Invite was made on its server, as far as the object tells.
func hasLink(invite *v1alpha1.Invite) bool {
	r := parseRecord(invite)
	return r.CodeHash != "" || r.ID != "" || invite.Status.ExternalID != ""
}

// killLink deletes a deleted Invite's link. That of an Invite which stays is closed, so that it works again, and goes on
// counting, when its MediaServer is made again.
func (r *inviteReconciler) killLink(ctx context.Context, p *invitePass, invite media.Invite) *outcome {
	if o := r.closeAndImport(ctx, p, invite); o != nil {
		return o
	}
	own := invite.CodeHash == codeHash(r.Keyring.InviteCode(p.invite.UID)) || (p.record.CodeHash != "" && invite.CodeHash == p.record.CodeHash)
	if p.invite.DeletionTimestamp.IsZero() && own {
		return nil
	}
	if err := p.to().DeleteInvite(ctx, invite.ID); err != nil {
		return r.callFailed(p.site, err)
	}
	return nil
}
