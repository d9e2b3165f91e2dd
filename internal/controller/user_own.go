package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// own finds out which account of the server is this User's, and makes or takes over one where that is allowed.
func (r *userReconciler) own(ctx context.Context, p *userPass) *outcome {
	if o := r.forget(ctx, p, p.candidates()); o != nil {
		return o
	}
	if p.problem != nil && p.record.ID == "" {
		return p.problem
	}
	recorded, o := r.recorded(ctx, p)
	if o != nil {
		return o
	}
	candidates := p.candidates()
	named, o := r.named(ctx, p, candidates)
	if o != nil {
		return o
	}
	facts := access.OwnershipFacts{
		Record: p.record.kind(), Recorded: recorded, Named: named,
		Settled: p.settledIntent(p.record), MayCreate: p.user.Spec.Role != v1alpha1.AccountRoleOwner,
	}
	switch access.Ownership(facts) {
	case access.ActionManage:
		p.account, _ = p.inventory().Account(media.AccountID(p.record.ID))
		p.record = p.witnesses(p.record, p.account)
		p.record.Doubt, p.record.Believed = nil, ""
		return r.keepRecord(ctx, p.site, p.user, p.record)
	case access.ActionTake:
		p.renamed = true
		return nil
	case access.ActionCreate, access.ActionAdopt:
		if o := r.mayObtain(ctx, p, len(candidates) == 1); o != nil {
			return o
		}
		return r.obtain(ctx, p, candidates)
	case access.ActionRecord:
		if o := p.mayWrite(); o != nil {
			return o
		}
		return r.settle(ctx, p, candidates[0])
	case access.ActionWait:
		return r.lookAgain(p.site, p.record, v1alpha1.ReasonConfirmingAbsence, "the account is missing from the server's list: looking again before anything is made in its place")
	}
	// What the status said of an account is not known of one that is not this User's.
	p.status.State, p.status.Access, p.status.DisableMethod = v1alpha1.UserPending, nil, ""
	if recorded == access.RecordedDoubted {
		return p.inDoubt(candidates)
	}
	if o := r.notNoted(p.site); o != nil && p.unasked() && named == access.NamedTaken {
		return o
	}
	o = p.conflict(facts, candidates)
	if p.status.Plan = nil; p.observing() && named == access.NamedTaken {
		p.planIfAlways(o, candidates[0])
	}
	return o
}

// planIfAlways adds to a conflict what adoptionPolicy Always would do, so that mode Observe shows it before anybody decides.
func (p *userPass) planIfAlways(o *outcome, account media.Account) {
	p.account = account
	d := p.difference()
	p.account = media.Account{}
	words := slices.Concat([]string{fmt.Sprintf("take over the account %q", bounded(account.Username, 128))}, d.words, p.awaitedWords())
	p.status.Plan = firstListed(words)
	o.message += "; with Always it would: " + bounded(strings.Join(words, "; "), 500)
}

// obtain takes over the one candidate, or makes an account where there is none.
func (r *userReconciler) obtain(ctx context.Context, p *userPass, candidates []media.Account) *outcome {
	switch {
	case p.problem != nil:
		return p.problem
	case len(candidates) == 1:
		return r.adopt(ctx, p, candidates[0])
	}
	return r.create(ctx, p)
}

// candidates are the accounts of that username, the recorded one not counted.
func (p *userPass) candidates() []media.Account {
	named := p.inventory().AccountsNamed(p.to().Traits().FoldUsername(p.user.Spec.Username))
	return slices.DeleteFunc(named, func(a media.Account) bool { return string(a.ID) == p.record.ID })
}

// named says what the server has under the username. An account found under an open intent is ours only if it accepts
// a password that only we could have set: on some servers strangers can register.
func (r *userReconciler) named(ctx context.Context, p *userPass, candidates []media.Account) (access.Named, *outcome) {
	switch {
	case len(candidates) == 0:
		return access.NamedNone, nil
	case len(candidates) > 1:
		return access.NamedSeveral, nil
	case p.record.open() && !p.observing() && p.wantDisabled && candidates[0].Disabled && p.adoptable(candidates[0]):
		// Which password it has cannot be tried. Nobody can use it, and before the announcement there was none.
		p.untried = true
		return access.NamedOurs, nil
	case p.record.open() && !p.observing():
		ours, o := r.provenOurs(ctx, p, candidates[0])
		if ours || o != nil {
			return access.NamedOurs, o
		}
	}
	if p.adoptable(candidates[0]) || (candidates[0].ID == p.told && !p.administers(candidates[0])) {
		return access.NamedAdoptable, nil
	}
	return access.NamedTaken, nil
}

// create announces the account, makes it with its final access and a password that nobody knows, and settles it.
func (r *userReconciler) create(ctx context.Context, p *userPass) *outcome {
	if p.observing() {
		p.status.Plan = firstListed(slices.Concat([]string{"create the account " + p.user.Spec.Username}, p.accessWords(media.Access{}, p.desired()), p.awaitedWords()))
		return observed(p.status.Plan)
	}
	if gone, o := r.goneForGood(ctx, p); gone || o != nil {
		return o
	}
	if o := r.mayCreate(ctx, p); o != nil {
		return o
	}
	if o := r.refusedBefore(p.user, p.record); o != nil {
		return o
	}
	recreated := p.record.ID != "" && p.record.ID == p.user.Status.ExternalID
	password, o := r.announce(ctx, p)
	if o != nil {
		return o
	}
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	ctx = media.WithReason(ctx, "a new User declares it")
	account, err := p.to().CreateAccount(ctx, p.newAccount(password))
	if err != nil && account.ID == "" { // one that was made with other access than asked is settled before anybody can use it
		o := r.creationFailed(ctx, p.site, p.user, p.record, err)
		if media.CodeOf(err) == media.AlreadyExists && o.kind == kindStalled {
			return r.taken(ctx, p)
		}
		return o
	}
	if recreated {
		r.warn(p.user, "Recreated", "Create", "the account was deleted on the server: a new one was made, with a new id")
	}
	p.account = account
	r.noteHeld(p, media.Account{})
	return r.settle(ctx, p, account)
}

// taken finds out why the server says that an account exists which its list did not show.
func (r *userReconciler) taken(ctx context.Context, p *userPass) *outcome {
	if err := p.to().Refresh(ctx, p.connection.Probe.Self); err != nil {
		return r.callFailed(p.site, err)
	}
	if len(p.candidates()) > 0 {
		o := waiting(v1alpha1.ReasonProgressing, "an account with this name was created concurrently; checking ownership")
		o.after = lookAgainAfter
		return o
	}
	o := stalled(v1alpha1.ReasonConflict, "the server says that the username %q or the email address is taken, by an account of another name: choose another email address", p.user.Spec.Username)
	o.after = safetyPoll
	return o
}

// goneForGood says whether the account was deleted on the server, or lost by a restore, and only its holder knew the password:
// another one would be a ghost that nobody can sign in with, and nobody could come again under the name.
func (r *userReconciler) goneForGood(ctx context.Context, p *userPass) (bool, *outcome) {
	if !p.chosenByHolder() {
		return false, nil
	}
	had := p.status.ExternalID != "" || (p.record.ID != "" && !p.record.announced())
	if name := p.user.Labels[v1alpha1.LabelRedemption]; name != "" && !had {
		var redemption v1alpha1.Redemption
		err := r.Live.Get(ctx, types.NamespacedName{Namespace: p.user.Namespace, Name: name}, &redemption)
		if client.IgnoreNotFound(err) != nil {
			return false, retry(err)
		}
		had = redemption.Status.Phase == v1alpha1.RedemptionCompleted && redemption.Spec.UserRef.Name == p.user.Name
	}
	if !had {
		return false, nil
	}
	p.status.State, p.status.Access, p.status.DisableMethod, p.status.Plan = v1alpha1.UserGone, nil, "", nil
	return true, stalled(v1alpha1.ReasonAccountGone, "account %q is gone from the server, and only its holder knew the password, so that none is made again: delete this User (the person can come by an Invite again), or set spec.password.secretRef in place of chosenByHolder to have an account made with that password", p.user.Spec.Username)
}

// mayCreate says what must be there before an account is made.
func (r *userReconciler) mayCreate(ctx context.Context, p *userPass) *outcome {
	if role := p.able().Roles[media.Role(p.user.Spec.Role)]; !role.Assignable {
		return stalled(v1alpha1.ReasonUnsupported, "Usher's account %q may not give the role %s on this server: use the owner's account in the MediaServer's Secret", p.connection.Probe.SelfName, p.user.Spec.Role)
	}
	if desired := p.desired(); !p.able().ZeroAccess && !desired.All && len(desired.Libraries) == 0 && !p.seesAllByRole() {
		return waiting(v1alpha1.ReasonReferencesUnresolved, "this server cannot hold an account without any library: grant one first")
	}
	if o := p.awaitsLibraries(); o != nil {
		return o
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	if o := p.librariesOnTheirWay(r.Clock.Now()); o != nil {
		return o
	}
	if o := r.mayBeAdmitted(ctx, p); o != nil {
		return o
	}
	want, o := r.wantedPassword(ctx, p)
	if o != nil {
		return o
	}
	return r.mayKeep(ctx, p, want)
}

// mayBeAdmitted makes sure that the use is still reserved by which a person comes, read live: no account is made
// without its Redemption.
func (r *userReconciler) mayBeAdmitted(ctx context.Context, p *userPass) *outcome {
	name := p.user.Labels[v1alpha1.LabelRedemption]
	if name == "" {
		return nil
	}
	var redemption v1alpha1.Redemption
	err := r.Live.Get(ctx, types.NamespacedName{Namespace: p.user.Namespace, Name: name}, &redemption)
	if client.IgnoreNotFound(err) != nil {
		return retry(err)
	}
	if err != nil || redemption.Spec.UserRef.Name != p.user.Name {
		return stalled(v1alpha1.ReasonInvalidSpec, "this User came by Redemption %s, which is gone: delete this User, or remove the label %s to keep it", name, v1alpha1.LabelRedemption)
	}
	return nil
}

func (p *userPass) newAccount(password string) media.NewAccount {
	spec := p.user.Spec
	generated := spec.Password == nil || spec.Password.SecretRef == nil
	return media.NewAccount{
		ID:       media.AccountID(p.record.ID),
		Username: spec.Username, Email: spec.Email, DisplayName: spec.DisplayName,
		Role: media.Role(spec.Role), Access: p.desired(), Password: password, Disabled: p.wantDisabled && p.method() == v1alpha1.DisableSwitch,
		MustChangePassword: generated && spec.Password != nil && spec.Password.RequireChange,
	}
}

// adopt records an existing account as this User's. Its password stays, and counts as applied, unless the account is shut.
func (r *userReconciler) adopt(ctx context.Context, p *userPass, account media.Account) *outcome {
	p.account, p.agreed = account, false // how it is found is no drift
	if p.observing() {
		p.planned = []string{fmt.Sprintf("take over the account %q", bounded(account.Username, 128))}
		if account.Disabled && !p.wantDisabled {
			p.planned = append(p.planned, "set its password, and enable it")
		}
		return nil
	}
	if o := p.guardRole(account); o != nil {
		return o
	}
	method, o := r.shutWhenFound(ctx, p, account)
	if o != nil {
		return o
	}
	p.record = record{
		ID: string(account.ID), Origin: v1alpha1.OriginAdopted, Server: p.identity(),
		Rotation: p.user.Annotations[v1alpha1.AnnotationRotatePassword], FormerIDs: p.former(),
	}
	if method != "" {
		// An account that is taken over while nobody can use it follows the manifest from now on, its password too.
		p.record.Disabled, p.record.Method, p.record.Locked, p.record.OwesPassword = true, method, method == v1alpha1.DisableLockOut, true
	} else if o := r.countAsApplied(ctx, p); o != nil {
		return o
	}
	p.record = p.witnesses(p.record, account)
	p.record.FormerIDs = p.record.without(p.record.ID)
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	r.normal(p.user, "Adopted", "Adopt", "took over account %q of MediaServer %s", account.Username, p.server.Name)
	return nil
}
