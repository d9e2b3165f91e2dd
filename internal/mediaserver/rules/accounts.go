package rules

// Subject is the account that something is done to, as it is stored.
type Subject struct {
	ID       string
	Role     Role
	Custom   *Custom
	Disabled bool
}

func (s Subject) pairs() []Pair { return Actor{Role: s.Role, Custom: s.Custom}.Pairs() }

// has reports whether the subject's role is the wanted one.
func (s Subject) has(role Role, custom *Custom) bool {
	if s.Custom == nil || custom == nil {
		return s.Custom == custom && s.Role == role
	}
	return s.Custom.ID == custom.ID
}

// AccountChange is what an actor wants to do to a subject. Zero fields leave things as they are.
type AccountChange struct {
	// Role is the wanted role, or empty. For a role of the server's own it is Guest, and Custom says which.
	Role   Role
	Custom *Custom
	// Disabled is the wanted state, or nil.
	Disabled *bool
	// SetPassword says that the subject gets a new password.
	SetPassword bool
	// Delete says that the account goes away.
	Delete bool
}

var (
	errOwnerFixed = &Refusal{Message: "The owner cannot be changed"}
	errOwnRole    = &Refusal{Message: "You cannot change your own role"}
	errOwnAccount = &Refusal{Message: "You cannot disable or delete your own account"}
	errOneOwner   = &Refusal{Message: "There is exactly one owner: the first account that registered"}
)

// CheckNewAccount reports whether actor may create an account of that role: ErrForbidden, or a *Refusal for the owner's
// role (Dubby roles seed, lines 9 and 40: "Only one owner exists per server", "Can promote other users to admin").
func CheckNewAccount(actor Actor, role Role, custom *Custom) error {
	switch {
	case !actor.Can(ManageUsers):
		return ErrForbidden
	case role == Owner:
		return errOneOwner
	}
	return checkGift(actor, role, custom)
}

// checkGift reports whether the actor may give the role to somebody: only the owner makes admins, and nobody else gives
// what they cannot do themselves.
func checkGift(actor Actor, role Role, custom *Custom) error {
	pairs := Actor{Role: role, Custom: custom}.Pairs()
	if actor.Role != Owner && (role == Admin || !actor.covers(pairs)) {
		return ErrForbidden
	}
	return nil
}

// CheckAccountChange reports whether actor may make the change to the subject. Writing what is already so is always
// allowed to whoever manages users. The owner is never demoted, disabled or deleted; nobody changes their own role,
// nor disables or deletes themselves; only the owner makes or unmakes admins and touches an admin's password, state
// or existence (Dubby contract, section 4). Who manages users by a role of the server's own reaches nobody who may
// do more. Errors: ErrForbidden or a *Refusal.
func CheckAccountChange(actor Actor, subject Subject, change AccountChange) error {
	if !actor.Can(ManageUsers) {
		return ErrForbidden
	}
	newRole := change.Role != "" && !subject.has(change.Role, change.Custom)
	newState := change.Disabled != nil && *change.Disabled != subject.Disabled
	if err := checkFixed(actor, subject, change, newRole, newState); err != nil {
		return err
	}
	return checkRank(actor, subject, change, newRole, newState)
}

// CheckGift reports whether the actor may give the built-in role to whoever uses an invite. Error: ErrForbidden.
func CheckGift(actor Actor, role Role) error { return checkGift(actor, role, nil) }

// CheckPairsChange reports whether the actor may make, change or remove a role of the server's own that allows the
// pairs before (nil: a new one) and after (nil: none any longer). Error: ErrForbidden.
func CheckPairsChange(actor Actor, before, after []Pair) error {
	if !actor.Can(AssignRoles) || !actor.covers(before) || !actor.covers(after) {
		return ErrForbidden
	}
	return nil
}

// ErrBuiltIn says that a role cannot be changed (Shisho seed, line 10: "The built-in roles cannot be renamed or
// deleted").
var ErrBuiltIn error = &Refusal{Message: "The built-in roles cannot be renamed, changed or deleted"}

// CheckAccessChange reports whether actor may change the subject's access. Who sees everything gives and takes
// everything; others only what they see, and "all libraries" (toAll: it would change) only if they have it. Errors:
// ErrForbidden.
func CheckAccessChange(actor Actor, subject Subject, toAll, actorAll bool) error {
	switch {
	case !actor.Can(ManageUsers), !actor.covers(subject.pairs()):
		return ErrForbidden
	case toAll && !actor.SeesAll(actorAll):
		return ErrForbidden
	}
	return nil
}

// checkFixed holds the rules that bind every role.
func checkFixed(actor Actor, subject Subject, change AccountChange, newRole, newState bool) error {
	self := actor.ID == subject.ID
	switch {
	case subject.Role == Owner && (newRole || newState || change.Delete):
		return errOwnerFixed
	case newRole && change.Role == Owner:
		return errOneOwner
	case self && newRole:
		return errOwnRole
	case self && (newState || change.Delete):
		return errOwnAccount
	}
	return nil
}

// checkRank keeps admins from each other and from the owner.
func checkRank(actor Actor, subject Subject, change AccountChange, newRole, newState bool) error {
	if actor.Role == Owner {
		return nil
	}
	// A role of the server's own reaches nobody who may do more, be it for a new name only.
	if !actor.covers(subject.pairs()) {
		return ErrForbidden
	}
	powerful := subject.Role == Admin || subject.Role == Owner
	if powerful && (newRole || newState || change.SetPassword || change.Delete) {
		return ErrForbidden
	}
	if !newRole {
		return nil
	}
	return checkGift(actor, change.Role, change.Custom)
}
