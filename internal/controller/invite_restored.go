package controller

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/redeem"
)

// completeRestored gives Redemptions their phase again that a restore of the cluster brought back without their status: all uses
// are imported, so that these people came. Their accounts are those that the server lists, or else that their Users have.
func (r *inviteReconciler) completeRestored(ctx context.Context, p *invitePass) *outcome {
	now := r.Clock.Now()
	bare := func(one v1alpha1.Redemption) bool { // one that was just made is about to have a phase
		return one.Status.Phase == "" && one.DeletionTimestamp.IsZero() && now.Sub(one.CreationTimestamp.Time) > usesPoll
	}
	if !slices.ContainsFunc(p.redemptions, bare) {
		return nil
	}
	uses, from, o := r.readUses(ctx, p)
	if o != nil {
		return o
	}
	accounts := map[string]media.AccountID{}
	for account, user := range from.declared {
		if name := user.Labels[v1alpha1.LabelRedemption]; name != "" {
			accounts[name] = account
		}
	}
	for _, use := range uses {
		if one := p.redemptionOf(use); one != nil {
			accounts[one.Name] = use.Account
		}
	}
	for i := range p.redemptions {
		if one := &p.redemptions[i]; bare(*one) {
			if err := redeem.Complete(ctx, r.Client, one, p.server.Name, string(accounts[one.Name])); client.IgnoreNotFound(err) != nil {
				return retry(err)
			}
		}
	}
	return nil
}

// completeOfGone does the same for the Redemption by which a User came whose Invite is gone: the account is the User's.
func (r *userReconciler) completeOfGone(ctx context.Context, p *userPass) *outcome {
	for i := range p.redemptions {
		one := p.redemptions[i].DeepCopy() // the cache's own
		if one.Status.Phase != "" || !one.DeletionTimestamp.IsZero() || one.Name != p.user.Labels[v1alpha1.LabelRedemption] || p.observing() {
			continue
		}
		err := r.Client.Get(ctx, types.NamespacedName{Namespace: one.Namespace, Name: one.Spec.InviteRef.Name}, &v1alpha1.Invite{})
		if apierrors.IsNotFound(err) {
			err = client.IgnoreNotFound(redeem.Complete(ctx, r.Client, one, p.server.Name, string(p.account.ID)))
		}
		if err != nil {
			return retry(err)
		}
	}
	return nil
}
