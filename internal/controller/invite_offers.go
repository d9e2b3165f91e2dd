package controller

import (
	"context"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/usher-media/usher/api/v1alpha1"
)

func onlyOffer(invite *v1alpha1.Invite) *v1alpha1.InviteOffer {
	if len(invite.Spec.Offers) != 1 {
		return nil
	}
	return &invite.Spec.Offers[0]
}

// serverName is the MediaServer of an Invite's one offer. An Invite that has none, since it was written before Invites had
// offers, or several, is that of the server on which its record says that its link is; empty for nowhere.
func (r *inviteReconciler) serverName(ctx context.Context, p *invitePass) (string, *outcome) {
	if p.offer != nil {
		return p.offer.ServerRef.Name, nil
	}
	known := parseRecord(p.invite)
	if known.Server == "" || !controllerutil.ContainsFinalizer(p.invite, v1alpha1.Finalizer) {
		return "", nil
	}
	var servers v1alpha1.MediaServerList
	if err := r.Client.List(ctx, &servers, client.InNamespace(p.invite.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return "", retry(err)
	}
	for i := range servers.Items {
		if servers.Items[i].Status.Identity == known.Server {
			return servers.Items[i].Name, nil
		}
	}
	return "", nil
}

// nowhere is the outcome of an Invite that admits nobody on any server: its link, if it ever had one, is on none that is known
// here.
func (r *inviteReconciler) nowhere(ctx context.Context, p *invitePass) outcome {
	p.unmanaged = true
	switch {
	case p.invite.DeletionTimestamp.IsZero():
		return *p.offersProblem()
	case !controllerutil.ContainsFinalizer(p.invite, v1alpha1.Finalizer):
		return outcome{kind: kindGone}
	}
	r.secrets.forget(p.invite.UID)
	if err := r.deleteSecret(ctx, p.invite, "Invite", inviteSecretName(p.invite)); err != nil {
		return *retry(err)
	}
	result := r.released(ctx, p.invite)
	if result.err == nil {
		r.warn(p.invite, "LeftBehind", "Release", "no MediaServer of this namespace has the link of Invite %s: where it is still on a server, revoke it there", p.invite.Name)
	}
	return *result
}

// offersProblem says what is wrong with the offers as a whole.
func (p *invitePass) offersProblem() *outcome {
	spec := p.invite.Spec
	switch decided := p.decided(); {
	case len(spec.Offers) == 0:
		return stalled(v1alpha1.ReasonInvalidSpec, "spec.offers is missing, since this Invite was written before there were offers: nobody is admitted until it says what it gives, as in spec.offers: [{serverRef: {name: home}, libraries: {refs: [{name: movies}]}, role: Member}]")
	case decided == v1alpha1.DeliveryNative && (len(spec.Offers) > 1 || spec.Delivery == v1alpha1.DeliveryPortal),
		decided == v1alpha1.DeliveryPortal && spec.Delivery == v1alpha1.DeliveryNative:
		return stalled(v1alpha1.ReasonInvalidSpec, "people came by delivery %s, which counts them: what spec.offers and spec.delivery ask for would count them anew, so that more could come than spec.maxUses says: put them back, or delete this Invite and make a new one", decided)
	case len(spec.Offers) > 1:
		return stalled(v1alpha1.ReasonUnsupported, "this Invite offers %d servers (%s), which needs invite pages of Usher's own, and it does not have them yet: delete this Invite, and make one for each server", len(spec.Offers), strings.Join(serverNamesOf(p.invite), ", "))
	}
	return nil
}

// delivery is whose pages admit people: as decided, or else as the spec and the server say.
func (p *invitePass) delivery() v1alpha1.InviteDelivery {
	if decided := p.decided(); decided != "" {
		return decided
	}
	switch asked := p.invite.Spec.Delivery; {
	case len(p.invite.Spec.Offers) > 1:
		return v1alpha1.DeliveryPortal
	case asked == v1alpha1.DeliveryNative || asked == v1alpha1.DeliveryPortal:
		return asked
	case p.able().Invites:
		return v1alpha1.DeliveryNative
	}
	return v1alpha1.DeliveryPortal
}

// decided is what was decided with the first link, and stays, whatever the server learns to do later: each delivery keeps its
// own count of who came. Empty as long as there was no link. A record of another server decides nothing here.
func (p *invitePass) decided() v1alpha1.InviteDelivery {
	known := parseRecord(p.invite)
	switch {
	case known.Server == "" && p.status.Delivery != "": // the record was lost
		return p.status.Delivery
	case known.Server == "" || (p.site.server != nil && p.identity() != "" && known.Server != p.identity()):
		return ""
	case known.Delivery == "" && (known.CodeHash != "" || known.ID != ""): // of before that was recorded
		return v1alpha1.DeliveryNative
	}
	return known.Delivery
}

// decideNative records that the server's own link admits people.
func (p *invitePass) decideNative() {
	p.record.Delivery, p.status.Delivery = v1alpha1.DeliveryNative, v1alpha1.DeliveryNative
}
