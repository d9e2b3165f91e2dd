package controller

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/redeem"
)

// importUses makes a Redemption, and a User where there is none yet, of each person who came by the server's invite. Each
// holds what the invite gave at that time, and from then on nothing changes it: whoever changes what the invite gives imports
// first. In a namespace that is being deleted it makes nothing, and holds nothing up.
func (r *inviteReconciler) importUses(ctx context.Context, p *invitePass) *outcome {
	switch {
	case !p.isNative || p.observing():
		return nil
	case p.record.imported(p.native):
		return r.completeRestored(ctx, p)
	case r.terminating(ctx, p.invite.Namespace):
		return nil
	}
	uses, from, o := r.readUses(ctx, p)
	if o != nil {
		return o
	}
	recorded := func(use media.InviteUse) bool { return p.redemptionOf(use) != nil }
	fresh, next := ledger{
		record: p.record, native: p.native, uses: uses, recorded: recorded, redemptions: p.useKeys(), now: r.Clock.Now(),
		known: func(use media.InviteUse) bool { return recorded(use) || p.takenBack(use, from.declared[use.Account]) },
	}.unknown()
	p.earlier, p.uses = next.Earlier, max(p.uses, next.Earlier+next.Imported)
	var problem *outcome
	for _, use := range fresh {
		if o := r.importUse(ctx, p, from, use); o != nil && (problem == nil || o.kind == kindRetry) {
			problem = o // one who cannot be declared keeps nobody else from being it
		}
	}
	if problem != nil {
		return problem
	}
	p.record = next
	if err := r.writeRecord(ctx, p.invite, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// countUses counts who came, by what the server counts and what the record and the Redemptions know besides. Before the uses are
// imported nobody knows whether those whom the server counts are among those who are known: nobody is counted twice.
func (p *invitePass) countUses() {
	p.earlier = p.record.Earlier
	if !p.record.imported(p.native) {
		p.uses = max(p.uses, p.record.Earlier+p.record.Imported, p.native.Uses)
		return
	}
	came := p.record.came(p.native.Uses, len(p.redemptions))
	p.earlier, p.uses = came-p.native.Uses, max(p.uses, came)
}

// importing is what an import looks things up in.
type importing struct {
	// declared are the Users of the server's accounts, libraries the names of the Libraries of its libraries.
	declared  map[media.AccountID]*v1alpha1.User
	libraries map[media.LibraryID]string
	terms     *terms
}

// readUses lists who came by the server's invite, and reads what an import looks them up in.
func (r *inviteReconciler) readUses(ctx context.Context, p *invitePass) ([]media.InviteUse, importing, *outcome) {
	uses, err := p.to().InviteUses(ctx, p.native.ID)
	if err != nil {
		return nil, importing{}, r.callFailed(p.site, err)
	}
	from, o := r.importing(ctx, p)
	return uses, from, o
}

func (r *inviteReconciler) importing(ctx context.Context, p *invitePass) (importing, *outcome) {
	from := importing{declared: map[media.AccountID]*v1alpha1.User{}, libraries: map[media.LibraryID]string{}, terms: cmp.Or(p.record.Terms, termsOf(p.invite))}
	var users v1alpha1.UserList
	if err := r.Client.List(ctx, &users, ofServer(p.invite.Namespace, p.server.Name)...); err != nil {
		return from, retry(err)
	}
	for i := range users.Items {
		if id := readRecord(&users.Items[i], p.identity()).ID; id != "" {
			from.declared[media.AccountID(id)] = &users.Items[i]
		}
	}
	var libraries v1alpha1.LibraryList
	if err := r.Client.List(ctx, &libraries, ofServer(p.invite.Namespace, p.server.Name)...); err != nil {
		return from, retry(err)
	}
	for i := range libraries.Items { // by the record: what a use gave does not depend on what the newest list shows
		if known := readRecord(&libraries.Items[i], p.identity()); known.ID != "" && known.Doubt == nil {
			from.libraries[media.LibraryID(known.ID)] = libraries.Items[i].Name
		}
	}
	return from, nil
}

// gave says what a use gave: what the server kept with it, else what its invite holds, which is not changed before the use
// is imported. Libraries that no manifest declares are not Usher's.
func (f importing) gave(use media.InviteUse, native media.Invite) (redeem.Terms, []v1alpha1.RedeemedEdge) {
	role, libraries := use.Role, use.Libraries
	if !use.Told {
		role, libraries = native.Settings.Role, native.Settings.Libraries
	}
	var edges []v1alpha1.RedeemedEdge
	for _, id := range slices.Sorted(maps.Keys(libraries)) {
		if name, declared := f.libraries[id]; declared {
			edges = append(edges, v1alpha1.RedeemedEdge{Library: name, Role: v1alpha1.LibraryRole(libraries[id])})
		}
	}
	if !use.Registered {
		return redeem.Terms{}, edges // who had an account keeps it as it is
	}
	return redeem.Terms{Role: v1alpha1.AccountRole(role), Labels: f.terms.Labels, ExpiresAfter: f.terms.ExpiresAfter}, edges
}

// importUse records one use. Each step can be repeated: after a crash the next pass finds what is there.
func (r *inviteReconciler) importUse(ctx context.Context, p *invitePass, from importing, use media.InviteUse) *outcome {
	redemption, declared := p.redemptionOf(use), from.declared[use.Account]
	if redemption == nil && p.takenBack(use, declared) {
		return nil
	}
	if redemption == nil {
		var o *outcome
		if redemption, o = r.recordUse(ctx, p, from, use); o != nil {
			return o
		}
	}
	if redemption.Status.Phase == v1alpha1.RedemptionCompleted {
		return nil
	}
	// Somebody who had an account already, and whom no manifest declares, is not Usher's: that the person came is
	// recorded, and the account is left as it is.
	if declared == nil && use.Registered {
		if o := r.makeUser(ctx, p, use, redemption); o != nil {
			return o
		}
	}
	if err := redeem.Complete(ctx, r.Client, redemption, p.server.Name, string(use.Account)); err != nil {
		return retry(err)
	}
	r.normal(p.invite, "Redeemed", "Redeem", "%s came by this invite", bounded(use.Username, 128))
	return nil
}

// redemptionOf finds the Redemption that records a use: by account and time, since a server that was put back may give an id
// to somebody else; by name and time where the account is not recorded.
func (p *invitePass) redemptionOf(use media.InviteUse) *v1alpha1.Redemption {
	fold := p.to().Traits().FoldUsername
	i := slices.IndexFunc(p.redemptions, func(one v1alpha1.Redemption) bool {
		account, known := one.Account(p.server.Name), one.AccountID(p.server.Name)
		same := known == string(use.Account) || (known == "" && account != nil && fold(account.Username) == fold(use.Username))
		return account != nil && same && redeem.CameAt(&one).Truncate(time.Second).Equal(use.At.Truncate(time.Second))
	})
	if i < 0 {
		return nil
	}
	return &p.redemptions[i]
}

// useKeys names the uses that Redemptions record. One whose account is not known yet has the zero key.
func (p *invitePass) useKeys() []useKey {
	keys := make([]useKey, len(p.redemptions))
	for i := range p.redemptions {
		if account := p.redemptions[i].AccountID(p.server.Name); account != "" {
			keys[i] = useKeyOf(media.AccountID(account), redeem.CameAt(&p.redemptions[i]))
		}
	}
	return keys
}

// takenBack says whether a use was recorded and its Redemption deleted: the User that came by it still names that.
func (p *invitePass) takenBack(use media.InviteUse, declared *v1alpha1.User) bool {
	return use.Registered && declared != nil && declared.Labels[v1alpha1.LabelRedemption] != "" &&
		slices.Contains(p.uids, declared.Labels[v1alpha1.LabelInviteUID]) &&
		!slices.ContainsFunc(p.redemptions, func(one v1alpha1.Redemption) bool {
			return one.Name == declared.Labels[v1alpha1.LabelRedemption] && one.AccountOf(declared.Name) != nil // its slot may be another's by now
		})
}

// recordUse takes the lowest free slot for a use. The server has counted it already, so that no limit is asked here.
func (r *inviteReconciler) recordUse(ctx context.Context, p *invitePass, from importing, use media.InviteUse) (*v1alpha1.Redemption, *outcome) {
	userName := redeem.UserName(use.Username, string(use.Account))
	if declared := from.declared[use.Account]; declared != nil {
		userName = declared.Name
	}
	terms, edges := from.gave(use, p.native)
	if p.able().Roles[media.Role(terms.Role)].Administers {
		return nil, stalled(v1alpha1.ReasonInvalidSpec, "%s came by this invite with the role %s, which administers the server: declare that account as a User, or give it another role on the server", bounded(use.Username, 64), terms.Role)
	}
	redemption, err := redeem.Reserve(ctx, r.Live, redeem.Use{
		Invite: p.invite, At: use.At, Taken: p.redemptions,
		Accounts: []v1alpha1.RedeemedAccount{terms.Account(p.server.Name, use.Username, userName, edges, use.At)},
	})
	if apierrors.IsInvalid(err) {
		return nil, stalled(v1alpha1.ReasonInvalidSpec, "%s came by this invite, but cannot be recorded: %s", bounded(use.Username, 64), bounded(err.Error(), 300))
	}
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
	user := redeem.NewUser(redemption, redemption.Account(p.server.Name), redeem.Person{Username: use.Username, Email: use.Email})
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

// importStrays records who came by a link that was this Invite's under another UID, or an earlier one's of its name, and whom
// nobody knows: an older database had brought the link back. Those whom the earlier Invite's Redemptions know, or who are
// Users, do not count. What the earlier Invite gave besides the libraries and the role is not known.
func (r *inviteReconciler) importStrays(ctx context.Context, p *invitePass) *outcome {
	if p.native.Uses == 0 || r.terminating(ctx, p.invite.Namespace) {
		return nil
	}
	uses, from, o := r.readUses(ctx, p)
	if o != nil {
		return o
	}
	from.terms = &terms{ExpiresAfter: from.terms.ExpiresAfter}
	var all v1alpha1.RedemptionList
	if err := r.Client.List(ctx, &all, client.InNamespace(p.invite.Namespace)); err != nil {
		return retry(err)
	}
	known := &invitePass{site: p.site, redemptions: slices.DeleteFunc(all.Items, func(one v1alpha1.Redemption) bool {
		return one.Spec.InviteRef.Name != p.invite.Name || slices.Contains(p.uids, one.Spec.InviteRef.UID)
	})}
	for _, use := range uses {
		if !use.Registered || known.redemptionOf(use) != nil || (from.declared[use.Account] != nil && p.redemptionOf(use) == nil) {
			continue
		}
		if p.redemptionOf(use) == nil {
			key := useKeyOf(use.Account, use.At)
			if p.record.names(key) {
				continue // it was imported, and taken back since
			}
			p.record = p.record.countStray(r.Clock.Now(), key)
		}
		o := r.importUse(ctx, p, from, use)
		if o != nil && o.kind == kindStalled { // who cannot be declared keeps no link there
			r.warn(p.invite, "UseNotRecorded", "Redeem", "%s", bounded(o.message, 500))
		} else if o != nil {
			return o
		}
	}
	p.record.Server = p.identity()
	if err := r.writeRecord(ctx, p.invite, p.record); err != nil {
		return retry(err)
	}
	return nil
}
