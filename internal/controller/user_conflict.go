package controller

import (
	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

func (p *userPass) adoptable(account media.Account) bool {
	switch p.adoptionPolicy() {
	case v1alpha1.AccountAdoptionAlways:
		// Who may set Always on a User, or a role that administers, was asked for that; a default of the server asks nobody.
		return p.user.Spec.AdoptionPolicy == v1alpha1.AccountAdoptionAlways || p.strong() != "" || !p.administers(account)
	case v1alpha1.AccountAdoptionIfDisabled:
		return account.Disabled && !p.administers(account)
	}
	return false
}

// administers says whether the account's role does, or is one that nobody knows.
func (p *userPass) administers(account media.Account) bool {
	role, known := p.able().Roles[account.Role]
	return !known || role.Administers
}

func (p *userPass) adoptionPolicy() v1alpha1.AccountAdoptionPolicy {
	switch policy := p.user.Spec.AdoptionPolicy; {
	case policy != "":
		return policy
	case p.unasked():
		return v1alpha1.AccountAdoptionIfDisabled // which asks nobody
	}
	return p.server.Spec.AdoptionPolicy
}

// unasked says whether the MediaServer takes over accounts that are in use, and nobody was asked for permission when this User
// was written.
func (p *userPass) unasked() bool {
	always := p.user.Spec.AdoptionPolicy == "" && p.server.Spec.AdoptionPolicy == v1alpha1.AccountAdoptionAlways
	return always && !p.askedToTakeOver(p.user) && p.strong() == ""
}

func (p *userPass) conflict(facts access.OwnershipFacts, candidates []media.Account) *outcome {
	name := p.user.Spec.Username
	switch {
	case facts.Named == access.NamedSeveral:
		return stalled(v1alpha1.ReasonAmbiguousName, "%d accounts of the server differ from %q only in letter case: rename or delete all but one there", len(candidates), name)
	case len(candidates) == 0:
		return stalled(v1alpha1.ReasonConflict, "the server has no account %q, and an owner is never made, only taken over: name the owner's account, or choose another role", name)
	case p.unproven:
		return stalled(v1alpha1.ReasonConflict, "cannot verify that Usher created account %q: its password changed during creation. Restore the old password in the Secret, delete the account, or set adoptionPolicy: Always", name)
	case p.user.Spec.AdoptionPolicy != v1alpha1.AccountAdoptionAlways && p.adoptionPolicy() != v1alpha1.AccountAdoptionNever && p.administers(candidates[0]):
		return stalled(v1alpha1.ReasonConflict, "an account %q exists whose role %s administers the server, or may: set spec.adoptionPolicy Always here to take it over, or choose another username", name, candidates[0].Role)
	case p.unasked():
		return stalled(v1alpha1.ReasonConflict, "an account %q exists and somebody can sign in with it: MediaServer %s has adoptionPolicy Always, but this User may be older than that, so that nobody was asked for permission: add the line \"adoptionPolicy: Always\" to spec here to take the account over, or accept all Users and Libraries that are there (%s); both need permission to administer the MediaServer", name, p.server.Name, p.acceptingAll())
	case p.adoptionPolicy() == v1alpha1.AccountAdoptionIfDisabled:
		return stalled(v1alpha1.ReasonConflict, "an account %q exists and somebody can sign in with it: set adoptionPolicy Always to take it over, disable it on the server first, or choose another username", name)
	}
	return stalled(v1alpha1.ReasonConflict, "an account %q exists and adoptionPolicy is %s: set it to Always to take the account over, or choose another username", name, p.adoptionPolicy())
}
