package redeem

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// Person is who comes.
type Person struct {
	Username, Email, DisplayName string
}

// Offer is what an Invite gives besides libraries.
type Offer struct {
	// Role of the account.
	Role v1alpha1.AccountRole
	// Labels of the User.
	Labels map[string]v1alpha1.LabelValue
	// ExpiresAfter is how long the account lasts; nil for ever.
	ExpiresAfter *time.Duration
}

// OfferOf is what the Invite gives to who comes now.
func OfferOf(invite *v1alpha1.Invite) Offer {
	offer := Offer{Role: invite.Spec.Role}
	if account := invite.Spec.Account; account != nil {
		offer.Labels = account.Labels
		if account.ExpiresAfter != nil {
			// A length that cannot be read gives no time at all (fail closed); an Invite with one is not open.
			lasts, _ := account.ExpiresAfter.Parse()
			offer.ExpiresAfter = &lasts
		}
	}
	return offer
}

// Use is one use of an Invite, before it has a slot.
type Use struct {
	Invite   *v1alpha1.Invite
	Username string
	// UserName is the name of the User that is to stand for the person.
	UserName string
	Edges    []v1alpha1.RedeemedEdge
	// Offer is what the Invite gave besides when the person came.
	Offer Offer
	At    time.Time
	// Limit is how many slots there are; 0 for any number.
	Limit int
	// Taken are the Redemptions that are known already. One more or less costs a request, never a use.
	Taken []v1alpha1.Redemption
}

// RedemptionName names a use: the API server refuses a second object of that name, which makes uses exact (design D5).
func RedemptionName(invite *v1alpha1.Invite, slot int32) string {
	return fmt.Sprintf("%s-%d", invite.UID, slot)
}

// Reserve takes the lowest free slot by creating its Redemption, or finds the one that an earlier attempt made for this very
// use. ErrExhausted when there is none. The client must read live.
func Reserve(ctx context.Context, c client.Client, use Use) (*v1alpha1.Redemption, error) {
	taken := map[int32]bool{}
	for i := range use.Taken {
		taken[use.Taken[i].Spec.Slot] = true
	}
	for slot := int32(0); use.Limit == 0 || int(slot) < use.Limit; slot++ {
		if taken[slot] {
			continue
		}
		redemption := newRedemption(use, slot)
		err := c.Create(ctx, redemption)
		if !apierrors.IsAlreadyExists(err) {
			return redemption, err
		}
		taken, err := existing(ctx, c, redemption)
		if err != nil || sameUse(taken, redemption) {
			return taken, err
		}
	}
	return nil, ErrExhausted
}

// existing reads the Redemption that has the slot; one that is deleted at this moment is nobody's.
func existing(ctx context.Context, c client.Client, wanted *v1alpha1.Redemption) (*v1alpha1.Redemption, error) {
	taken := &v1alpha1.Redemption{}
	err := c.Get(ctx, client.ObjectKeyFromObject(wanted), taken)
	return taken, client.IgnoreNotFound(err)
}

// sameUse says whether a Redemption records that very use: an attempt that did not end made it, and a cache has not shown it.
func sameUse(taken, wanted *v1alpha1.Redemption) bool {
	return taken.Spec.InviteRef.UID == wanted.Spec.InviteRef.UID && taken.Spec.Username == wanted.Spec.Username && taken.Spec.UserRef == wanted.Spec.UserRef &&
		CameAt(taken).Truncate(time.Second).Equal(CameAt(wanted).Truncate(time.Second))
}

func newRedemption(use Use, slot int32) *v1alpha1.Redemption {
	invite := use.Invite
	redemption := &v1alpha1.Redemption{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: invite.Namespace, Name: RedemptionName(invite, slot),
			Labels: map[string]string{v1alpha1.LabelInviteUID: string(invite.UID)},
		},
		Spec: v1alpha1.RedemptionSpec{
			InviteRef: v1alpha1.InviteReference{Name: invite.Name, UID: string(invite.UID)}, Slot: slot,
			ServerRef: invite.Spec.ServerRef, Username: use.Username, UserRef: v1alpha1.LocalReference{Name: use.UserName},
			Libraries: use.Edges, Role: use.Offer.Role, Labels: labelsOf(use.Offer), At: v1alpha1.NewTime(use.At),
		},
	}
	if use.Offer.ExpiresAfter != nil {
		redemption.Spec.ExpiresAt = new(v1alpha1.NewTime(use.At.Add(*use.Offer.ExpiresAfter)))
	}
	return redemption
}

func labelsOf(offer Offer) (labels []v1alpha1.RedeemedLabel) {
	for _, key := range slices.Sorted(maps.Keys(offer.Labels)) {
		labels = append(labels, v1alpha1.RedeemedLabel{Key: key, Value: offer.Labels[key]})
	}
	return labels
}

// Complete records that the person can sign in.
func Complete(ctx context.Context, c client.Client, redemption *v1alpha1.Redemption, accountID string) error {
	base := redemption.DeepCopy()
	redemption.Status = v1alpha1.RedemptionStatus{Phase: v1alpha1.RedemptionCompleted, AccountID: accountID}
	return c.Status().Patch(ctx, redemption, client.MergeFrom(base))
}

// CameAt is when the person of a Redemption came. The API server's own date stands in for one that cannot be read.
func CameAt(redemption *v1alpha1.Redemption) time.Time {
	if at, err := redemption.Spec.At.Parse(); err == nil {
		return at
	}
	return redemption.CreationTimestamp.Time
}

// NewUser declares the person of a Redemption, with what that use gave, whatever the Invite gives by now. It is labelled with
// the Invite and owned by nothing, so that it stays when the Invite goes; it carries no label of a GitOps tool, so that none
// prunes it.
func NewUser(redemption *v1alpha1.Redemption, person Person) *v1alpha1.User {
	use, labels := redemption.Spec, map[string]string{}
	for _, label := range use.Labels {
		labels[label.Key] = string(label.Value)
	}
	maps.Copy(labels, map[string]string{v1alpha1.LabelRedemption: redemption.Name, v1alpha1.LabelInviteUID: use.InviteRef.UID})
	if len(use.InviteRef.Name) <= 63 {
		labels[v1alpha1.LabelInvite] = use.InviteRef.Name
	}
	return &v1alpha1.User{
		ObjectMeta: metav1.ObjectMeta{Namespace: redemption.Namespace, Name: use.UserRef.Name, Labels: labels},
		Spec: v1alpha1.UserSpec{
			ServerRef: use.ServerRef, Username: person.Username, Email: person.Email, DisplayName: person.DisplayName,
			Role: use.Role, ExpiresAt: use.ExpiresAt, Password: &v1alpha1.Password{ChosenByHolder: true},
		},
	}
}

// UserName makes an object's name of a username: the same person always gets the same, two people never the same.
func UserName(username, id string) string {
	base := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(username))
	base = strings.Trim(base[:min(len(base), 40)], "-")
	sum := sha256.Sum256([]byte(username + "\x00" + id))
	return strings.TrimPrefix(base+"-"+hex.EncodeToString(sum[:4]), "-")
}
