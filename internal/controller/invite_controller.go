package controller

import (
	"context"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/enqueue"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/redeem"
)

// inviteReconciler keeps an Invite's code, the server's own invite where it has one, and who came.
type inviteReconciler struct {
	*Kit
	secrets seenSecrets
	// deadlines are when Invites expire.
	deadlines enqueue.Deadlines
}

// +kubebuilder:rbac:groups=usher.media,resources=invites,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=usher.media,resources=invites/status,verbs=patch
// +kubebuilder:rbac:groups=usher.media,resources=invites/finalizers,verbs=update
// +kubebuilder:rbac:groups=usher.media,resources=redemptions,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=usher.media,resources=redemptions/status,verbs=patch
// +kubebuilder:rbac:groups=usher.media,resources=users,verbs=create;delete

// usesPoll is how often a server is asked who came, while somebody may: within ten seconds of a sign-up its person
// is a User here.
const usesPoll = 4 * time.Second

// closedPoll is how often a link is looked at that admits nobody: a server that is put back to an earlier time opens it again.
const closedPoll = 30 * time.Second

// invitePass is one reconcile of an Invite.
type invitePass struct {
	site
	invite *v1alpha1.Invite
	status *v1alpha1.InviteStatus
	record record
	// offer is the one that the Invite has; nil where it has none, or several.
	offer *v1alpha1.InviteOffer
	// code of the link; empty when nobody knows it any more. codeHash is its hash, formerHash the one on record, and formerKey
	// the key that made it, where that is not the present one.
	code                            string
	codeHash, formerHash, formerKey string
	// native is the server's own invite, when delivery is by the server.
	native      media.Invite
	isNative    bool
	redemptions []v1alpha1.Redemption
	// uids are those that this Invite has had, its own last.
	uids []string
	// uses counts the people who came: by the server where it counts, else by Redemptions. earlier counts those among them
	// whom the server does not know.
	uses, earlier int
	counted       bool
	// problem is what is wrong with the spec, or what it names and is not there: nobody is admitted meanwhile.
	problem *outcome
	// redeemable: the link is there and as the manifest says. unmanaged: its MediaServer is gone, or going, and has let go of it.
	redeemable, unmanaged bool
	// expires is when the link stops working by itself, sweepAt when a reservation may next be abandoned.
	expires, sweepAt time.Time
}

// Reconcile makes the server's invite agree, and reports who came.
func (r *inviteReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	invite := &v1alpha1.Invite{}
	if err := r.Client.Get(ctx, request.NamespacedName, invite); err != nil {
		r.deadlines.Set(request, time.Time{}, r.Clock.Now())
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := invite.DeepCopy()
	p := &invitePass{invite: invite, status: invite.Status.DeepCopy(), offer: onlyOffer(invite)}
	result := p.unlessUnseen(r.reconcile(ctx, p))
	r.report(p, &result)
	if p.offer == nil && result.kind == kindWaiting && result.after == 0 {
		result.after, result.brief = usesPoll, result.early // no index leads from the MediaServer to it
		result.early = false
	}
	r.deadlines.Set(request, p.expires, r.Clock.Now())
	invite.Status = *p.status
	return finish(ctx, r.Kit, before, invite, result)
}

func (r *inviteReconciler) reconcile(ctx context.Context, p *invitePass) outcome {
	if paused(p.invite) {
		return held(v1alpha1.ReasonPaused, "paused by the annotation "+v1alpha1.AnnotationPaused)
	}
	if o := r.readRedemptions(ctx, p); o != nil {
		return *o
	}
	name, o := r.serverName(ctx, p)
	switch {
	case o != nil:
		return *o
	case name == "":
		return r.nowhere(ctx, p)
	}
	p.site, o = r.site(ctx, p.invite.Namespace, name)
	switch {
	case o != nil && o.kind == kindRetry:
		return *o
	case !p.invite.DeletionTimestamp.IsZero() || !p.server.DeletionTimestamp.IsZero():
		return r.letGo(ctx, p)
	}
	if left := r.inTerminating(ctx, p.invite.Namespace); left != nil {
		return *left
	}
	if o != nil {
		p.unmanaged = p.server.UID == "" && !controllerutil.ContainsFinalizer(p.invite, v1alpha1.Finalizer)
		return *o
	}
	p.problem = r.validate(p)
	if p.problem != nil && !p.isNative {
		return *p.problem
	}
	for _, phase := range []func(context.Context, *invitePass) *outcome{r.recall, r.chooseCode, r.agree, r.sweep, r.keepSecret} {
		if o := phase(ctx, p); o != nil {
			return *o
		}
	}
	return p.whereTheLinkIs()
}

// readRedemptions reads who came, from the cache: it decides nothing here.
func (r *inviteReconciler) readRedemptions(ctx context.Context, p *invitePass) *outcome {
	p.uids = uidsOf(p.invite)
	for _, uid := range p.uids {
		var list v1alpha1.RedemptionList
		err := r.Client.List(ctx, &list, client.InNamespace(p.invite.Namespace), client.MatchingFields{indexInvite: uid})
		if err != nil {
			return retry(err)
		}
		p.redemptions = append(p.redemptions, slices.DeleteFunc(list.Items, func(one v1alpha1.Redemption) bool {
			// A copy of an Invite carries its annotations. One that has no account was written before they had accounts.
			return one.Spec.InviteRef.Name != p.invite.Name || len(one.Spec.Accounts) == 0
		})...)
	}
	p.uses, p.counted = len(p.redemptions), true
	if known := p.status.Uses; known != nil && len(p.redemptions) > 0 {
		p.uses = max(p.uses, int(known.Total)) // uses are never given back by a server that is not reached now
	}
	return nil
}

// uidsOf are the UIDs that an Invite has had, its own last: that a restored cluster gave it another is seen by the record.
func uidsOf(invite *v1alpha1.Invite) []string {
	own := string(invite.UID)
	former := slices.DeleteFunc(slices.Clone(parseRecord(invite).UIDs), func(uid string) bool { return uid == own })
	return append(former, own)
}

// validate says what is wrong with the spec. It holds back no revocation of a link that is there already.
func (r *inviteReconciler) validate(p *invitePass) *outcome {
	spec, able := p.invite.Spec, p.able()
	p.isNative = p.delivery() == v1alpha1.DeliveryNative
	if o := p.offersProblem(); o != nil {
		return o
	}
	given, inLibraries := p.offer.Roles()
	role, known := able.Roles[media.Role(given)]
	switch {
	case p.isNative && !able.Invites && !able.WeakInvites:
		return stalled(v1alpha1.ReasonUnsupported, "this server has no invites of its own, and Usher has no invite pages yet: delete this Invite, and declare a User for each person")
	case !known:
		return stalled(v1alpha1.ReasonUnsupported, "this server has no role %s; it has %v", given, roleNames(able))
	case role.Administers:
		return stalled(v1alpha1.ReasonInvalidSpec, "the role %s administers the server: an invite admits nobody who does", given)
	case p.isNative && role.NotByInvite:
		return stalled(v1alpha1.ReasonUnsupported, "no invite of this server gives the role %s: set the offer's role to one of %v, and give people that role by their Users", given, invitedRoles(able))
	case !able.HasLibraryRole(media.LibraryRole(inLibraries)):
		return stalled(v1alpha1.ReasonUnsupported, "this server has no role %s in a library: set the offer's libraryRole to Viewer", inLibraries)
	case spec.Account != nil && spec.Account.ExpiresAfter != nil && p.rung(given) == "":
		return stalled(v1alpha1.ReasonUnsupported, "accounts of this server cannot be disabled: remove account.expiresAfter")
	case p.isNative:
		return nil
	case r.PortalURL == "":
		return noPages(spec.Delivery, able)
	case able.PasswordsFixed && able.WeakInvites:
		return stalled(v1alpha1.ReasonUnsupported, "people choose their password on Usher's pages, and this server keeps the one that an account was made with: give the MediaServer spec.database, or set spec.delivery to Native")
	case able.PasswordsFixed:
		return stalled(v1alpha1.ReasonUnsupported, "people choose their password on Usher's pages, and this server keeps the one that an account was made with: declare a User instead, or invite people on the server itself")
	}
	return nil
}

// invitedRoles are those that the server's own invites give.
func invitedRoles(able media.Capabilities) []media.Role {
	return slices.DeleteFunc(roleNames(able), func(role media.Role) bool {
		return able.Roles[role].NotByInvite || able.Roles[role].Administers || !able.Roles[role].Assignable
	})
}

// noPages says what to do where people would come by pages that Usher does not have yet. The delivery is immutable.
func noPages(delivery v1alpha1.InviteDelivery, able media.Capabilities) *outcome {
	switch {
	case able.Invites:
		return stalled(v1alpha1.ReasonUnsupported, "delivery %s needs invite pages of Usher's own, which it does not have yet: delete this Invite and make it again with delivery Auto, by which the server's own pages admit people", delivery)
	case able.WeakInvites:
		return stalled(v1alpha1.ReasonUnsupported, "Usher has no invite pages of its own yet: delete this Invite and make it again with delivery Native, which sends people to the server's own link with that server's promises")
	}
	return stalled(v1alpha1.ReasonUnsupported, "this server has no invites of its own, and Usher has no invite pages yet: delete this Invite, and declare a User for each person")
}

// report fills state and counts, whatever else happened: they are facts of spec, uses, time and the link.
func (r *inviteReconciler) report(p *invitePass, result *outcome) {
	if !p.counted {
		return // paused, or not to be read: what was said last stands
	}
	now := r.Clock.Now()
	state, expires := access.InviteState(p.invite, p.uses, now)
	p.expires = expires
	if state == v1alpha1.InvitePending && !p.canBeUsed() {
		state = v1alpha1.InviteWaiting
	}
	if before := p.status.State; before != state && before != "" {
		r.normal(p.invite, string(state), "StateChange", "the invite is now %s (was %s)", state, before)
	}
	p.status.State = state
	p.status.Remaining = access.InviteRemaining(p.invite, p.uses)
	p.status.Uses = inviteUses(p.redemptions, p.uses)
	if watched := result.kind == kindDone || result.kind == kindWaiting || result.kind == kindStalled; p.isNative && watched && result.after == 0 {
		result.after = closedPoll
		if state == v1alpha1.InvitePending {
			result.after = usesPoll
		}
	}
	*result = result.orSooner(now, p.sweepAt)
}

// canBeUsed says whether the link admits, as far as that was last seen: Pending means redeemable.
func (p *invitePass) canBeUsed() bool {
	if p.unmanaged {
		return false
	}
	return p.redeemable || (p.problem == nil && p.status.State == v1alpha1.InvitePending)
}

// sweep frees what abandoned sign-ups on Usher's own pages reserved.
func (r *inviteReconciler) sweep(ctx context.Context, p *invitePass) *outcome {
	if p.isNative || p.observing() {
		return nil
	}
	p.redeemable = true
	freed, next, err := redeem.Sweep(ctx, r.Live, p.redemptions, r.Clock.Now())
	if err != nil {
		return retry(err)
	}
	if freed > 0 {
		r.normal(p.invite, "ReservationsFreed", "Sweep", "freed %d uses that were reserved and never went on", freed)
	}
	p.sweepAt = next
	return nil
}
