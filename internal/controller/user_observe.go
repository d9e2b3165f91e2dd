package controller

import (
	"context"
	"maps"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/access/plan"
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

// validate repeats what the API server cannot check: what depends on the server's type.
// It does not end the pass: what a bad spec must not hold back is access that is taken away.
func (p *userPass) validate() *outcome {
	spec, able := p.user.Spec, p.able()
	if o := unreadable(p.user); o != nil {
		p.snapshot.Narrowing = true
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

// validateDeletion refuses a deletion policy that the server cannot carry out: that is to be known from the start, not on the
// day when somebody is to be disabled.
func (p *userPass) validateDeletion() *outcome {
	method := p.rung(p.user.Spec.Role)
	switch policy := p.user.Spec.DeletionPolicy; {
	case p.user.Spec.Role == v1alpha1.AccountRoleOwner: // protected, whatever the policy says
	case policy == v1alpha1.UserDeletionDelete && !p.able().DeleteAccount && method == "":
		return stalled(v1alpha1.ReasonUnsupported, "this server can neither delete accounts nor disable one with the role %s: set deletionPolicy to Retain", p.user.Spec.Role)
	case policy == v1alpha1.UserDeletionDelete && !p.able().DeleteAccount:
		return stalled(v1alpha1.ReasonUnsupported, "this server cannot delete accounts: set deletionPolicy to Disable or Retain")
	case policy == v1alpha1.UserDeletionDisable && method == "" && p.able().DeleteAccount:
		return stalled(v1alpha1.ReasonUnsupported, "accounts of this server with the role %s cannot be disabled: set deletionPolicy to Delete or Retain", p.user.Spec.Role)
	case policy == v1alpha1.UserDeletionDisable && method == "":
		return stalled(v1alpha1.ReasonUnsupported, "accounts of this server with the role %s cannot be disabled: set deletionPolicy to Retain", p.user.Spec.Role)
	}
	return nil
}

func roleNames(able media.Capabilities) []media.Role {
	return slices.Sorted(maps.Keys(able.Roles))
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

// serverFacts is what a plan needs to know of a server. Whose account it is for is added with the names of its libraries.
func (s site) serverFacts() plan.Server {
	_, libraries := s.inventory().Counts()
	return plan.Server{
		Name: s.server.Name, Unmanaged: s.server.Spec.UnmanagedAccess, Can: s.able(), Traits: s.to().Traits(),
		SelfName: s.connection.Probe.SelfName, Libraries: libraries,
	}
}

// seen counts the libraries that an account sees on the server.
func (s site) seen(account media.Account) int {
	return plan.Snapshot{Server: s.serverFacts()}.Seen(account)
}

// rung is how an account of a role is disabled; empty where that is not possible.
func (s site) rung(role v1alpha1.AccountRole) v1alpha1.DisableMethod {
	return plan.MethodFor(s.able(), role)
}

// names are those of the libraries that the server has, of these.
func (s site) names(lists ...map[media.LibraryID]media.LibraryRole) map[media.LibraryID]string {
	names := map[media.LibraryID]string{}
	for _, list := range lists {
		for id := range list {
			if library, found := s.inventory().Library(id); found {
				names[id] = library.Name
			}
		}
	}
	return names
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
