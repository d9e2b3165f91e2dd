package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/redeem"
)

// inviteReconciler keeps an Invite's code, the server's own invite where it has one, and who came.
type inviteReconciler struct {
	*Kit
	secrets seenSecrets
}

// +kubebuilder:rbac:groups=usher.media,resources=invites,verbs=get;list;watch;patch;update
// +kubebuilder:rbac:groups=usher.media,resources=invites/status,verbs=get;patch;update
// +kubebuilder:rbac:groups=usher.media,resources=invites/finalizers,verbs=update
// +kubebuilder:rbac:groups=usher.media,resources=redemptions,verbs=get;list;watch;create;patch;update;delete
// +kubebuilder:rbac:groups=usher.media,resources=redemptions/status,verbs=get;patch;update
// +kubebuilder:rbac:groups=usher.media,resources=users,verbs=create;delete

// usesPoll is how often a server is asked who came, while somebody may: within ten seconds of a sign-up its person
// is a User here.
const usesPoll = 4 * time.Second

// invitePass is one reconcile of an Invite.
type invitePass struct {
	site
	invite *v1alpha1.Invite
	status *v1alpha1.InviteStatus
	record record
	code   string
	// native is the server's own invite, when delivery is by the server.
	native      media.Invite
	isNative    bool
	redemptions []v1alpha1.Redemption
	// uses counts the people who came: by the server where it counts, else by Redemptions.
	uses    int
	counted bool
	// sweepAt is when a reservation may next be abandoned.
	sweepAt time.Time
}

// Reconcile makes the server's invite agree, and reports who came.
func (r *inviteReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	invite := &v1alpha1.Invite{}
	if err := r.Client.Get(ctx, request.NamespacedName, invite); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := invite.DeepCopy()
	p := &invitePass{invite: invite, status: invite.Status.DeepCopy()}
	result := r.reconcile(ctx, p)
	r.report(p, &result)
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
	if !p.invite.DeletionTimestamp.IsZero() {
		return r.letGo(ctx, p)
	}
	var o *outcome
	if p.site, o = r.site(ctx, p.invite.Namespace, p.invite.Spec.ServerRef.Name); o != nil {
		return *o
	}
	for _, phase := range []func(context.Context, *invitePass) *outcome{r.validate, r.agree, r.importUses, r.sweep, r.keepSecret} {
		if o := phase(ctx, p); o != nil {
			return *o
		}
	}
	return done(v1alpha1.ReasonSynced, "the link is in Secret "+inviteSecretName(p.invite))
}

// readRedemptions reads who came, from the cache: it decides nothing here.
func (r *inviteReconciler) readRedemptions(ctx context.Context, p *invitePass) *outcome {
	var list v1alpha1.RedemptionList
	err := r.Client.List(ctx, &list, client.InNamespace(p.invite.Namespace), client.MatchingFields{indexInvite: string(p.invite.UID)})
	if err != nil {
		return retry(err)
	}
	p.redemptions = list.Items
	p.uses, p.counted = len(list.Items), true
	if known := p.status.Uses; known != nil && len(list.Items) > 0 {
		p.uses = max(p.uses, int(known.Total)) // uses are never given back by a server that is not reached now
	}
	return nil
}

func (r *inviteReconciler) validate(_ context.Context, p *invitePass) *outcome {
	spec := p.invite.Spec
	role, known := p.able().Roles[media.Role(spec.Role)]
	switch {
	case !known:
		return stalled(v1alpha1.ReasonUnsupported, "this server has no role %s; it has %v", spec.Role, roleNames(p.able()))
	case role.Administers:
		return stalled(v1alpha1.ReasonInvalidSpec, "the role %s administers the server: an invite admits nobody who does", spec.Role)
	case !p.able().HasLibraryRole(media.LibraryRole(spec.LibraryRole)):
		return stalled(v1alpha1.ReasonUnsupported, "this server has no role %s in a library: set spec.libraryRole to Viewer", spec.LibraryRole)
	case spec.Delivery == v1alpha1.DeliveryNative && !p.able().Invites && !p.able().WeakInvites:
		return stalled(v1alpha1.ReasonUnsupported, "this server has no invites of its own that keep count: set spec.delivery to Portal")
	case spec.Account != nil && spec.Account.ExpiresAfter != nil && p.rung(spec.Role) == "":
		return stalled(v1alpha1.ReasonUnsupported, "accounts of this server cannot be disabled: remove account.expiresAfter")
	}
	p.isNative = spec.Delivery == v1alpha1.DeliveryNative || (spec.Delivery != v1alpha1.DeliveryPortal && p.able().Invites)
	switch {
	case p.isNative:
	case p.able().PasswordsFixed && p.able().WeakInvites:
		return stalled(v1alpha1.ReasonUnsupported, "people choose their password on Usher's pages, and this server keeps the one that an account was made with: give the MediaServer spec.database, or set spec.delivery to Native")
	case p.able().PasswordsFixed:
		return stalled(v1alpha1.ReasonUnsupported, "people choose their password on Usher's pages, and this server keeps the one that an account was made with: declare a User instead, or invite people on the server itself")
	case r.PortalURL == "":
		return stalled(v1alpha1.ReasonUnsupported, "this server has no invites of its own, and Usher serves no invite pages here: start the operator with --portal-url")
	}
	p.code = r.Keyring.InviteCode(p.invite.UID)
	return nil
}

// report fills state and counts, whatever else happened: both are facts of spec, uses and time alone.
func (r *inviteReconciler) report(p *invitePass, result *outcome) {
	if !p.counted {
		return // paused, or not to be read: what was said last stands
	}
	now := r.Clock.Now()
	state, next := access.InviteState(p.invite, p.uses, now)
	if before := p.status.State; before != state && before != "" {
		r.normal(p.invite, string(state), "StateChange", "the invite is now %s (was %s)", state, before)
	}
	p.status.State = state
	p.status.Remaining = access.InviteRemaining(p.invite, p.uses)
	p.status.Uses = inviteUses(p.redemptions, p.uses)
	if p.isNative && state == v1alpha1.InvitePending && result.kind == kindDone && result.after == 0 {
		result.after = usesPoll
	}
	*result = result.orSooner(now, next).orSooner(now, p.sweepAt)
}

// sweep frees what abandoned sign-ups on Usher's own pages reserved.
func (r *inviteReconciler) sweep(ctx context.Context, p *invitePass) *outcome {
	if p.isNative || p.observing() {
		return nil
	}
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
