package controller

import (
	"context"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/enqueue"
	"github.com/usher-media/usher/internal/media"
)

// userReconciler makes an account of a server agree with its User. It is the only writer of an account's access,
// whatever that comes from (design D1).
type userReconciler struct {
	*Kit
	brake    *brake
	restores *restores
	// heldUp holds the Users with something to write to a server that is down: they come first when it is back, before those
	// that only say again that it agrees.
	heldUp sync.Map
	// deadlines are when time alone changes what a User's account is to have.
	deadlines enqueue.Deadlines
}

func (r *userReconciler) isHeldUp(request reconcile.Request) bool {
	_, held := r.heldUp.Load(request)
	return held
}

// noteHeldUp takes note of how a pass ended, before it is said that the server is not seen. Where nothing could be compared,
// what was known stays, and what a person has changed is to be done.
func (r *userReconciler) noteHeldUp(request reconcile.Request, p *userPass, o outcome) {
	switch {
	case p.connection.Up, p.usable() && o.kind != kindWaiting:
		r.heldUp.Delete(request)
	case p.usable(), deleted(p.user), p.user.Generation != p.user.Status.ObservedGeneration:
		r.heldUp.Store(request, true)
	}
}

// +kubebuilder:rbac:groups=usher.media,resources=users,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=usher.media,resources=users/status,verbs=patch
// +kubebuilder:rbac:groups=usher.media,resources=users/finalizers,verbs=update

// userPass is one reconcile of a User. Each part has one stage that writes it.
type userPass struct {
	site
	user *v1alpha1.User
	// agreed: before this pass, the server agreed with this generation.
	agreed bool

	// snapshot is written by observe, and is what plans are made of: the account and the record in it are those of view.
	snapshot plan.Snapshot
	evidence
	// problem is what is wrong with the manifest, or keeps the account from all that it asks for. No account is made or adopted
	// with it, and none is given a role.
	problem *outcome

	// record and account are written by execute, as they were recorded and read back.
	record  record
	account media.Account
	passwordState

	// status is written by report.
	status *v1alpha1.UserStatus
	// note is what it says besides that the server agrees; the User is looked at again after that long.
	note  string
	after time.Duration
}

// evidence is what observe found besides the snapshot.
type evidence struct {
	// grants and redemptions are what the access in the snapshot was computed from; at next, time alone changes it.
	grants      []v1alpha1.LibraryGrant
	redemptions []v1alpha1.Redemption
	next        time.Time
	// claimedBy is another User that stands for the account, restored: others changed at the same look. told is the account
	// that a person said is this User's.
	claimedBy string
	restored  bool
	told      media.AccountID
	// untried: the account was taken for ours without its password having been tried. unproven: an account has the name, and
	// what it was to be made with is not to be had any more.
	untried, unproven bool
	// displaced: the account was this User's before another took its place. The record is of that one.
	displaced bool
}

// passwordState is what is known of the account's password, which is compared last.
type passwordState struct {
	// keptHash is of the password that this pass put into the credentials Secret: the cache may not show that yet.
	keptHash string
	// outdated: the password on record does not work, and nobody is known to have chosen another.
	outdated bool
}

// Reconcile compares once and repairs.
func (r *userReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	user := &v1alpha1.User{}
	if err := r.Client.Get(ctx, request.NamespacedName, user); err != nil {
		r.heldUp.Delete(request)
		r.deadlines.Set(request, time.Time{}, r.Clock.Now())
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := user.DeepCopy()
	p := &userPass{user: user, status: user.Status.DeepCopy(), agreed: agreed(user, user.Status.ObservedGeneration)}
	result := r.reconcile(ctx, p)
	r.noteHeldUp(request, p, result)
	result = p.unlessUnseen(result)
	r.deadlines.Set(request, p.next, r.Clock.Now())
	user.Status = *p.status
	return finish(ctx, r.Kit, before, user, result)
}

func (r *userReconciler) reconcile(ctx context.Context, p *userPass) outcome {
	if paused(p.user) {
		return held(v1alpha1.ReasonPaused, "paused by the annotation "+v1alpha1.AnnotationPaused)
	}
	var o *outcome
	p.site, o = r.site(ctx, p.user.Namespace, p.user.Spec.ServerRef.Name)
	switch {
	case o != nil && o.kind == kindRetry:
		return r.notManaged(p, *o)
	case !p.user.DeletionTimestamp.IsZero() || p.cascading():
		return r.finalize(ctx, p)
	}
	if left := r.left(ctx, p.site, p.user.Namespace); left != nil {
		return r.notManaged(p, *left)
	}
	r.restores.watch(r.Kit, p.site)
	if o != nil {
		return r.notManaged(p, *o)
	}
	if o := r.observe(ctx, p); o != nil {
		return r.notManaged(p, *o)
	}
	result := r.manage(ctx, p)
	if p.snapshot.WantDisabled {
		if o := r.revokeFormer(ctx, p); o != nil {
			return *o
		}
	}
	return result
}

// manage makes the account what its User asks for, in four stages: observe, plan, execute, report. An account that is only to
// become the User's does so first; what is to be done to it then is planned with what was read back.
func (r *userReconciler) manage(ctx context.Context, p *userPass) outcome {
	if o := r.findAccount(ctx, p); o != nil {
		return r.notManaged(p, *o)
	}
	next := r.plan(ctx, p)
	obtains := p.snapshot.Ownership != access.ActionManage && !p.renamed()
	switch {
	case obtains && p.problem != nil:
		return r.notManaged(p, *p.problem)
	case p.observing():
		return r.notManaged(p, r.reportPlan(ctx, p, next))
	case p.renamed():
		return r.revoke(ctx, p, next)
	case obtains:
		if o := r.execute(ctx, p, next); o != nil {
			return r.notManaged(p, *o)
		}
		p.snapshot.Ownership = access.ActionManage
		next = r.plan(ctx, p)
	}
	result := r.unlessRenamed(p, r.carryOut(ctx, p, next))
	if result.kind == kindDone {
		if o := r.completeOfGone(ctx, p); o != nil {
			return *o
		}
	}
	return result
}

// carryOut executes the plan for an account that is the User's, then compares its password, and reports.
func (r *userReconciler) carryOut(ctx context.Context, p *userPass, next plan.Plan) outcome {
	if next.Has(plan.SetOwedPassword) {
		p.problem = r.execute(ctx, p, next.Only(plan.SetOwedPassword)) // what keeps it from that holds back no access that is taken
		next = r.plan(ctx, p)
	}
	drift := r.foundDrift("User", p.agreed && p.saysSame(next), next.Reasons())
	if o := r.execute(ctx, p, next); o != nil {
		p.status.Access = p.accessStatus(p.account, next.Of.Effective) // a part may be done
		return *o
	}
	r.reportDrift(p, drift)
	p.describe(next)
	if p.problem != nil {
		return *p.problem
	}
	if o := r.agreePassword(ctx, p); o != nil {
		return *o
	}
	return p.summary()
}

// notManaged is for a pass that ended before the account was known.
func (r *userReconciler) notManaged(p *userPass, o outcome) outcome {
	if o.reason == v1alpha1.ReasonAccountGone {
		p.status.State, p.status.Access, p.status.DisableMethod, p.status.Plan = v1alpha1.UserGone, nil, "", nil
	}
	if p.status.State == "" {
		p.status.State = v1alpha1.UserPending
	}
	// Of an account whose MediaServer is gone nobody knows whether people can still use it. That Usher had shut it out is kept:
	// should the record be lost too, nothing else says that Usher may enable it.
	if o.reason == v1alpha1.ReasonServerNotFound && (p.status.State == v1alpha1.UserActive || p.status.State == v1alpha1.UserDisabledOnServer) {
		p.status.State = v1alpha1.UserPending
	}
	return o
}
