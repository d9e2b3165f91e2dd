package controller

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/redeem"
)

// importUses makes a Redemption, and a User where there is none yet, of each person who came by the server's invite.
func (r *inviteReconciler) importUses(ctx context.Context, p *invitePass) *outcome {
	if !p.isNative || p.observing() || p.native.Uses <= p.record.Imported {
		return nil
	}
	uses, err := p.to().InviteUses(ctx, p.native.ID)
	if err != nil {
		return r.callFailed(p.site, err)
	}
	p.uses = max(p.uses, p.record.Earlier+len(uses))
	edges, _, o := r.edges(ctx, p)
	if o != nil {
		return o
	}
	declared, err := r.declaredAccounts(ctx, p.site, p.invite.Namespace)
	if err != nil {
		return retry(err)
	}
	for _, use := range uses[min(p.record.Imported, len(uses)):] {
		if o := r.importUse(ctx, p, use, edges, declared[use.Account]); o != nil {
			return o
		}
	}
	p.record.Imported = len(uses)
	if err := r.writeRecord(ctx, p.invite, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// importUse records one use. Each step can be repeated: after a crash the next pass finds what is there.
func (r *inviteReconciler) importUse(ctx context.Context, p *invitePass, use media.InviteUse, edges []v1alpha1.RedeemedEdge, declaredBy string) *outcome {
	redemption := r.redemptionOf(p, use)
	if redemption != nil && redemption.Status.Phase == v1alpha1.RedemptionCompleted {
		return nil
	}
	if redemption == nil {
		var o *outcome
		if redemption, o = r.recordUse(ctx, p, use, edges, declaredBy); o != nil {
			return o
		}
	}
	// Somebody who had an account already, and whom no manifest declares, is not Usher's: that the person came is
	// recorded, and the account is left as it is.
	if declaredBy == "" && use.Registered {
		if o := r.makeUser(ctx, p, use, redemption); o != nil {
			return o
		}
	}
	if err := redeem.Complete(ctx, r.Client, redemption, string(use.Account)); err != nil {
		return retry(err)
	}
	r.normal(p.invite, "Redeemed", "Redeem", "%s came by this invite", bounded(use.Username, 128))
	return nil
}

func (r *inviteReconciler) redemptionOf(p *invitePass, use media.InviteUse) *v1alpha1.Redemption {
	fold := p.to().Traits().FoldUsername
	i := slices.IndexFunc(p.redemptions, func(one v1alpha1.Redemption) bool {
		return one.Status.AccountID == string(use.Account) || (one.Status.AccountID == "" && fold(one.Spec.Username) == fold(use.Username))
	})
	if i < 0 {
		return nil
	}
	return &p.redemptions[i]
}

// recordUse takes the lowest free slot for a use. The server has counted it already, so that no limit is asked here.
func (r *inviteReconciler) recordUse(ctx context.Context, p *invitePass, use media.InviteUse, edges []v1alpha1.RedeemedEdge, declaredBy string) (*v1alpha1.Redemption, *outcome) {
	userName := declaredBy
	if userName == "" {
		userName = redeem.UserName(use.Username, string(use.Account))
	}
	redemption, err := redeem.Reserve(ctx, r.Client, redeem.Use{
		Invite: p.invite, Username: use.Username, UserName: userName, Edges: edges, At: use.At, Taken: p.redemptions,
	})
	if err != nil {
		return nil, retry(err)
	}
	p.redemptions = append(p.redemptions, *redemption)
	return redemption, nil
}

// makeUser declares the person who came, whose account the server has made.
func (r *inviteReconciler) makeUser(ctx context.Context, p *invitePass, use media.InviteUse, redemption *v1alpha1.Redemption) *outcome {
	// Read live: the inventory is older than the account. One that is gone again is no User; its use stays counted.
	_, err := p.to().ReadAccount(ctx, media.AccountKey{ID: use.Account, Username: use.Username})
	switch media.CodeOf(err) {
	case "":
	case media.NotFound:
		return nil
	default:
		return r.callFailed(p.site, err)
	}
	user := redeem.NewUser(p.invite, redemption, redeem.Person{Username: use.Username, Email: use.Email})
	own := record{ID: string(use.Account), Origin: v1alpha1.OriginAdopted, Server: p.identity()}
	if err := own.into(user); err != nil {
		return retry(err)
	}
	err = r.Client.Create(ctx, user)
	if apierrors.IsAlreadyExists(err) {
		err = nil // by an earlier pass that did not end, or somebody declares the name: then that manifest decides
	}
	if apierrors.IsInvalid(err) {
		return stalled(v1alpha1.ReasonInvalidSpec, "%s came by this invite, but cannot be declared as a User: %s", bounded(use.Username, 64), bounded(err.Error(), 300))
	}
	if err != nil {
		return retry(err)
	}
	return nil
}
