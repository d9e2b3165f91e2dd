package controller

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

// create announces the account, makes it with its final access and a password that nobody knows, and settles it.
func (r *userReconciler) create(ctx context.Context, p *userPass, step plan.Step) *outcome {
	recreated := p.record.ID != "" && p.record.ID == p.user.Status.ExternalID
	password, o := r.announce(ctx, p)
	if o != nil {
		return o
	}
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	account, err := p.to().CreateAccount(ctx, p.newAccount(password, step))
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

// announce makes the record that is written before an account is made, and the account's first password. Where the
// server lets Usher choose the id, the record has it, and holds all that it will hold: what carries that id is ours
// whatever becomes of us, and nothing is left to write down afterwards.
func (r *userReconciler) announce(ctx context.Context, p *userPass) (string, *outcome) {
	p.record = record{
		Server: p.identity(), Rotation: p.user.Annotations[v1alpha1.AnnotationRotatePassword],
		FormerIDs: p.former(), Intent: &intent{At: r.Clock.Now()},
	}
	password, o := r.firstPassword(ctx, p)
	if o != nil || !p.able().ChosenIDs || p.snapshot.WantDisabled {
		return password, o
	}
	p.record.ID, p.record.Origin = string(media.NewAccountID()), v1alpha1.OriginCreated
	if p.passwordRef() == nil && !p.chosenByHolder() {
		p.record.Password, p.record.Generated = r.Keyring.Hash(p.user.UID, password), true
		p.record.MustChange = p.mustChangeGenerated()
	}
	return password, nil
}

// settle gives a new account what it lacks, and records it as ours. That it is ours is recorded also where something of it
// fails: it would have to be proven otherwise, by passwords that may not be to be had then.
func (r *userReconciler) settle(ctx context.Context, p *userPass, account media.Account) *outcome {
	p.account = account
	o := r.complete(ctx, p, account)
	if o == nil || p.record.ID != "" {
		return o
	}
	p.record = p.made(p.record)
	p.record.Generated = p.passwordRef() == nil
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return o
}

// made is the record of the new account.
func (p *userPass) made(announced record) record {
	made := p.witnesses(announced, p.account)
	made.ID, made.Origin, made.Disabled, made.Intent = string(p.account.ID), v1alpha1.OriginCreated, p.account.Disabled, nil
	if p.snapshot.WantDisabled {
		made.Disabled, made.Method = true, p.method()
	}
	return made
}

// complete gives a new account its access and then the password that its holder gets.
func (r *userReconciler) complete(ctx context.Context, p *userPass, account media.Account) *outcome {
	desired := p.view().Desired()
	if !account.Access.Equal(desired) {
		exactly := plan.Step{Action: plan.SetAccess, Access: func(media.Account) media.Access { return desired }}
		if o := r.setAccess(ctx, p, exactly); o != nil {
			return o
		}
	}
	// One whose creation broke off may be open still: it is shut before its holder has a password.
	if p.snapshot.WantDisabled && !p.account.Disabled && p.method() == v1alpha1.DisableSwitch {
		if o := r.setSwitch(ctx, p, true); o != nil {
			return o
		}
	}
	announced, made := p.record, p.made(p.record)
	if announced.ID != "" {
		made.Intent = announced.Intent
	}
	// Where a password locks the account out, nobody is to have one that works. One that can only be given at the creation
	// has been given.
	if made.Method != v1alpha1.DisableLockOut && !p.able().PasswordsFixed {
		want, o := r.wantedPassword(ctx, p)
		if o != nil {
			return o
		}
		// One whose creation broke off may have to be changed at the first sign-in, for which nobody asked.
		unasked := p.account.MustChangePassword && !want.mustChange
		if o := r.deliverPassword(ctx, p, want, want.fromSecret || p.untried || unasked); o != nil {
			return o
		}
		made.apply(want)
	}
	if made.same(announced) {
		return nil // it was announced like that
	}
	p.record = made
	p.record.Intent = nil
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return nil
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
	name := p.user.Labels[v1alpha1.LabelRedemption]
	if had := p.status.ExternalID != "" || (p.record.ID != "" && !p.record.announced()); had || name == "" {
		return had, nil
	}
	var redemption v1alpha1.Redemption
	err := r.Live.Get(ctx, types.NamespacedName{Namespace: p.user.Namespace, Name: name}, &redemption)
	if client.IgnoreNotFound(err) != nil {
		return false, retry(err)
	}
	return redemption.Status.Phase == v1alpha1.RedemptionCompleted && redemption.AccountOf(p.user.Name) != nil, nil
}

// mayCreate says what must be there before an account is made.
func (r *userReconciler) mayCreate(ctx context.Context, p *userPass) *outcome {
	if o := r.mayObtain(ctx, p, false); o != nil {
		return o
	}
	if desired := p.view().Desired(); !p.able().ZeroAccess && !desired.All && len(desired.Libraries) == 0 && !p.able().Roles[p.view().Role()].SeesAll {
		return waiting(v1alpha1.ReasonReferencesUnresolved, "this server cannot hold an account without any library: grant one first")
	}
	if o := p.awaitsLibraries(); o != nil {
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
	if o := r.mayKeep(ctx, p, want); o != nil {
		return o
	}
	return r.refusedBefore(p.user, p.record)
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
	if err != nil || redemption.AccountOf(p.user.Name) == nil {
		return stalled(v1alpha1.ReasonInvalidSpec, "this User came by Redemption %s, which is gone: delete this User, or remove the label %s to keep it", name, v1alpha1.LabelRedemption)
	}
	return nil
}

func (p *userPass) newAccount(password string, step plan.Step) media.NewAccount {
	spec := p.user.Spec
	return media.NewAccount{
		ID:       media.AccountID(p.record.ID),
		Username: spec.Username, Email: spec.Email, DisplayName: spec.DisplayName,
		Role: media.Role(spec.Role), Access: step.Access(media.Account{}), Password: password, Disabled: step.Method == v1alpha1.DisableSwitch,
		MustChangePassword: p.mustChangeGenerated(),
	}
}

// mustChangeGenerated says whether the person is to choose another password than the one that was made here.
func (p *userPass) mustChangeGenerated() bool {
	password := p.user.Spec.Password
	return password != nil && password.SecretRef == nil && password.RequireChange
}

// awaitsLibraries holds a creation back until every library that is granted is there, on a server that gives libraries
// only then.
func (p *userPass) awaitsLibraries() *outcome {
	for _, name := range slices.Sorted(maps.Keys(p.snapshot.Effective)) {
		if _, resolved := p.snapshot.Beliefs.Given[name]; !resolved && p.able().GrantsFixed {
			return waiting(v1alpha1.ReasonReferencesUnresolved, "this server gives libraries only while an account is made: waits until Library %s is there", name)
		}
	}
	return nil
}
