package controller

import (
	"context"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// observe reads what the manifests ask for into the snapshot, as far as it can be compared with the server.
func (r *userReconciler) observe(ctx context.Context, p *userPass) *outcome {
	p.problem = p.validate()
	for _, read := range []func(context.Context, *userPass) *outcome{r.recall, r.claim, r.gather, r.departing} {
		if o := read(ctx, p); o != nil {
			return o
		}
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
	p.grants, p.redemptions = grants, redemptions.Items
	s := &p.snapshot
	s.Server, s.Libraries, s.Beliefs = p.serverFacts(), libraries.Items, p.believe(libraries.Items)
	s.Subject, s.Grants = p.subjectOf(p.user, redemptions.Items), active
	s.Effective = access.EffectiveAccess(s.Subject, s.Libraries, active)
	var accountChange time.Time
	s.Want, s.WantDisabled, accountChange = access.WantDisabled(p.user, readRecord(p.user, p.identity()).Disabled, now)
	p.next = access.Earlier(grantsChange, accountChange)
	return nil
}

// findAccount finds out which account of the server is this User's, or is to be. What it learns is recorded: that is never
// asked, or tried, again.
func (r *userReconciler) findAccount(ctx context.Context, p *userPass) *outcome {
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
	p.snapshot.Ownership = access.Ownership(facts)
	switch p.snapshot.Ownership {
	case access.ActionManage:
		p.account, _ = p.inventory().Account(media.AccountID(p.record.ID))
		p.record = p.witnesses(p.record, p.account)
		p.record.Doubt, p.record.Believed = nil, ""
		if o := r.keepRecord(ctx, p.site, p.user, p.record); o != nil {
			return o
		}
		return r.completeSnapshot(ctx, p)
	case access.ActionTake:
		return nil
	case access.ActionCreate:
		if p.problem != nil {
			return p.problem
		}
		p.snapshot.AccountGone, o = r.goneForGood(ctx, p)
		return o
	case access.ActionAdopt:
		p.account, p.agreed = candidates[0], false // how it is found is no drift
		if p.problem != nil {
			return p.problem
		}
		p.snapshot.FoundDisabled, o = r.disabledWhenFound(ctx, p, p.account)
		p.snapshot.PasswordUnchanged = p.snapshot.FoundDisabled == v1alpha1.DisableLockOut
		return o
	case access.ActionRecord:
		p.account = candidates[0]
		return nil
	case access.ActionWait:
		return r.lookAgain(p.site, p.record, v1alpha1.ReasonConfirmingAbsence, "the account is missing from the server's list: looking again before anything is made in its place")
	}
	return r.notOurs(p, facts, candidates)
}

// notOurs says why nothing is done to any account: a person must decide. What the status said of an account is not known of
// one that is not this User's.
func (r *userReconciler) notOurs(p *userPass, facts access.OwnershipFacts, candidates []media.Account) *outcome {
	p.status.State, p.status.Access, p.status.DisableMethod = v1alpha1.UserPending, nil, ""
	if facts.Recorded == access.RecordedDoubted {
		return p.inDoubt(candidates)
	}
	if o := r.notNoted(p.site); o != nil && p.unasked() && facts.Named == access.NamedTaken {
		return o
	}
	o := p.conflict(facts, candidates)
	if p.status.Plan = nil; p.observing() && facts.Named == access.NamedTaken {
		p.planIfAlways(o, candidates[0])
	}
	return o
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
	case p.record.open() && !p.observing() && p.snapshot.WantDisabled && candidates[0].Disabled && p.adoptable(candidates[0]):
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

// completeSnapshot finds out what only a few accounts are asked for: who disabled one that was enabled before, and whether one
// still has the password that locks it out.
func (r *userReconciler) completeSnapshot(ctx context.Context, p *userPass) *outcome {
	if p.observing() || p.problem != nil {
		return nil
	}
	if o := r.disabledBefore(ctx, p); o != nil {
		return o
	}
	owes := p.record.OwesPassword && p.record.Disabled && !p.account.Disabled && !p.snapshot.WantDisabled
	if owes && (p.chosenByHolder() || p.able().PasswordsFixed) && p.method() == v1alpha1.DisableLockOut {
		var o *outcome
		if p.snapshot.PasswordUnchanged, o = r.lockedOut(ctx, p, p.account); o != nil {
			p.problem = o
		}
	}
	return nil
}
