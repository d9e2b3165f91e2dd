package plan

import (
	"slices"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// Action is what a step does.
type Action string

// The actions.
const (
	// Create: an account is announced, made with the access of Step.Access, and recorded.
	Create Action = "Create"
	// Recover: an account of an announced creation that broke off gets the access of Step.Access, and is recorded.
	Recover Action = "Recover"
	// Adopt: an existing account is recorded as the User's.
	Adopt Action = "Adopt"
	// SetOwedPassword: an account that was disabled when it was adopted gets the manifest's password, before it is enabled.
	SetOwedPassword Action = "SetOwedPassword"
	// Disable: nobody can sign in any more, by Step.Method.
	Disable Action = "Disable"
	// SetAccess: the access list becomes what Step.Access says.
	SetAccess Action = "SetAccess"
	// Update: role and profile become what Step.Change says.
	Update Action = "Update"
	// Enable: people can sign in again.
	Enable Action = "Enable"
	// ForgetDisabled: somebody else enabled the account that Usher had disabled. Only the record changes.
	ForgetDisabled Action = "ForgetDisabled"
	// Delete: the account is deleted.
	Delete Action = "Delete"
)

// Step is one thing that is done to an account.
type Step struct {
	Action Action
	// Access is what the list is to hold, given what it holds when the step is taken.
	Access func(media.Account) media.Access
	Change media.AccountChange
	Method v1alpha1.DisableMethod
	// Optional: the server may refuse it, and a later step makes up for that.
	Optional bool
	// Reason is what people read: in status.plan, in a drift, and in the log of writes.
	Reason []string
}

// Problem is why a part of what the manifest asks for is in no plan. Only a person can solve it.
type Problem struct{ Reason, Message string }

// Plan is what is to be done to an account, in order. One without steps is an account at rest.
type Plan struct {
	// Of is the snapshot that was planned for, with the effective access that the account is to have.
	Of Snapshot
	// Steps in the order in which they are taken: what tightens comes before what loosens.
	Steps []Step
	// Target is what the access list holds at the end.
	Target media.Access
	// Problem is nil where all of the manifest is planned.
	Problem *Problem
}

// For plans for a User that is not being deleted. Nothing is done to an account that is in doubt, or not the User's.
func For(s Snapshot) Plan {
	switch s.Ownership {
	case access.ActionCreate:
		return create(s)
	case access.ActionAdopt:
		return adopt(s)
	case access.ActionRecord:
		return recoverCreated(s)
	case access.ActionManage:
		return sync(s)
	case access.ActionTake:
		return withdraw(s.given())
	}
	return Plan{Of: s, Target: s.Account.Access}
}

// Reasons says all of it for people; empty where nothing is done to the account.
func (p Plan) Reasons() []string {
	var all []string
	for _, step := range p.Steps {
		all = append(all, step.Reason...)
	}
	return all
}

// Writes says whether the plan does something to the account, and not only to the record.
func (p Plan) Writes() bool {
	return slices.ContainsFunc(p.Steps, func(step Step) bool { return step.Action != ForgetDisabled })
}

// Has says whether an action is among the steps.
func (p Plan) Has(action Action) bool {
	return slices.ContainsFunc(p.Steps, func(step Step) bool { return step.Action == action })
}

// Only is the plan with the steps of one action alone.
func (p Plan) Only(action Action) Plan {
	p.Steps = slices.DeleteFunc(slices.Clone(p.Steps), func(step Step) bool { return step.Action != action })
	p.Target = p.Of.Account.Access
	return p
}

// After is the account as it will be.
func (p Plan) After() media.Account {
	account := p.Of.Account
	account.Role, account.Access = p.Of.Role(), p.Target
	return account
}

// LocksOut says whether somebody who can use the account now, or sees something, can or does no more: what the disruption limit
// counts.
func (p Plan) LocksOut() bool {
	open := !p.Of.Disabled()
	if p.Of.Renamed() { // of one that has another name only the server's word counts
		open = !p.Of.Account.Disabled
	}
	return open && ((p.Finalizes() && p.Writes()) || p.Has(Disable) || access.ShutsOut(p.Of.Seen(p.Of.Account), p.Of.Seen(p.After())))
}

// Finalizes says whether the account is one whose User goes, under the name that its manifest gives it.
func (p Plan) Finalizes() bool { return p.Of.Leaving && !p.Of.Renamed() }

// Loses says whether the account will see less than it does.
func (p Plan) Loses() bool {
	can, now, then := p.Of.Server.Can, p.Of.Account, p.After()
	if can.Roles[now.Role].SeesAll || can.Roles[then.Role].SeesAll {
		return !can.Roles[then.Role].SeesAll
	}
	return !then.Access.Includes(now.Access)
}

// OnlyRevokes says whether all that is done to the account is that access is taken from its list.
func (p Plan) OnlyRevokes() bool {
	return !slices.ContainsFunc(p.Steps, func(step Step) bool { return step.Action != SetAccess && step.Action != ForgetDisabled }) &&
		p.Of.Account.Access.Includes(p.Target)
}

// Raises says whether the account is given what the admission policies guard, or a User whom they guard is given something.
func (p Plan) Raises() bool {
	return Guarded(p.Of.User, p.Of.Server.Can) != "" && ((p.GivesAll() && p.Target.All) || p.Has(Update) || p.Has(Enable))
}

// GivesAll says whether the manifest asks for access to all libraries, which the account has not yet.
func (p Plan) GivesAll() bool {
	s := p.Of
	return s.User.Spec.Access == v1alpha1.UserAccessAll && s.Server.Can.AccessAll && !s.Account.Access.All
}
