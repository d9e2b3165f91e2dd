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

// Terms are what an Invite gives on a server besides libraries.
type Terms struct {
	// Role of the account.
	Role v1alpha1.AccountRole
	// Labels of the User.
	Labels map[string]v1alpha1.LabelValue
	// ExpiresAfter is how long the account lasts; nil for ever.
	ExpiresAfter *time.Duration
}

// TermsOf is what an offer of the Invite gives to who comes now.
func TermsOf(invite *v1alpha1.Invite, offer *v1alpha1.InviteOffer) Terms {
	var terms Terms
	terms.Role, _ = offer.Roles()
	if account := invite.Spec.Account; account != nil {
		terms.Labels = account.Labels
		if account.ExpiresAfter != nil {
			// A length that cannot be read gives no time at all (fail closed); an Invite with one is not open.
			lasts, _ := account.ExpiresAfter.Parse()
			terms.ExpiresAfter = &lasts
		}
	}
	return terms
}

// Account is the account of somebody who comes at a moment, on a server, with what it is given.
func (t Terms) Account(server, username, userName string, edges []v1alpha1.RedeemedEdge, at time.Time) v1alpha1.RedeemedAccount {
	account := v1alpha1.RedeemedAccount{
		Server: server, Username: username, UserRef: v1alpha1.LocalReference{Name: userName},
		Libraries: edges, Role: t.Role, Labels: t.labels(),
	}
	if t.ExpiresAfter != nil {
		account.ExpiresAt = new(v1alpha1.NewTime(at.Add(*t.ExpiresAfter)))
	}
	return account
}

func (t Terms) labels() (labels []v1alpha1.RedeemedLabel) {
	for _, key := range slices.Sorted(maps.Keys(t.Labels)) {
		labels = append(labels, v1alpha1.RedeemedLabel{Key: key, Value: t.Labels[key]})
	}
	return labels
}

// Use is one use of an Invite, before it has a slot.
type Use struct {
	Invite *v1alpha1.Invite
	// Accounts of the person, with what the Invite gave when the person came.
	Accounts []v1alpha1.RedeemedAccount
	At       time.Time
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
	return taken.Spec.InviteRef.UID == wanted.Spec.InviteRef.UID && slices.EqualFunc(taken.Spec.Accounts, wanted.Spec.Accounts, sameAccount) &&
		CameAt(taken).Truncate(time.Second).Equal(CameAt(wanted).Truncate(time.Second))
}

func sameAccount(a, b v1alpha1.RedeemedAccount) bool {
	return a.Server == b.Server && a.Username == b.Username && a.UserRef == b.UserRef
}

func newRedemption(use Use, slot int32) *v1alpha1.Redemption {
	invite := use.Invite
	return &v1alpha1.Redemption{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: invite.Namespace, Name: RedemptionName(invite, slot),
			Labels: map[string]string{v1alpha1.LabelInviteUID: string(invite.UID)},
		},
		Spec: v1alpha1.RedemptionSpec{
			InviteRef: v1alpha1.InviteReference{Name: invite.Name, UID: string(invite.UID)}, Slot: slot,
			Accounts: use.Accounts, At: v1alpha1.NewTime(use.At),
		},
	}
}

// Complete records that the person can sign in on a server, to the account of that id; empty where it is not known.
func Complete(ctx context.Context, c client.Client, redemption *v1alpha1.Redemption, server, accountID string) error {
	base := redemption.DeepCopy()
	redemption.Status.Phase = v1alpha1.RedemptionCompleted
	redemption.Status.Accounts = slices.DeleteFunc(redemption.Status.Accounts, func(known v1alpha1.RedeemedAccountID) bool { return known.Server == server })
	if accountID != "" {
		redemption.Status.Accounts = append(redemption.Status.Accounts, v1alpha1.RedeemedAccountID{Server: server, ID: accountID})
	}
	return c.Status().Patch(ctx, redemption, client.MergeFrom(base))
}

// CameAt is when the person of a Redemption came. The API server's own date stands in for one that cannot be read.
func CameAt(redemption *v1alpha1.Redemption) time.Time {
	if at, err := redemption.Spec.At.Parse(); err == nil {
		return at
	}
	return redemption.CreationTimestamp.Time
}

// NewUser declares an account of a Redemption, with what that use gave, whatever the Invite gives by now. It is labelled with
// the Invite and owned by nothing, so that it stays when the Invite goes; it carries no label of a GitOps tool, so that none
// prunes it.
func NewUser(redemption *v1alpha1.Redemption, account *v1alpha1.RedeemedAccount, person Person) *v1alpha1.User {
	use, labels := redemption.Spec, map[string]string{}
	for _, label := range account.Labels {
		labels[label.Key] = string(label.Value)
	}
	maps.Copy(labels, map[string]string{v1alpha1.LabelRedemption: redemption.Name, v1alpha1.LabelInviteUID: use.InviteRef.UID})
	if len(use.InviteRef.Name) <= 63 {
		labels[v1alpha1.LabelInvite] = use.InviteRef.Name
	}
	return &v1alpha1.User{
		ObjectMeta: metav1.ObjectMeta{Namespace: redemption.Namespace, Name: account.UserRef.Name, Labels: labels},
		Spec: v1alpha1.UserSpec{
			ServerRef: v1alpha1.LocalReference{Name: account.Server}, Username: person.Username, Email: person.Email, DisplayName: person.DisplayName,
			Role: account.Role, ExpiresAt: account.ExpiresAt, Password: &v1alpha1.Password{ChosenByHolder: true},
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
