package access

import (
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
)

// InviteState is an Invite's state at a moment, from its spec and the number of uses, and when it changes next by
// itself (the zero time: never). Revoked comes before Expired before Exhausted before Pending (design D5, and the
// table of the Alcoves seed); an Invite that is being deleted is Revoked. At expiresAt it is Expired, and
// so is one with a date or duration that cannot be read (fail closed).
func InviteState(invite *v1alpha1.Invite, uses int, now time.Time) (v1alpha1.InviteState, time.Time) {
	spec := invite.Spec
	end, ends, _ := moment(spec.ExpiresAt)
	switch {
	case spec.Revoked || !invite.DeletionTimestamp.IsZero():
		return v1alpha1.InviteRevoked, time.Time{}
	case ends && !now.Before(end), Unreadable(invite) != nil:
		return v1alpha1.InviteExpired, time.Time{}
	case spec.MaxUses != nil && uses >= int(*spec.MaxUses):
		return v1alpha1.InviteExhausted, end
	}
	return v1alpha1.InvitePending, end
}

// InviteRemaining is how many more may come; nil for any number. Never below zero.
func InviteRemaining(invite *v1alpha1.Invite, uses int) *int32 {
	if invite.Spec.MaxUses == nil {
		return nil
	}
	remaining := max(0, *invite.Spec.MaxUses-int32(uses))
	return &remaining
}

// RedeemedEdges are the edges that Redemptions give to a User: those in its name, on its server, and, once a
// Redemption knows its account, only while that is the User's account: a User made again under the name of one who came
// inherits nothing. One that cannot be read gives nothing.
func RedeemedEdges(user *v1alpha1.User, accountID string, redemptions []v1alpha1.Redemption) map[string]Edge {
	edges := map[string]Edge{}
	for i := range redemptions {
		r := &redemptions[i]
		account := r.AccountOf(user.Name)
		if account == nil || account.Server != user.Spec.ServerRef.Name || !r.DeletionTimestamp.IsZero() || Unreadable(r) != nil {
			continue
		}
		if known := r.AccountID(account.Server); known != "" && known != accountID {
			continue
		}
		for _, redeemed := range account.Libraries {
			edge := edges[redeemed.Library]
			edge.add(redeemed.Role, "invite "+r.Spec.InviteRef.Name)
			edges[redeemed.Library] = edge
		}
	}
	return edges
}

// OfferEdges are the libraries that an offer of an Invite gives to who comes now, with the role in each.
func OfferEdges(offer *v1alpha1.InviteOffer, libraries []v1alpha1.Library) ([]v1alpha1.RedeemedEdge, error) {
	if offer.Libraries == nil {
		return nil, nil
	}
	matcher, err := NewMatcher(*offer.Libraries)
	if err != nil {
		return nil, err
	}
	_, role := offer.Roles()
	var edges []v1alpha1.RedeemedEdge
	for i := range libraries {
		library := &libraries[i]
		if library.Spec.ServerRef == offer.ServerRef && library.DeletionTimestamp.IsZero() && matcher.Matches(library) {
			edges = append(edges, v1alpha1.RedeemedEdge{Library: library.Name, Role: role})
		}
	}
	return edges, nil
}
