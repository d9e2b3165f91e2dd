package controller

import (
	"context"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
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
	deadlines deadlines
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

// userPass is one reconcile of a User.
type userPass struct {
	site
	user   *v1alpha1.User
	status *v1alpha1.UserStatus
	record record
	// account is the one on the server, once it is known to be this User's.
	account media.Account
	// renamed: the account is this User's, and has another name on the server: what can be undone is taken from it.
	renamed bool
	// claimedBy is another User that stands for the account, restored: others changed at the same look. told is the account
	// that a person said is this User's.
	claimedBy string
	restored  bool
	told      media.AccountID
	// untried: the account was taken for ours without its password having been tried.
	untried bool
	// libraries are those declared on the server, ids those that are resolved there.
	libraries []v1alpha1.Library
	ids       map[string]media.LibraryID
	// beliefs are the declared libraries by what is believed of them; ids are those that are given.
	beliefs   beliefs
	effective access.Effective
	// subject and grants are what the effective access was computed from, active the grants that give access now.
	subject access.Subject
	grants  []v1alpha1.LibraryGrant
	active  []access.Grant
	// redemptions are the User's, kept is the access by what was deleted a moment ago as well.
	redemptions []v1alpha1.Redemption
	kept        access.Effective
	// want is the state that the manifest asks for, wantDisabled whether it shuts the account out.
	want         v1alpha1.UserState
	wantDisabled bool
	// next is when time alone changes what is wanted.
	next time.Time
	// problem is what is wrong with the spec. No account is made or taken over with it, and none is given a role.
	problem *outcome
	// withoutAll: access to all libraries is not given now, since nobody was asked for permission.
	withoutAll bool
	// narrowing: the account is given nothing that it does not have.
	narrowing bool
	// unproven: an account has the name, and what it was to be made with is not to be had any more.
	unproven bool
	// planned is what mode Observe would do before comparing.
	planned []string
	// keptHash is of the password that this pass put into the credentials Secret: the cache may not show that yet.
	keptHash string
	// outdated: the password on record does not work, and nobody is known to have chosen another.
	outdated bool
	// note is what the status says besides that the server agrees; the User is looked at again after that long.
	note  string
	after time.Duration
	// agreed: before this pass, the server agreed with this generation.
	agreed bool
}

// Reconcile compares once and repairs.
func (r *userReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	user := &v1alpha1.User{}
	if err := r.Client.Get(ctx, request.NamespacedName, user); err != nil {
		r.heldUp.Delete(request)
		r.deadlines.set(request, time.Time{}, r.Clock.Now())
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := user.DeepCopy()
	p := &userPass{user: user, status: user.Status.DeepCopy(), agreed: agreed(user, user.Status.ObservedGeneration)}
	result := r.reconcile(ctx, p)
	r.noteHeldUp(request, p, result)
	result = p.unlessUnseen(result)
	r.deadlines.set(request, p.next, r.Clock.Now())
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
		return r.letGo(ctx, p)
	}
	if left := r.left(ctx, p.site, p.user.Namespace); left != nil {
		return r.notManaged(p, *left)
	}
	r.restores.watch(r.Kit, p.site)
	if o != nil {
		return r.notManaged(p, *o)
	}
	p.problem = p.validate()
	for _, phase := range []func(context.Context, *userPass) *outcome{r.recall, r.claim, r.gather, r.departing} {
		if o := phase(ctx, p); o != nil {
			return r.notManaged(p, *o)
		}
	}
	result := r.manage(ctx, p)
	if p.wantDisabled {
		if o := r.shutOutFormer(ctx, p); o != nil {
			return *o
		}
	}
	return result
}

// manage finds the account and makes it agree.
func (r *userReconciler) manage(ctx context.Context, p *userPass) outcome {
	if o := r.own(ctx, p); o != nil {
		return r.notManaged(p, *o)
	}
	if p.renamed {
		result := r.takeBack(ctx, p)
		if p.problem != nil && p.problem.reason == v1alpha1.ReasonDuplicateClaim && result.kind == kindStalled {
			return *p.problem
		}
		return result
	}
	result := r.unlessRenamed(p, r.agree(ctx, p))
	if result.kind == kindDone {
		if o := r.completeOfGone(ctx, p); o != nil {
			return *o
		}
	}
	return result
}

// notManaged is for a pass that ended before the account was known.
func (r *userReconciler) notManaged(p *userPass, o outcome) outcome {
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

// validate repeats what the API server cannot check: what depends on the server's type.
// It does not end the pass: what a bad spec must not hold back is access that is taken away.
func (p *userPass) validate() *outcome {
	spec, able := p.user.Spec, p.able()
	if o := unreadable(p.user); o != nil {
		p.narrowing = true
		return o
	}
	switch {
	case !p.to().Traits().AllowsUsername(spec.Username):
		return stalled(v1alpha1.ReasonInvalidSpec, "a username needs %d to %d characters on this server, and cannot be changed later: make this User anew with another spec.username", p.to().Traits().MinUsername, p.to().Traits().MaxUsername)
	case p.to().Traits().KeyedByEmail && spec.Email == "":
		return stalled(v1alpha1.ReasonInvalidSpec, "people sign in to a %s server by email: give spec.email", p.server.Spec.Type)
	case p.to().Traits().NamedByEmail && p.to().Traits().FoldUsername(spec.Username) != p.to().Traits().FoldEmail(spec.Email):
		return stalled(v1alpha1.ReasonInvalidSpec, "people of a %s server have no name but their email address: give it as spec.username and as spec.email", p.server.Spec.Type)
	case spec.Email != "" && !able.Email:
		return stalled(v1alpha1.ReasonUnsupported, "accounts of this server have no email: remove spec.email")
	case spec.Access == v1alpha1.UserAccessAll && !able.AccessAll:
		return stalled(v1alpha1.ReasonUnsupported, "this server has no access to all libraries: grant them by a LibraryGrant with libraries.all: true")
	case (spec.Disabled || spec.ExpiresAt != nil) && p.rung(spec.Role) == "":
		return stalled(v1alpha1.ReasonUnsupported, "accounts of this server with the role %s cannot be disabled: remove disabled and expiresAt", spec.Role)
	case spec.Password != nil && spec.Password.RequireChange && !able.RequirePasswordChange:
		return stalled(v1alpha1.ReasonUnsupported, "this server cannot make a person choose another password: remove password.requireChange")
	}
	if o := p.validateDeletion(); o != nil {
		return o
	}
	role, known := able.Roles[media.Role(spec.Role)]
	switch {
	case !known:
		return stalled(v1alpha1.ReasonUnsupported, "this server has no role %s; it has %v", spec.Role, roleNames(able))
	case role.Administers && spec.Role != v1alpha1.AccountRoleOwner && spec.Role != v1alpha1.AccountRoleAdmin:
		return stalled(v1alpha1.ReasonInvalidSpec, "the role %s administers the server: only Owner and Admin may", spec.Role)
	}
	return nil
}

// claim makes sure that no other User stands for the same account.
func (r *userReconciler) claim(ctx context.Context, p *userPass) *outcome {
	var all v1alpha1.UserList
	if err := r.Client.List(ctx, &all, client.InNamespace(p.user.Namespace), client.MatchingFields{indexClaim: userClaim(p.user)}, client.UnsafeDisableDeepCopy); err != nil {
		return retry(err)
	}
	fold := p.to().Traits().FoldUsername
	var claimants []access.Claimant
	for i := range all.Items {
		other := &all.Items[i]
		if fold(other.Spec.Username) == fold(p.user.Spec.Username) {
			id := media.AccountID(readRecord(other, p.identity()).ID)
			if other.UID == p.user.UID {
				id = media.AccountID(p.record.ID) // what was just recalled, the cache may not show yet
			}
			_, present := p.inventory().Account(id)
			claimants = append(claimants, access.Claimant{Object: other, Recorded: id != "", Present: present})
		}
	}
	if winner := access.ClaimWinner(claimants); winner != nil && winner.GetUID() != p.user.UID {
		o := stalled(v1alpha1.ReasonDuplicateClaim, "User %s has the account %q of this server: choose another username, or delete one of the two", winner.GetName(), p.user.Spec.Username)
		if account, found := p.inventory().Account(media.AccountID(p.record.ID)); found && !p.hasName(account) {
			p.problem = o // the name is another User's, and the account that is named otherwise now is still this one's to take from
			return nil
		}
		// What the status said of an account is not known of one that is another User's.
		p.status.State, p.status.Access, p.status.DisableMethod = v1alpha1.UserPending, nil, ""
		return o
	}
	return nil
}

// gather computes the effective access from everything that it comes from.
func (r *userReconciler) gather(ctx context.Context, p *userPass) *outcome {
	var libraries v1alpha1.LibraryList
	if err := r.Client.List(ctx, &libraries, ofServer(p.user.Namespace, p.user.Spec.ServerRef.Name)...); err != nil {
		return retry(err)
	}
	grants, err := r.grantsOf(ctx, p.user.Namespace)
	if err != nil {
		return retry(err)
	}
	var redemptions v1alpha1.RedemptionList
	if err := r.Client.List(ctx, &redemptions, client.InNamespace(p.user.Namespace), client.MatchingFields{indexUser: p.user.Name}, client.UnsafeDisableDeepCopy); err != nil {
		return retry(err)
	}
	now := r.Clock.Now()
	active, grantsChange := access.ActiveGrants(grants, r.Grants.Compile, now)
	p.libraries = libraries.Items
	p.beliefs = p.believe(libraries.Items)
	p.ids = p.beliefs.given
	p.grants, p.redemptions = grants, redemptions.Items
	p.subject = p.subjectOf(p.user, redemptions.Items)
	p.active = active
	p.effective = access.EffectiveAccess(p.subject, p.libraries, active)
	var accountChange time.Time
	p.want, p.wantDisabled, accountChange = access.WantDisabled(p.user, readRecord(p.user, p.identity()).Disabled, now)
	p.next = access.Earlier(grantsChange, accountChange)
	return nil
}
